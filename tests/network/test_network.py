"""The checks that only a whole network can make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.errors import NetworkError
from snnlearn.models import Transpose
from snnlearn.network import Location, Reference, WeightReference


def test_every_variable_is_found_with_its_shape(parts: Any) -> None:
    network = parts.network(parts.update())
    shapes = {str(at): v.shape for at, v in network.variables.items()}
    assert shapes == {
        "'A.V'": (3,),
        "'A.n'": (3,),
        "'B.V'": (2,),
        "'B.n'": (2,),
        "'AB.w'": (3, 2),
        "'AB.k'": (3, 2),
        "pre_vars of 'AB.r'": (3,),
        "post_vars of 'AB.s'": (2,),
        "psm_vars of 'AB.x'": (2,),
        "'BA.w'": (2, 3),
        "'BA.k'": (2, 3),
        "pre_vars of 'BA.r'": (2,),
        "post_vars of 'BA.s'": (3,),
        "psm_vars of 'BA.x'": (3,),
        "'U.total'": (3, 2),
        "spike_count of 'A'": (1,),
        "spike_count of 'B'": (1,),
        "out_post of 'AB'": (2,),
        "out_post of 'BA'": (3,),
    }
    for at, variable in network.variables.items():
        assert variable.location == at
        assert variable.size == np.prod(variable.shape)
    assert {v.type.name for v in network.variables.values()} == {"scalar", "int", "unsigned int"}


@pytest.mark.parametrize("dt", [0, -0.1, float("inf"), float("nan"), "0.1", None])
def test_the_timestep_is_positive(parts: Any, dt: Any) -> None:
    with pytest.raises(NetworkError, match=r"^network 'net': dt must be a (positive )?number"):
        parts.network(dt=dt)


def test_the_precision_is_one_for_all(parts: Any) -> None:
    with pytest.raises(NetworkError, match="precision must be 'float' or 'double', not 'half'"):
        parts.network(precision="half")
    with pytest.raises(NetworkError, match="'A' is of float precision, not double"):
        parts.network(precision="double")
    with pytest.raises(NetworkError, match="time_precision must be 'float' or 'double', not 'half'"):
        parts.network(time_precision="half")
    with pytest.raises(NetworkError, match="the model of 'A' is for times of type scalar, not double"):
        parts.network(time_precision="double")
    assert parts.network(time_precision="float").time_type == "scalar"


def test_names_are_used_once_and_are_the_groups_own(parts: Any) -> None:
    with pytest.raises(NetworkError, match="two groups are called 'A'"):
        parts.network(parts.update("A"))
    with pytest.raises(NetworkError, match="'C' is another name for 'A'"):
        parts.network(neurons={"C": parts.neurons("A")})


def test_groups_are_attached_to_groups_by_name(parts: Any) -> None:
    missing = parts.synapses("AC", "A", "C")
    with pytest.raises(NetworkError, match=r"^synapse population 'AC': target: there is no neuron population 'C'; kno"):
        parts.network(synapses={"AC": missing})
    for end, population in (("post", "B"), ("pre", "A")):
        nowhere = parts.synapses(**{f"{end}_target_var": "I3"})
        message = f"^synapse population 'AB': {end}_target_var: '{population}' has no input 'I3'; known: I2, Isyn"
        with pytest.raises(NetworkError, match=message):
            parts.network(synapses={"AB": nowhere})


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ({"pre": ("B", "V")}, "reference 'Vpre' is to 'B', but its presynaptic population is 'A'"),
        ({"post": ("A", "V")}, "reference 'Vpost' is to 'A', but its postsynaptic population is 'B'"),
        ({"pre": ("A", "v")}, "reference 'Vpre': there is no variable 'A.v'; did you mean 'V'\\?"),
        ({"post": ("B", "n")}, "reference 'Vpost' is of type 'scalar', but 'B.n' of 'unsigned int'"),
    ],
)
def test_references_to_neurons(parts: Any, weight: dict[str, tuple[str, str]], message: str) -> None:
    init = parts.weight(
        pre_var_refs={"Vpre": parts.ref(*weight.get("pre", ("A", "V")))},
        post_var_refs={"Vpost": parts.ref(*weight.get("post", ("B", "V")))},
    )
    synapses = parts.synapses(weight_update=init)
    with pytest.raises(NetworkError, match=f"^synapse population 'AB': {message}"):
        parts.network(synapses={"AB": synapses})


def test_a_postsynaptic_model_refers_to_its_own_target(parts: Any) -> None:
    synapses = parts.synapses("AB", postsynaptic=parts.current("A"))
    with pytest.raises(NetworkError, match="reference 'V' is to 'A', but its postsynaptic population is 'B'"):
        parts.network(synapses={"AB": synapses})


def test_references_of_updates(parts: Any) -> None:
    def refuse(message: str, **refs: Any) -> None:
        given = {"one": parts.wu_ref("AB"), "other": parts.wu_ref("AB")} | refs
        with pytest.raises(NetworkError, match=f"^custom update 'U': {message}"):
            parts.network(parts.update(var_refs=given))

    refuse("there is no variable 'AC.w'", one=parts.wu_ref("AC"))
    refuse("there is no variable 'AB.W'; did you mean 'w'\\?", other=parts.wu_ref("AB", "W"))
    refuse(r"reference 'other': 'BA.w' has shape \(2, 3\), the first reference \(3, 2\)", other=parts.wu_ref("BA"))
    refuse("reference 'other' is of type 'scalar', but 'AB.k' of 'int'", other=parts.wu_ref("AB", "k"))
    pre = WeightReference(Location("AB", "pre", "r"))
    refuse(r"reference 'one': pre_vars of 'AB.r' has shape \(3,\); make it with create_var_ref", one=pre)
    whole = Reference(Location("AB", "synapse", "w"))
    refuse(r"reference 'one': 'AB.w' has shape \(3, 2\); make it with create_wu_var_ref", one=whole, other=whole)


def test_an_update_may_refer_to_an_earlier_ones_variables(parts: Any) -> None:
    own = WeightReference(Location("U", "own", "total"))
    network = parts.network(parts.update("U"), parts.update("W", var_refs={"one": own, "other": own}))
    assert network.variables[Location("W", "own", "total")].shape == (3, 2)


def test_an_array_fits_what_its_update_runs_over(parts: Any) -> None:
    parts.network(parts.update(vars={"total": np.zeros(6)}))
    with pytest.raises(NetworkError, match=r"initial value of 'U.total' must have shape \(6,\), not shape \(5,\)"):
        parts.network(parts.update(vars={"total": np.zeros(5)}))


def test_updates_of_one_end_span_its_neurons(parts: Any) -> None:
    ref = Reference(Location("AB", "post", "s"))
    network = parts.network(parts.update(var_refs={"one": ref, "other": ref}))
    assert network.variables[Location("U", "own", "total")].shape == (2,)


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        (("AB", "w", "AB"), r"'AB' \(A to B\) is not the reverse of 'AB' \(A to B\)"),
        (("AB", "w", "CA"), "there is no variable 'CA.w'"),
    ],
)
def test_a_transpose_goes_the_other_way(parts: Any, ref: tuple[str, str, str], message: str) -> None:
    def transpose(reference: WeightReference) -> Any:
        return parts.update(model=Transpose, vars={}, var_refs={"variable": reference})

    parts.network(transpose(parts.wu_ref("AB", "w", "BA")))
    with pytest.raises(NetworkError, match=message):
        parts.network(transpose(parts.wu_ref(*ref)))


def test_a_transpose_keeps_the_type_and_is_between_connections(parts: Any) -> None:
    def network(reference: WeightReference, *more: Any) -> Any:
        return parts.network(*more, parts.update("T", model=Transpose, vars={}, var_refs={"variable": reference}))

    there, back = Location("AB", "synapse", "w"), Location("BA", "synapse", "k")
    with pytest.raises(NetworkError, match=r"'BA.k' is of type 'int', not 'scalar'"):
        network(WeightReference(there, back))
    own = Location("U", "own", "total")
    with pytest.raises(NetworkError, match=r"'U.total' is no variable of a connection, so it cannot be transposed"):
        network(WeightReference(own, Location("BA", "synapse", "w")), parts.update("U"))
