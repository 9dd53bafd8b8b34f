"""What a network begins each example with: all variables as they began, nothing on its way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from snnlearn import genn
from snnlearn.declare import CustomUpdateModel, Param, VarAccessMode, VarRef
from snnlearn.models import AnalogSource, PatternSource

_SHOWN = (AnalogSource.name, PatternSource.name)  # whose variables an example sets
_NoSpikes = CustomUpdateModel(
    "NoSpikes", var_refs=(VarRef("count", "uint32_t", VarAccessMode.BROADCAST),), update_code="count = 0;"
)
_NoInput = CustomUpdateModel(
    "NoInput", var_refs=(VarRef("inSyn", "scalar", VarAccessMode.BROADCAST),), update_code="inSyn = 0.0;"
)


def add_rest(model: Any, group: str, populations: Iterable[Any], connections: Iterable[Any]) -> None:
    """Add custom updates that put a network back to rest.

    Parameters
    ----------
    model : GeNNModel
        Not built.
    group : str
        Of the custom updates.
    populations, connections : iterable of groups
        Variables of populations that an example does not set become what they begin with, a number each; input and
        spikes on their way are dropped.
    """
    for population in populations:
        start = {} if population.model.name in _SHOWN else _numbers(population)
        if start:
            refs = {name: genn.create_var_ref(population, name) for name in start}
            model.add_custom_update(f"rest_{population.name}", group, _rest(tuple(start)), _first(start), {}, refs)
    sources = set()
    for connection in connections:
        input_of = {"inSyn": genn.create_out_post_var_ref(connection)}
        model.add_custom_update(f"no_input_{connection.name}", group, _NoInput, {}, {}, input_of)
        if connection.src.name not in sources and connection.src.model.name != AnalogSource.name:
            sources.add(connection.src.name)
            count = {"count": genn.create_src_spike_count_var_ref(connection)}
            model.add_custom_update(f"no_spikes_{connection.src.name}", f"{group}Spikes", _NoSpikes, {}, {}, count)


def _numbers(population: Any) -> dict[str, float]:
    """Return the variables of a population that begin with one number."""
    return {name: float(value) for name, value in population.spec.vars.items() if isinstance(value, (int, float))}
