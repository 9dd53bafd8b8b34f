"""From groups to the checked description of the whole network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snnlearn import network as net
from snnlearn.genn.adding import AddsGroups


def describe(model: AddsGroups, before: net.Network | None = None) -> net.Network:
    """Return the network that a model's groups describe, each as it is now.

    Parameters
    ----------
    model : GeNNModel
    before : Network, optional
        What was returned before; it is returned again where no group has changed since.

    Raises
    ------
    NetworkError
        For groups that do not fit together.
    """
    kinds = (
        _specs(model.neuron_populations),
        _specs(model.synapse_populations),
        _specs(model.custom_updates),
        _specs(model.current_sources),
        _specs(model.custom_connectivity_updates),
    )
    if before is not None and _is_of(before, model, kinds):
        return before
    return net.Network(
        model.name,
        model.dt,
        model.precision,
        *kinds,
        model.batch_size,
        model.fuse_postsynaptic_models,
        model.time_precision,
    )


def _specs(groups: Mapping[str, Any]) -> dict[str, Any]:
    return {group._key: group.spec for group in groups.values()}


def _is_of(network: net.Network, model: AddsGroups, kinds: tuple[dict[str, Any], ...]) -> bool:
    """Whether a network has a model's settings, and these very groups."""
    names = ("name", "dt", "precision", "time_precision", "batch_size", "fuse_postsynaptic_models")
    if any(getattr(network, name) != getattr(model, name) for name in names):
        return False
    known = network.groups.by_name
    groups = [group for kind in kinds for group in kind.values()]
    return len(groups) == len(known) and all(known.get(group.name) is group for group in groups)
