"""How connections are structured and stored, and how much of the past is kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    VarAccessMode,
    WeightUpdateModel,
)
from snnlearn.errors import NetworkError
from snnlearn.network import (
    MATRIX_TYPES,
    Connections,
    Connectivity,
    CurrentSource,
    CustomConnectivityUpdate,
    Location,
    Reference,
    SparseConnectInit,
    ToeplitzConnectInit,
    WeightUpdateInit,
)

ROWS = SparseConnectInitSnippet(
    "Rows",
    params=["n"],
    row_build_code="addSynapse(id_pre);",
    calc_max_row_len_func=lambda pre, post, params: params["n"],
)
KERNEL = SparseConnectInitSnippet(
    "Kernel", row_build_code="addSynapse(id_pre, 0, 1);", calc_kernel_size_func=lambda params: (2, 3)
)
CONVOLUTION = ToeplitzConnectInitSnippet(
    "Convolution",
    diagonal_build_code="for_each_synapse { addSynapse(id_pre, 0); }",
    calc_max_row_len_func=lambda pre, post, params: 7,
    calc_kernel_size_func=lambda params: [5],
)


def test_matrix_types_have_two_sides() -> None:
    for name, (structure, weights) in MATRIX_TYPES.items():
        init: Any = None
        if structure == "TOEPLITZ":
            init = ToeplitzConnectInit(CONVOLUTION)
        elif structure != "DENSE":
            init = SparseConnectInit(KERNEL)
        connectivity = Connectivity(name, init)
        assert (connectivity.structure, connectivity.weights) == (structure, weights)
        assert connectivity.dense == name.startswith("DENSE")


def test_room_in_rows() -> None:
    assert Connectivity().row_stride(3, 4) == 4
    assert Connectivity("SPARSE").row_stride(3, 4) == 4
    assert Connectivity("SPARSE", SparseConnectInit(ROWS, {"n": 2})).row_stride(3, 4) == 2
    assert Connectivity("SPARSE", SparseConnectInit(ROWS, {"n": 2}), max_connections=9).row_stride(3, 4) == 9
    given = Connections.checked([0, 2, 2], [1, 0, 3], 3, 4, "S")
    assert given.order.tolist() == [0, 1, 2]
    assert given.lengths(3).tolist() == [1, 0, 2]
    assert Connectivity("SPARSE", connections=given).row_stride(3, 4) == 2
    assert Connectivity("SPARSE", connections=Connections.checked([], [], 3, 4, "S")).row_stride(3, 4) == 1
    assert Connectivity("TOEPLITZ", ToeplitzConnectInit(CONVOLUTION)).diagonals(3, 4) == 7


def test_kernels() -> None:
    kernel = Connectivity("PROCEDURAL_KERNELG", SparseConnectInit(KERNEL))
    assert (kernel.kernel_shape, kernel.kernel_size) == ((2, 3), 6)
    assert Connectivity("SPARSE").kernel_shape == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("SPARCE",), "unknown matrix type 'SPARCE'; did you mean 'SPARSE'"),
        (("TOEPLITZ", SparseConnectInit(KERNEL)), "TOEPLITZ connectivity is initialised by a ToeplitzConnectInit"),
        (("SPARSE", ToeplitzConnectInit(CONVOLUTION)), "SPARSE connectivity is initialised by a SparseConnectInit"),
        (("PROCEDURAL",), "PROCEDURAL connectivity needs an initialiser"),
        (("PROCEDURAL_KERNELG", SparseConnectInit(ROWS, {"n": 1})), "needs an initialiser with a kernel"),
        (("SPARSE", None, None, 0), "connectivity: max_connections must be a positive integer, not 0"),
    ],
)
def test_connectivity_refused(given: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        Connectivity(*given)


def test_sparse_variables_have_gaps(parts: Any) -> None:
    given = Connections.checked([0, 2, 2], [1, 0, 1], 3, 2, "S")
    weight = parts.weight(vars={"w": [1.0, 2.0, 3.0], "k": 1})
    sparse = parts.synapses(weight_update=weight, connectivity=Connectivity("SPARSE", connections=given))
    network = parts.network(synapses={"AB": sparse})
    assert network.variables[Location("AB", "synapse", "w")].shape == (3, 2)
    wrong = parts.synapses(
        weight_update=parts.weight(vars={"w": [1.0], "k": 1}), connectivity=Connectivity("SPARSE", connections=given)
    )
    with pytest.raises(NetworkError, match=r"initial value of 'AB.w' must have shape \(3,\), not shape \(1,\)"):
        parts.network(synapses={"AB": wrong})


def test_values_made_anew_are_no_arrays(parts: Any) -> None:
    procedural = Connectivity("PROCEDURAL", SparseConnectInit(ROWS, {"n": 1}))
    with pytest.raises(NetworkError, match="'w' is made anew with each spike, so it cannot be given as an array"):
        parts.synapses(weight_update=parts.weight(vars={"w": np.ones(6), "k": 1}), connectivity=procedural)


def test_how_much_of_the_past_is_kept(parts: Any) -> None:
    synapses = parts.synapses(axonal_delay_steps=2, back_prop_delay_steps=4)
    network = parts.network(synapses={"AB": synapses})
    assert (network.slots.of("A"), network.slots.of("B")) == (3, 5)
    slots = {at.name: v.slots for at, v in network.variables.items() if at.group in ("A", "B", "AB") and at.name}
    # B.V comes after A.V
    assert slots == {"V": 5, "n": 1, "w": 1, "k": 1, "r": 3, "s": 5, "x": 1}
    assert network.variables[Location("A", "own", "V")].slots == 3


def test_delays_that_code_needs(parts: Any) -> None:
    late = WeightUpdateModel("Late", vars=["g"], pre_spike_syn_code="addToPostDelay(g, 1);")
    with pytest.raises(NetworkError, match="'AB': its code calls addToPostDelay; set max_dendritic_delay_timesteps to"):
        parts.network(synapses={"AB": parts.synapses(weight_update=WeightUpdateInit(late, {}, {"g": 0.0}))})
    back = WeightUpdateModel("Back", vars=["g"], post_vars=["s"], pre_spike_syn_code="addToPost(g * s[2]);")
    delayed = parts.synapses(weight_update=WeightUpdateInit(back, {}, {"g": 0.0}, {}, {"s": 0.0}))
    with pytest.raises(NetworkError, match=r"'AB': its code looks back at s\[delay\]; set max_dendritic_delay"):
        parts.network(synapses={"AB": delayed})


def test_batches(parts: Any) -> None:
    network = parts.network(parts.update(), batch_size=3)
    assert all(v.batched for v in network.variables.values())
    single = parts.network(parts.update())
    assert not any(v.batched for v in single.variables.values())


def test_current_sources(parts: Any) -> None:
    model = CurrentSourceModel("C", vars=["i"], neuron_var_refs=["V"], injection_code="injectCurrent(V + i);")

    def make(target: Any = "A", value: Any = 0.0, ref: Any = "V", **changes: Any) -> Any:
        made = CurrentSource("C", model, target, {}, {"i": value}, {"V": ref}, **changes)
        return parts.network(current_sources={"C": made})

    network = make(value=[1.0, 2.0, 3.0], target_var="I2")
    assert network.current_sources["C"].var_refs["V"].to == Location("A", "own", "V")
    assert network.variables[Location("C", "own", "i")].shape == (3,)

    def refuse(message: str, **changes: Any) -> None:
        with pytest.raises(NetworkError, match=f"^current source 'C': {message}"):
            make(**changes)

    refuse("target_var: 'A' has no input 'I3'", target_var="I3")
    refuse(r"initial value of 'i' must have shape \(3,\), not shape \(2,\)", value=[1.0, 2.0])
    refuse("target: there is no neuron population 'C'; known: A, B", target="C")
    refuse("target is a NeuronPopulation, not the name of a population", target=parts.neurons("A", 3))
    refuse("reference 'V' is to 'B', but its target population is 'A'", ref=parts.ref("B"))


def test_connectivity_updates(parts: Any) -> None:
    rewire = CustomConnectivityUpdateModel(
        "Rewire", vars=["age"], pre_vars=["p"], var_refs=[("w", "scalar", VarAccessMode.READ_ONLY)],
        post_var_refs=["V"], row_update_code="for_each_synapse { if(w < p + V) { remove_synapse(); } }",
    )  # fmt: skip
    sparse = parts.synapses(connectivity=Connectivity("SPARSE", SparseConnectInit(ROWS, {"n": 2})))

    def update(connection: Any = sparse, **changes: Any) -> Any:
        given: dict[str, Any] = {
            "vars": {"age": 0.0},
            "pre_vars": {"p": [1.0, 2.0, 3.0]},
            "var_refs": {"w": parts.wu_ref("AB")},
            "post_var_refs": {"V": parts.ref("B")},
        }
        given = {"group_name": "G", "synapses": "AB", "model": rewire} | given | changes
        built = CustomConnectivityUpdate("R", **given)
        return parts.network(synapses={"AB": connection}, custom_connectivity_updates={"R": built})

    assert update().variables[Location("R", "synapse", "age")].shape == (3, 2)
    with pytest.raises(NetworkError, match=r"'V': 'A.V' has shape \(3,\), not \(2,\)"):
        update(post_var_refs={"V": parts.ref("A")})
    with pytest.raises(NetworkError, match="initial value of 'p' must have shape"):
        update(pre_vars={"p": [1.0]})
    with pytest.raises(NetworkError, match="reference 'w' is no WeightReference"):
        update(var_refs={"w": Reference(Location("A", "own", "V"))})
    with pytest.raises(NetworkError, match="custom connectivity update 'R': can only change SPARSE connectivity"):
        update(parts.synapses())
    with pytest.raises(NetworkError, match="custom connectivity update 'R': there is no synapse population 'AB2'; d"):
        update(synapses="AB2")
    with pytest.raises(NetworkError, match="'R': synapses is a SynapsePopulation, not the name of a connection"):
        update(synapses=sparse)


def test_functions_that_fail_are_named(parts: Any) -> None:
    snippet = SparseConnectInitSnippet(
        "Roots",
        params=["n"],
        row_build_code="addSynapse(0);",
        calc_max_row_len_func=lambda num_pre, num_post, pars: math.isqrt(int(pars["n"])),
    )
    wrong = Connectivity("SPARSE", SparseConnectInit(snippet, {"n": -1.0}))
    with pytest.raises(NetworkError, match="connectivity 'Roots': calc_max_row_len_func fails: ValueError"):
        parts.network(synapses={"AB": parts.synapses(connectivity=wrong)})
