"""NIR's neurons as declared models: their parameters there and back, how they step, how they are reset."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import DerivedParam, NeuronModel, Param, Var, VarAccess
from snnlearn.errors import ExchangeError
from snnlearn.exchange.nir.graph import PARAMETERS, Node, Shape
from snnlearn.models import IF, LI, LIF, CubaLIF

Numbers = NDArray[np.float64]
Values = dict[str, Numbers]
Method = Literal["exact", "euler", "forward-euler"]
Reset = Literal["v_reset", "subtract", "delayed-v_reset", "delayed-subtract"]
METHODS: tuple[Method, ...] = ("exact", "euler", "forward-euler")
RESETS: tuple[Reset, ...] = ("v_reset", "subtract", "delayed-v_reset", "delayed-subtract")
MS = 1000.0  # milliseconds of a second

Integrator = replace(IF, name="I", threshold_condition_code="", reset_code="")
CubaLI = replace(CubaLIF, name="CubaLI", threshold_condition_code="", reset_code="")
Threshold = NeuronModel(
    "Threshold",
    params=(Param("Vthresh"), Param("Ioffset")),
    vars=(Var("V"),),
    sim_code="V = Isyn + Ioffset;",
    threshold_condition_code="V >= Vthresh",
)
# An output that sums up what linear nodes give.
Sum = NeuronModel("Sum", params=(Param("Ioffset"),), vars=(Var("V"),), sim_code="V = Isyn + Ioffset;")


KINDS: dict[str, NeuronModel] = {
    "LIF": LIF,
    "CubaLIF": CubaLIF,
    "IF": IF,
    "LI": LI,
    "CubaLI": CubaLI,
    "I": Integrator,
    "Threshold": Threshold,
}
"""The declared model of each neuron of NIR's; those without a threshold send their potential."""

_RENAMED = {"v_leak": "Vrest", "v_threshold": "Vthresh", "v_reset": "Vreset", "w_in": "WIn", "threshold": "Vthresh"}
_TIMES = {"tau": "TauM", "tau_mem": "TauM", "tau_syn": "TauSyn"}


def to_model(own: Values) -> Values:
    """Return a model's parameters for a node's."""
    found = {_RENAMED[name]: value for name, value in own.items() if name in _RENAMED}
    found |= {_TIMES[name]: MS * value for name, value in own.items() if name in _TIMES}
    if "r" in own:
        with np.errstate(divide="ignore"):
            found["C"] = found.get("TauM", MS) / own["r"]
    return found


def to_node(kind: str, values: Values) -> Values:
    """Return the parameters of a kind of node for those of its model."""
    found = {}
    for name in PARAMETERS[kind]:
        if name == "r":
            found[name] = values.get("TauM", np.array(MS)) / values["C"]
        elif name in _TIMES:
            found[name] = values[_TIMES[name]] / MS
        else:
            found[name] = values[_RENAMED[name]]
    return found


def parameters_of(node: Node, shape: Shape) -> Values:
    """Return the model's parameters for a node, each of shape (neurons,).

    Raises
    ------
    ExchangeError
        For a time constant that a neuron cannot have.
    """
    own = {name: np.broadcast_to(node.array(name), shape).ravel() for name in PARAMETERS[node.kind]}
    for name in own.keys() & _TIMES.keys():
        if not (own[name] > 0.0).all():
            raise ExchangeError(f"{node.whole}: {name} must be above 0 s")
    size = next(iter(own.values())).size
    return {p.name: np.zeros(size) for p in KINDS[node.kind].params} | to_model(own)


# ---- how it steps ----


def stepping(node: Node, values: Values, method: Method, reset: Reset, dt: float) -> NeuronModel:
    """Return the declared model of a node for a way to step and to be reset.

    NIR's neurons spike above the threshold, those of the library at it.

    Raises
    ------
    ExchangeError
        Where Euler's method does not converge.
    """
    model = KINDS[node.kind]
    code = model.threshold_condition_code.replace("V >= ", "V > ")
    model = replace(model, threshold_condition_code=code)
    if method != "exact":
        for name in ("TauM", "TauSyn"):
            if name in values and (values[name] < 0.5 * dt).any():
                least = float(values[name].min())
                raise ExchangeError(
                    f"{node.whole}: Euler's method diverges for a time constant of {least:g} ms and a timestep of "
                    f'{dt:g} ms; take a shorter one, or method="exact"'
                )
        steps = _EULER | ({"CurrentToV": _forward} if method == "forward-euler" else {})
        derived = tuple(replace(d, func=steps.get(d.name, d.func)) for d in model.derived_params)
        model = replace(model, derived_params=derived)
    if reset == "subtract" and "Vreset" in values:
        return replace(model, reset_code=model.reset_code.replace("V = Vreset;", "V -= Vthresh - Vreset;"))
    if reset in _LATER and "Vreset" in values:
        return replace(
            model,
            vars=(*model.vars, Var("Spiked")),
            sim_code=f"{model.sim_code}\n    {_LATER[reset]}\n    Spiked = 0.0;\n    ",
            reset_code=model.reset_code.replace("V = Vreset;", "Spiked = 1.0;"),
        )
    return model


_LATER = {
    "delayed-v_reset": "V += Spiked * (Vreset - V);",
    "delayed-subtract": "V -= Spiked * (Vthresh - Vreset);",
}


def _forward(pars: Mapping[str, float], dt: float) -> float:
    return dt / pars["TauM"]


_EULER: dict[str, Callable[[Any, float], float]] = {
    "ExpTC": lambda pars, dt: 1.0 - dt / pars["TauM"],
    "ExpTS": lambda pars, dt: 1.0 - dt / pars["TauSyn"],
    # The potential sees the current as the timestep leaves it.
    "CurrentToV": lambda pars, dt: dt / pars["TauM"] * (1.0 - dt / pars["TauSyn"]),
}


LATE = "(t >= Begin ? Ioffset : 0.0)"


def with_beginning(model: NeuronModel) -> NeuronModel:
    """Return a model whose constant input begins at a time, its parameter ``Begin`` [ms]."""
    code = re.sub(r"\bIoffset\b", LATE, model.sim_code)
    return replace(model, params=(*model.params, Param("Begin")), sim_code=code)


# ---- neurons of one population that differ ----


@dataclass(frozen=True)
class Described:
    """What a population is added with."""

    model: NeuronModel
    params: dict[str, float]
    vars: dict[str, Any]


def described(model: NeuronModel, values: Values, own: Collection[str], first: dict[str, Any], dt: float) -> Described:
    """Return a model whose parameters are those of a population, or each neuron's own.

    Parameters
    ----------
    model : NeuronModel
    values : dict of str to ndarray, shape (neurons,)
    own : collection of str
        Parameters that are variables in any case.
    first : dict of str to value
        Of the model's variables.
    dt : float
        [ms]
    """
    different = [name for name in values if name in own or not (values[name] == values[name][0]).all()]
    if not different:
        return Described(model, {name: float(value[0]) for name, value in values.items()}, first)
    rows = [{name: float(value[i]) for name, value in values.items()} for i in range(len(next(iter(values.values()))))]
    for d in model.derived_params:
        values = values | {d.name: np.array([float(d.func(row, dt)) for row in rows])}
    types = {p.name: p for p in model.params} | {d.name: d for d in model.derived_params}
    different = [name for name in values if name in own or not (values[name] == values[name][0]).all()]
    shared = [name for name in values if name not in different]
    variables = tuple(Var(name, types[name].type, VarAccess.READ_ONLY) for name in different)
    params = tuple(_as_param(types[name]) for name in shared)
    return Described(
        replace(model, params=params, derived_params=(), vars=(*model.vars, *variables)),
        {name: float(values[name][0]) for name in shared},
        {**first, **{name: values[name] for name in different}},
    )


def _as_param(given: Param | DerivedParam) -> Param:
    return given if isinstance(given, Param) else Param(given.name, given.type)
