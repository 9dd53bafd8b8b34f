"""GeNN's built-in connectivity: which synapses its code makes, against the plain definitions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np
import pytest

from dialect_interpreter import run_snippet
from snnlearn import models
from snnlearn.declare import SparseConnectInitSnippet, ToeplitzConnectInitSnippet
from snnlearn.dialect import check_model
from snnlearn.errors import DeclarationError


def uniforms(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from 1.0 - rng.random(1000)  # above 0 and up to 1


def words(rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from map(int, rng.integers(0, 2**32, 1000))


def rows(
    model: SparseConnectInitSnippet, num_pre: int, num_post: int, params: dict[str, Any], seed: int = 1, **arrays: Any
) -> list[list[tuple[int, ...]]]:
    """Return what addSynapse was given, for each neuron that the model builds synapses of."""
    (code,) = check_model(model).snippets
    rng = np.random.default_rng(seed)
    values = {**params, "num_pre": num_pre, "num_post": num_post, "id_thread": 0, "num_threads": 1}
    values |= {d.name: d.func(params, 1.0) for d in model.derived_params}
    values |= {"id_pre_begin": 0, "id_post_begin": 0}
    random = {"gennrand_uniform": uniforms(rng), "gennrand": words(rng)}
    own, count = ("id_pre", num_pre) if code == "row_build_code" else ("id_post", num_post)
    snippet = check_model(model).snippets[code]
    return [run_snippet(snippet, values | {own: i}, arrays, random)["addSynapse"] for i in range(count)]


def test_one_to_one() -> None:
    assert rows(models.OneToOne, 3, 3, {}) == [[(0,)], [(1,)], [(2,)]]
    assert rows(models.OneToOne, 3, 2, {}) == [[(0,)], [(1,)], []]
    longest = models.OneToOne.calc_max_row_len_func, models.OneToOne.calc_max_col_len_func
    assert [f(5, 6, {}) for f in longest if f] == [1, 1]


FIXED = [models.FixedProbability, models.FixedProbabilityNoAutapse]


@pytest.mark.parametrize("model", FIXED, ids=lambda m: m.name)
@pytest.mark.parametrize("prob", [0.02, 0.3, 0.95])
def test_every_pair_is_as_likely_as_every_other(model: SparseConnectInitSnippet, prob: float) -> None:
    size, repeats = 12, 120
    counts = np.zeros((size, size))
    for seed in range(repeats):
        for i, row in enumerate(rows(model, size, size, {"prob": prob}, seed)):
            targets = [j for (j,) in row]
            assert targets == sorted(set(targets)), "in order, and none twice"
            counts[i, targets] += 1
    off = ~np.eye(size, dtype=bool)
    spread = math.sqrt(repeats * prob * (1 - prob))
    assert np.all(np.abs(counts[off] - repeats * prob) < 4.5 * spread + 1)
    assert counts[off].mean() == pytest.approx(repeats * prob, abs=4 * spread / math.sqrt(off.sum()))
    if model is models.FixedProbabilityNoAutapse:
        assert not counts[~off].any()
        beside = np.array([counts[i, i + 1] for i in range(size - 1)])
        assert beside.mean() == pytest.approx(repeats * prob, abs=4 * spread / math.sqrt(size - 1))
    else:
        assert counts[~off].mean() == pytest.approx(repeats * prob, abs=4 * spread / math.sqrt(size))


def test_no_connection_and_all_connections() -> None:
    for model in FIXED:
        assert rows(model, 4, 5, {"prob": 0.0}) == [[]] * 4
    assert rows(models.FixedProbability, 4, 5, {"prob": 1.0}) == [[(j,) for j in range(5)]] * 4
    assert rows(models.FixedProbabilityNoAutapse, 3, 3, {"prob": 1.0}) == [[(1,), (2,)], [(0,), (2,)], [(0,), (1,)]]


@pytest.mark.parametrize("model", FIXED, ids=lambda m: m.name)
def test_rows_and_columns_have_room(model: SparseConnectInitSnippet) -> None:
    made = [[j for (j,) in row] for row in rows(model, 300, 40, {"prob": 0.1})]
    assert model.calc_max_row_len_func is not None
    assert model.calc_max_col_len_func is not None
    longest = model.calc_max_row_len_func(300, 40, {"prob": 0.1})
    tallest = model.calc_max_col_len_func(300, 40, {"prob": 0.1})
    assert max(map(len, made)) <= longest < 20
    assert np.bincount([j for row in made for j in row]).max() <= tallest < 70


def flat(made: list[list[tuple[int, ...]]]) -> np.ndarray:
    return np.array([target for row in made for (target,) in row])


def is_uniform(targets: np.ndarray, size: int) -> bool:
    counts = np.bincount(targets, minlength=size)
    expected = len(targets) / size
    chi2 = float(np.sum((counts - expected) ** 2) / expected)
    return len(counts) == size and abs(chi2 - (size - 1)) < 5 * math.sqrt(2 * (size - 1))


def test_a_fixed_number_of_targets() -> None:
    made = rows(models.FixedNumberPostWithReplacement, 400, 25, {"num": 30})
    assert all(len(row) == 30 and row == sorted(row) for row in made)
    assert is_uniform(flat(made), 25)
    assert any(len(set(row)) < 25 for row in made), "with replacement"
    lengths = models.FixedNumberPostWithReplacement
    assert lengths.calc_max_row_len_func is not None
    assert lengths.calc_max_col_len_func is not None
    assert lengths.calc_max_row_len_func(400, 25, {"num": 30}) == 30
    assert np.bincount(flat(made)).max() <= lengths.calc_max_col_len_func(400, 25, {"num": 30}) < 700


def test_a_fixed_number_of_sources() -> None:
    made = rows(models.FixedNumberPreWithReplacement, 25, 400, {"num": 30})
    assert [len(column) for column in made] == [30] * 400
    assert is_uniform(flat(made), 25)
    lengths = models.FixedNumberPreWithReplacement
    assert lengths.calc_max_row_len_func is not None
    assert lengths.calc_max_col_len_func is not None
    assert lengths.calc_max_col_len_func(25, 400, {"num": 30}) == 30
    assert np.bincount(flat(made)).max() <= lengths.calc_max_row_len_func(25, 400, {"num": 30}) < 700


@pytest.mark.parametrize(("size", "excess"), [(1, 0), (3, 1), (10**7, 4967296), (2**31 + 1, 2**31 - 1), (2**31, 0)])
def test_sources_are_as_likely_as_each_other(size: int, excess: int) -> None:
    """Of the 2^32 words so many are passed over that the rest, modulo the number of neurons, is each equally often."""
    assert (2**32 - excess) % size == 0
    (snippet,) = check_model(models.FixedNumberPreWithReplacement).snippets.values()
    values = {"num": 2, "num_pre": size, "num_post": 1, "id_pre_begin": 0, "id_post": 0}
    drawn = [excess - 1, 0, excess, 2**32 - 1] if excess else [0, 2**32 - 1]
    made = run_snippet(snippet, values, random={"gennrand": iter(drawn)})["addSynapse"]
    assert made == [(excess % size,), ((2**32 - 1) % size,)]


@pytest.mark.parametrize("word", [0, 1, 2**32 - 1])
@pytest.mark.parametrize(
    ("model", "params"),
    [
        (models.FixedProbability, {"prob": 1.0}),
        (models.FixedProbability, {"prob": 0.5}),
        (models.FixedProbability, {"prob": 1e-7}),
        (models.FixedProbabilityNoAutapse, {"prob": 1e-300}),
        (models.FixedProbability, {"prob": 0.0}),
        (models.FixedNumberPostWithReplacement, {"num": 40}),
    ],
)
def test_no_word_connects_what_is_not_there(model: SparseConnectInitSnippet, params: dict[str, Any], word: int) -> None:
    """The least and the greatest random word again and again; of uniform numbers both ends, which GeNN may give."""
    uniform = {0: 0.0, 1: 2.0**-33, 2**32 - 1: 1.0}[word]
    derived = {d.name: d.func(params, 1.0) for d in model.derived_params}
    values = {**params, **derived, "num_pre": 9, "num_post": 9, "id_pre": 4, "id_pre_begin": 0, "id_post_begin": 0}
    random = {"gennrand": repeat(word), "gennrand_uniform": repeat(uniform)}
    made = run_snippet(check_model(model).snippets["row_build_code"], values, random=random)["addSynapse"]
    assert all(0 <= target < 9 for (target,) in made)
    if params.get("prob") == 1.0 and 0.0 < uniform < 1.0:
        assert len(made) == 9
    if "num" in params:
        assert len(made) == 40


def test_a_fixed_number_in_all() -> None:
    model = models.FixedNumberTotalWithReplacement
    assert model.host_init_func is not None
    arrays = model.host_init_func(50, 20, {"num": 5000}, np.random.default_rng(6))
    lengths = arrays["preCalcRowLength"]
    assert lengths.dtype == np.uint16
    assert lengths.sum() == 5000
    made = rows(model, 50, 20, {"num": 5000}, preCalcRowLength=[int(n) for n in lengths])
    assert [len(row) for row in made] == list(lengths)
    assert is_uniform(np.repeat(np.arange(50), lengths), 50)
    assert is_uniform(flat(made), 20)
    assert model.calc_max_row_len_func is not None
    assert model.calc_max_col_len_func is not None
    assert lengths.max() <= model.calc_max_row_len_func(50, 20, {"num": 5000}) < 200
    assert np.bincount(flat(made)).max() <= model.calc_max_col_len_func(50, 20, {"num": 5000}) < 400
    with pytest.raises(DeclarationError, match="a row of 70000 synapses; at most 65535 fit"):
        model.host_init_func(1, 20, {"num": 70_000}, np.random.default_rng(6))


# ---- convolutions ----

Synapse = tuple[int, ...]  # source, target, and where in the kernel


def convolution(p: dict[str, int]) -> set[Synapse]:
    """Return the synapses of a convolution, from its definition: output by output."""
    found = set()
    for row, col, out in np.ndindex(p["conv_oh"], p["conv_ow"], p["conv_oc"]):
        for k, m, channel in np.ndindex(p["conv_kh"], p["conv_kw"], p["conv_ic"]):
            r = row * p["conv_sh"] + k - p["conv_padh"]
            c = col * p["conv_sw"] + m - p["conv_padw"]
            if 0 <= r < p["conv_ih"] and 0 <= c < p["conv_iw"]:
                source = (r * p["conv_iw"] + c) * p["conv_ic"] + channel
                target = (row * p["conv_ow"] + col) * p["conv_oc"] + out
                found.add((source, target, k, m, channel, out))
    return found


def shape(**sizes: tuple[int, ...]) -> dict[str, int]:
    """Return parameters from heights and widths: ``k=(3, 5)`` is ``conv_kh=3, conv_kw=5``."""
    params = {}
    for name, values in sizes.items():
        params |= {f"conv_{name}{side}": value for side, value in zip("hwc", values, strict=False)}
    return params


CONVOLUTIONS = [
    shape(k=(3, 3), s=(1, 1), pad=(0, 0), i=(6, 7, 2), o=(4, 5, 3)),
    shape(k=(3, 5), s=(1, 1), pad=(1, 2), i=(5, 6, 1), o=(5, 6, 2)),
    shape(k=(3, 2), s=(2, 3), pad=(0, 1), i=(9, 10, 2), o=(4, 4, 1)),
    shape(k=(2, 2), s=(3, 3), pad=(0, 0), i=(8, 8, 1), o=(3, 3, 2)),
    shape(k=(4, 1), s=(1, 2), pad=(3, 0), i=(3, 5, 3), o=(6, 3, 1)),
]


@pytest.mark.parametrize("params", CONVOLUTIONS)
def test_a_convolution_is_what_its_definition_says(params: dict[str, int]) -> None:
    num_pre = params["conv_ih"] * params["conv_iw"] * params["conv_ic"]
    num_post = params["conv_oh"] * params["conv_ow"] * params["conv_oc"]
    made = rows(models.Conv2D, num_pre, num_post, params)
    found = [(source, *synapse) for source, row in enumerate(made) for synapse in row]
    assert len(found) == len(set(found))
    assert set(found) == convolution(params)
    assert models.Conv2D.calc_max_row_len_func is not None
    assert models.Conv2D.calc_kernel_size_func is not None
    assert max(map(len, made)) <= models.Conv2D.calc_max_row_len_func(num_pre, num_post, params)
    kernel = models.Conv2D.calc_kernel_size_func(params)
    assert all(at < size for synapse in found for at, size in zip(synapse[2:], kernel, strict=True))


def diagonals(model: ToeplitzConnectInitSnippet, num_pre: int, params: dict[str, int]) -> list[Synapse]:
    """Return the synapses of all diagonals, for spikes of all neurons."""
    snippet = check_model(model).snippets["diagonal_build_code"]
    values: dict[str, Any] = {**params, **{d.name: d.func(params, 1.0) for d in model.derived_params}}
    assert model.calc_max_row_len_func is not None
    found = []
    for diagonal in range(model.calc_max_row_len_func(num_pre, 0, params)):
        for source in range(num_pre):
            made = run_snippet(snippet, values | {"id_diag": diagonal}, synapses=[{"id_pre": source}])["addSynapse"]
            found += [(source, *synapse) for synapse in made]
    return found


@pytest.mark.parametrize(("margin", "kernel"), [((0, 0), (3, 3)), ((1, 2), (3, 5)), ((1, 0), (2, 3)), ((2, 1), (3, 2))])
def test_a_convolution_by_diagonals_is_the_same(margin: tuple[int, int], kernel: tuple[int, int]) -> None:
    inputs = (5, 6, 2)
    outputs = tuple(i + 2 * m - k + 1 for i, m, k in zip(inputs, margin, kernel, strict=False))
    full = shape(k=kernel, s=(1, 1), pad=margin, i=inputs, o=(*outputs, 3))
    params = {name: n for name, n in full.items() if name[5] not in "sp"}
    found = diagonals(models.Conv2DToeplitz, 60, params)
    assert len(found) == len(set(found))
    assert set(found) == convolution(full)
    assert models.Conv2DToeplitz.calc_kernel_size_func is not None
    assert models.Conv2DToeplitz.calc_kernel_size_func(params) == (*kernel, 2, 3)


@pytest.mark.parametrize(("pool", "stride"), [((2, 2), (2, 2)), ((2, 3), (2, 3)), ((1, 2), (2, 3))])
def test_pooling_and_a_convolution_are_one_connection(pool: tuple[int, int], stride: tuple[int, int]) -> None:
    height, width, channels = 6, 9, 2
    pools = tuple(math.ceil((n - k + 1) / s) for n, k, s in zip((height, width), pool, stride, strict=True))
    begun = tuple((n - 1) // s + 1 for n, s in zip((height, width), stride, strict=True))
    conv = shape(k=(3, 3), s=(1, 1), pad=(1, 1), i=(*begun, channels), o=(*pools, 2))
    params = {f"conv_{n}": conv[f"conv_{n}"] for n in ("kh", "kw", "oh", "ow", "oc")}
    params |= {"pool_kh": pool[0], "pool_kw": pool[1], "pool_sh": stride[0], "pool_sw": stride[1]}
    params |= {"pool_ih": height, "pool_iw": width, "pool_ic": channels}
    expected = set()
    for source, *rest in convolution(conv):
        place, channel = divmod(source, channels)
        top, left = (place // begun[1]) * stride[0], (place % begun[1]) * stride[1]
        for k, m in np.ndindex(*pool):
            if top + k < height and left + m < width:
                expected.add((((top + k) * width + left + m) * channels + channel, *rest))
    found = diagonals(models.AvgPoolConv2D, height * width * channels, params)
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert models.AvgPoolConv2D.calc_kernel_size_func is not None
    assert models.AvgPoolConv2D.calc_kernel_size_func(params) == (3, 3, 2, 2)
