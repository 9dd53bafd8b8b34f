"""Silent rows: where a presynaptic neuron does not spike, a block of timesteps is one step.

A trace of a neuron's spikes follows a linear recurrence of its own between them. In a block without a spike all that
the trace will be is then known from the block's beginning, ``f_k = (M^k y)_f``, and the products that the matrix form
(see `linear`) adds up for each timestep, ``sum_k f_k r_k``, are ``Y y`` with a Y that is the same for all rows. A
synapse takes as many operations for a block as it would for a few timesteps. Rows of neurons that spike within the
block are added up step by step.

The recurrence is read from the neurons' code: whatever happens in every timestep must be a linear map with constant
factors; a spike may do anything. Within a block traces differ from those of the neurons, which are rounded in every
timestep, by less than ``64 * 2**-24``; each block starts from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from snnlearn.codegen.plan import polynomial
from snnlearn.codegen.plan.deferral import DoubleBuffer, LinearForm, SilentRows
from snnlearn.codegen.plan.domains import Neurons
from snnlearn.codegen.plan.expressions import Writer, code
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.names import Names, label
from snnlearn.codegen.plan.parts import Array, Code, Constant, Input, Load, OnSpike, SavePreviousSpikeTime
from snnlearn.codegen.plan.polynomial import NotPolynomialError, Polynomial
from snnlearn.codegen.plan.rewrites.defer import BLOCKS, row_stride
from snnlearn.declare import ValueType, value_type
from snnlearn.dialect import tree
from snnlearn.network import Location

_SCALAR, _MARK = value_type("scalar"), value_type("uint8_t")


def silent(plan: Plan) -> Plan:
    """Return the plan with rows of silent neurons in closed form, in those kernels in matrix form that allow it."""
    names = Names(plan.arrays_by_name)
    added: list[Array] = []
    step = []
    for kernel in plan.step:
        if kernel.deferral is not None and kernel.deferral.linear is not None and why_not_silent(kernel, plan) is None:
            kernel, arrays = _rewrite(kernel, plan, names)
            added += arrays
        step.append(kernel)
    return replace(plan, step=tuple(step), arrays=(*plan.arrays, *added))


def why_not_silent(kernel: Kernel, plan: Plan) -> str | None:
    """Return why a kernel in matrix form has no closed form for silent rows, or None where it has one."""
    try:
        recurrence_of(kernel, plan)
    except NotPolynomialError as reason:
        return str(reason)
    return None


@dataclass(frozen=True)
class Recurrence:
    """What neurons do to a few of their variables in a timestep without a spike: ``y <- M y``.

    Attributes
    ----------
    factor : str
        The name of the kernel's load that f is.
    arrays : tuple of str
        y, each behind those it depends on; the last is f.
    matrix : mapping of (str, str) to float
        M, by row and column, where it is not zero.
    spike : OnSpike
        What marks a spike.
    """

    factor: str
    arrays: tuple[str, ...]
    matrix: Mapping[tuple[str, str], float]
    spike: OnSpike


def recurrence_of(kernel: Kernel, plan: Plan) -> Recurrence:
    """Return the recurrence that a kernel's presynaptic factor follows between spikes.

    Raises
    ------
    NotPolynomialError
        If it follows none.
    """
    assert kernel.deferral is not None
    assert kernel.deferral.linear is not None
    factors = kernel.deferral.linear.factors
    if [len(factor) for factor in factors] != [1]:
        raise NotPolynomialError("its presynaptic factor is a product, or there are several")
    factor = next(load for load in kernel.loads if load.name == factors[0][0])
    writers = plan.writers.get(factor.array, [])
    if len(writers) != 1 or not isinstance(writers[0].domain, Neurons):
        raise NotPolynomialError(f"{label(factor.array)} is not a variable that its neurons alone change")
    (neurons,) = writers
    spikes = [part for part in neurons.body if isinstance(part, OnSpike)]
    if len(spikes) != 1:
        raise NotPolynomialError(f"{neurons.name} tests for no spike, or for events too")
    if plan.array(spikes[0].spikes).slots > 1:
        raise NotPolynomialError(f"{neurons.name} keeps spikes that are still on their way")
    arrays, matrix = _Closure(neurons, plan).of(factor.array)
    return Recurrence(factor.name, arrays, matrix, spikes[0])


class _Closure:
    """Finds the variables of neurons that make up a linear recurrence."""

    def __init__(self, neurons: Kernel, plan: Plan) -> None:
        self.neurons, self.plan = neurons, plan
        self.loads = {load.array: load for load in neurons.loads if load.index == "neuron"}

    def of(self, array: str) -> tuple[tuple[str, ...], dict[tuple[str, str], float]]:
        """Return the arrays that make up the recurrence of one, in order, and its matrix."""
        timestep = self.timestep()
        after: dict[str, dict[str, float]] = {}
        wanted = [array]
        for x in wanted:  # which grows meanwhile
            after[x] = self.row(x, timestep)
            wanted += [s for s in after[x] if s not in wanted]
        return _order(after), {(x, s): factor for x, row in after.items() for s, factor in row.items()}

    def row(self, x: str, timestep: Mapping[str, Polynomial]) -> dict[str, float]:
        """Return what a variable is made of, as a row of the matrix."""
        if self.loads[x].played:
            raise NotPolynomialError(f"{label(x)} plays a recording")
        total = timestep.get(self.loads[x].name)
        if total is None:
            raise NotPolynomialError(f"{self.neurons.name} does more to {label(x)} than add and multiply")
        if any(len(monomial) != 1 for monomial in total):
            raise NotPolynomialError(f"{label(x)} is no linear map of variables of its neuron")
        arrays = {load.name: load.array for load in self.loads.values()}
        row = {arrays[name]: factor for (name,), factor in sorted(total.items())}
        if abs(row.get(x, 0.0)) > 1.0:
            raise NotPolynomialError(f"{label(x)} grows by itself")
        if any(k.name != self.neurons.name for k in self.plan.writers.get(x, ())):
            raise NotPolynomialError(f"{label(x)} is not a variable that its neurons alone change")
        return row

    def timestep(self) -> dict[str, Polynomial]:
        """Return what variables are after a timestep without a spike; those that are no polynomials are missing."""
        values = polynomial.known(self.neurons.constants, self.plan.dt)
        values |= {load.name: polynomial.variable(load.name) for load in self.loads.values() if load.type == _SCALAR}
        for part in self.neurons.body:
            if isinstance(part, SavePreviousSpikeTime):
                values = {name: value for name, value in values.items() if name != part.before}
            else:
                code = part if isinstance(part, Code) else part.condition
                values = polynomial.run(code, values, partly=True)
        return values


def _order(after: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    """Return the variables so that each comes behind those it depends on."""
    done: list[str] = []
    while len(done) < len(after):
        ready = [x for x in after if x not in done and {*after[x]} <= {*done, x}]
        if not ready:
            raise NotPolynomialError("its neurons' variables depend on each other both ways")
        done += ready[:1]
    return tuple(done)


def _rewrite(kernel: Kernel, plan: Plan, names: Names) -> tuple[Kernel, list[Array]]:
    recurrence = recurrence_of(kernel, plan)
    deferral = kernel.deferral
    assert deferral is not None
    assert deferral.linear is not None
    arrays = plan.arrays_by_name
    first = arrays[recurrence.arrays[-1]]
    assert first.size is not None
    at = Location(first.location.group, "history", f"{kernel.name}.spiked")
    added = [Array(names.unique(f"{kernel.name}_spiked"), at, _MARK, first.size * BLOCKS)]
    kept = {b.array for b in deferral.buffers}
    buffers = []
    for name in recurrence.arrays:
        if name not in kept:
            at = Location(first.location.group, "history", f"{kernel.name}.{label(name)}")
            stride = row_stride(first.size)
            added.append(Array(names.unique(f"{label(name)}_kept"), at, first.type, stride * deferral.depth * BLOCKS))
            buffers.append(DoubleBuffer(name, added[-1].name, stride, first_only=True))
    labels = {name: arrays[name].location.name for name in recurrence.arrays}
    rows, constants = _SilentRowsBuilder(kernel, deferral.linear, recurrence, labels, names).form(added[0].name)
    form = replace(deferral.linear, silent=rows)
    deferral = replace(deferral, buffers=(*deferral.buffers, *buffers), linear=form)
    return replace(kernel, constants=constants, deferral=deferral), added


class _SilentRowsBuilder:
    """Writes the closed form of silent rows."""

    def __init__(
        self, kernel: Kernel, form: LinearForm, recurrence: Recurrence, labels: Mapping[str, str], names: Names
    ) -> None:
        self.kernel, self.linear, self.recurrence = kernel, form, recurrence
        used = {name for c in form.codes for name in tree.names_in(c.tree)}
        self.names = Names(names, kernel.local_names, used)
        self.constants: dict[tuple[float, ValueType], Constant] = {(c.value, c.type): c for c in kernel.constants}
        self.writer = Writer(self.names, self.constants, _SCALAR)
        self.start = {array: self.load(array, label) for array, label in labels.items()}
        self.per_column = {
            (total.name, array): Input(self.names.unique(f"{label(total.name)}_of_{label(load.name)}"), _SCALAR, 0.0)
            for total in form.sums
            for array, load in self.start.items()
        }

    def load(self, array: str, label: str) -> Load:
        if array == self.recurrence.arrays[-1]:
            return next(load for load in self.kernel.loads if load.name == self.recurrence.factor)
        return Load(self.names.unique(label), _SCALAR, array, "pre")

    def form(self, spiked: str) -> tuple[SilentRows, tuple[Constant, ...]]:
        """Return the closed form with all constants of the kernel."""
        rows = SilentRows(
            spiked,
            self.recurrence.spike.spikes,
            self.recurrence.spike.count,
            tuple(self.start.values()),
            tuple(self.per_column.values()),
            code(f"{self.kernel.title}: responses to silent rows", self.go_back()),
            code(f"{self.kernel.title}: sums of a silent row", self.sums()),
        )
        return rows, tuple(self.constants.values())

    def go_back(self) -> list[tree.Statement]:
        """Write Y <- Y M, plus r for the factor itself; in place, as each column of Y reads only later ones."""
        w = self.writer
        statements: list[tree.Statement] = []
        arrays = self.recurrence.arrays
        for total, response in zip(self.linear.sums, self.linear.responses, strict=True):
            for number, s in enumerate(arrays):
                terms: list[tree.Expr] = [w.name(response.name)] if s == arrays[-1] else []
                for x in reversed(arrays[number:]):
                    factor, column = self.recurrence.matrix.get((x, s)), self.per_column[total.name, x].name
                    if factor is not None and x == s:
                        terms += w.share(column, factor)
                    elif factor is not None:
                        terms.append(w.product([w.name(column), w.number(factor)]))
                statements.append(w.assign(self.per_column[total.name, s].name, w.sum(terms)))
        return statements

    def sums(self) -> list[tree.Statement]:
        """Write the sums as Y y."""
        w = self.writer
        return [
            w.assign(
                total.name,
                w.sum(
                    [
                        w.product([w.name(self.per_column[total.name, array].name), w.name(load.name)])
                        for array, load in self.start.items()
                    ]
                ),
            )
            for total in self.linear.sums
        ]
