"""Postsynaptic models that can share their state: several connections whose summed input decays alike become one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from snnlearn.network.groups import Groups
from snnlearn.network.synapses import SynapsePopulation


def postsynaptic_leaders(groups: Groups, fuse: bool) -> dict[str, str]:
    """Return for each connection the one whose summed input it adds to: its own name, unless they are fused."""
    if not fuse:
        return {name: name for name in groups.synapses}
    leaders: dict[str, str] = {}
    first: dict[Any, str] = {}
    referenced = set(_groups_referred_to(groups))
    for s in groups.synapses.values():
        key = s.name if s.name in referenced else _key(s)
        leaders[s.name] = first.setdefault(key, s.name)
    return leaders


def _key(s: SynapsePopulation) -> Any:
    """Return what two connections must have in common; its own name where it cannot be fused."""
    psm = s.postsynaptic
    if psm.model.vars or psm.model.extra_global_params or s.postsynaptic_dynamic_params:
        return s.name
    slots = s.dendritic_slots if s.uses("addToPostDelay") else None
    refs = tuple(sorted((name, ref.to) for name, ref in s.neuron_var_refs.items()))
    return s.target, s.post_target_var, psm.model, tuple(sorted(psm.params.items())), refs, slots


def _groups_referred_to(groups: Groups) -> Iterable[str]:
    """Yield the connections whose summed input custom updates refer to."""
    references: list[Any] = [ref for u in groups.custom_updates.values() for ref in u.var_refs.values()]
    for change in groups.custom_connectivity_updates.values():
        references += [*change.pre_var_refs.values(), *change.post_var_refs.values()]
    for ref in references:
        if ref.to.space in ("out_post", "den_delay"):
            yield ref.to.group
