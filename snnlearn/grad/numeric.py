"""A neuron's timestep in numbers: many neurons at once, in NumPy, without a compiler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import NeuronModel, PostsynapticModel
from snnlearn.dialect import algebra, tree, unparse
from snnlearn.dialect.tree import Expr
from snnlearn.errors import GradientError
from snnlearn.grad.step import step_of, value_of

Number = Any  # of numbers or an array of them
_BINARY = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "<": np.less, "<=": np.less_equal,
    ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal, "&&": np.logical_and,
    "||": np.logical_or,
}  # fmt: skip
_UNARY = {"-": np.negative, "+": np.positive, "!": np.logical_not}
_CALLS = {
    "abs": np.abs, "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan,
    "atan2": np.arctan2, "atanh": np.arctanh, "ceil": np.ceil, "cos": np.cos, "cosh": np.cosh, "exp": np.exp,
    "exp2": np.exp2, "expm1": np.expm1, "fabs": np.abs, "floor": np.floor, "fmax": np.fmax, "fmin": np.fmin,
    "fmod": np.fmod, "hypot": np.hypot, "log": np.log, "log10": np.log10, "log1p": np.log1p, "log2": np.log2,
    "max": np.maximum, "min": np.minimum, "nearbyint": np.rint, "pow": np.power, "rint": np.rint, "sin": np.sin,
    "sinh": np.sinh, "sqrt": np.sqrt, "tan": np.tan, "tanh": np.tanh, "trunc": np.trunc,
}  # fmt: skip
_LONG_AGO = -1e30  # [ms], a spike before all others


class NumericStep:
    """A population of a declared neuron and a connection's postsynaptic model, in double precision.

    Parameters
    ----------
    neuron : NeuronModel
    postsynaptic : PostsynapticModel
    params, postsynaptic_params : mapping of str to float
    start : mapping of str to float
        What the neuron's variables begin with.
    dt : float
        [ms]
    shape : tuple of int
        Of the population.

    Attributes
    ----------
    state : dict of str to ndarray
        The variables.

    Raises
    ------
    GradientError
        For code that cannot be followed, and variables and parameters without a value.
    """

    def __init__(
        self,
        neuron: NeuronModel,
        postsynaptic: PostsynapticModel,
        params: Mapping[str, float],
        postsynaptic_params: Mapping[str, float],
        start: Mapping[str, float],
        dt: float,
        shape: tuple[int, ...],
    ) -> None:
        self._step, self._dt, self._timestep = step_of(neuron, postsynaptic), dt, 0
        values = {id(neuron): (neuron, params), id(postsynaptic): (postsynaptic, postsynaptic_params)}
        self._constants: dict[str, Number] = {"dt": dt, "st": _LONG_AGO, "batch": 0, "num_batch": 1, "id": 0}
        for name, constant in self._step.constants.items():
            model, given = values[id(constant.model)]
            own = {p.name for p in model.params}
            lacking = sorted(own - set(given))
            if lacking:
                raise GradientError(f"'{model.name}' needs a value for its parameter '{lacking[0]}'")
            if constant.kind == "params":
                self._constants[name] = given[constant.name]
            elif constant.kind == "derived_params":
                derived = next(d for d in model.derived_params if d.name == constant.name)
                self._constants[name] = derived.func(given, dt)
        self._constants |= dict.fromkeys(self._step.inputs, 0.0)
        self.state: dict[str, NDArray[Any]] = {}
        for name in self._step.state:
            if name not in start and any(v.name == name for v in neuron.vars):
                raise GradientError(f"'{neuron.name}' needs a first value for its variable '{name}'")
            self.state[name] = np.full(shape, start.get(name, 0.0))
        self._arrives = self._step.names[0]["inSyn"]
        self._spike = None if self._step.spike is None else self._step.spike.id
        self._order = self._step.slice(*self._step.after.values(), *filter(None, [self._step.spike, self._step.margin]))

    def advance(self, arrived: Number) -> NDArray[np.bool_]:
        """Move on by a timestep; returns which neurons spike.

        Parameters
        ----------
        arrived : ndarray, shape of the population
            What synapses bring in this timestep, the sum of weights.
        """
        names = self._names(arrived)
        self.state = {
            name: np.broadcast_to(np.asarray(self._value(e, names), np.float64), self.state[name].shape)
            for name, e in self._step.after.items()
        }
        self._timestep += 1
        spikes = False if self._spike is None else names[self._spike]
        return np.broadcast_to(np.asarray(spikes, bool), self.state[self._arrives].shape)

    def margin(self) -> float | None:
        """Return how far the first neuron is from its threshold now, in the margin's unit; None where there is none."""
        if self._step.margin is None:
            return None
        return -float(np.ravel(self._names(0.0)[self._step.margin.id])[0])

    def _names(self, arrived: Number) -> dict[str, Number]:
        names = {**self._constants, **self.state, "t": self._timestep * self._dt}
        names[self._arrives] = names[self._arrives] + arrived
        with np.errstate(all="ignore"):  # branches that are not taken are computed too
            for a in self._order:
                names[a.name] = self._value(value_of(a), names)
        return names

    def _value(self, e: Expr, names: Mapping[str, Number]) -> Number:
        if isinstance(e, tree.Name):
            return names[e.id]
        number = algebra.number_of(e)
        if number is not None:
            return number
        if isinstance(e, tree.Cast):
            inner = self._value(e.operand, names)
            whole = e.type.kind == "int" and e.operand.type.kind == "float"
            return np.trunc(inner) if whole else np.not_equal(inner, 0) if e.type.kind == "bool" else inner
        if isinstance(e, tree.Unary) and e.op in _UNARY:
            return _UNARY[e.op](self._value(e.operand, names))
        if isinstance(e, tree.Binary) and e.op in _BINARY:
            return _BINARY[e.op](self._value(e.left, names), self._value(e.right, names))
        if isinstance(e, tree.Ternary):
            return np.where(*(self._value(part, names) for part in (e.condition, e.then, e.other)))
        if isinstance(e, tree.Call) and e.function in _CALLS:
            return _CALLS[e.function](*(self._value(a, names) for a in e.args))
        raise GradientError(f"{self._step.neuron.name}: '{unparse(e)}' has no number here")
