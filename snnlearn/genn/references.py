"""PyGeNN's functions that refer to a group's variables and arrays, for custom updates and models that share state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from snnlearn.attributes import frozen
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.genn.arguments import checked_arguments
from snnlearn.genn.group import VARIABLES_IN
from snnlearn.genn.groups import (
    CurrentSource,
    CustomConnectivityUpdate,
    CustomUpdate,
    CustomUpdateWU,
    Group,
    NeuronGroup,
    SynapseGroup,
)
from snnlearn.network import ArrayReference, Location, Reference, WeightReference
from snnlearn.network.references import Space


@frozen
@dataclass(frozen=True)
class VarReference(Reference):
    """A reference to a variable with one value for each neuron, and the group that it is of."""

    group: Group[Any] | None = field(default=None, compare=False, repr=False)


@frozen
@dataclass(frozen=True)
class WUVarReference(WeightReference):
    """A reference to a variable with one value for each synapse, and the group that it is of."""

    group: Group[Any] | None = field(default=None, compare=False, repr=False)


@frozen
@dataclass(frozen=True)
class EGPReference(ArrayReference):
    """A reference to an extra global parameter, and the group that it is of."""

    group: Group[Any] | None = field(default=None, compare=False, repr=False)


def create_var_ref(group: NeuronGroup | CurrentSource | CustomUpdate, var_name: str) -> VarReference:
    """Refer to a variable of a neuron population, a current source or a custom update over neurons.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    _check_kind("create_var_ref", group, NeuronGroup, CurrentSource, CustomUpdate)
    return _variable(group, "own", var_name)


def create_psm_var_ref(sg: SynapseGroup, var_name: str) -> VarReference:
    """Refer to a variable of a connection's postsynaptic model.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    _check_kind("create_psm_var_ref", sg, SynapseGroup)
    return _variable(sg, "psm", var_name)


def create_wu_pre_var_ref(sg: SynapseGroup, var_name: str) -> VarReference:
    """Refer to a presynaptic variable of a connection.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    _check_kind("create_wu_pre_var_ref", sg, SynapseGroup)
    return _variable(sg, "pre", var_name)


def create_wu_post_var_ref(sg: SynapseGroup, var_name: str) -> VarReference:
    """Refer to a postsynaptic variable of a connection.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    _check_kind("create_wu_post_var_ref", sg, SynapseGroup)
    return _variable(sg, "post", var_name)


def create_pre_var_ref(ccu: CustomConnectivityUpdate, var_name: str) -> VarReference:
    """Refer to a presynaptic variable of a custom connectivity update.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    _check_kind("create_pre_var_ref", ccu, CustomConnectivityUpdate)
    return _variable(ccu, "pre", var_name)


def create_post_var_ref(ccu: CustomConnectivityUpdate, var_name: str) -> VarReference:
    """Refer to a postsynaptic variable of a custom connectivity update.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    _check_kind("create_post_var_ref", ccu, CustomConnectivityUpdate)
    return _variable(ccu, "post", var_name)


def create_out_post_var_ref(sg: SynapseGroup) -> VarReference:
    """Refer to the summed input of a connection that its postsynaptic model has not yet used up.

    Raises
    ------
    NetworkError
        If it is no connection.
    """
    _check_kind("create_out_post_var_ref", sg, SynapseGroup)
    return VarReference(Location(sg._key, "out_post"), sg)


def create_den_delay_var_ref(sg: SynapseGroup) -> VarReference:
    """Refer to a connection's input that is still on its way along dendrites; broadcast to it to clear all of it.

    Raises
    ------
    NetworkError
        If it is no connection.
    """
    _check_kind("create_den_delay_var_ref", sg, SynapseGroup)
    return VarReference(Location(sg._key, "den_delay"), sg)


def create_spike_time_var_ref(ng: NeuronGroup) -> VarReference:
    """Refer to the times of neurons' last spikes.

    Raises
    ------
    NetworkError
        If it is no neuron population.
    """
    _check_kind("create_spike_time_var_ref", ng, NeuronGroup)
    return VarReference(Location(ng._key, "spike_time"), ng)


def create_prev_spike_time_var_ref(ng: NeuronGroup) -> VarReference:
    """Refer to the times of neurons' last spikes before the last timestep.

    Raises
    ------
    NetworkError
        If it is no neuron population.
    """
    _check_kind("create_prev_spike_time_var_ref", ng, NeuronGroup)
    return VarReference(Location(ng._key, "prev_spike_time"), ng)


def create_src_spike_count_var_ref(sg: SynapseGroup) -> VarReference:
    """Refer to how many spikes of a connection's source are on their way; a broadcast of 0 drops them.

    Raises
    ------
    NetworkError
        If it is no connection.
    """
    _check_kind("create_src_spike_count_var_ref", sg, SynapseGroup)
    return VarReference(Location(sg.src._key, "spike_count"), sg)


@checked_arguments
def create_wu_var_ref(
    sg: SynapseGroup | CustomUpdateWU | CustomConnectivityUpdate,
    var_name: str,
    transpose_sg: SynapseGroup | None = None,
    transpose_var_name: str = "",
) -> WUVarReference:
    """Refer to a variable of a connection's synapses.

    Parameters
    ----------
    sg : SynapseGroup, CustomUpdateWU or CustomConnectivityUpdate
    var_name : str
    transpose_sg : SynapseGroup, optional
        The connection in the opposite direction, which receives the values, transposed, after each update.
    transpose_var_name : str, optional
        Its variable.

    Raises
    ------
    NetworkError
        If there is no such variable, or only one of the last two is given.
    """
    _check_kind("create_wu_var_ref", sg, SynapseGroup, CustomUpdateWU, CustomConnectivityUpdate)
    if (transpose_sg is None) != (not transpose_var_name):
        raise NetworkError("create_wu_var_ref needs both a transpose group and the name of its variable, or neither")
    transpose = None
    if transpose_sg is not None:
        _check_kind("create_wu_var_ref, transpose_sg", transpose_sg, SynapseGroup)
        if not isinstance(sg, SynapseGroup):
            raise NetworkError(f"'{sg.name}' is no connection: only a connection's variables can be transposed")
        transpose = _locate(transpose_sg, "synapse", transpose_var_name)
    space: Space = "own" if isinstance(sg, CustomUpdateWU) else "synapse"
    return WUVarReference(_locate(sg, space, var_name), transpose, sg)


def create_egp_ref(
    group: NeuronGroup | CurrentSource | CustomUpdate | CustomUpdateWU | CustomConnectivityUpdate, egp_name: str
) -> EGPReference:
    """Refer to an extra global parameter of anything but a connection.

    Raises
    ------
    NetworkError
        If there is no such array.
    """
    kinds = (NeuronGroup, CurrentSource, CustomUpdate, CustomUpdateWU, CustomConnectivityUpdate)
    _check_kind("create_egp_ref", group, *kinds)
    return EGPReference(_locate(group, "egp", egp_name), group)


def create_psm_egp_ref(sg: SynapseGroup, egp_name: str) -> EGPReference:
    """Refer to an extra global parameter of a connection's postsynaptic model.

    Raises
    ------
    NetworkError
        If there is no such array.
    """
    _check_kind("create_psm_egp_ref", sg, SynapseGroup)
    return EGPReference(_locate(sg, "psm_egp", egp_name), sg)


def create_wu_egp_ref(sg: SynapseGroup, egp_name: str) -> EGPReference:
    """Refer to an extra global parameter of a connection's weight update model.

    Raises
    ------
    NetworkError
        If there is no such array.
    """
    _check_kind("create_wu_egp_ref", sg, SynapseGroup)
    return EGPReference(_locate(sg, "egp", egp_name), sg)


# Where groups keep what references are to.
_ARRAYS_IN: dict[str, str] = VARIABLES_IN | {"egp": "extra_global_params", "psm_egp": "psm_extra_global_params"}
_MAKERS = {
    NeuronGroup: "create_var_ref",
    CurrentSource: "create_var_ref",
    CustomUpdate: "create_var_ref",
    SynapseGroup: "create_wu_var_ref, create_wu_pre_var_ref, create_wu_post_var_ref or create_psm_var_ref",
    CustomUpdateWU: "create_wu_var_ref",
    CustomConnectivityUpdate: "create_wu_var_ref, create_pre_var_ref or create_post_var_ref",
}


def _check_kind(function: str, group: Any, *kinds: type[Group[Any]]) -> None:
    """Raise NetworkError unless the group is of a kind that the function can refer to; say which function can."""
    if isinstance(group, kinds):
        return
    wanted = " or ".join(kind.__name__ for kind in kinds)
    given = f"'{group.name}', a {type(group).__name__}" if isinstance(group, Group) else repr(group)
    hint = f"; try {_MAKERS[type(group)]}" if type(group) in _MAKERS and "egp" not in function else ""
    raise NetworkError(f"{function} refers to a {wanted}, not {given}{hint}")


def _variable(group: Group[Any], space: Space, name: str) -> VarReference:
    return VarReference(_locate(group, space, name), group)


def _locate(group: Group[Any], space: Space, name: str) -> Location:
    attribute = _ARRAYS_IN[space]
    known = getattr(group, attribute)
    if name not in known:
        what = "extra global parameter" if space.endswith("egp") else "variable"
        raise NetworkError(f"'{group.name}' has no {what} '{name}' among its {attribute}{did_you_mean(name, known)}")
    return Location(group._key, space, name)
