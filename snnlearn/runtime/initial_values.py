"""What a simulation starts from: numbers and arrays that the network gives, and explicit connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Plan
from snnlearn.codegen.plan.memory import init_egp
from snnlearn.errors import NetworkError
from snnlearn.network import Location, Network, SparseConnectInit, SynapsePopulation, Variable, VarInit

Read = Callable[[Location], NDArray[Any]]
Values = Iterator[tuple[Location, NDArray[Any]]]


def given_params(network: Network, plan: Plan) -> Iterator[tuple[Location, float]]:
    """Yield every dynamic parameter with its value."""
    for array in plan.arrays:
        at = array.location
        if at.space in ("param", "psm_param"):
            yield at, _param(network, at)


def _param(network: Network, at: Location) -> float:
    group: Any = network.groups.by_name[at.group]
    if isinstance(group, SynapsePopulation):
        group = group.postsynaptic if at.space == "psm_param" else group.weight_update
    value: float = group.params[at.name]
    return value


def given_arrays(network: Network, seed: int) -> Values:
    """Yield every extra global parameter that has values, with these."""
    for group in network.groups.by_name.values():
        for name, values in group.extra_global_params.items():
            yield Location(group.name, "egp", name), values
    for s in network.synapses.values():
        for name, values in s.postsynaptic_extra_global_params.items():
            yield Location(s.name, "psm_egp", name), values
        for name, values in {**_made_on_host(network, s, seed), **s.connectivity_extra_global_params}.items():
            yield Location(s.name, "connect_egp", name), values
    for at, variable in network.variables.items():
        if isinstance(variable.init, VarInit):
            for name, values in variable.init.extra_global_params.items():
                yield init_egp(at, name), values


def _made_on_host(network: Network, s: SynapsePopulation, seed: int) -> Mapping[str, NDArray[Any]]:
    """Return the arrays that a connectivity initialiser makes before rows are built."""
    init = s.connectivity.init
    if not isinstance(init, SparseConnectInit) or init.snippet.host_init_func is None:
        return {}
    if s.connectivity.connections is not None:
        return {}
    # The group's name takes part, so that two connections of one kind differ.
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *s.name.encode()])))
    return init.snippet.host_init_func(*network.groups.ends(s), dict(init.params), random)


def given_connections(network: Network) -> Values:
    """Yield the lengths and the indices of rows of connections that are given as pairs of neurons.

    Raises
    ------
    NetworkError
        For a connection that nothing makes, and for a row without room for its synapses.
    """
    for s in network.synapses.values():
        given = s.connectivity.connections
        if given is None:
            if not s.connectivity.dense and not _makes_connections(s):
                raise NetworkError(
                    f"synapse population {s.name!r} has no connections: call set_sparse_connections, or give an "
                    "initialiser"
                )
            continue
        num_pre, stride = network.groups.ends(s)[0], network.groups.row_stride(s)
        lengths = given.lengths(num_pre)
        if lengths.max(initial=0) > stride:
            row = int(lengths.argmax())
            raise NetworkError(
                f"synapse population {s.name!r}: row {row} has {lengths[row]} synapses, but room for {stride}"
            )
        yield Location(s.name, "row_length"), lengths
        post = given.post[given.order]
        ind = np.zeros(num_pre * stride, dtype=post.dtype)
        scatter(ind, lengths, stride, post)
        yield Location(s.name, "ind"), ind


class RowsTooLong(NetworkError):
    """Rows that were drawn at random, or made from an array, have more synapses than was expected of them.

    Attributes
    ----------
    longest : dict of str to int
        How many synapses the longest row has, by synapse population.
    """

    def __init__(self, message: str, longest: dict[str, int]) -> None:
        super().__init__(message)
        self.longest = longest


def about_rows(network: Network, read: Read, error: NetworkError) -> NetworkError:
    """Return an error of code that makes connectivity as `RowsTooLong`, where there are such rows."""
    longest = {}
    for s in network.synapses.values():
        if s.connectivity.estimated:
            length = int(read(Location(s.name, "row_length")).max())
            if length > network.groups.row_stride(s):
                longest[s.name] = length
    return RowsTooLong(str(error), longest) if longest else error


def _makes_connections(s: SynapsePopulation) -> bool:
    init = s.connectivity.init
    return init is not None and (not isinstance(init, SparseConnectInit) or init.makes_connections)


def given_variables(network: Network, read: Read) -> Values:
    """Yield the variables that the network gives as arrays, once ``read`` returns the lengths of rows.

    Raises
    ------
    NetworkError
        Where there is not one value for each synapse.
    """
    for at, variable in network.variables.items():
        if isinstance(variable.init, np.ndarray):
            yield at, _given_variable(network, read, at, variable)


def _given_variable(network: Network, read: Read, at: Location, variable: Variable) -> NDArray[Any]:
    copies = network.batch_size if variable.batched else 1
    values = np.broadcast_to(np.atleast_2d(variable.init), (copies, variable.init.shape[-1]))
    name = network.groups.connection_of(at) if variable.over == "synapse" else None
    s = network.synapses[name] if name is not None else None
    if s is None or s.connectivity.dense:
        kept = np.broadcast_to(values[:, None, :], (copies, variable.slots, variable.size))
        return kept.reshape(-1)
    lengths = read(Location(s.name, "row_length"))
    if values.shape[-1] != lengths.sum():
        raise NetworkError(
            f"initial value of {at} must have shape ({lengths.sum()},), one for each synapse, not ({values.shape[-1]},)"
        )
    given = s.connectivity.connections
    padded, stride = np.zeros((copies, variable.size), dtype=values.dtype), network.groups.row_stride(s)
    for copy, row in zip(padded, values, strict=True):
        scatter(copy, lengths, stride, row if given is None else row[given.order])
    return padded.reshape(-1)


def scatter(target: NDArray[Any], lengths: NDArray[np.uint32], stride: int, values: NDArray[Any]) -> None:
    """Put values of synapses, row by row without gaps, where their rows are."""
    target.reshape(-1, stride)[np.arange(stride) < lengths[:, None]] = values
