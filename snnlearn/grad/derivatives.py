"""Derivatives of a timestep: forward, as linear forms of what it starts from; and in reverse, from what it leaves.

The derivative of a spike is `PSI` times that of the margin: the name stands for the surrogate's derivative where the
threshold's gate is open, and for zero where it is not. Values get names of their own, and nothing is simplified as a
whole, so that the code stays as long as a small multiple of the declared one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from snnlearn.declare.types import value_type
from snnlearn.dialect import Scope, Symbol, algebra, parse_code, tree, unparse
from snnlearn.dialect.algebra import add, is_number, multiply, number, select
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr, Name
from snnlearn.errors import GradientError, did_you_mean
from snnlearn.grad.rules import depends, tangent
from snnlearn.grad.single import Assignment, Follower
from snnlearn.grad.step import Step, value_of

PSI = Name("psi", algebra.SCALAR)
Form = Mapping[str, Expr]  # a linear form: coefficients by what they multiply

_COMPARISONS = ("<", ">", "<=", ">=", "==", "!=")
_SAFE = frozenset(["fabs", "fmin", "fmax", "min", "max", "abs", "copysign", "fma"])  # functions of any number
_SHORT = 5  # nodes of an expression that needs no name
_LONGEST = 40  # nodes of one that others are written into
_ONE = number(1.0)


@dataclass(frozen=True)
class Linear:
    """The derivatives of a timestep as linear forms.

    Attributes
    ----------
    forms : mapping of str to form
        Of each name asked for: its derivative, as coefficients of the directions.
    assignments : tuple of Assignment
        Those of the step and those of its derivatives, in order.
    comparisons : mapping of str to tuple of Place
        By the name whose value asks: comparisons of what has a derivative, which counts as constant there.
    """

    forms: Mapping[str, Form]
    assignments: tuple[Assignment, ...]
    comparisons: Mapping[str, tuple[Place, ...]]


def linear_forms(
    step: Step,
    seeds: Mapping[str, Form],
    cuts: Mapping[str, str] | None = None,
    *,
    detached: bool | Collection[str] = False,
    quiet: bool = False,
) -> Linear:
    """Return the derivative of every value of a timestep as a linear form.

    Parameters
    ----------
    step : Step
    seeds : mapping of str to form
        The derivatives of names without assignment: variables before the timestep, inputs, parameters.
    cuts : mapping of str to str, optional
        Names whose derivative is a direction of its own from there on, with what the direction is called.
    detached : bool or collection of str
        The variables along which the reset by a spike passes no derivative of the spike; all where True.
    quiet : bool
        Whether to take derivatives as if there were no spike, but for the spike's own.

    Raises
    ------
    GradientError
        For a function without a derivative.
    """
    return _Forward(step, seeds, cuts or {}, detached, quiet).run()


class _Forward:
    def __init__(
        self,
        step: Step,
        seeds: Mapping[str, Form],
        cuts: Mapping[str, str],
        detached: bool | Collection[str],
        quiet: bool,
    ) -> None:
        self.step, self.cuts, self.detached, self.quiet = step, cuts, detached, quiet
        self.forms: dict[str, Form] = dict(seeds)
        self.found: list[Assignment] = []
        self.comparisons: dict[str, tuple[Place, ...]] = {}
        self.taken = {*step.taken}

    def run(self) -> Linear:
        for a in self.step.assignments:
            self.found.append(a)
            if a.value is not None:
                self.follow(a)
            if a.name in self.cuts:
                self.forms[f"{a.name}~"] = self.forms.get(a.name, {})  # what it is worth along what is above
                self.forms[a.name] = {self.cuts[a.name]: _ONE}
        return Linear(self.forms, tuple(self.found), self.comparisons)

    def follow(self, a: Assignment) -> None:
        spike = self.step.spike
        if spike is not None and a.name == spike.id:
            self.follow_spike(a)
            return
        value = self.with_differences(value_of(a))
        moving = {n: self.forms[n] for n in tree.names_in(value) if self.forms.get(n)}
        if not moving:
            return
        self.comparisons[a.name] = tuple(comparisons_of(value, moving))
        if spike is not None and a.resets is not None and is_detached(a.resets, self.detached):
            moving.pop(spike.id, None)
        self.forms[a.name] = self.combined(a, {n: self.partial(a, value, n) for n in sorted(moving)}, moving)

    def partial(self, a: Assignment, value: Expr, name: str) -> Expr:
        """Return the derivative of a value by one name in it."""
        e = tangent(value, {name: _ONE})
        if self.quiet and self.step.spike is not None:
            e = decided(e, {self.step.spike.id: False})
        e = algebra.gathered(e)
        return e if len(self.forms[name]) == 1 else self.named(e, f"d{a.name}_d{name}", a)

    def combined(self, a: Assignment, partials: Mapping[str, Expr], moving: Mapping[str, Form]) -> Form:
        """Return the derivative of a value by the directions, from those by the names in it."""
        form = {}
        for direction in dict.fromkeys(d for n in partials for d in moving[n]):
            terms = [scaled(moving[n][direction], p) for n, p in partials.items() if direction in moving[n]]
            e = algebra.gathered(algebra.total(terms))
            if not is_number(e, 0.0):
                form[direction] = self.named(e, f"d{a.name}_{direction}", a)
        return form

    def with_differences(self, value: Expr) -> Expr:
        """Return a choice between a value and what is added to it as such: that alone is what a spike changes."""
        if not isinstance(value, tree.Ternary) or not isinstance(value.then, Name):
            return value
        changed = self.step.by_name.get(value.then.id)
        if changed is None or not isinstance(changed.value, tree.Binary) or changed.type != changed.value.type:
            return value
        e = changed.value
        adds = (e.op in "+-" and e.left == value.other) or (e.op == "+" and e.right == value.other)
        return replace(value, then=e) if adds else value

    def follow_spike(self, a: Assignment) -> None:
        margin = self.step.margin
        if margin is None:
            return
        form = self.forms.get(margin.id, {})
        self.forms[a.name] = {d: self.named(multiply(PSI, e), f"d{a.name}_{d}", a) for d, e in form.items()}

    def named(self, e: Expr, base: str, a: Assignment) -> Expr:
        if sum(1 for _ in tree.walk(e)) <= _SHORT:
            return e
        name = unused(base, self.taken)
        self.found.append(Assignment(name, e, e.type, a.under, at=a.at))
        return Name(name, e.type)


def is_detached(variable: str, detached: bool | Collection[str]) -> bool:
    """Whether the reset of a variable passes no derivative of the spike."""
    return detached if isinstance(detached, bool) else variable in detached


def unused(base: str, taken: set[str]) -> str:
    """Return a name like this one that is not taken yet, and take it."""
    name = base = "".join(c if c.isalnum() else "_" for c in base)
    number_ = 1
    while name in taken:
        number_ += 1
        name = f"{base}_{number_}"
    taken.add(name)
    return name


def comparisons_of(value: Expr, moving: Collection[str]) -> Iterable[Place]:
    """Yield where a value compares what depends on one of these names."""
    for n in tree.walk(value):
        if not isinstance(n, tree.Binary) or n.op not in _COMPARISONS or n.at is None:
            continue
        if depends(n.left, {*moving}) or depends(n.right, {*moving}):
            yield n.at


def derived_along(
    follower: Follower, chain: Sequence[Assignment], value: Expr, name: str
) -> tuple[Expr, tuple[Place, ...]]:
    """Return the derivative of a value by a name, whose parts get names, and comparisons of what depends on that.

    Parameters
    ----------
    follower : Follower
        That of the code, which new names are assigned in.
    chain : sequence of Assignment
        What the value is made of, in order.
    value : expression
    name : str
        Of what has a derivative of 1.
    """
    tangents: dict[str, Expr] = {name: _ONE}
    places: list[Place] = []
    for a in chain:
        places += comparisons_of(value_of(a), tangents)
        e = algebra.gathered(tangent(value_of(a), tangents))
        if not is_number(e, 0.0):
            tangents[a.name] = follower.assign(f"d{a.name}_{name}", e)
    return algebra.gathered(tangent(value, tangents)), (*places, *comparisons_of(value, tangents))


# ---- reverse ----


@dataclass(frozen=True)
class Pullback:
    """Adjoints: derivatives of one number with respect to what a timestep starts from.

    Attributes
    ----------
    adjoints : mapping of str to expression
        By name; zero for what is missing.
    assignments : tuple of Assignment
        All that the adjoints need, in order: values of the step, then adjoints.
    """

    adjoints: Mapping[str, Expr]
    assignments: tuple[Assignment, ...]


def pullback(
    step: Step,
    adjoints: Sequence[tuple[Expr, Expr]],
    wrt: Collection[str],
    *,
    detached: bool | Collection[str] = False,
    stops: Collection[str] = (),
) -> Pullback:
    """Return the adjoints of what a timestep starts from.

    Parameters
    ----------
    step : Step
    adjoints : sequence of (expression, expression)
        Values of the step, such as those of `Step.after`, each with its adjoint.
    wrt : collection of str
        The names without assignment, or in ``stops``, of which to return the adjoint.
    detached : bool or collection of str
        As in `linear_forms`.
    stops : collection of str
        Names behind which nothing is followed.

    Raises
    ------
    GradientError
        For a function without a derivative, and for what cannot be followed where it is needed.
    """
    sums: dict[str, Expr] = {}
    new: list[Assignment] = []
    taken = {*step.taken}
    for value, adjoint in adjoints:
        _spread(value, adjoint, sums, None, None)
    for a in reversed(step.assignments):
        adjoint = sums.get(a.name, number(0.0))
        if is_number(adjoint, 0.0) or a.name in stops or a.drawn:
            continue
        if not isinstance(adjoint, (Name, tree.Literal)):
            name = unused(f"adjoint_{a.name}", taken)
            new.append(Assignment(name, adjoint, adjoint.type, at=a.at))
            adjoint = Name(name, adjoint.type)
        if step.spike is not None and a.name == step.spike.id:
            if step.margin is not None:
                sums[step.margin.id] = add(sums.get(step.margin.id, number(0.0)), multiply(adjoint, PSI))
            continue
        skip = step.spike.id if step.spike is not None and a.resets and is_detached(a.resets, detached) else None
        _spread(value_of(a), adjoint, sums, a.under, skip)
    found = {n: sums[n] for n in wrt if n in sums and not is_number(sums[n], 0.0)}
    return Pullback(found, needed((*step.assignments, *new), found.values()))


def _spread(value: Expr, adjoint: Expr, sums: dict[str, Expr], under: Expr | None, skip: str | None) -> None:
    """Add an expression's adjoint to those of the names in it."""
    for name in sorted(tree.names_in(value)):
        partial = number(0.0) if name == skip else tangent(value, {name: _ONE})
        if is_number(partial, 0.0):
            continue
        term = scaled(adjoint, partial)
        if under is not None and _may_be_infinite(partial):
            term = select(under, term, number(0.0))
        sums[name] = add(sums[name], term) if name in sums else term


def scaled(adjoint: Expr, partial: Expr) -> Expr:
    """Return the product, chosen rather than multiplied by what a condition chooses."""
    if isinstance(partial, tree.Ternary):
        return select(partial.condition, scaled(adjoint, partial.then), scaled(adjoint, partial.other))
    return multiply(adjoint, partial)


def _may_be_infinite(e: Expr) -> bool:
    for n in tree.walk(e):
        if isinstance(n, tree.Binary) and n.op == "/" and algebra.number_of(n.right) is None:
            return True
        if isinstance(n, tree.Call) and n.function not in _SAFE:
            return True
    return False


# ---- code ----


def decided(e: Expr, known: Mapping[str, bool]) -> Expr:
    """Return an expression where these conditions are known."""

    def change(n: Any) -> Any:
        if isinstance(n, Name) and n.id in known:
            return algebra.truth(known[n.id])
        if isinstance(n, tree.Ternary):
            return select(n.condition, n.then, n.other) if isinstance(n.condition, tree.Literal) else n
        if isinstance(n, tree.Unary) and n.op == "!":
            return algebra.negation(n.operand)
        if isinstance(n, tree.Binary) and n.op == "&&":
            return algebra.both(n.left, n.right)
        if isinstance(n, tree.Binary) and n.op in "+-*/":
            return {"+": add, "-": algebra.subtract, "*": multiply, "/": algebra.divide}[n.op](n.left, n.right)
        return n

    return tree.rewrite(e, change) if tree.names_in(e) & set(known) else e


def needed(
    assignments: Sequence[Assignment], wanted: Iterable[Expr], stops: Collection[str] = ()
) -> tuple[Assignment, ...]:
    """Return the assignments that expressions need, in order; nothing above the names in ``stops``.

    Raises
    ------
    GradientError
        If they need what cannot be followed.
    """
    names = set().union(*(tree.names_in(e) for e in wanted)) - set(stops)
    found: list[Assignment] = []
    for a in reversed(assignments):
        if a.name in names:
            names |= tree.names_in(value_of(a)) - set(stops)
            found.append(a)
    return tuple(reversed(found))


def written_in(
    assignments: Sequence[Assignment], wanted: Mapping[str, Expr]
) -> tuple[tuple[Assignment, ...], dict[str, Expr]]:
    """Return assignments and expressions with short values, and those used once, written where they are used."""
    uses: dict[str, int] = {}
    for e in [*(a.value for a in assignments if a.value is not None), *wanted.values()]:
        for n in tree.walk(e):
            if isinstance(n, Name):
                uses[n.id] = uses.get(n.id, 0) + 1
    values: dict[str, Expr] = {}
    kept: list[Assignment] = []
    for a in assignments:
        value = tree.substitute(value_of(a), values)
        size = sum(1 for _ in tree.walk(value))
        if value.type == a.type and (size == 1 or (uses.get(a.name, 0) == 1 and size <= _LONGEST)):
            values[a.name] = value
        else:
            kept.append(replace(a, value=value))
    return tuple(kept), {name: tree.substitute(e, values) for name, e in wanted.items()}


def declared(assignments: Iterable[Assignment]) -> tuple[tree.Statement, ...]:
    """Return assignments as declarations of constant local variables."""
    return tuple(tree.Declare(a.name, a.type, True, value_of(a), at=a.at) for a in assignments)


def assigned(name: str, e: Expr) -> tree.Statement:
    """Return the assignment of an expression to a variable of type scalar."""
    scalar = algebra.SCALAR
    return tree.Evaluate(tree.Assign("=", Name(name, scalar), algebra.convert(e, scalar), scalar))


def derivative(code: str, wrt: str) -> str:
    """Return the derivative of an expression as a code string.

    Parameters
    ----------
    code : str
        An expression of the dialect over numbers of type ``scalar``, e.g. ``"x * x * exp(x)"``.
    wrt : str
        The name by which to derive.

    Raises
    ------
    DialectError
        If the code is no expression of the dialect.
    GradientError
        If nothing in the code is called so, or a function in it has no derivative.

    Examples
    --------
    >>> derivative("x * x * exp(x)", "x")
    '(x + x) * exp(x) + x * x * exp(x)'
    """
    names = _Anything()
    snippet, _ = parse_code(code, Scope(names, {}), "derivative", expression=True)
    if wrt not in snippet.reads:
        raise GradientError(f"there is no '{wrt}' in '{code}'{did_you_mean(wrt, snippet.reads)}")
    assert not isinstance(snippet.tree, tree.Block)
    return unparse(algebra.gathered(tangent(snippet.tree, {wrt: _ONE})))


class _Anything(dict[str, Symbol]):
    """Any name, as a number of type scalar."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key) or self.setdefault(key, Symbol("number", value_type("scalar")))
