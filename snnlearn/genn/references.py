"""PyGeNN's ``create_*_var_ref`` functions."""

from __future__ import annotations

from typing import Any

from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network import Location, Reference, WeightReference
from snnlearn.network.references import VariableSpace


def create_var_ref(group: Any, var_name: str) -> Reference:
    """Refer to a variable of a neuron population or custom update.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    return Reference(_locate(group, "own", "vars", var_name))


def create_psm_var_ref(group: Any, var_name: str) -> Reference:
    """Refer to a variable of a connection's postsynaptic model.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    return Reference(_locate(group, "psm", "psm_vars", var_name))


def create_wu_pre_var_ref(group: Any, var_name: str) -> Reference:
    """Refer to a presynaptic variable of a connection.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    return Reference(_locate(group, "pre", "pre_vars", var_name))


def create_wu_post_var_ref(group: Any, var_name: str) -> Reference:
    """Refer to a postsynaptic variable of a connection.

    Raises
    ------
    NetworkError
        If there is no such variable.
    """
    return Reference(_locate(group, "post", "post_vars", var_name))


def create_wu_var_ref(
    group: Any, var_name: str, transpose_group: Any = None, transpose_var_name: str | None = None
) -> WeightReference:
    """Refer to a variable of a connection's synapses.

    Parameters
    ----------
    group : SynapseGroup or CustomUpdate over synapses
    var_name : str
    transpose_group : SynapseGroup, optional
        The connection in the opposite direction, which receives the values, transposed, after each update.
    transpose_var_name : str, optional
        Its variable.

    Raises
    ------
    NetworkError
        If there is no such variable, or only one of the last two is given.
    """
    if (transpose_group is None) != (transpose_var_name is None):
        raise NetworkError("create_wu_var_ref needs both a transpose group and the name of its variable, or neither")
    transpose = None
    if transpose_group is not None and transpose_var_name is not None:
        transpose = _locate(transpose_group, "synapse", "vars", transpose_var_name)
    space: VariableSpace = "synapse" if hasattr(group, "pre_vars") else "own"
    return WeightReference(_locate(group, space, "vars", var_name), transpose)


def _locate(group: Any, space: VariableSpace, attribute: str, var_name: str) -> Location:
    known = getattr(group, attribute, None)
    if known is None or (attribute == "vars" and space == "own" and hasattr(group, "pre_vars")):
        raise NetworkError(f"{type(group).__name__} {getattr(group, 'name', group)!r} has no {attribute} of this kind")
    if var_name not in known:
        raise NetworkError(f"'{group.name}' has no variable '{var_name}'{did_you_mean(var_name, known)}")
    return Location(group.name, space, var_name)
