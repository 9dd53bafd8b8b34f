"""The generator of random numbers, compiled on its own: known answers, and transforms against Python's."""

from __future__ import annotations

import ctypes
import math
from importlib.resources import files
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from snnlearn.runtime.compiler import find_compiler

# Philox 4x32-10 of Random123 (Salmon et al. 2011), file kat_vectors: counter, key, result.
KNOWN = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]
ACCESS = """
SNN_API void philox(const uint32_t *counter, const uint32_t *key, uint32_t *out)
{
    snn::Random random((uint64_t(key[1]) << 32) | key[0], counter[3], (uint64_t(counter[1]) << 32) | counter[0]);
    random.m_Counter[2] = counter[2];
    for (int i = 0; i < 4; i++) {
        out[i] = random.word();
    }
}
SNN_API double quantile(double p) { return snn::Random::normal_quantile(p); }
SNN_API double logarithm(double x) { return snn::Random::log(x); }
SNN_API void draw(uint64_t seed, uint32_t stream, uint64_t index, uint32_t count, uint32_t *out)
{
    snn::Random random(seed, stream, index);
    for (uint32_t i = 0; i < count; i++) {
        out[i] = random.word();
    }
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    templates = files("snnlearn.codegen.cpp") / "templates"
    parts = [(templates / "support.h").read_text(), "#define private public", (templates / "random.h").read_text()]
    folder = tmp_path_factory.mktemp("random")
    source, target = folder / "random.cpp", folder / "random.so"
    Path(source).write_text("\n".join([*parts, "}", ACCESS]))
    find_compiler().compile(source, target)
    functions = ctypes.CDLL(str(target))
    for name in ("quantile", "logarithm"):
        getattr(functions, name).restype = ctypes.c_double
        getattr(functions, name).argtypes = [ctypes.c_double]
    functions.draw.argtypes = [ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p]
    return functions


def words(values: list[int]) -> Any:
    return (ctypes.c_uint32 * len(values))(*values)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(library: Any, counter: list[int], key: list[int], expected: list[int]) -> None:
    out = words([0] * 4)
    library.philox(words(counter), words(key), out)
    assert list(out) == expected


def test_blocks_follow_one_another_without_a_gap(library: Any) -> None:
    drawn = np.zeros(12, np.uint32)
    library.draw(123456789012345, 77, 2**40 + 3, 12, drawn.ctypes.data)
    key = [123456789012345 & 0xFFFFFFFF, 123456789012345 >> 32]
    for block in range(3):
        out = words([0] * 4)
        library.philox(words([3, 2**8, block, 77]), words(key), out)
        assert drawn[4 * block : 4 * block + 4].tolist() == list(out)


PROBABILITIES = [
    2.0**-54,
    1e-16,
    1e-12,
    1e-6,
    0.001,
    0.07499,
    0.075,
    0.07501,
    0.3,
    0.5,
    0.500001,
    0.7,
    0.925,
    0.999,
    1 - 1e-9,
    1 - 2.0**-53,
]


@pytest.mark.parametrize("p", PROBABILITIES)
def test_normal_quantile(library: Any, p: float) -> None:
    assert library.quantile(p) == pytest.approx(NormalDist().inv_cdf(p), rel=4e-15, abs=1e-16)


def test_normal_quantile_is_odd_and_rises(library: Any) -> None:
    values = np.array([library.quantile(p / 4096) for p in range(1, 4096)])
    assert (np.diff(values) > 0).all()
    np.testing.assert_allclose(values, -values[::-1], rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize(
    "x", [2.0**-54, 1e-300, 1e-10, 0.1, 0.5, 0.7071067811865475, 0.7071067811865477, 0.99999999, 1.0, 1.5, 2.0, 1e300]
)
def test_logarithm(library: Any, x: float) -> None:
    assert library.logarithm(x) == pytest.approx(math.log(x), rel=4e-15, abs=1e-16)
