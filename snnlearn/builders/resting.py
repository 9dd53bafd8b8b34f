"""What a network begins each example with: all variables as they began, nothing on its way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from snnlearn import genn
from snnlearn.declare import CustomUpdateModel, Param, VarAccessMode, VarRef
from snnlearn.models import AnalogSource, Constant, PatternSource
from snnlearn.network import VarInit

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
            model.add_custom_update(
                f"rest_{population.name}",
                group,
                _rest(tuple(start)),
                {f"{v}First": x for v, x in start.items()},
                {},
                refs,
            )
    sources = set()
    for connection in connections:
        input_of = {"inSyn": genn.create_out_post_var_ref(connection)}
        model.add_custom_update(f"no_input_{connection.name}", group, _NoInput, {}, {}, input_of)
        if connection.src.name not in sources and connection.src.model.name != AnalogSource.name:
            sources.add(connection.src.name)
            count = {"count": genn.create_src_spike_count_var_ref(connection)}
            model.add_custom_update(f"no_spikes_{connection.src.name}", group, _NoSpikes, {}, {}, count)


def _numbers(population: Any) -> dict[str, float]:
    """Return the variables of a population that begin with one number."""
    inits = population.spec.vars.items()
    constant = Constant.name
    return {n: float(i.params["constant"]) for n, i in inits if isinstance(i, VarInit) and i.snippet.name == constant}


def _rest(names: tuple[str, ...]) -> CustomUpdateModel:
    """Return the update that gives variables of these names what they begin with."""
    return CustomUpdateModel(
        "Rest",
        params=tuple(Param(f"{name}First") for name in names),
        var_refs=tuple(VarRef(name) for name in names),
        update_code="".join(f"{name} = {name}First;\n" for name in names),
    )
