"""The flow that a linear timestep samples, as numbers: the matrix logarithm of the timestep's map."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import NeuronModel
from snnlearn.dialect import algebra, unparse
from snnlearn.dialect.tree import Binary, Call, Cast, Expr, Name, Unary
from snnlearn.errors import GradientError

Matrix = NDArray[np.float64]
_NEAR = 0.05  # of the identity: where the series converges in a few terms
_TERMS = 9
_MOST_ROOTS, _MOST_STEPS = 60, 100
_ROUNDING = 1e-13  # of a factor of 1
_SWEEPS = 10


def logarithm(matrix: Matrix) -> Matrix:
    """Return the principal logarithm of a matrix, by repeated square roots and a series.

    Raises
    ------
    ValueError
        For a matrix without one: with an eigenvalue that is zero or negative.

    Source
    ------
    Denman & Beavers (1976), Applied Mathematics and Computation 2(1), 63-94; Higham (2008), Functions of Matrices,
    chapter 11.
    """
    one, root, roots = np.eye(len(matrix)), np.array(matrix, np.float64), 0
    while np.abs(root - one).sum(axis=1).max() > _NEAR:
        if roots == _MOST_ROOTS:
            raise ValueError("the matrix has no logarithm")
        root, roots = _square_root(root), roots + 1
    z = np.linalg.solve(root + one, root - one)
    square, power, total = z @ z, z, np.zeros_like(z)
    for k in range(_TERMS):
        total, power = total + power / (2 * k + 1), power @ square
    found: Matrix = total * 2.0 ** (roots + 1)
    return found


def _square_root(matrix: Matrix) -> Matrix:
    y, z = matrix, np.eye(len(matrix))
    for _ in range(_MOST_STEPS):
        try:
            after = 0.5 * (y + np.linalg.inv(z)), 0.5 * (z + np.linalg.inv(y))
        except np.linalg.LinAlgError:
            raise ValueError("the matrix has no square root") from None
        if not np.isfinite(after[0]).all():
            break
        moved = np.abs(after[0] - y).max()
        y, z = after
        if moved <= 4.0 * np.finfo(float).eps * np.abs(y).max():
            return y
    if np.abs(y @ y - matrix).max() > 1e-10 * np.abs(matrix).max():
        raise ValueError("the matrix has no square root")
    return y


def _balance(matrix: Matrix) -> Matrix:
    """Return units for the variables in which entries beside the diagonal are small and alike (Osborne 1960)."""
    scale = np.ones(len(matrix))
    beside = np.abs(matrix - np.diag(np.diagonal(matrix)))
    for _ in range(_SWEEPS):
        for i in range(len(matrix)):
            row, column = beside[i] @ scale / scale[i], (beside[:, i] / scale).sum() * scale[i]
            if row and column:
                scale[i] *= math.sqrt(row / column)
            elif column > 1.0:
                scale[i] /= column
            elif row > 1.0:
                scale[i] *= row
    return scale


@dataclass(frozen=True, repr=False)
class LinearMap:
    """A timestep ``x <- J x + B u + c`` as expressions of parameters.

    Attributes
    ----------
    names : tuple of str
        Variables, then inputs.
    entries : tuple of ((str, str), expression)
        What variables become, by the variable and by what they are a multiple of; ``""`` is the constant 1.
    neuron : NeuronModel
        Whose parameters and derived parameters expressions mention.
    """

    names: tuple[str, ...]
    entries: tuple[tuple[tuple[str, str], Expr], ...]
    neuron: NeuronModel

    def __repr__(self) -> str:
        return f"LinearMap({self.neuron.name}: {', '.join(self.names)})"

    def reaches(self, variable: str) -> list[str]:
        """Return what may have an influence on a variable's flow."""
        moves = {key for key, e in self.entries if key[0] != key[1] or not algebra.is_number(e, 1.0)}
        found = {y for x, y in moves if x == variable}
        while True:
            more = {y for x, y in moves if x in found} - found
            if not more:
                return [name for name in (*self.names, "") if name in found]
            found |= more

    def flow(self, params: Mapping[str, float], dt: float) -> dict[tuple[str, str], float]:
        """Return the entries of the flow [per ms].

        Raises
        ------
        GradientError
            Where no flow has this map.
        """
        values = {name: float(params[name]) for name in params} | {"dt": dt}
        values |= {d.name: float(d.func(params, dt)) for d in self.neuron.derived_params}
        order = {name: i for i, name in enumerate((*self.names, ""))}
        matrix = np.eye(len(order))
        rows = {x for (x, _), _ in self.entries}
        for x in rows:
            matrix[order[x]] = 0.0
        for (x, y), e in self.entries:
            matrix[order[x], order[y]] = evaluate(e, values)
        scale = _balance(matrix)
        try:
            found = logarithm(matrix * scale / scale[:, None]) / scale * scale[:, None]
        except ValueError:
            text = ", ".join(f"{x}: {unparse(e)}" for (x, y), e in self.entries if x == y)
            raise GradientError(
                f"{self.neuron.name}: no flow in time moves its variables as sim_code does within a timestep (factors "
                f"of {text}): declare their time derivatives, flow={{...}}"
            ) from None
        still = np.abs(np.diagonal(found)) < _ROUNDING
        found[still, still.nonzero()[0]] = 0.0
        return {(x, y): float(found[i, j]) / dt for x, i in order.items() for y, j in order.items()}


@dataclass(frozen=True)
class FlowEntry:
    """A number of a flow, as a function of parameters: what a derived parameter is."""

    map: LinearMap
    variable: str
    by: str

    def __call__(self, params: Mapping[str, float], dt: float) -> float:
        """Return the number [per ms]."""
        return self.map.flow(params, dt)[self.variable, self.by]


def evaluate(e: Expr, values: Mapping[str, float]) -> float:
    """Return the value of an expression of numbers and these names."""
    if isinstance(e, Name):
        return values[e.id]
    number = algebra.number_of(e)
    if number is not None:
        return number
    if isinstance(e, Cast):
        return evaluate(e.operand, values)
    if isinstance(e, Unary):
        inner = evaluate(e.operand, values)
        return -inner if e.op == "-" else inner
    if isinstance(e, Binary):
        left, right = evaluate(e.left, values), evaluate(e.right, values)
        return {"+": left + right, "-": left - right, "*": left * right}[e.op] if e.op != "/" else left / right
    if isinstance(e, Call):
        name = {"fabs": "fabs", "fmin": "min", "fmax": "max"}.get(e.function, e.function)
        function = getattr(math, name, None) or {"min": min, "max": max}[name]
        return float(function(*(evaluate(a, values) for a in e.args)))
    raise GradientError(f"'{unparse(e)}' has no number")
