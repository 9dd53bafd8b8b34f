"""Files of any size and kind are looked at before they are read."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snnlearn.errors import TargetError, TrainingError
from snnlearn.io import read_picture, read_ras
from snnlearn.io.limits import read_bounded


def test_a_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(1_000_000))
    assert read_bounded(path, 1_000_000, TargetError, "a list") == bytes(1_000_000)
    path.write_bytes(bytes(1_000_001))
    with pytest.raises(TrainingError, match=r"/file: the file is larger than 1 MB, the most that a list may have"):
        read_bounded(path, 1_000_000, TrainingError, "a list")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.ras"
    with open(path, "wb") as file:
        os.truncate(file.fileno(), 1 << 40)  # a terabyte of nothing
    with pytest.raises(TargetError, match=r"huge.ras: the file is larger than 64 MB, the most that a .ras file may"):
        read_ras(path, 1, 1.0)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_files_without_an_end_and_pipes(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="/dev/zero: the file is larger than 64 MB"):
        read_ras("/dev/zero", 1, 1.0)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"0.5 1\n",))
    writer.start()
    assert read_ras(pipe, 1, 1000.0).num_spikes == 1
    writer.join()


@pytest.mark.parametrize(
    ("name", "what"), [("no", "there is no such file"), ("", "this is a folder"), ("\0", "no name")]
)
def test_what_is_no_file(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(TargetError, match=what):
        read_bounded(f"{tmp_path}/{name}", 10, TargetError, "a list")


@pytest.mark.parametrize("line", ["1" * 100_000 + "x 1", "1." + "1" * 100_000 + "e 1", "0.1 " + "1" * 100_000])
def test_a_number_of_any_length_is_refused_in_no_time(tmp_path: Path, line: str) -> None:
    path = tmp_path / "long.ras"
    path.write_text(f"0.1 1\n{line}\n")
    with pytest.raises(TargetError, match=r"long\.ras:2: the (time|neuron id) '1{37}\.\.\.' is not|1\.1{35}"):
        read_ras(path, 1, 1000.0)


def test_a_line_of_many_fields(tmp_path: Path) -> None:
    path = tmp_path / "wide.ras"
    path.write_text("1 " * 100_000)
    with pytest.raises(TargetError, match="this one has 1001"):
        read_ras(path, 1, 1000.0)


@pytest.mark.parametrize(("kind", "most"), [("uint16", 4095), ("int32", 2**31 - 1), ("int32", 30), ("float32", 1e-3)])
def test_pictures_of_large_numbers_are_scaled_by_their_own_range(tmp_path: Path, kind: str, most: float) -> None:
    ramp = np.linspace(0.0, 1.0, 50)[None, :].repeat(20, axis=0)
    path = tmp_path / "ramp.tiff"
    Image.fromarray((ramp * most).astype(kind)).save(path)
    found = read_picture(path, 20, 50)
    plain = tmp_path / "plain.png"
    Image.fromarray((ramp * 255).astype(np.uint8)).save(plain)
    np.testing.assert_allclose(found, read_picture(plain, 20, 50), atol=0.05)
    assert (found.min(), found.max()) == (0.0, 1.0)


def test_what_other_programs_would_read_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) run\n%%EOF\n")
    with pytest.raises(TargetError, match="this is not a picture that can be read"):
        read_picture(path, 10, 10)


@pytest.mark.parametrize("shape", [(3, 300_000), (300_000, 3)])
def test_pictures_of_any_shape_are_averaged(tmp_path: Path, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    pixels[: shape[0] // 2, : shape[1] // 2] //= 2
    path = tmp_path / "long.png"
    Image.fromarray(pixels).save(path)
    found = read_picture(path, 30 if shape[0] > 3 else 3, 30 if shape[1] > 3 else 3)
    expected = pixels.reshape(found.shape[0], shape[0] // found.shape[0], found.shape[1], -1).mean(axis=(1, 3))
    darkness = (expected.max() - expected) / (expected.max() - expected.min())
    power = min(max(np.log(1 / 3) / np.log(darkness.mean()), 1.0), 3.0)
    np.testing.assert_allclose(found, 1.0 - darkness**power, atol=1e-9)
