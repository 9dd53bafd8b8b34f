"""Rows that are drawn at random, on every engine: as likely as they should be, however long they are and become."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import NetworkError
from snnlearn.genn import (
    create_neuron_model,
    create_sparse_connect_init_snippet,
    init_postsynaptic,
    init_sparse_connectivity,
    init_var,
    init_weight_update,
)

CELL = create_neuron_model("Cell", sim_code="")
KINDS: dict[str, dict[str, Any]] = {
    "FixedProbability": {"prob": 0.3},
    "FixedProbabilityNoAutapse": {"prob": 0.3},
    "FixedNumberPreWithReplacement": {"num": 6},
    "FixedNumberTotalWithReplacement": {"num": 100},
}


def connect(
    engine: Any,
    kind: Any,
    params: dict[str, Any],
    pre: int,
    post: int,
    precision: str = "float",
    room: int | None = None,
) -> tuple[Any, Any]:
    """Return a model that is built, and its connection."""
    model = engine.model("rows", precision)
    a = model.add_neuron_population("A", pre, CELL)
    b = a if post == pre else model.add_neuron_population("B", post, CELL)
    s = model.add_synapse_population(
        "S",
        "SPARSE",
        a,
        b,
        init_weight_update("StaticPulse", {}, {"g": init_var("Uniform", {"min": 0.0, "max": 1.0})}),
        init_postsynaptic("DeltaCurr"),
        init_sparse_connectivity(kind, params),
    )
    if room is not None:
        s.max_connections = room
    model.build()
    return model, s


def pairs(s: Any) -> list[tuple[int, int]]:
    s.pull_connectivity_from_device()
    return list(zip(s.get_sparse_pre_inds().tolist(), s.get_sparse_post_inds().tolist(), strict=True))


def are_deciles(targets: Any, size: int) -> None:
    """Check that targets are uniform: in each tenth of their range a tenth of them, to five standard errors."""
    found = np.histogram(targets, bins=10, range=(0, size))[0]
    assert np.all(np.abs(found - len(targets) / 10) < 5 * math.sqrt(len(targets) * 0.09)), found


@pytest.mark.parametrize("prob", [1.0, 1.0 - 1e-12])
@pytest.mark.parametrize("kind", ["FixedProbability", "FixedProbabilityNoAutapse"])
def test_a_certain_connection_has_no_gap(engine: Any, kind: str, prob: float) -> None:
    model, s = connect(engine, kind, {"prob": prob}, 1000, 1000)
    model.load()
    s.pull_connectivity_from_device()
    lengths = np.bincount(s.get_sparse_pre_inds(), minlength=1000)
    assert set(lengths) == {1000 if kind == "FixedProbability" else 999}
    model.unload()


@pytest.mark.few_engines
@pytest.mark.parametrize("precision", ["float", "double"])
def test_a_long_row_is_uniform(engine: Any, precision: str) -> None:
    """In single precision the steps of so long a row are lost in rounding."""
    if engine.name not in ("cpu", "cuda-loop"):
        pytest.skip("the same code as another engine's")
    number = 10**7
    model, s = connect(engine, "FixedNumberPostWithReplacement", {"num": number}, 1, number, precision)
    model.load()
    s.pull_connectivity_from_device()
    targets = s.get_sparse_post_inds()
    assert len(targets) == number
    assert np.all(np.diff(targets.astype(np.int64)) >= 0)
    are_deciles(targets, number)
    # Poisson with mean 1: how many neurons have no synapse, one, two.
    shares = np.bincount(np.bincount(targets, minlength=number))[:3] / number
    np.testing.assert_allclose(shares, math.exp(-1) * np.array([1.0, 1.0, 0.5]), atol=5 * math.sqrt(0.25 / number))
    model.unload()


@pytest.mark.parametrize("precision", ["float", "double"])
@pytest.mark.parametrize("prob", [2e-5, 2e-3])
def test_long_gaps(engine: Any, precision: str, prob: float) -> None:
    rows, size = 20, 10**6
    model, s = connect(engine, "FixedProbability", {"prob": prob}, rows, size, precision)
    model.load()
    s.pull_connectivity_from_device()
    targets = s.get_sparse_post_inds()
    expected = rows * size * prob
    assert len(targets) == pytest.approx(expected, abs=5 * math.sqrt(expected))
    are_deciles(targets, size)
    model.unload()


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let estimates of the library's rows be exceeded nearly always, as is one in 10,000 otherwise."""
    monkeypatch.setattr("snnlearn.models.binomial_quantile._RARE", 1 - 1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("scarce")
def test_rows_longer_than_expected_get_room(engine: Any, kind: str) -> None:
    model, s = connect(engine, kind, KINDS[kind], 20, 20)
    expected = s.max_connections
    model.load()
    found, weights = pairs(s), s.vars["g"].values
    longest = np.bincount([i for i, _ in found]).max()
    assert s.max_connections == longest > expected
    assert len(weights) == len(found)
    assert np.all((weights > 0.0) & (weights < 1.0))
    model.step_time()
    model.unload()
    model.load()
    assert pairs(s) == found, "the same, without building anew"
    model.unload()
    roomy, other = connect(engine, kind, KINDS[kind], 20, 20, room=120)
    roomy.load()
    assert pairs(other) == found, "the same as with room to spare"
    roomy.unload()


@pytest.mark.parametrize("matrix", ["BITMASK", "PROCEDURAL"])
@pytest.mark.usefixtures("scarce")
def test_so_do_those_of_other_matrix_types(engine: Any, matrix: str) -> None:
    model = engine.model("rows")
    spiking = create_neuron_model("Spiking", threshold_condition_code="true")
    summing = create_neuron_model("Summing", vars=[("I", "scalar")], sim_code="I = Isyn;")
    a = model.add_neuron_population("A", 20, spiking)
    for n, kind in enumerate(["SPARSE", matrix]):
        b = model.add_neuron_population(f"B{n}", 30, summing, {}, {"I": 0.0})
        s = model.add_synapse_population(
            f"S{n}",
            kind,
            a,
            b,
            init_weight_update("StaticPulseConstantWeight", {"g": 1.0}),
            init_postsynaptic("DeltaCurr"),
            init_sparse_connectivity("FixedProbability", {"prob": 0.3}),
        )
    model.build()
    expected = s.max_connections
    model.load()
    assert s.max_connections > expected
    model.run(2)
    sums = []
    for n in range(2):
        variable = model.neuron_populations[f"B{n}"].vars["I"]
        variable.pull_from_device()
        sums.append(variable.values.sum())
    model.unload()
    for total in sums:
        assert total == pytest.approx(20 * 30 * 0.3, abs=5 * math.sqrt(20 * 30 * 0.21))


def of_users(name: str, code: str, room: int) -> Any:
    return create_sparse_connect_init_snippet(
        name, row_build_code=code, calc_max_row_len_func=lambda num_pre, num_post, pars: room
    )


def test_a_users_estimate_may_be_exceeded_too(engine: Any) -> None:
    kind = of_users(
        "Coins", "for (unsigned int j = 0; j < num_post; j++) if (gennrand_uniform() < 0.5) addSynapse(j);", 9
    )
    model, s = connect(engine, kind, {}, 30, 20)
    model.load()
    assert len(pairs(s)) == pytest.approx(300, abs=5 * math.sqrt(150))
    assert s.max_connections > 9
    model.unload()


def test_so_may_an_estimate_of_rows_that_an_array_makes(engine: Any) -> None:
    kind = create_sparse_connect_init_snippet(
        "Given",
        extra_global_params=[("lengths", "unsigned int*")],
        row_build_code="for (unsigned int j = 0; j < lengths[id_pre]; j++) addSynapse(j);",
        calc_max_row_len_func=lambda num_pre, num_post, pars: 2,
    )
    model, s = connect(engine, kind, {}, 4, 20)
    s.connectivity_extra_global_params["lengths"].set_init_values([1, 7, 0, 3])
    model.load()
    assert pairs(s) == [(i, j) for i, length in enumerate([1, 7, 0, 3]) for j in range(length)]
    assert s.max_connections == 7
    model.unload()


def test_a_bound_that_is_wrong_is_an_error(engine: Any) -> None:
    kind = of_users("Three", "for (unsigned int j = 0; j < 3; j++) addSynapse(j);", 2)
    model, _ = connect(engine, kind, {}, 30, 20)
    with pytest.raises(
        NetworkError, match=r"of S \(Three\): row \d+ has more synapses than there is room for: 2; raise max"
    ):
        model.load()


def test_so_is_room_that_was_asked_for(engine: Any) -> None:
    kind = of_users(
        "Coins", "for (unsigned int j = 0; j < num_post; j++) if (gennrand_uniform() < 0.5) addSynapse(j);", 5
    )
    model, _ = connect(engine, kind, {}, 30, 20, room=6)
    with pytest.raises(NetworkError, match=r"of S \(Coins\): row \d+ has more synapses than there is room for: 6"):
        model.load()


@pytest.mark.parametrize("first", ["Coins", "Beyond"])
def test_another_mistake_is_still_told(engine: Any, first: str) -> None:
    """Room is made where rows are long; what else is wrong shows then."""
    code = "for (unsigned int j = 0; j < num_post; j++) if (gennrand_uniform() < 0.5) addSynapse(j);"
    beyond = f"if (id_pre == 0) {{ addSynapse(num_post); }} {code}"
    model, _ = connect(engine, of_users(first, beyond if first == "Beyond" else f"{code} {beyond}", 5), {}, 30, 20)
    with pytest.raises(NetworkError, match="connects neuron 0 to neuron 20, which does not exist"):
        model.load()
