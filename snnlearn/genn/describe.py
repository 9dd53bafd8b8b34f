"""From groups to the checked description of the whole network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from snnlearn import network as net

if TYPE_CHECKING:
    from snnlearn.genn.model import GeNNModel


def describe(model: GeNNModel) -> net.Network:
    """Return the network that a model's groups describe, each as it is now.

    A group holds its own description, which holds those of the groups it is attached to as they were when it was
    added; they may have changed since.

    Raises
    ------
    NetworkError
        For groups that do not fit together.
    """
    neurons = _specs(model.neuron_populations)
    synapses = {
        group._key: group._describe(neurons[group.src._key], neurons[group.trg._key])
        for group in model.synapse_populations.values()
    }
    for source in model.current_sources.values():
        source._change(target=neurons[source.target_pop._key])
    connectivity_updates = {
        group._key: replace(group.spec, synapses=synapses[group.synapse_group._key])
        for group in model.custom_connectivity_updates.values()
    }
    return net.Network(
        model.name,
        model.dt,
        model.precision,
        neurons,
        synapses,
        _specs(model.custom_updates),
        _specs(model.current_sources),
        connectivity_updates,
        model.batch_size,
        model.fuse_postsynaptic_models,
        model.time_precision,
    )


def _specs(groups: Mapping[str, Any]) -> dict[str, Any]:
    return {group._key: group.spec for group in groups.values()}
