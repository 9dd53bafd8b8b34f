"""How variables move between spikes: their time derivative, found from the declared timestep or declared itself.

A timestep that is a linear map ``x <- J x + B u + c`` samples a linear flow ``dx/dt = A x + b``: with inputs and
constants as variables that stand still, the matrix logarithm of the map is ``dt`` times the flow. Conditions of what
inputs do not drive, such as refractoriness, choose between maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from snnlearn.declare import DerivedParam, NeuronModel
from snnlearn.dialect import Scope, Symbol, algebra, parse_code, tree
from snnlearn.dialect.tree import Binary, Call, Expr, Name, Ternary, Unary
from snnlearn.errors import GradientError, did_you_mean
from snnlearn.grad.derivatives import unused
from snnlearn.grad.matrix_log import FlowEntry, LinearMap
from snnlearn.grad.rules import tangent
from snnlearn.grad.step import Step, find_driven, located, value_of

_ZERO, _ONE = algebra.number(0.0), algebra.number(1.0)
_ROUND = frozenset(["rint", "round", "nearbyint"])
_COMPARES = frozenset(["<", ">", "<=", ">=", "==", "!="])
_SEEN = frozenset(["dt"])


def unrounded(step: Step) -> Step:
    """Return a step in which what inputs do not drive is not rounded: a clock that counts whole timesteps just runs.

    Names stay the same, so that adjoints of this step can read values of the other.
    """
    driven = find_driven(step, spikes=False)

    def change(n: Any) -> Any:
        if isinstance(n, Call) and n.function in _ROUND and not tree.names_in(n) & driven:
            return n.args[0]
        return n

    values: dict[str, Expr] = {}
    found = []
    for a in step.assignments:
        value = a.value
        if value is not None:
            rounded = tree.rewrite(value, change)
            value = folded(tree.substitute(rounded, values)) if rounded is not value or values else value
            if rounded is not a.value and isinstance(value, Name):
                values[a.name] = value
        found.append(replace(a, value=value))
    return replace(step, assignments=tuple(found))


def folded(e: Expr) -> Expr:
    """Return an expression without differences and quotients of equals, and the comparisons that those decide."""

    def change(n: Any) -> Any:
        if isinstance(n, Binary) and n.op == "-" and n.left == n.right:
            return _ZERO
        if isinstance(n, Call) and n.function == "fabs" and algebra.is_number(n.args[0], 0.0):
            return _ZERO
        if isinstance(n, Binary) and n.op in ("<", ">"):
            left, right = algebra.number_of(n.left), algebra.number_of(n.right)
            if left is not None and right is not None:
                return algebra.truth(left < right if n.op == "<" else left > right)
        if isinstance(n, Binary) and n.op == "*":
            for one, other in ((n.left, n.right), (n.right, n.left)):
                if isinstance(one, Binary) and one.op == "/" and one.right == other and one.type == n.type:
                    return one.left
        if isinstance(n, Ternary):
            return algebra.select(n.condition, n.then, n.other)
        return n

    found: Expr = tree.rewrite(e, change)
    return found


def written_out(e: Expr, step: Step, stops: Iterable[str] = ()) -> Expr:
    """Return an expression over what a timestep begins with, or over ``stops``.

    Raises
    ------
    GradientError
        At code that cannot be followed.
    """
    kept = frozenset(stops)
    for a in reversed(step.assignments):
        if a.name in tree.names_in(e) and a.name not in kept:
            e = tree.substitute(e, {a.name: value_of(a)})
    return e


def canonical(e: Expr) -> Expr:
    """Return an expression whose comparisons are all ``>`` and ``==``: those that say the same become equal."""

    def change(n: Any) -> Any:
        if not isinstance(n, Binary) or n.op not in _COMPARES:
            return n
        op = "==" if n.op in ("==", "!=") else ">"
        one, other = (n.right, n.left) if n.op in ("<", ">=") else (n.left, n.right)
        same = tree.Binary(op, one, other, algebra.BOOL, at=n.at)
        return algebra.negation(same) if n.op in ("<=", ">=", "!=") else same

    found: Expr = tree.rewrite(e, change)
    return found


def comparisons_of(e: Expr) -> dict[Binary, None]:
    """Return the comparisons that choose between values, in order."""
    found: dict[Binary, None] = {}

    def visit(n: Any) -> None:
        if isinstance(n, Ternary):
            found.update({c: None for c in tree.walk(n.condition) if isinstance(c, Binary) and c.op in _COMPARES})
            for part in (n.then, n.other):
                visit(part)
        elif isinstance(n, Binary):
            visit(n.left)
            visit(n.right)
        elif isinstance(n, (Unary, tree.Cast)):
            visit(n.operand)
        elif isinstance(n, Call):
            for part in n.args:
                visit(part)

    visit(e)
    return found


def at(flow: Expr, values: Mapping[str, Expr], mode: Mapping[str, Expr]) -> Expr:
    """Return a flow where variables have other values; its conditions where they have those of ``mode``."""

    def visit(e: Any) -> Any:
        if isinstance(e, Ternary):
            return algebra.select(tree.substitute(e.condition, mode), visit(e.then), visit(e.other))
        if isinstance(e, Binary):
            return tree.Binary(e.op, visit(e.left), visit(e.right), e.type)
        if isinstance(e, Unary):
            return tree.Unary(e.op, visit(e.operand), e.type)
        if isinstance(e, tree.Cast):
            return tree.Cast(visit(e.operand), e.type)
        if isinstance(e, Call):
            return tree.Call(e.function, tuple(visit(a) for a in e.args), e.type)
        return values.get(e.id, e) if isinstance(e, Name) else e

    found: Expr = visit(flow)
    return found


@dataclass
class Flows:
    """The time derivatives of a neuron's variables.

    Parameters
    ----------
    step : Step
        Of the neuron alone, unrounded.
    declared : mapping of str to str
        Time derivatives as code, by variable: expressions of variables, inputs and parameters [per ms].

    Attributes
    ----------
    derived : list of DerivedParam
        What the flows that were asked for need beside the neuron's own parameters.
    """

    step: Step
    declared: Mapping[str, str] = field(default_factory=dict)
    derived: list[DerivedParam] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._driven = find_driven(self.step, spikes=False)
        self._found: dict[str, Expr] = {}
        self._taken = {*self.step.taken}
        self._parsed = {name: self._parse(name, code) for name, code in self.declared.items()}

    @property
    def neuron(self) -> NeuronModel:
        """The neuron, with the derived parameters."""
        own = self.step.neuron
        return replace(own, derived_params=(*own.derived_params, *self.derived))

    def of(self, variable: str) -> Expr:
        """Return the time derivative of a variable, over variables, inputs and parameters.

        Raises
        ------
        GradientError
            Where it is neither linear nor declared.
        """
        if variable not in self._found:
            if variable in self._parsed:
                self._found[variable] = self._parsed[variable]
            else:
                self._found[variable] = self._linear(variable)
        return self._found[variable]

    # ---- declared ----

    def _parse(self, variable: str, code: str) -> Expr:
        known = [v.name for v in self.step.neuron.vars]
        if variable not in known:
            raise GradientError(
                f"flow: '{self.step.neuron.name}' has no variable '{variable}'{did_you_mean(variable, known)}"
            )
        if not isinstance(code, str):
            raise GradientError(f"flow: that of '{variable}' is an expression, such as '-V / TauM', not {code!r}")
        names = {name: Symbol("variable", vtype) for name, vtype in self.step.state.items()}
        names |= {name: Symbol("input", algebra.SCALAR) for name in self.step.inputs}
        names |= {name: Symbol("parameter", algebra.SCALAR) for name in self.step.constants}
        where = f"flow of '{variable}' of '{self.step.neuron.name}'"
        snippet, _ = parse_code(code, Scope(names, {}), where, expression=True)
        assert not isinstance(snippet.tree, tree.Block)
        flow = canonical(snippet.tree)
        self._check_conditions(comparisons_of(flow), variable)
        return flow

    # ---- linear ----

    def _linear(self, variable: str) -> Expr:
        values = self._closure(variable)
        conditions = {c: None for e in values.values() for c in comparisons_of(e)}
        self._check_conditions(conditions, variable)
        return self._chosen(variable, values, [*conditions])

    def _closure(self, variable: str) -> dict[str, Expr]:
        """Return what a variable, and those that it depends on, become in a timestep."""
        found: dict[str, Expr] = {}
        waiting = [variable]
        while waiting:
            x = waiting.pop()
            if x in found:
                continue
            spike = [self.step.spike.id] if self.step.spike is not None else []
            found[x] = e = canonical(folded(written_out(self.step.tilde[x], self.step, spike)))
            if spike and spike[0] in tree.names_in(e):
                self._refuse(x, "its code asks for the neuron's own spike: what a spike changes belongs in reset_code")
            moving = tree.names_in(_without_conditions(e)) & self.step.state.keys()
            waiting += sorted(moving - found.keys())
        return {x: found[x] for x in self.step.state if x in found}

    def _check_conditions(self, conditions: Iterable[Binary], variable: str) -> None:
        for c in conditions:
            if tree.names_in(c) & self._driven:
                message = (
                    f"{self.step.neuron.name}: what is compared here is driven by inputs, and it chooses how "
                    f"'{variable}' moves: an event of its own, of which eventprop knows no derivative. A reset belongs "
                    "in reset_code"
                )
                raise located(c.at, message)

    def _chosen(self, variable: str, values: Mapping[str, Expr], conditions: list[Binary]) -> Expr:
        """Return the flow as a choice between those that conditions select."""
        if not conditions:
            return self._of_mode(variable, values)
        first, rest = conditions[0], conditions[1:]
        one, other = ({x: settled(e, first, truth) for x, e in values.items()} for truth in (True, False))
        if one == other:
            return self._chosen(variable, one, rest)
        return algebra.select(first, self._chosen(variable, one, rest), self._chosen(variable, other, rest))

    def _of_mode(self, variable: str, values: Mapping[str, Expr]) -> Expr:
        """Return the flow of a map that nothing chooses any more."""
        names = [*values, *self.step.inputs]
        entries: dict[tuple[str, str], Expr] = {}
        for x, e in values.items():
            for y in names:
                if y in tree.names_in(e):
                    slope = folded(algebra.gathered(tangent(e, {y: _ONE})))
                    self._check_constant(x, f"its derivative by '{y}'", slope)
                    if not algebra.is_number(slope, 0.0):
                        entries[x, y] = slope
            constant = folded(tree.substitute(e, dict.fromkeys(names, _ZERO)))
            self._check_constant(x, "what it becomes", constant)
            if algebra.number_of(constant) != 0.0:
                entries[x, ""] = constant
            if (x, x) not in entries:
                self._refuse(x, "it does not go on from its own value: it jumps, or follows from others at once")
        linear = LinearMap(tuple(names), tuple(entries.items()), self.step.neuron)
        terms = []
        for y in linear.reaches(variable):
            name = unused(f"flow_{variable}_{y}" if y else f"flow_{variable}", self._taken)
            self.derived.append(DerivedParam(name, FlowEntry(linear, variable, y)))
            factor = Name(name, algebra.SCALAR)
            terms.append(algebra.multiply(factor, Name(y, algebra.SCALAR)) if y else factor)
        return algebra.total(terms)

    def _check_constant(self, x: str, what: str, e: Expr) -> None:
        constants = {n for n, c in self.step.constants.items() if c.kind != "extra_global_params"}
        moving = tree.names_in(e) - constants - _SEEN
        if moving:
            self._refuse(x, f"{what} depends on '{min(moving)}', so that its map is not linear with constant numbers")

    def _refuse(self, x: str, why: str) -> None:
        places = [a.at for a in self.step.slice(self.step.tilde[x]) if a.at is not None]
        raise located(
            places[-1] if places else None,
            f"{self.step.neuron.name}: eventprop needs to know how '{x}' moves between spikes: {why}. Declare its time "
            f"derivative: flow={{'{x}': '...'}}",
        )


def _without_conditions(e: Expr) -> Expr:
    def change(n: Any) -> Any:
        return algebra.add(_number(n.then), _number(n.other)) if isinstance(n, Ternary) else n

    found: Expr = tree.rewrite(e, change)
    return found


def _number(e: Expr) -> Expr:
    return algebra.convert(e, algebra.SCALAR)


def settled(e: Expr, condition: Binary, truth: bool) -> Expr:
    """Return an expression where it is known whether a condition holds."""

    def change(n: Any) -> Any:
        if n == condition:
            return algebra.truth(truth)
        if isinstance(n, Unary) and n.op == "!":
            return algebra.negation(n.operand)
        if isinstance(n, Binary) and n.op in ("&&", "||"):
            return _both(n)
        return algebra.select(n.condition, n.then, n.other) if isinstance(n, Ternary) else n

    found: Expr = tree.rewrite(e, change)
    return found


def _both(n: Binary) -> Expr:
    """Return both conditions, or what is left where one is known."""
    stops = "false" if n.op == "&&" else "true"
    for one, other in ((n.left, n.right), (n.right, n.left)):
        if isinstance(one, tree.Literal):
            return one if one.text == stops else other
    return n
