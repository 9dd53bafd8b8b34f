"""Recursions as code strings: traces of the presynaptic neuron, values of the postsynaptic, the rest of synapses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from snnlearn.dialect import algebra, tree, unparse
from snnlearn.dialect.algebra import SCALAR, is_number, multiply
from snnlearn.dialect.tree import Expr, Name
from snnlearn.grad.derivatives import PSI, declared, unused, written_in
from snnlearn.grad.single import Assignment
from snnlearn.grad.tangents import Recursion, Row, Tangent


@dataclass
class Coefficients:
    """The values that synapses read of their postsynaptic neuron, each with a name.

    Attributes
    ----------
    names : dict of expression to str
        What each is called.
    """

    taken: set[str]
    names: dict[Expr, str] = field(default_factory=dict)

    def read(self, e: Expr, base: str) -> Expr:
        """Return a coefficient as code of synapses sees it; its sign stays with it."""
        if isinstance(e, tree.Unary) and e.op == "-":
            return algebra.negate(self.read(e.operand, base))
        if e not in self.names:
            self.names[e] = PSI.id if e == PSI else unused(base, self.taken)
        return Name(self.names[e], SCALAR)


@dataclass(frozen=True)
class Written:
    """A recursion as code.

    Attributes
    ----------
    traces : tuple of str
        Variables of presynaptic neurons.
    own : tuple of str
        Variables of synapses, beside weight and gradient.
    pre_code, arrival_code, synapse_code : str
        What traces do in a timestep; with a spike; what synapses do in a timestep.
    synapse_arrival_code : str
        What synapses do when a spike arrives, beside passing it on.
    names : frozenset of str
        The names that the code mentions.
    variables : mapping of Tangent to str
        What holds each tangent that lasts.
    """

    traces: tuple[str, ...]
    own: tuple[str, ...]
    pre_code: str
    arrival_code: str
    synapse_code: str
    synapse_arrival_code: str
    names: frozenset[str]
    variables: Mapping[Tangent, str]


def write(
    recursion: Recursion, gradient: Mapping[str, Expr], coefficients: Coefficients, late: Collection[str] = ()
) -> Written:
    """Return a recursion as code, and with it the gradient.

    Parameters
    ----------
    recursion : Recursion
    gradient : mapping of str to expression
        The loss's derivative by variables after the timestep, as code of synapses sees it.
    coefficients : Coefficients
        Takes what is neither a constant nor a tangent.
    late : collection of str
        The variables whose derivative is of the timestep before, as are the tangents that it is paired with.
    """
    return _Writer(recursion, gradient, coefficients, late).write()


class _Writer:
    def __init__(
        self, recursion: Recursion, gradient: Mapping[str, Expr], coefficients: Coefficients, late: Collection[str]
    ) -> None:
        self.recursion, self.gradient, self.coefficients = recursion, gradient, coefficients
        self.paired = {x: Tangent("before" if x in late else "after", x) for x in gradient}
        self.taken = coefficients.taken
        self.shared = recursion.traces
        self.shared |= {t for t in self.paired.values() if _after(t) in self.shared}
        self.rows = recursion.by_target
        lasting = [t for row in recursion.rows for t in row.terms if t.stage == "before"]
        lasting += [t for t in self.paired.values() if t.stage == "before"]
        self.stored = {t: unused(f"eps_{t.name}", self.taken) for t in dict.fromkeys(lasting)}
        self.traces = {t: name for t, name in self.stored.items() if t in self.shared}
        self.own = {t: name for t, name in self.stored.items() if t not in self.shared}
        self.copies: dict[Tangent, str] = {}  # traces that only synapses read
        self.names: set[str] = set()

    def write(self) -> Written:
        synapse = self.synapse_code()
        pre = self.pre_code()
        arrivals = [Tangent("before", x) for x in self.recursion.arrivals]
        return Written(
            (*self.traces.values(), *self.copies.values()),
            tuple(self.own.values()),
            pre,
            "".join(f"{self.traces[t]} += 1.0;\n" for t in arrivals if t in self.traces),
            synapse,
            "".join(f"{self.own[t]} += 1.0;\n" for t in arrivals if t in self.own),
            frozenset(self.names),
            {**self.stored, **self.copies},
        )

    # ---- code ----

    def pre_code(self) -> str:
        rows = [row for row in self.recursion.rows if row.target in self.shared]
        values: dict[Tangent, Expr] = {t: Name(name, SCALAR) for t, name in self.traces.items()}
        steps = self.follow(rows, values)
        finals = {name: values[t] for t, name in self.copies.items()}
        finals |= {name: values[_after(t)] for t, name in self.traces.items()}
        return self.code(steps, finals)

    def synapse_code(self) -> str:
        rows = [row for row in self.recursion.rows if row.target not in self.shared]
        values: dict[Tangent, Expr] = {t: Name(name, SCALAR) for t, name in self.own.items()}
        read = [t for row in rows for t in row.terms] + [*self.paired.values()]
        for t in dict.fromkeys(read):
            if t in self.shared:
                values[t] = Name(self.readable(t), SCALAR)
        steps = self.follow(rows, values)
        finals = {name: values[_after(t)] for t, name in self.own.items()}
        terms = [multiply(e, values[self.paired[x]]) for x, e in self.gradient.items()]
        return self.code(steps, {"m": algebra.total(terms)} | finals)

    def readable(self, t: Tangent) -> str:
        """Return the presynaptic variable with a trace's value at the end of the timestep."""
        after = Tangent("after", t.name)
        same = t == after or (t.stage == "tilde" and _is_same(self.rows.get(after), t))
        if same and Tangent("before", t.name) in self.traces:
            return self.traces[Tangent("before", t.name)]
        t = after if same else t
        if t not in self.copies:
            last = "_before" if t.stage == "before" else ""
            self.copies[t] = unused(f"eps_{t.name}{last}", self.taken)
        return self.copies[t]

    def follow(self, rows: Sequence[Row], values: dict[Tangent, Expr]) -> list[Assignment]:
        """Give each row's tangent a value; those that are needed for it have one."""
        steps = []
        for row in rows:
            terms = [multiply(self.coefficient(c, row.target, t), values[t]) for t, c in row.terms.items()]
            e = algebra.total(terms)
            if not isinstance(e, (Name, tree.Literal)):
                name = unused(f"d{row.target.name}", self.taken)
                steps.append(Assignment(name, e, SCALAR))
                e = Name(name, SCALAR)
            values[row.target] = e
        return steps

    def coefficient(self, e: Expr, target: Tangent, source: Tangent) -> Expr:
        if self.recursion.is_constant(e) or isinstance(e, tree.Literal):
            return e
        return self.coefficients.read(e, f"d{target.name}_d{source.name}")

    def code(self, steps: Sequence[Assignment], finals: Mapping[str, Expr]) -> str:
        short, wanted = written_in(steps, finals)
        statements = [*declared(short), *ordered(wanted, self.taken)]
        self.names |= tree.names_in(tuple(statements))
        return unparse(statements)


def _after(t: Tangent) -> Tangent:
    return Tangent("after", t.name)


def _is_same(row: Row | None, t: Tangent) -> bool:
    return row is not None and row.terms.keys() == {t} and is_number(row.terms[t], 1.0)


def ordered(finals: Mapping[str, Expr], taken: set[str]) -> Iterable[tree.Statement]:
    """Yield assignments such that each reads the others' variables as they were before."""
    waiting = dict(finals)
    while waiting:
        free = [x for x in waiting if not any(x in tree.names_in(e) for y, e in waiting.items() if y != x)]
        if not free:
            x = next(iter(waiting))
            kept = unused(f"{x}_before", taken)
            yield tree.Declare(kept, SCALAR, True, Name(x, SCALAR))
            waiting = {y: e if y == x else tree.substitute(e, {x: Name(kept, SCALAR)}) for y, e in waiting.items()}
            continue
        for x in free:
            yield _assignment(x, waiting.pop(x))


def _assignment(x: str, e: Expr) -> tree.Statement:
    if x == "m":  # the direction of descent
        return tree.Evaluate(tree.Assign("-=", Name(x, SCALAR), e, SCALAR))
    return tree.Evaluate(tree.Assign("=", Name(x, SCALAR), e, SCALAR))
