"""The generator of random numbers, compiled on its own: known answers, and transforms against Python's."""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from snnlearn.codegen.cpp import support_source
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
# The same of Philox 4x32-7.
KNOWN_7 = [
    ([0, 0, 0, 0], [0, 0], [0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x5207DDC2, 0x45165E59, 0x4D8EE751, 0x8C52F662]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0x4DFCCABA, 0x190A87F0, 0xC47362BA, 0xB6B5242A],
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
SNN_API double quantile(double p) { return snn::normal_quantile(p); }
SNN_API double logarithm(double x) { return snn::natural_log(x); }
SNN_API double exponential(double x) { return snn::natural_exp(x); }
SNN_API void philox_7(const uint32_t *counter, const uint32_t *key, uint32_t *out)
{
    for (uint32_t i = 0; i < 4; i++) {
        const uint64_t time = (uint64_t(counter[2] >> 16) << 32) | counter[1];
        const uint64_t seed = (uint64_t(key[1]) << 32) | key[0], index = uint64_t(counter[0]) * 4 + i;
        out[i] = snn::StepRandom::compute(seed, counter[3], index, time, counter[2] & 0xFFFFu);
    }
}
SNN_API void step_words(uint64_t seed, uint32_t first, uint64_t time, uint32_t ahead, uint32_t size, uint32_t *out)
{
    std::vector<uint32_t> words(ahead * size);
    snn::StepRandom::look_ahead(seed, 7u, first, time, ahead, size, words.data());
    for (uint32_t i = 0; i < size; i++) {
        snn::StepRandom random(seed, 7u, first + i, time, words.data() + i, size, ahead);
        for (uint32_t n = 0; n < 5; n++) {
            out[i * 5 + n] = random.word();
        }
    }
}
SNN_API void draw_gamma(double shape, uint64_t count, double *out)
{
    snn::Random random(3, 1, 4);
    for (uint64_t i = 0; i < count; i++) {
        out[i] = random.gamma<double>(shape);
    }
}
SNN_API void draw_binomial(double trials, double probability, uint64_t count, double *out)
{
    snn::Random random(3, 2, 4);
    for (uint64_t i = 0; i < count; i++) {
        out[i] = random.binomial(trials, probability);
    }
}
// Of words that are all the same.
struct Constant : snn::Distributions<Constant> {
    uint32_t value;
    uint32_t word() { return value; }
};
SNN_API void draw_constant(uint32_t value, double *out)
{
    Constant random;
    random.value = value;
    out[0] = random.uniform<float>();
    out[1] = random.uniform<double>();
    out[2] = random.normal<float>();
    out[3] = random.normal<double>();
    out[4] = random.exponential<float>();
    out[5] = random.exponential<double>();
    out[6] = random.log_normal<float>(0.0, 1.0);
    out[7] = random.log_normal<double>(0.0, 1.0);
}
SNN_API void draw_uniform(uint64_t count, float *out)
{
    snn::Random random(3, 5, 4);
    for (uint64_t i = 0; i < count; i++) {
        out[i] = random.uniform<float>();
    }
}
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
    # All in one, and all of it public.
    headers = ["cstdio", "cstdint", "cstring", "limits", "vector", "atomic", "chrono", "condition_variable", "mutex"]
    opened = [f"#include <{name}>" for name in (*headers, "system_error", "thread")]
    parts = [*opened, "#define private public", support_source()]
    folder = tmp_path_factory.mktemp("random")
    source, target = folder / "random.cpp", folder / "random.so"
    Path(source).write_text("\n".join([*parts, ACCESS]))
    find_compiler().compile(source, target)
    functions = ctypes.CDLL(str(target))
    for name in ("quantile", "logarithm", "exponential"):
        getattr(functions, name).restype = ctypes.c_double
        getattr(functions, name).argtypes = [ctypes.c_double]
    step = [ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p]
    functions.step_words.argtypes = step
    functions.draw_gamma.argtypes = [ctypes.c_double, ctypes.c_uint64, ctypes.c_void_p]
    functions.draw_binomial.argtypes = [ctypes.c_double, ctypes.c_double, ctypes.c_uint64, ctypes.c_void_p]
    functions.draw_constant.argtypes = [ctypes.c_uint32, ctypes.c_void_p]
    functions.draw_uniform.argtypes = [ctypes.c_uint64, ctypes.c_void_p]
    functions.draw.argtypes = [ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p]
    return functions


def words(values: list[int]) -> Any:
    return (ctypes.c_uint32 * len(values))(*values)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(library: Any, counter: list[int], key: list[int], expected: list[int]) -> None:
    out = words([0] * 4)
    library.philox(words(counter), words(key), out)
    assert list(out) == expected


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_7)
def test_known_answers_of_a_timestep(library: Any, counter: list[int], key: list[int], expected: list[int]) -> None:
    out = words([0] * 4)
    library.philox_7(words(counter), words(key), out)
    assert list(out) == expected


@pytest.mark.parametrize("ahead", [1, 2, 3])
def test_numbers_known_ahead_are_those_of_their_own(library: Any, ahead: int) -> None:
    size = 24
    found, alone = np.zeros((size, 5), np.uint32), np.zeros((size, 5), np.uint32)
    library.step_words(99, 1024, (1 << 33) + 5, ahead, size, found.ctypes.data)
    library.step_words(99, 1024, (1 << 33) + 5, 0, size, alone.ctypes.data)
    np.testing.assert_array_equal(found, alone)
    assert len(np.unique(found)) == found.size, "no number comes twice"
    other = np.zeros((size, 5), np.uint32)
    library.step_words(99, 1024, 5, ahead, size, other.ctypes.data)
    assert not np.isin(found, other).any(), "all bits of the timestep count"


@pytest.mark.parametrize("x", [-744.0, -700.0, -1.0, -1e-9, 0.0, 1e-9, 0.5, 1.0, 10.0, 709.0])
def test_exponential(library: Any, x: float) -> None:
    assert library.exponential(x) == pytest.approx(math.exp(x), rel=4e-15, abs=1e-323)


def test_exponential_beyond_its_range(library: Any) -> None:
    assert library.exponential(-800.0) == 0.0
    assert library.exponential(800.0) == math.inf
    assert math.isnan(library.exponential(math.nan))


@pytest.mark.parametrize("word", [0, 1, 0x7FFFFF7F, 0x7FFFFFFF, 0x80000000, 0xFFFFFF7F, 0xFFFFFF80, 0xFFFFFFFF])
def test_no_word_gives_an_end_of_an_interval(library: Any, word: int) -> None:
    out = np.zeros(8)
    library.draw_constant(word, out.ctypes.data)
    # The middle of the word's part of (0, 1); of two equal words in double precision.
    assert out[0] == pytest.approx((word + 0.5) / 2**32, rel=2**-23)
    assert out[1] == pytest.approx((word * (1 + 2**-32)) / 2**32, abs=2**-53)
    assert ((out[:2] > 0.0) & (out[:2] < 1.0)).all()
    assert np.isfinite(out).all()
    assert (out[4:] > 0.0).all()
    # Three uses of the end: a logarithm, an index, a trial of certain success.
    assert np.isfinite(np.log(out[:2].astype(np.float32))).all()
    for size in (1, 3, 1000, 2**24 - 1, 2**24):
        assert int(np.float32(out[0]) * np.float32(size)) < size


def test_uniform_numbers_are_fine_near_0(library: Any) -> None:
    out = np.zeros(1 << 26, np.float32)
    library.draw_uniform(out.size, out.ctypes.data)
    least = np.sort(out[out < 2.0**-20])
    # About 64 of 2^26 are as small. In steps of 2^-24 they would have sixteen different values, one of them 0.
    assert len(least) == pytest.approx(64, abs=5 * 8)
    assert len(np.unique(least)) > 40
    assert least[0] > 0.0
    assert out.max() < 1.0
    assert out.mean(dtype=float) == pytest.approx(0.5, abs=5 * math.sqrt(1 / 12 / out.size))


COUNT = 40_000


@pytest.mark.parametrize("shape", [0.3, 1.0, 2.5, 100.0])
def test_moments_of_gamma(library: Any, shape: float) -> None:
    out = np.zeros(COUNT)
    library.draw_gamma(shape, COUNT, out.ctypes.data)
    # Mean and variance are both the shape; five standard errors, of the variance from the fourth moment.
    assert out.mean() == pytest.approx(shape, abs=5 * math.sqrt(shape / COUNT))
    spread = math.sqrt((3 * shape**2 + 6 * shape - shape**2) / COUNT)
    assert out.var() == pytest.approx(shape, abs=5 * spread)
    assert out.min() > 0.0


@pytest.mark.parametrize(
    ("shape", "expected"), [(math.inf, math.inf), (0.0, math.nan), (-1.0, math.nan), (math.nan, math.nan)]
)
def test_gamma_of_no_shape(library: Any, shape: float, expected: float) -> None:
    out = np.zeros(1)
    library.draw_gamma(shape, 1, out.ctypes.data)
    np.testing.assert_equal(out, [expected])


@pytest.mark.parametrize(("trials", "p"), [(1, 0.3), (10, 0.5), (64, 0.1), (65, 0.9), (1000, 0.01), (1_000_000, 0.4)])
def test_moments_of_binomial(library: Any, trials: int, p: float) -> None:
    out = np.zeros(COUNT)
    library.draw_binomial(trials, p, COUNT, out.ctypes.data)
    variance = trials * p * (1 - p)
    assert out.mean() == pytest.approx(trials * p, abs=5 * math.sqrt(variance / COUNT))
    kurtosis = 3 + (1 - 6 * p * (1 - p)) / variance
    assert out.var() == pytest.approx(variance, abs=5 * variance * math.sqrt((kurtosis - 1) / COUNT))
    assert out.min() >= 0
    assert out.max() <= trials


# With neither chance nor an end to wait for: four billion trials one by one would take a minute.
CERTAIN = [
    (0, 0.5, 0),
    (100, 0.0, 0),
    (100, 1.0, 100),
    (100, 2.0, 100),
    (100, -1.0, 0),
    (100, math.nan, 0),
    (-3, 0.5, 0),
]
CERTAIN += [(2**32 - 1, 0.0, 0), (2**32 - 1, 1.0, 2**32 - 1), (2**32 - 1, math.nan, 0), (1e300, 1.0, 2**32 - 1)]


@pytest.mark.parametrize(("trials", "p", "expected"), CERTAIN)
def test_binomial_without_chance(library: Any, trials: float, p: float, expected: int) -> None:
    out = np.zeros(3)
    library.draw_binomial(trials, p, 3, out.ctypes.data)
    assert out.tolist() == [expected] * 3


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
