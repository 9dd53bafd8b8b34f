"""From groups to the checked description of the whole network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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
    neurons = {name: group.spec for name, group in model.neuron_populations.items()}
    synapses = {
        name: group._describe(neurons[group.src.name], neurons[group.trg.name])
        for name, group in model.synapse_populations.items()
    }
    for source in model.current_sources.values():
        source._change(target=neurons[source.target_pop.name])
    connectivity_updates = {
        name: replace(group.spec, synapses=synapses[group.synapse_group.name])
        for name, group in model.custom_connectivity_updates.items()
    }
    return net.Network(
        model.name,
        model.dt,
        model.precision,
        neurons,
        synapses,
        {name: group.spec for name, group in model.custom_updates.items()},
        {name: group.spec for name, group in model.current_sources.items()},
        connectivity_updates,
        model.batch_size,
        model.fuse_postsynaptic_models,
    )
