"""What is fuzzed: readers of files, each with good files to begin with, and the checker of code strings."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import struct
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dialect_author import FLOATS, INTEGERS, PARAMETERS, TYPES, Author
from dialect_damage import WORDS, damaged, noise
from fuzz.mutation import mutated
from snnlearn.dialect import Scope, parse_code, tree, unparse
from snnlearn.dialect.scopes import scopes_of
from snnlearn.errors import BuildError, DialectError, ModelWarning, NetworkError
from snnlearn.genn import (
    GeNNModel,
    create_neuron_model,
    create_sparse_connect_init_snippet,
    create_weight_update_model,
)
from snnlearn.io import CurvePoint, read_learning_curve, read_picture, read_ras, write_learning_curve
from snnlearn.io.picture_file import most_pixels
from snnlearn.runs import read_run
from snnlearn.training.archive import write_archive
from snnlearn.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class Target:
    """Something that reads.

    Attributes
    ----------
    file : str
        The name of a file that it reads.
    make : function
        Returns the next input, of good ones and random numbers.
    read : function
        Takes the path of the file.
    room : function
        Returns how many bytes of memory it may take, of its file's.
    """

    file: str
    make: Callable[[random.Random], bytes]
    read: Callable[[Path], object]
    room: Callable[[os.stat_result], int] = lambda status: 100_000_000 + 10 * status.st_size


def of_bytes(seeds: Sequence[bytes], words: Sequence[bytes] = ()) -> Callable[[random.Random], bytes]:
    return lambda rng: mutated(rng, seeds, words)


# ---- tables ----

RAS = [
    b"0.010000 1\n0.020000 200\n1.5 3\n",
    b"\xef\xbb\xbf# a comment\r\n0.1 7\r\n\r\n  .5e-1\t9  \n",
    b"".join(b"%.6f %d\n" % (0.001 * n, n % 200 + 1) for n in range(40)),
]


def ras() -> Target:
    return Target("target.ras", of_bytes(RAS), lambda path: read_ras(path, 200, 1890.0))


def curve() -> Target:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "curve.csv")
        write_learning_curve(path, [CurvePoint(n, 0.1 * n, 1.0 / (n + 1), 0.5) for n in range(10)])
        seed = path.read_bytes()
    return Target("learning_curve.csv", of_bytes([seed, seed[:80]]), read_learning_curve)


# ---- checkpoints ----

PROGRESS: dict[str, Any] = {
    "setup": {"seed": 1},
    "optimisers": [],
    "runner": [1, 2, 3, None],
    "timestep": 5,
    "conductor": {},
    "measures": [],
    "history": {},
    "epochs": [],
}


def checkpoint() -> Target:
    """Half of the inputs get a digest that fits, or their damage would be seen at once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checkpoint.npz")
        good = Checkpoint({"A.own.V": np.arange(3.0), "S.row_length": np.zeros((2, 2), np.uint32)}, PROGRESS, {})
        good.write(path)
        whole = path.read_bytes()
        write_archive(path, {"progress": np.array(json.dumps({"format": 2, **PROGRESS})), "array/x": np.zeros(0)})
        small = path.read_bytes()
        plain = io.BytesIO()
        np.savez(plain, progress=np.array(json.dumps({"format": 1, **PROGRESS})), **{"array/x": np.ones(4)})
    names = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY", b"'descr': '|O'", b"(99999999999,)", b"<U9999"]

    def make(rng: random.Random) -> bytes:
        data = mutated(rng, [whole, small, plain.getvalue()], names)
        return sealed(data) if rng.random() < 0.5 else data

    return Target("checkpoint.npz", make, Checkpoint.read)


def sealed(data: bytes) -> bytes:
    """Return a file with the digest of what it holds as the archive's comment."""
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or len(data) < end + 22:
        return data
    body = data[: end + 20] + struct.pack("<H", 64)
    return body + hashlib.sha256(body).hexdigest().encode()


# ---- records of runs ----

RECORD = {
    "format": 1,
    "program": "superspike_demo",
    "arguments": ["--seed", "1"],
    "seed": 1,
    "options": {"checkpoint_every": 50, "stop_on_nan": True},
    "versions": {"snnlearn": "0.1"},
    "engine": {"name": "cpu"},
    "machine": {"cpu": "x"},
    "digests": {"target": "00"},
    "files": ["curve.csv"],
    "sessions": [{"exit": "finished", "first_trial": 0}],
}


def record() -> Target:
    seeds = [json.dumps(RECORD).encode(), json.dumps(RECORD, indent=2).encode()]
    words = [b"[" * 5000, b'{"a":' * 2000, b"1" * 5000, b"1e400", b"NaN", b"\\ud800", b'"\\u0000"', b'"../x"']
    return Target("run.json", of_bytes(seeds, words), lambda path: read_run(path.parent))


# ---- pictures ----


def pictures() -> list[bytes]:
    from PIL import Image

    rng = np.random.default_rng(1)
    colours = Image.fromarray(rng.integers(0, 256, (9, 12, 4), dtype=np.uint8))
    large = Image.fromarray(rng.integers(0, 65536, (9, 12)).astype(np.uint16))
    real = Image.fromarray(rng.random((9, 12)).astype(np.float32))
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: list[tuple[Any, str, dict[str, Any]]] = [
        (colours, "PNG", {}),
        (colours.convert("P"), "PNG", {"transparency": 3}),
        (colours.convert("1"), "PNG", {}),
        (large, "PNG", {}),
        (colours.convert("RGB"), "JPEG", {"exif": exif}),
        (colours.convert("P"), "GIF", {"save_all": True, "append_images": [colours.convert("P")]}),
        (colours.convert("RGB"), "BMP", {}),
        (colours, "TIFF", {"compression": "tiff_lzw"}),
        (real, "TIFF", {}),
        (colours.convert("RGB"), "PPM", {}),
        (colours, "TGA", {"compression": "tga_rle"}),
        (colours, "WEBP", {"lossless": True}),
        (colours.convert("RGB"), "PCX", {}),
        (colours.convert("L"), "JPEG2000", {}),
    ]
    found = []
    for image, kind, options in kinds:
        file = io.BytesIO()
        try:
            image.save(file, kind, **options)
        except (KeyError, OSError):  # this Pillow was built without it
            continue
        found.append(file.getvalue())
    return found


def picture() -> Target:
    return Target("picture", of_bytes(pictures()), lambda path: read_picture(path, 20, 19), room_of_picture)


def room_of_picture(status: os.stat_result) -> int:
    return 100_000_000 + 16 * most_pixels(status)


# ---- code strings ----

NEURON = create_neuron_model(
    "Fuzzed",
    params=["tau"],
    vars=["V", ("n", "int")],
    extra_global_params=[("a", "scalar*"), ("bits", "uint8_t*")],
)
AUTHORED = create_neuron_model(
    "Authored",
    params=["p", "q", *PARAMETERS.items()],
    vars=list(TYPES.items()),
    extra_global_params=[("list", "scalar*"), ("bits", "uint8_t*")],
)
SYNAPSE = create_weight_update_model("Fuzzed", vars=["V"], params=["n", "tau"], post_neuron_var_refs=["a"])
CONNECT = create_sparse_connect_init_snippet("Fuzzed", params=[("n", "int")], extra_global_params=[("a", "scalar*")])


def scopes() -> list[Scope]:
    found: dict[int, Scope] = {}
    for model in (AUTHORED, NEURON, SYNAPSE, CONNECT):
        found |= {id(scope): scope for scope in scopes_of(model).values()}
    return list(found.values())


SCOPES = scopes()
_HARMFUL = """list[m1] bits[u] list[far-1] /m2 %u <<m1 >>small /=m2 %=flag <<=m1 bits[small++] list[(int)a]
-2147483647 9223372036854775807 (m1-m1) gennrand() 1/0"""
HARMFUL = _HARMFUL.split()
CODE_WORDS = [*WORDS, *HARMFUL, *FLOATS, *INTEGERS]


def written(rng: random.Random) -> str:
    """Return what a person might write, with up to three words changed."""
    author = Author(rng.randrange(1 << 30))
    words = " ".join(author.statement(1) for _ in range(rng.randrange(1, 4))).split(" ")
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(words))
        if rng.random() < 0.3:
            del words[at]
        elif rng.random() < 0.5:
            words.insert(at, rng.choice(CODE_WORDS))
        else:
            words[at] = rng.choice(HARMFUL if rng.random() < 0.5 else CODE_WORDS)
        words = words or [""]
    return " ".join(words)


def code_string(rng: random.Random) -> bytes:
    """Return a code string; its first character tells the scope and whether it is an expression."""
    choice = rng.randrange(8)
    if choice == 0:
        return b"1" + damaged(rng).encode("utf-8", "replace")
    if choice == 1:
        return b"2" + noise(rng).encode("utf-8", "replace")
    text = written(rng).encode("utf-8", "replace")
    if choice == 2:
        return bytes([rng.randrange(256)]) + text
    return b"0" + (mutated(rng, [text]) if choice == 3 else text)


def check_code(path: Path) -> None:
    """Check a code string in every scope; what is accepted says the same once it is written down again."""
    data = path.read_bytes()
    choice, text = data[0] % 48, data[1:].decode("utf-8", "replace")
    scope, expression = SCOPES[choice % len(SCOPES)], choice >= 3 and choice % 7 == 0
    snippet, _ = parse_code(text, scope, "here", expression=expression)
    again, _ = parse_code(unparse(snippet.tree), scope, "here", expression=expression)
    assert unparse(again.tree) == unparse(snippet.tree)


def code() -> Target:
    return Target("code", code_string, check_code)


# ---- code strings that run ----

BATCH = 25  # code strings in one model: compiling takes longer than all else
LOOPS = (tree.For, tree.While)


def batch(rng: random.Random) -> bytes:
    """Return code strings that the checker takes, without loops, which need not end."""
    found: list[str] = []
    while len(found) < BATCH:
        text = written(rng)
        try:
            snippet, _ = parse_code(text, SCOPES[0], "here")
        except DialectError:
            continue
        if not any(isinstance(node, LOOPS) for node in tree.walk(snippet.tree)):
            found.append(text)
    return json.dumps(found).encode()


def run_checked(path: Path) -> None:
    """Run code strings in a checked build: what they do wrong is told, and they do no harm."""
    code = "\n".join(f"{{ {text}\n}}" for text in json.loads(path.read_bytes()))
    model = GeNNModel("double", "fuzzed", checked=True)
    neuron = replace(AUTHORED, sim_code=code)
    values = dict.fromkeys(TYPES, 0)
    p = model.add_neuron_population("P", 3, neuron, {"p": 0.5, "q": -4.0, **dict.fromkeys(PARAMETERS, 1)}, values)
    p.extra_global_params["list"].set_init_values(np.arange(5.0))
    p.extra_global_params["bits"].set_init_values(np.arange(3, dtype=np.uint8))
    try:
        model.build()
    except BuildError as error:
        raise AssertionError(error.output or str(error)) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        model.load()
        for _ in range(4):
            with suppress(NetworkError):
                model.step_time()
    model.unload()


def run() -> Target:
    return Target("batch.json", batch, run_checked)


TARGETS: dict[str, Callable[[], Target]] = {
    "ras": ras,
    "curve": curve,
    "checkpoint": checkpoint,
    "record": record,
    "picture": picture,
    "code": code,
    "run": run,
}
