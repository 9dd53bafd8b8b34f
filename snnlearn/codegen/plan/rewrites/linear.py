"""Matrix form: a block of timesteps of linear synapse dynamics becomes a product of matrices.

Where the variables of a deferred kernel take each other over linearly, with factors that depend on the synapse's column
alone, and are driven by products of something of the row and something of the column, ``x <- A x + f g``, the order of
work can be turned round. The effect of a drive at the end of the block does not depend on the row: a backward
(adjoint) pass finds it once for each column. Every synapse then only adds up products, one fused multiply-add for
each variable and timestep, without a dependency between timesteps.

Sums are added in another order, so results round differently. They also depend, in their last digits, on where blocks
end, and with that on when the host looks at the variables; on the number of threads they do not.

Limits: code that runs straight on, adding and multiplying numbers of type ``scalar``; each variable keeps a
constant share of itself, which no power makes grow; no two depend on each other both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from snnlearn.codegen.plan import polynomial
from snnlearn.codegen.plan.deferral import Deferral, LinearForm
from snnlearn.codegen.plan.expressions import Writer, code
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.names import Names, label
from snnlearn.codegen.plan.parts import Code, Constant, Input
from snnlearn.codegen.plan.polynomial import Monomial, NotPolynomialError, Polynomial
from snnlearn.declare import ValueType, value_type
from snnlearn.dialect import tree

_SCALAR, _DOUBLE = value_type("scalar"), value_type("double")


def linear(plan: Plan) -> Plan:
    """Return the plan with those deferred kernels in matrix form that have one."""
    return replace(plan, step=tuple(_rewrite(k, plan) if k.deferral is not None else k for k in plan.step))


def why_not_linear(kernel: Kernel, plan: Plan) -> str | None:
    """Return why a deferred kernel has no matrix form, or None where it has one."""
    try:
        system_of(kernel, plan)
    except NotPolynomialError as reason:
        return str(reason)
    return None


@dataclass(frozen=True)
class System:
    """A timestep of a kernel: ``x <- A x + sum_r f_r g_r``.

    Attributes
    ----------
    states : tuple of str
        x, each behind those it depends on.
    transition : mapping of (str, str) to polynomial
        A, by row and column, where it is not zero.
    drives : mapping of monomial to mapping of str to polynomial
        By the presynaptic factors f: g of each variable that it drives.
    """

    states: tuple[str, ...]
    transition: Mapping[tuple[str, str], Polynomial]
    drives: Mapping[Monomial, Mapping[str, Polynomial]]

    def below(self, x: str, s: str) -> list[str]:
        """Return the variables behind s, up to x."""
        return list(self.states[self.states.index(s) + 1 : self.states.index(x) + 1])


def system_of(kernel: Kernel, plan: Plan) -> System:
    """Return the linear system that a kernel is.

    Raises
    ------
    NotPolynomialError
        If it is none.
    """
    values = polynomial.known(kernel.constants, plan.dt)
    values |= {load.name: polynomial.variable(load.name) for load in kernel.loads if load.type == _SCALAR}
    for part in kernel.body:
        assert isinstance(part, Code), "synapses test for no spikes"
        values = polynomial.run(part, values)
    return _Sorter(kernel).system({name: values[name] for name in _states(kernel)})


def _states(kernel: Kernel) -> list[str]:
    return [load.name for load in kernel.loads if load.index == "synapse" and load.store]


class _Sorter:
    """Sorts the terms of a timestep by what they are products of."""

    def __init__(self, kernel: Kernel) -> None:
        self.states = _states(kernel)
        self.rows = {load.name for load in kernel.loads if load.index == "pre"}
        self.fixed = {load.name for load in kernel.loads if load.index == "synapse" and not load.store}

    def system(self, after: Mapping[str, Polynomial]) -> System:
        transition: dict[tuple[str, str], Polynomial] = {}
        drives: dict[Monomial, dict[str, Polynomial]] = {}
        for x, total in after.items():
            for monomial, coefficient in total.items():
                states, row, column = self.split(monomial)
                if not states and not row:
                    raise NotPolynomialError(f"something drives {label(x)} without a presynaptic factor")
                if len(states) > 1 or (states and row):
                    raise NotPolynomialError(
                        f"{label(x)} depends on a product of {' and '.join(map(label, (*states, *row)))}"
                    )
                entry = (
                    transition.setdefault((x, states[0]), {})
                    if states
                    else drives.setdefault(row, {}).setdefault(x, {})
                )
                entry[column] = coefficient
        for x in self.states:
            diagonal = transition.get((x, x), {})
            if set(diagonal) != {()} or abs(diagonal[()]) > 1.0:
                raise NotPolynomialError(f"what {label(x)} keeps of itself is no constant share")
        if not drives:
            raise NotPolynomialError("nothing drives it")
        return System(self.order(transition), transition, drives)

    def split(self, monomial: Monomial) -> tuple[Monomial, Monomial, Monomial]:
        """Return a product's factors: variables, of the row, of the column."""
        states = tuple(name for name in monomial if name in self.states)
        row = tuple(name for name in monomial if name in self.rows)
        for name in monomial:
            if name in self.fixed:
                raise NotPolynomialError(f"it depends on {label(name)}, which each synapse has of its own")
        return states, row, tuple(name for name in monomial if name not in states and name not in row)

    def order(self, transition: Mapping[tuple[str, str], Polynomial]) -> tuple[str, ...]:
        """Return the variables so that each comes behind those it depends on."""
        needs = {x: {s for one, s in transition if one == x and s != x} for x in self.states}
        done: list[str] = []
        while len(done) < len(needs):
            ready = [x for x in self.states if x not in done and needs[x] <= set(done)]
            if not ready:
                raise NotPolynomialError("its variables depend on each other both ways")
            done += ready
        return tuple(done)


def _rewrite(kernel: Kernel, plan: Plan) -> Kernel:
    try:
        system = system_of(kernel, plan)
    except NotPolynomialError:
        return kernel
    names = Names(plan.arrays_by_name, kernel.local_names)
    form, constants = _LinearFormBuilder(system, names).form(kernel.title)
    assert isinstance(kernel.deferral, Deferral)
    return replace(
        kernel,
        constants=constants,
        body=(),
        uses=kernel.uses - {"dt", "t"},
        deferral=replace(kernel.deferral, linear=form),
    )


class _LinearFormBuilder:
    """Writes the matrix form of a system."""

    def __init__(self, system: System, names: Names) -> None:
        self.system, self.names = system, names
        self.constants: dict[tuple[float, ValueType], Constant] = {}
        self.scalar, self.double = (Writer(names, self.constants, vtype) for vtype in (_SCALAR, _DOUBLE))
        self.entries: dict[tuple[str, str], Input] = {}  # of P that are neither 0 nor 1
        self.find_entries()
        self.responses = {
            (x, row): Input(names.unique(f"{label(x)}_by_{'_'.join(map(label, row))}"), _SCALAR, 0.0)
            for row in system.drives
            for x in system.states
            if self.response_terms(x, row)
        }
        driven = [x for x in system.states if any(x == one for one, _ in self.responses)]
        self.sums = {x: Input(names.unique(f"sum_{label(x)}"), _SCALAR, 0.0) for x in driven}

    def find_entries(self) -> None:
        system = self.system
        for number, x in enumerate(system.states):
            # From x itself to the first: an entry is a sum over those between.
            for s in reversed(system.states[: number + 1]):
                factors = {q: a for q in (s, *system.below(x, s)) if (a := system.transition.get((q, s)))}
                if x == s:
                    if factors[s] != {(): 1.0}:
                        self.entries[x, s] = Input(self.names.unique(f"{label(x)}_from_{label(s)}"), _DOUBLE, 1.0)
                    continue
                through = [q for q in factors if q != s and (q == x or (x, q) in self.entries)]
                if not through:
                    continue
                steady = all(set(factors[q]) <= {()} and self.is_invariant(x, q) for q in through)
                vtype = _DOUBLE if steady else _SCALAR
                self.entries[x, s] = Input(self.names.unique(f"{label(x)}_from_{label(s)}"), vtype, 0.0)

    def is_invariant(self, x: str, q: str) -> bool:
        return (x, q) not in self.entries or self.entries[x, q].type == _DOUBLE

    def entry(self, x: str, s: str) -> tree.Expr | None:
        """Return an entry of P for use in a column; None for one."""
        found = self.entries.get((x, s))
        if found is None:
            return None
        wide = found.type == _DOUBLE
        return tree.Cast(self.double.name(found.name), _SCALAR) if wide else self.scalar.name(found.name)

    def response_terms(self, x: str, row: Monomial) -> list[str]:
        """Return the driven variables through which a row's factor reaches x; in its own timestep P may be 1."""
        return [q for q in self.system.drives[row] if q == x or (x, q) in self.entries]

    # ---- the code ----

    def form(self, title: str) -> tuple[LinearForm, tuple[Constant, ...]]:
        """Return the form with its constants."""
        inputs = self.entries.values()
        form = LinearForm(
            tuple(self.system.drives),
            tuple(v for v in inputs if v.type == _DOUBLE),
            tuple(v for v in inputs if v.type == _SCALAR),
            tuple(self.responses.values()),
            tuple(self.sums.values()),
            code(f"{title}: a column's responses", [*self.respond(), *self.go_back(self.scalar)]),
            code(f"{title}: the same in all columns", self.go_back(self.double)),
            code(f"{title}: products", self.products()),
            code(f"{title}: after the block", self.finish()),
        )
        return form, tuple(self.constants.values())

    def respond(self) -> list[tree.Statement]:
        """Write r = P g."""
        w = self.scalar
        statements: list[tree.Statement] = []
        for (x, row), response in self.responses.items():
            terms = []
            for q in self.response_terms(x, row):
                entry, gain = self.entry(x, q), w.polynomial(self.system.drives[row][q])
                terms.append(gain if entry is None else w.product([entry, gain]))
            statements.append(w.assign(response.name, w.sum(terms)))
        return statements

    def go_back(self, w: Writer) -> list[tree.Statement]:
        """Write P <- P A for the entries of a writer's type; in place, as each one reads only later ones."""
        statements: list[tree.Statement] = []
        for (x, s), found in sorted(self.entries.items(), key=lambda item: self.system.states.index(item[0][1])):
            if found.type != w.vtype:
                continue
            terms = []
            for q in reversed(self.system.below(x, s)):
                factor = self.system.transition.get((q, s))
                if factor is not None and (q == x or (x, q) in self.entries):
                    terms.append(self.step(w, x, q, factor))
            terms += w.share(found.name, self.system.transition[s, s][()])
            statements.append(w.assign(found.name, w.sum(terms)))
        return statements

    def step(self, w: Writer, x: str, q: str, factor: Polynomial) -> tree.Expr:
        """Write one product of P A."""
        found = self.entries.get((x, q))
        if found is None:
            return w.polynomial(factor)
        entry = w.name(found.name) if found.type == w.vtype else self.entry(x, q)
        assert entry is not None
        return w.product([entry, w.polynomial(factor)])

    def products(self) -> list[tree.Statement]:
        """Write sum += f r."""
        w = self.scalar
        return [
            w.add(self.sums[x].name, w.product([*(w.name(factor) for factor in row), w.name(response.name)]))
            for (x, row), response in self.responses.items()
        ]

    def finish(self) -> list[tree.Statement]:
        """Write x <- P x + sum, the last variable first: it reads the others as they were."""
        w = self.scalar
        statements: list[tree.Statement] = []
        for x in reversed(self.system.states):
            terms: list[tree.Expr] = [w.name(self.sums[x].name)] if x in self.sums else []
            for s in self.system.states[: self.system.states.index(x)]:
                entry = self.entry(x, s)
                if entry is not None:
                    terms.append(w.product([entry, w.name(s)]))
            diagonal = self.entries.get((x, x))
            if diagonal is not None:
                declared, more = self.diagonal_terms(x, diagonal)
                statements += declared
                terms += more
            else:
                terms.append(w.name(x))
            statements.append(w.assign(x, w.sum(terms)))
        return statements

    def diagonal_terms(self, x: str, diagonal: Input) -> tuple[list[tree.Statement], list[tree.Expr]]:
        """Return what x keeps of itself.

        Where that is nearly all, what it loses is what must be exact: rounded to single precision, 1 - 1e-6 would be
        off by some percent of what it takes away, block after block.
        """
        w, d = self.scalar, self.double
        most, rest = self.names.unique(f"most_of_{label(x)}"), self.names.unique(f"rest_of_{label(x)}")
        factor = d.name(diagonal.name)
        half = tree.Binary(">=", factor, tree.Literal("0.5", _DOUBLE), value_type("bool"))
        one, zero = (tree.Literal(text, _SCALAR) for text in ("1.0", "0.0"))
        statements: list[tree.Statement] = [
            tree.Declare(most, _SCALAR, True, tree.Ternary(half, one, zero, _SCALAR)),
            tree.Declare(rest, _SCALAR, True, tree.Cast(tree.Binary("-", factor, d.name(most), _DOUBLE), _SCALAR)),
        ]
        return statements, [w.product([w.name(rest), w.name(x)]), w.product([w.name(most), w.name(x)])]
