"""Code in single-assignment form: each value has a name of its own, branches meet in a choice, loops are unrolled.

What cannot be followed (a switch, a loop whose length depends on data, a random number) is *opaque*: it has a name and
a reason, and is refused only where something needs its value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from snnlearn.declare.types import ValueType, value_type
from snnlearn.dialect import algebra, tree
from snnlearn.dialect.library import MATHS, MESSAGES, RANDOM
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr, Literal, Name

_MOST = 5000  # assignments; a longer code would take minutes to derive
_INTEGER = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "<": int.__lt__,
    ">": int.__gt__,
    "<=": int.__le__,
    ">=": int.__ge__,
    "==": int.__eq__,
    "!=": int.__ne__,
}
_SMALL = 2**30  # beyond, a sum of two might wrap


@dataclass(frozen=True)
class Assignment:
    """``const type name = value;``: the only one to this name.

    Attributes
    ----------
    name : str
    value : expression or None
        Over names assigned above it and names of the declarations; None where the code cannot be followed.
    type : ValueType
    under : expression, optional
        When the declared code computes it; always where there is none.
    resets : str, optional
        The variable that a spike's reset leaves here.
    why : str
        What cannot be followed, and what to do instead.
    drawn : bool
        Whether it is a random number, which nothing has an influence on.
    at : Place, optional
        The code that it comes from.
    """

    name: str
    value: Expr | None
    type: ValueType
    under: Expr | None = None
    resets: str | None = None
    why: str = ""
    drawn: bool = False
    at: Place | None = None


class Follower:
    """Follows code string after code string.

    Parameters
    ----------
    taken : iterable of str
        Names that mean something: no new name is one of them.

    Attributes
    ----------
    assignments : list of Assignment
        So far, in order.
    values : dict of str to expression
        What each variable is worth now, by its name in the step; what is missing is worth its own name.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self.assignments: list[Assignment] = []
        self.values: dict[str, Expr] = {}
        self.types: dict[str, ValueType] = {}
        self._taken = {*taken}
        self._under: Expr | None = None
        self._resets = False
        self._names: Mapping[str, str] = {}
        self._actions: Mapping[str, str] = {}
        self._locals: dict[str, str] = {}  # of the code at hand, to what they are called in `values`
        self._unknown: dict[str, str] = {}  # arrays that code has written to, with the reason

    # ---- what it is asked ----

    def run(self, block: tree.Block, names: Mapping[str, str], actions: Mapping[str, str] | None = None) -> None:
        """Follow statements.

        Parameters
        ----------
        block : Block
        names : mapping of str to str
            What the code's declared names are called in the step.
        actions : mapping of str to str, optional
            Functions whose argument is added to a variable.
        """
        self._names, self._actions = names, actions or {}
        for statement in block.statements:
            self._statement(statement)

    @property
    def taken(self) -> frozenset[str]:
        """All names that mean something."""
        return frozenset(self._taken)

    def forget_locals(self) -> None:
        """Take the local variables of the code so far out of reach."""
        self._locals = {}

    def read(self, e: Expr, names: Mapping[str, str]) -> Expr:
        """Return what an expression is worth now, over the names assigned so far."""
        self._names = names
        return self._value(e)

    def reset(self, block: tree.Block, names: Mapping[str, str], spike: Expr) -> None:
        """Follow the code of a reset, which runs where there is a spike."""
        self._names, self._resets = names, True
        self._branch(spike, block, None)
        self._resets = False

    def name(self, base: str) -> str:
        """Return a new name."""
        name = base = base.replace(".", "_")
        number = 0
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name

    def assign(self, base: str, value: Expr, vtype: ValueType | None = None, resets: str | None = None) -> Expr:
        """Give a value a name, unless it is one."""
        vtype = vtype or value.type
        value = algebra.convert(value, vtype)
        if isinstance(value, (Name, Literal)):
            return value
        if self._under is not None and _may_fail(value):
            value = algebra.select(self._under, value, _zero(vtype))
        self.assignments.append(Assignment(self.name(base), value, vtype, self._under, resets, at=value.at))
        return Name(self.assignments[-1].name, vtype)

    # ---- statements ----

    def _statement(self, s: tree.Statement) -> None:
        try:
            getattr(self, f"_do_{type(s).__name__.lower()}")(s)
        except _NotFollowedError as reason:
            self._skip(s, str(reason))

    def _do_evaluate(self, s: tree.Evaluate) -> None:
        e = s.value
        if isinstance(e, tree.Call) and e.function in self._actions:
            into = self._actions[e.function]
            self._set(into, algebra.add(self._current(into, e.type), self._value(e.args[0])), into)
        elif not (isinstance(e, tree.Call) and e.function in MESSAGES):
            self._value(e)

    def _do_declare(self, s: tree.Declare) -> None:
        value = self._opaque(s.name, s.type, s.at, f"'{s.name}' has no value yet") if s.value is None else None
        if s.value is not None:
            value = self.assign(s.name, self._value(s.value), s.type)
        own = self._locals[s.name] = f"{s.name} {len(self.types)}"  # no name in code has a blank
        self.types[own] = s.type
        assert value is not None
        self.values[own] = value

    def _do_block(self, s: tree.Block) -> None:
        outside = dict(self._locals)
        for statement in s.statements:
            self._statement(statement)
        self._locals = outside

    def _do_if(self, s: tree.If) -> None:
        condition = self.assign("when", self._value(s.condition), algebra.BOOL)
        if isinstance(condition, Literal):
            taken = s.then if condition.text == "true" else s.other
            if taken is not None:
                self._do_block(taken)
        else:
            self._branch(condition, s.then, s.other)

    def _branch(self, condition: Expr, then: tree.Block, other: tree.Block | None) -> None:
        before, under = dict(self.values), self._under
        self._under = condition if under is None else algebra.both(under, condition)
        self._do_block(then)
        after, self.values = self.values, dict(before)
        if other is not None:
            self._under = (
                algebra.negation(condition) if under is None else algebra.both(under, algebra.negation(condition))
            )
            self._do_block(other)
        self._under = under
        for name in {**before, **after, **self.values}:
            if " " in name and name not in before:
                continue  # a local variable of the branch
            vtype = self.types[name]
            one, two = (values.get(name, Name(name, vtype)) for values in (after, self.values))
            if one != two:
                base = name.split(" ")[0]
                resets = name if self._resets else None
                self.values[name] = self.assign(base, algebra.select(condition, one, two), vtype, resets)

    def _do_for(self, s: tree.For) -> None:
        outside = dict(self._locals)
        for start in s.start:
            self._statement(start)
        self._loop(s.condition, s.body, s.step)
        self._locals = outside

    def _do_while(self, s: tree.While) -> None:
        if s.test_last:
            raise _NotFollowedError("'do' loops cannot be followed: write a 'for' with a fixed number of rounds")
        self._loop(s.condition, s.body, None)

    def _loop(self, condition: Expr | None, body: tree.Block, step: Expr | None) -> None:
        if any(isinstance(n, tree.Jump) for n in tree.walk(body)):
            raise _NotFollowedError("a loop that is left early cannot be followed: let it go on to its end")
        while True:
            going = self._value(condition) if condition is not None else algebra.truth(True)
            if not isinstance(going, Literal):
                raise _NotFollowedError(
                    "how often this loop runs depends on data: write a 'for' from one whole number to another"
                )
            if going.text != "true":
                return
            self._do_block(body)
            if step is not None:
                self._value(step)
            if len(self.assignments) > _MOST:
                raise _NotFollowedError("this loop is too long to be followed: take fewer rounds")

    def _do_switch(self, s: tree.Switch) -> None:
        raise _NotFollowedError("a 'switch' cannot be followed: write 'if' and 'else'")

    def _do_foreachsynapse(self, s: tree.ForEachSynapse) -> None:
        raise _NotFollowedError("a loop over synapses cannot be followed")

    def _do_jump(self, s: tree.Jump) -> None:
        raise _NotFollowedError("a loop that is left early cannot be followed: let it go on to its end")

    def _skip(self, s: tree.Statement, reason: str) -> None:
        """Take whatever a statement may change for unknown."""
        inner = {n.name for n in tree.walk(s) if isinstance(n, tree.Declare)}
        for n in tree.walk(s):
            if not isinstance(n, (tree.Assign, tree.Step)):
                continue
            if isinstance(n.target, tree.Index):
                self._unknown[n.target.array] = reason
            elif n.target.id in self._locals or n.target.id not in inner:
                name = self._where(n.target.id)
                self.values[name] = self._opaque(n.target.id, n.target.type, s.at, reason)
        if isinstance(s, tree.Declare):
            own = self._locals[s.name] = f"{s.name} {len(self.types)}"
            self.types[own] = s.type
            self.values[own] = self._opaque(s.name, s.type, s.at, reason)

    # ---- values ----

    def _where(self, name: str) -> str:
        return self._locals[name] if name in self._locals else self._names.get(name, name)

    def _current(self, name: str, vtype: ValueType) -> Expr:
        return self.values.get(name) or Name(name, self.types.get(name, vtype))

    def _set(self, name: str, value: Expr, base: str) -> Expr:
        self.values[name] = self.assign(base, value, self.types[name])
        return self.values[name]

    def _value(self, e: Expr) -> Expr:
        handler = getattr(self, f"_on_{type(e).__name__.lower()}", None)
        result: Any = handler(e) if handler is not None else e
        return result if result.at is not None or result is e else _at(result, e.at)

    def _on_name(self, e: Name) -> Expr:
        return self._current(self._where(e.id), e.type)

    def _on_index(self, e: tree.Index) -> Expr:
        if e.array in self._unknown:
            raise _NotFollowedError("an array that code writes to cannot be followed: keep the value in a variable")
        return tree.Index(self._names.get(e.array, e.array), self._value(e.index), e.type, at=e.at)

    def _on_unary(self, e: tree.Unary) -> Expr:
        operand = self._value(e.operand)
        if e.op == "!":
            return algebra.negation(operand)
        return tree.Unary(e.op, operand, e.type, at=e.at)

    def _on_binary(self, e: tree.Binary) -> Expr:
        if e.op in ("&&", "||") and _has_effects(e.right):
            raise _NotFollowedError("a change within a condition cannot be followed: make it a statement of its own")
        left, right = self._value(e.left), self._value(e.right)
        folded = _integers(e.op, left, right)
        return tree.Binary(e.op, left, right, e.type, at=e.at) if folded is None else folded

    def _on_ternary(self, e: tree.Ternary) -> Expr:
        if _has_effects(e.then) or _has_effects(e.other):
            raise _NotFollowedError("a change within a condition cannot be followed: make it a statement of its own")
        condition, then, other = self._value(e.condition), self._value(e.then), self._value(e.other)
        if isinstance(condition, Literal) and condition.type == algebra.BOOL:
            return algebra.convert(then if condition.text == "true" else other, e.type)
        return tree.Ternary(condition, then, other, e.type, at=e.at)

    def _on_call(self, e: tree.Call) -> Expr:
        if e.function in RANDOM:
            why = "a random number is drawn here, and cannot be drawn again"
            self.assignments.append(Assignment(self.name("drawn"), None, e.type, why=why, drawn=True, at=e.at))
            return Name(self.assignments[-1].name, e.type)
        if e.function not in MATHS:
            raise _NotFollowedError(f"'{e.function}' has no value that could be followed")
        return tree.Call(e.function, tuple(self._value(a) for a in e.args), e.type, at=e.at)

    def _on_cast(self, e: tree.Cast) -> Expr:
        return algebra.convert(self._value(e.operand), e.type)

    def _on_comma(self, e: tree.Comma) -> Expr:
        return [self._value(part) for part in e.parts][-1]

    def _on_assign(self, e: tree.Assign) -> Expr:
        if isinstance(e.target, tree.Index):
            raise _NotFollowedError("a change of an array cannot be followed: keep the value in a variable")
        name, value = self._where(e.target.id), self._value(e.value)
        if e.op != "=":
            value = self._combine(e.op[:-1], self._current(name, e.type), value, e.at)
        return self._set(name, value, e.target.id)

    def _on_step(self, e: tree.Step) -> Expr:
        if isinstance(e.target, tree.Index):
            raise _NotFollowedError("a change of an array cannot be followed: keep the value in a variable")
        name = self._where(e.target.id)
        before = self._current(name, e.type)
        one = Literal("1", value_type("int"))
        after = self._set(name, self._combine(e.op[0], before, one, e.at), e.target.id)
        return after if e.prefix else before

    def _combine(self, op: str, left: Expr, right: Expr, at: Place | None) -> Expr:
        folded = _integers(op, left, right)
        if folded is not None:
            return folded
        vtype = left.type if op in ("<<", ">>") else algebra.common_type(left.type, right.type)
        return tree.Binary(op, left, right, vtype, at=at)

    def _opaque(self, base: str, vtype: ValueType, at: Place | None, why: str) -> Expr:
        self.assignments.append(Assignment(self.name(base), None, vtype, why=why, at=at))
        return Name(self.assignments[-1].name, vtype)


class _NotFollowedError(Exception):
    """The statement at hand cannot be followed; says why."""


def _at(e: Expr, at: Place | None) -> Expr:
    # A name or number that stands for something else here is shared: it stays as it is.
    return e if isinstance(e, (Name, Literal)) or at is None else tree.placed(e, at)


def _zero(vtype: ValueType) -> Expr:
    if vtype.kind == "float":
        return algebra.number(0.0, vtype)
    return algebra.truth(False) if vtype.kind == "bool" else Literal("0", vtype)


def _has_effects(e: Expr) -> bool:
    return any(isinstance(n, (tree.Assign, tree.Step)) for n in tree.walk(e))


def _may_fail(e: Expr) -> bool:
    """Whether an expression may only be computed where its code would be: it reads an array, or divides integers."""
    for n in tree.walk(e):
        if isinstance(n, tree.Index):
            return True
        if isinstance(n, tree.Binary) and n.op in "/%" and n.type.kind == "int" and not isinstance(n.right, Literal):
            return True
    return False


def _integers(op: str, left: Expr, right: Expr) -> Expr | None:
    """Return what two whole numbers make; None where one is none, or large."""
    if op not in _INTEGER or not all(isinstance(e, Literal) and e.type.kind == "int" for e in (left, right)):
        return None
    a, b = (int(e.text, 0) for e in (left, right) if isinstance(e, Literal))
    if max(a, b) > _SMALL:
        return None
    found = _INTEGER[op](a, b)
    if isinstance(found, bool):
        return algebra.truth(found)
    return Literal(str(found), algebra.common_type(left.type, right.type)) if found >= 0 else None
