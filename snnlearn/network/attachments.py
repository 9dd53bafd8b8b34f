"""What groups need of those that they are attached to, which they know by name."""

from __future__ import annotations

from collections.abc import Iterable

from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.checks import check_lengths
from snnlearn.network.groups import Groups
from snnlearn.network.neurons import CurrentSource, NeuronPopulation
from snnlearn.network.synapses import SynapsePopulation
from snnlearn.network.updates import CustomConnectivityUpdate


def check_attachments(groups: Groups) -> None:
    """Raise NetworkError unless every group that another names is there, and has what that needs."""
    neurons = groups.neurons
    for s in groups.synapses.values():
        owner = _owner_of(s)
        for what, end in (("source", s.source), ("target", s.target)):
            _check_known(f"{owner}: {what}", "neuron population", end, neurons)
        check_ends(s, neurons[s.source], neurons[s.target])
        _check_complete(s)
    for c in groups.current_sources.values():
        _check_known(f"current source {c.name!r}: target", "neuron population", c.target, neurons)
        check_target(c, neurons[c.target])
    for u in groups.custom_connectivity_updates.values():
        owner = f"custom connectivity update {u.name!r}"
        _check_known(owner, "synapse population", u.synapses, groups.synapses)
        s = groups.synapses[u.synapses]
        check_connection(u, s, neurons[s.source], neurons[s.target])


def check_ends(s: SynapsePopulation, source: NeuronPopulation, target: NeuronPopulation) -> None:
    """Raise NetworkError unless a connection's inputs are its populations', and its arrays have their sizes."""
    owner = _owner_of(s)
    _check_input(owner, "post_target_var", target, s.post_target_var)
    _check_input(owner, "pre_target_var", source, s.pre_target_var)
    wu = s.weight_update.model
    if s.connectivity.dense:
        check_lengths(owner, wu.vars, s.vars, source.size * target.size)
    elif s.connectivity.weights == "KERNEL":
        check_lengths(owner, wu.vars, s.vars, s.connectivity.kernel_size)
    check_lengths(owner, wu.pre_vars, s.pre_vars, source.size)
    check_lengths(owner, wu.post_vars, s.post_vars, target.size)
    check_lengths(owner, s.postsynaptic.model.vars, s.psm_vars, target.size)


def check_target(c: CurrentSource, target: NeuronPopulation) -> None:
    """Raise NetworkError unless a current source's input is its target's, and its arrays have that size."""
    owner = f"current source {c.name!r}"
    _check_input(owner, "target_var", target, c.target_var)
    check_lengths(owner, c.model.vars, c.vars, target.size)


def check_connection(
    u: CustomConnectivityUpdate, s: SynapsePopulation, source: NeuronPopulation, target: NeuronPopulation
) -> None:
    """Raise NetworkError unless a connectivity update is of a SPARSE connection, and its arrays have that's sizes."""
    owner = f"custom connectivity update {u.name!r}"
    if s.connectivity.matrix_type != "SPARSE":
        raise NetworkError(f"{owner}: can only change SPARSE connectivity")
    check_lengths(owner, u.model.pre_vars, u.pre_vars, source.size)
    check_lengths(owner, u.model.post_vars, u.post_vars, target.size)


def _check_complete(s: SynapsePopulation) -> None:
    """Raise NetworkError where something is missing that may be set after the rest."""
    owner = _owner_of(s)
    if s.connectivity.matrix_type == "BITMASK" and s.connectivity.init is None:
        raise NetworkError(f"{owner}: BITMASK connectivity needs an initialiser")
    if s.max_dendritic_delay_timesteps is not None:
        return
    if s.uses("addToPostDelay"):
        raise NetworkError(
            f"{owner}: its code calls addToPostDelay; set max_dendritic_delay_timesteps to the longest delay"
        )
    if s.delayed_reads:
        raise NetworkError(
            f"{owner}: its code looks back at {min(s.delayed_reads)}[delay]; set max_dendritic_delay_timesteps "
            "to the longest delay"
        )


def _owner_of(s: SynapsePopulation) -> str:
    return f"synapse population {s.name!r}"


def _check_known(owner: str, what: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise NetworkError(f"{owner}: there is no {what} '{name}'{did_you_mean(name, known)}")


def _check_input(owner: str, what: str, population: NeuronPopulation, name: str) -> None:
    """Raise NetworkError unless the neurons have an input of this name."""
    if name not in population.inputs:
        raise NetworkError(
            f"{owner}: {what}: {population.name!r} has no input '{name}'{did_you_mean(name, population.inputs)}"
        )
