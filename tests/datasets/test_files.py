"""Data sets read from files as their makers lay them out."""

from __future__ import annotations

import gzip
import re
import struct

import numpy as np
import pytest

from snnlearn.datasets import HeidelbergDigits, NMnist, read_mnist
from snnlearn.errors import ExchangeError


class TestHeidelberg:
    """Files of SHD and SSC."""

    @pytest.fixture
    def write(self, tmp_path):
        h5py = pytest.importorskip("h5py", reason="the extra hdf5 is not installed")

        def write(times, units, labels, leave_out=()):
            path = tmp_path / "shd.h5"
            with h5py.File(path, "w") as file:
                columns = {"spikes/times": (times, np.float16), "spikes/units": (units, np.uint16)}
                for key, (rows, dtype) in columns.items():
                    if key not in leave_out:
                        data = file.create_dataset(key, (len(rows),), h5py.vlen_dtype(dtype))
                        for i, row in enumerate(rows):
                            data[i] = np.array(row, dtype)
                file["labels"] = np.array(labels, np.uint16)
                file["extra/speaker"] = np.arange(len(labels), dtype=np.uint16)
            return path

        return write

    def test_examples(self, write):
        digits = HeidelbergDigits(write([[0.5, 0.25], [1.0]], [[3, 699], [0]], [7, 19]))
        assert (len(digits), digits.num_neurons, digits.labels.tolist(), digits.speakers.tolist()) == (
            2,
            700,
            [7, 19],
            [0, 1],
        )
        spikes, label = digits[0]
        assert (spikes.times.tolist(), spikes.ids.tolist(), spikes.num_neurons, label) == (
            [500.0, 250.0],
            [3, 699],
            700,
            7,
        )
        assert [label for _, label in digits[::-1]] == [19, 7]
        assert digits[-1][0].ids.tolist() == [0]
        assert sum(spikes.num_spikes for spikes, _ in digits) == 3
        with pytest.raises(IndexError):
            digits[2]
        digits.close()

    def test_other_files(self, write, tmp_path):
        with pytest.raises(ExchangeError, match=r"shd\.h5: this is no file of SHD or SSC: it lacks spikes/units"):
            HeidelbergDigits(write([[0.5]], [[3]], [7], leave_out=("spikes/units",)))
        with pytest.raises(ExchangeError, match="2 labels, but 1 examples of times"):
            HeidelbergDigits(write([[0.5]], [[3]], [7, 8]))
        with pytest.raises(ExchangeError, match="there is no such file"):
            HeidelbergDigits(tmp_path / "none.h5")


class TestNMnist:
    """Folders of N-MNIST."""

    def test_examples(self, tmp_path):
        for digit, name in [(3, "00007.bin"), (0, "00002.bin"), (3, "00004.bin")]:
            (tmp_path / str(digit)).mkdir(exist_ok=True)
            # Two events: x, y, the polarity as the highest bit of 24, the time in microseconds in the others.
            events = [(5, 33, 1, 300_000), (2, 1, 0, 1_500)]
            data = b"".join(bytes([x, y]) + (p << 23 | t).to_bytes(3, "big") for x, y, p, t in events)
            (tmp_path / str(digit) / name).write_bytes(data)
        digits = NMnist(tmp_path)
        assert digits.labels.tolist() == [0, 3, 3]
        assert [path.name for path in digits.paths] == ["00002.bin", "00004.bin", "00007.bin"]
        spikes, label = digits[1]
        assert (spikes.num_neurons, label) == (2 * 34 * 34, 3)
        assert (spikes.ids.tolist(), spikes.times.tolist()) == ([34 + 2, 34 * 34 + 33 * 34 + 5], [1.5, 300.0])

    def test_other_files(self, tmp_path):
        with pytest.raises(ExchangeError, match="there is no file such as"):
            NMnist(tmp_path)
        (tmp_path / "0").mkdir()
        (tmp_path / "0" / "1.bin").write_bytes(b"1234567")
        with pytest.raises(ExchangeError, match=r"1\.bin: an event has 5 bytes, and the file 7"):
            NMnist(tmp_path)[0]
        (tmp_path / "0" / "1.bin").write_bytes(bytes([40, 0, 0, 0, 0]))
        with pytest.raises(ExchangeError, match=re.escape("x must be in 0..33, but event 0 has 40")):
            NMnist(tmp_path)[0]


class TestMnist:
    """IDX files."""

    IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4) * 10

    @pytest.fixture
    def write(self, tmp_path):
        def write(name, array, packed=False):
            data = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
            (tmp_path / name).write_bytes(gzip.compress(data) if packed else data)
            return tmp_path / name

        return write

    @pytest.mark.parametrize("packed", [False, True])
    def test_images(self, write, packed):
        labels = write("labels", np.array([7, 2], np.uint8), packed)
        images, classes = read_mnist(write("images", self.IMAGES, packed), labels)
        np.testing.assert_array_equal(images, self.IMAGES / 255.0)
        assert (classes.tolist(), classes.dtype) == ([7, 2], np.int64)

    def test_other_files(self, write, tmp_path):
        images, labels = write("images", self.IMAGES), write("labels", np.array([1, 2, 3], np.uint8))
        with pytest.raises(ExchangeError, match=r"2 images in .*images, but 3 labels in .*labels"):
            read_mnist(images, labels)
        with pytest.raises(ExchangeError, match="labels: this is no IDX file of bytes with 3 dimensions"):
            read_mnist(labels, images)
        images.write_bytes(images.read_bytes()[:-1])
        with pytest.raises(
            ExchangeError, match=re.escape("the file says that its shape is (2, 3, 4), and has 23 bytes")
        ):
            read_mnist(images, labels)
        images.write_bytes(b"\x1f\x8b no gzip")
        with pytest.raises(ExchangeError, match="images: the file cannot be unpacked"):
            read_mnist(images, labels)
        images.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1))
        with pytest.raises(ExchangeError, match="and has 0 bytes for it"):
            read_mnist(images, labels)
