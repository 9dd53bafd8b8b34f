"""Each group checks itself when it is made."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from snnlearn.declare import CustomUpdateModel, NeuronModel
from snnlearn.errors import DialectError, NetworkError
from snnlearn.models import ExpCurr, Transpose
from snnlearn.network import CustomUpdate, NeuronPopulation, PostsynapticInit, VarInit, WeightUpdateInit

BAD_CODE = NeuronModel("bad", vars=["V"], sim_code="V = U;")


def test_a_neuron_population(parts: Any) -> None:
    n = parts.neurons("A", np.int64(3), vars={"V": [1.0, 2.0, 3.0], "n": 0}, extra_global_params={"table": [1, 2]})
    assert (n.name, n.size, n.inputs) == ("A", 3, ("Isyn", "I2"))
    assert type(n.size) is int
    assert n.params == {"tau": 10.0, "count": 2}
    assert n.vars["V"].dtype == np.float32
    assert isinstance(n.vars["n"], VarInit)
    np.testing.assert_array_equal(n.extra_global_params["table"], np.float32([1, 2]))
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        n.size = 4
    assert dataclasses.replace(n, spike_recording_enabled=True).vars["V"].tolist() == [1.0, 2.0, 3.0]
    assert parts.neurons(precision="double", vars={"V": [1.0] * 3, "n": 0}).vars["V"].dtype == np.float64


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", True, None])
def test_sizes_are_positive_integers(parts: Any, size: Any) -> None:
    with pytest.raises(NetworkError, match="neuron population 'A': the number of neurons must be a positive integer"):
        parts.neurons(size=size)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "two words"}, "neuron population name 'two words' is not made of letters, digits and underscores"),
        ({"name": "größe"}, "neuron population name 'größe' is not made of letters"),
        ({"name": 23}, "neuron population name 23 is not made of letters"),
        ({"params": {"tau": 1.0}}, "neuron population 'A': no value for parameter 'count'"),
        ({"params": {"tau": 1.0, "count": 1, "C": 2}}, "unknown parameter 'C'"),
        ({"params": {"tau": 1.0, "count": 0.5}}, "parameter 'count' is of type 'int', which cannot hold 0.5"),
        ({"vars": {"V": 0.0}}, "neuron population 'A': no value for variable 'n'"),
        ({"vars": {"V": 0.0, "n": 0, "v": 1}}, "unknown variable 'v'; did you mean 'V'\\?"),
        ({"vars": {"V": [0.0], "n": 0}}, r"initial value of 'V' must have shape \(3,\), not shape \(1,\)"),
        ({"vars": {"V": 0.0, "n": -1}}, "initial value of 'n' is of type 'unsigned int', which cannot hold -1"),
        ({"vars": None}, "variable values must be a mapping of names, not None"),
        ({"dynamic_params": {"ta"}}, "no parameter 'ta' to make dynamic; did you mean 'tau'\\?"),
        ({"extra_global_params": {"tables": []}}, "unknown extra global parameter 'tables'; did you mean 'table'\\?"),
        ({"extra_global_params": {"table": [[1]]}}, "extra global parameter 'table' must have one dimension"),
        ({"extra_global_params": None}, "extra global parameters must be a mapping"),
    ],
)
def test_neuron_populations_refused(parts: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        parts.neurons(**changes)


def test_models_are_of_the_right_kind_and_their_code_is_checked() -> None:
    with pytest.raises(NetworkError, match="neuron population 'A': needs a NeuronModel, not PostsynapticModel"):
        NeuronPopulation("A", 1, ExpCurr)
    with pytest.raises(DialectError, match="model 'bad', sim_code, line 1: unknown name 'U'"):
        NeuronPopulation("A", 1, BAD_CODE, {}, {"V": 0.0})
    with pytest.raises(NetworkError, match="weight update: needs a WeightUpdateModel, not str"):
        WeightUpdateInit("SuperSpike")
    with pytest.raises(NetworkError, match="postsynaptic: needs a PostsynapticModel, not CustomUpdateModel"):
        PostsynapticInit(Transpose)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"params": {}}, "weight update 'Weight': no value for parameter 'gain'"),
        ({"pre_var_refs": {}}, "weight update 'Weight': no value for presynaptic neuron reference 'Vpre'"),
        ({"post_var_refs": {"V": 1}}, "unknown postsynaptic neuron reference 'V'"),
        ({"pre_var_refs": {"Vpre": 3}}, "presynaptic neuron reference 'Vpre' is no Reference, but 3"),
    ],
)
def test_weight_updates_refused(parts: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        parts.weight(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"params": {"scale": None}}, "postsynaptic 'Current': parameter 'scale' must be a number, not None"),
        ({"var_refs": {}}, "postsynaptic 'Current': no value for neuron reference 'V'"),
    ],
)
def test_postsynaptic_models_refused(parts: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        parts.current(**changes)


def test_a_synapse_population(parts: Any) -> None:
    s = parts.synapses(
        weight_update=parts.weight(
            vars={"w": np.arange(6.0), "k": 1}, pre_vars={"r": [1, 2, 3]}, post_vars={"s": [1, 2]}
        ),
        post_target_var="I2",
    )
    assert [s.vars["w"].shape, s.pre_vars["r"].shape, s.post_vars["s"].shape] == [(6,), (3,), (2,)]
    assert isinstance(s.psm_vars["x"], VarInit)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a-b"}, "synapse population name 'a-b' is not made of letters, digits and underscores"),
        ({"weight_update": "w"}, "synapse population 'AB': weight update is a str, not a WeightUpdateInit"),
        ({"postsynaptic": None}, "postsynaptic model is a NoneType, not a PostsynapticInit"),
        ({"source": 3}, "synapse population 'AB': source is a int, not the name of a population"),
        ({"weight_update_dynamic_params": {"scale"}}, "no parameter 'scale' to make dynamic; known: gain"),
        ({"postsynaptic_dynamic_params": {"gain"}}, "no parameter 'gain' to make dynamic; known: scale"),
        ({"extra_global_params": {"table": []}}, "unknown extra global parameter 'table'; there are none"),
    ],
)
def test_synapse_populations_refused(parts: Any, changes: dict[str, Any], message: str) -> None:
    good = parts.synapses()
    with pytest.raises(NetworkError, match=message):
        dataclasses.replace(good, **changes)


@pytest.mark.parametrize(
    ("where", "name", "size"), [("vars", "w", 6), ("pre_vars", "r", 3), ("post_vars", "s", 2), ("psm", "x", 2)]
)
def test_the_variables_of_synapses_have_the_shapes_of_their_place(parts: Any, where: str, name: str, size: int) -> None:
    def make(values: Any) -> Any:
        given = {name: values} | ({"k": 1} if where == "vars" else {})
        if where == "psm":
            synapses = parts.synapses(postsynaptic=parts.current(vars=given))
        else:
            synapses = parts.synapses(weight_update=parts.weight(**{where: given}))
        return parts.network(synapses={"AB": synapses})

    make(np.zeros(size))
    with pytest.raises(NetworkError, match=rf"initial value of '{name}' must have shape \({size},\), not shape \(7,\)"):
        make(np.zeros(7))


def test_a_custom_update(parts: Any) -> None:
    assert parts.update().per_synapse
    of_neurons = parts.update(var_refs={"one": parts.ref("A"), "other": parts.ref("A")})
    assert not of_neurons.per_synapse


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "3 4"}, "custom update name '3 4' is not made of letters, digits and underscores"),
        ({"group_name": ""}, "custom update group name '' is not made of letters"),
        ({"model": ExpCurr}, "custom update 'U': needs a CustomUpdateModel, not PostsynapticModel"),
        ({"vars": {}}, "custom update 'U': no value for variable 'total'"),
        ({"var_refs": {}}, "no value for reference 'one', 'other'"),
        ({"dynamic_params": {"x"}}, "no parameter 'x' to make dynamic; there are none"),
    ],
)
def test_custom_updates_refused(parts: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        parts.update(**changes)


def test_the_references_of_a_custom_update(parts: Any) -> None:
    with pytest.raises(NetworkError, match="refers to variables of neurons and of synapses at once"):
        parts.update(var_refs={"one": parts.ref("A"), "other": parts.wu_ref("AB")})
    with pytest.raises(NetworkError, match="reference 'one' is no WeightReference, but 3"):
        parts.update(var_refs={"one": 3, "other": parts.wu_ref("AB")})
    with pytest.raises(NetworkError, match="custom update 'U': needs at least one variable reference"):
        CustomUpdate("U", "G", CustomUpdateModel("Nothing"))
