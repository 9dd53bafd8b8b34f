"""Code strings as Python: one statement or expression for each of C's, of which every value is a number of its type.

A variable is a local variable of Python's: a ``float``, an ``int`` within its type's range, a ``bool``. Numbers of
single precision are rounded after every operation, integers wrap; functions of `snnlearn.runtime.reference.numbers` do
both.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from snnlearn.codegen.plan import Code
from snnlearn.codegen.plan.checks import CHECK
from snnlearn.codegen.plan.names import Names, label
from snnlearn.declare import Precision, ValueType, value_type
from snnlearn.dialect import tree
from snnlearn.dialect.library import MATHS

INDENT = "    "
_INT, _BOOL, _DOUBLE = value_type("int"), value_type("bool"), value_type("double")
_COMPARISONS = frozenset(["<", ">", "<=", ">=", "==", "!="])
# Functions whose arguments are not all of the result's type.
_EXPONENTS = frozenset(["scalbn", "ldexp"])


class CodePrinter(ABC):
    """Prints code; what names and calls mean in a kernel is left to a subclass.

    Parameters
    ----------
    precision : {"float", "double"}
    names : Names
        Those that the function has already.
    guards : mapping of str to str
        The variables that report a number for which their type has no place, and how the report begins.
    """

    def __init__(self, precision: Precision, names: Names, guards: Mapping[str, str]) -> None:
        self.precision, self._names, self._guards = precision, names, guards
        self.code: Code | None = None
        self._locals: list[dict[str, str]] = [{}]
        # What comes before `continue` in a loop, and the loops and switches that are around a statement.
        self._around: list[tuple[str, list[str], str]] = []

    # ---- what a kernel means ----

    @abstractmethod
    def variable(self, target: str) -> str:
        """Return what stands for a name of the kernel: a variable, or an element of an array."""

    @abstractmethod
    def array(self, target: str) -> str:
        """Return what stands for a whole array."""

    @abstractmethod
    def past(self, array: str, delay: str) -> str:
        """Return the element of an array's slot so many timesteps ago."""

    @abstractmethod
    def action(self, e: tree.Call, *, statement: bool) -> str:
        """Return what a call does to the network, as a statement or an expression."""

    @abstractmethod
    def each_synapse(self, s: tree.ForEachSynapse) -> str:
        """Return the head of a loop over synapses."""

    # ---- pieces of code ----

    def lines(self, code: Code) -> list[str]:
        """Return a piece of code as statements."""
        assert isinstance(code.tree, tree.Block)
        self.code = code
        if code.scoped:
            return self._block(code.tree)
        return [line for s in code.tree.statements for line in self._statement(s)]

    def value(self, code: Code) -> str:
        """Return a piece of code that is an expression."""
        assert not isinstance(code.tree, tree.Block)
        self.code = code
        return self.expression(code.tree)

    @property
    def outermost(self) -> Mapping[str, str]:
        """The local variables of code that shares them, by their names in the code."""
        return self._locals[0]

    # ---- names ----

    def _target(self, name: str) -> str | None:
        """Return the kernel's name that a name of the code stands for, unless it is a local variable's."""
        assert self.code is not None
        inner = self._locals[1:] if self.code.scoped else self._locals
        return None if any(name in block for block in inner) else self.code.names.get(name)

    def _name(self, name: str) -> str:
        target = self._target(name)
        if target is not None:
            return self.variable(target)
        return next(block[name] for block in reversed(self._locals) if name in block)

    def fresh(self, name: str) -> str:
        """Return an unused name for a local variable."""
        return self._names.unique(label(name).replace(".", "_"))

    # ---- statements ----

    def _block(self, block: tree.Block) -> list[str]:
        with self._scope():
            return [line for s in block.statements for line in self._statement(s)]

    def _body(self, block: tree.Block) -> list[str]:
        return [f"{INDENT}{line}" for line in self._block(block) or ["pass"]]

    @contextmanager
    def _scope(self) -> Iterator[None]:
        self._locals.append({})
        try:
            yield
        finally:
            self._locals.pop()

    def _statement(self, s: tree.Statement) -> list[str]:
        kinds: dict[type, Callable[[Any], list[str]]] = {
            tree.Evaluate: lambda s: self._evaluate(s.value),
            tree.Declare: self._declare,
            tree.If: self._if,
            tree.While: self._while,
            tree.For: self._for,
            tree.ForEachSynapse: self._for_each_synapse,
            tree.Switch: self._switch,
            tree.Jump: lambda s: self._jump(s.word),
            tree.Block: self._block,
        }
        return kinds[type(s)](s)

    def _evaluate(self, e: tree.Expr) -> list[str]:
        if isinstance(e, tree.Call) and self._is_action(e):
            return [self.action(e, statement=True)]
        if isinstance(e, (tree.Assign, tree.Step)):
            array, index, value = self._assigned(e)
            return [f"{array}[{index}] = {bare(value)}" if array else f"{index} = {bare(value)}"]
        if isinstance(e, tree.Comma):
            return [line for part in e.parts for line in self._evaluate(part)]
        if isinstance(e, tree.Ternary):
            then, other = (self._evaluate(part) for part in (e.then, e.other))
            lines = [f"if {self.condition(e.condition)}:", *(f"{INDENT}{line}" for line in then)]
            return [*lines, "else:", *(f"{INDENT}{line}" for line in other)]
        return [self.expression(e)]

    def _is_action(self, e: tree.Call) -> bool:
        return e.function not in MATHS and not e.function.startswith(("gennrand", CHECK))

    def _declare(self, s: tree.Declare) -> list[str]:
        # The value comes first: it may still mean an outer variable of the same name. Without one it starts from zero.
        value = self.as_type(s.value, s.type) if s.value is not None else self.number(0, s.type)
        self._locals[-1][s.name] = self.fresh(s.name)
        return [f"{self._locals[-1][s.name]} = {bare(value)}"]

    def _if(self, s: tree.If, word: str = "if") -> list[str]:
        lines = [f"{word} {self.condition(s.condition)}:", *self._body(s.then)]
        if s.other is None:
            return lines
        if len(s.other.statements) == 1 and isinstance(s.other.statements[0], tree.If):
            return [*lines, *self._if(s.other.statements[0], "elif")]
        return [*lines, "else:", *self._body(s.other)]

    def _while(self, s: tree.While) -> list[str]:
        if not s.test_last:
            return self._loop(f"while {self.condition(s.condition)}:", s.body, [])
        return self._loop("while True:", s.body, [f"if not {self.truth(s.condition)}:", f"{INDENT}break"])

    def _for(self, s: tree.For) -> list[str]:
        with self._scope():
            start = [line for part in s.start for line in self._statement(part)]
            condition = "True" if s.condition is None else self.condition(s.condition)
            step = [] if s.step is None else self._evaluate(s.step)
            return [*start, *self._loop(f"while {condition}:", s.body, step)]

    def _for_each_synapse(self, s: tree.ForEachSynapse) -> list[str]:
        return self._loop(self.each_synapse(s), s.body, [])

    def _loop(self, head: str, body: tree.Block, last: list[str]) -> list[str]:
        """Return a loop; ``last`` ends each pass, one that is left by ``continue`` too."""
        self._around.append(("loop", last, ""))
        lines = self._body(body)
        self._around.pop()
        return [head, *lines, *(f"{INDENT}{line}" for line in last)]

    def _switch(self, s: tree.Switch) -> list[str]:
        """Return a switch: a loop of one pass, in which cases run from the one that was chosen on."""
        chosen, goes_on = self.fresh("chosen"), self.fresh("goes_on")
        labels = {self.expression(c.label): n for n, c in enumerate(s.cases) if c.label is not None}
        default = next((n for n, c in enumerate(s.cases) if c.label is None), len(s.cases))
        table = ", ".join(f"{value}: {n}" for value, n in labels.items())
        lines = [f"{chosen}, {goes_on} = {{{table}}}.get({self.expression(s.value)}, {default}), False"]
        self._around.append(("switch", [], goes_on))
        lines.append("while True:")
        for n, case in enumerate(s.cases):
            lines += [f"{INDENT}if {chosen} <= {n}:", *(f"{INDENT}{line}" for line in self._body(case.body))]
        self._around.pop()
        lines.append(f"{INDENT}break")
        if any(kind == "loop" for kind, _, _ in self._around):
            lines += [f"if {goes_on}:", *(f"{INDENT}{line}" for line in self._jump("continue"))]
        return lines

    def _jump(self, word: str) -> list[str]:
        kind, last, goes_on = self._around[-1]
        if word == "break":
            return ["break"]
        if kind == "switch":
            return [f"{goes_on} = True", "break"]
        return [*last, "continue"]

    # ---- expressions ----

    def expression(self, e: tree.Expr) -> str:
        """Return an expression that is a number of its type; in parentheses where it has several parts."""
        kinds: dict[type, Callable[[Any], str]] = {
            tree.Literal: self._literal,
            tree.Name: lambda e: self._name(e.id),
            tree.Text: lambda e: repr(e.value),
            tree.Unary: self._unary,
            tree.Binary: self._binary,
            tree.Ternary: self._ternary,
            tree.Index: self._index,
            tree.Cast: lambda e: self.as_type(e.operand, e.type),
            tree.Assign: lambda e: self.put(*self._assigned(e)),
            tree.Step: self._step,
            tree.Comma: lambda e: f"({', '.join(map(self.expression, e.parts))})[-1]",
            tree.Call: self._call,
        }
        return kinds[type(e)](e)

    def as_type(self, e: tree.Expr, to: ValueType) -> str:
        """Return an expression converted to a type."""
        return self.convert(self.expression(e), e.type, to)

    def truth(self, e: tree.Expr) -> str:
        """Return an expression as a condition."""
        return self.as_type(e, _BOOL)

    def condition(self, e: tree.Expr) -> str:
        """Return an expression as the condition of a statement."""
        return bare(self.truth(e))

    def convert(self, text: str, given: ValueType, to: ValueType) -> str:
        """Return a number as C converts it to another type."""
        before, after = (np.dtype(t.dtype_for(self.precision)) for t in (given, to))
        if before == after or (text.isdecimal() and after.kind in "iu" and int(text) <= np.iinfo(after).max):
            return text
        if after.kind == "b":
            return f"bool({bare(text)})"
        if after == np.float64:
            return text if before.kind == "f" else f"float({bare(text)})"
        return f"{'single' if after == np.float32 else after.name}({bare(text)})"

    def number(self, value: float, vtype: ValueType) -> str:
        """Return a number of a type."""
        if vtype.kind == "bool":
            return str(bool(value))
        if vtype.kind == "int":
            return str(int(value))
        if np.dtype(vtype.dtype_for(self.precision)) == np.float32:
            with np.errstate(over="ignore"):
                value = float(np.float32(value))
        return repr(float(value)) if math.isfinite(value) else f"float('{value}')"

    def _literal(self, e: tree.Literal) -> str:
        if e.type.kind == "bool":
            return "True" if e.text == "true" else "False"
        return self.number(float(e.text) if e.type.kind == "float" else int(e.text, 0), e.type)

    def _unary(self, e: tree.Unary) -> str:
        if e.op == "!":
            return f"(not {self.truth(e.operand)})"
        value = f"({e.op}{self.as_type(e.operand, e.type)})"
        return value if e.type.kind == "float" or e.op == "+" else self._wrapped(value, e.type)

    def _wrapped(self, text: str, vtype: ValueType) -> str:
        """Return the result of Python's arithmetic as a number of a type."""
        dtype = np.dtype(vtype.dtype_for(self.precision))
        if dtype == np.float64:
            return text
        return f"{'single' if dtype == np.float32 else dtype.name}({bare(text)})"

    def _binary(self, e: tree.Binary) -> str:
        if e.op in ("&&", "||"):
            return f"({self.truth(e.left)} {'and' if e.op == '&&' else 'or'} {self.truth(e.right)})"
        left, right = ((self.expression(x), x.type) for x in (e.left, e.right))
        return self._operation(e.op, left, right)[0]

    def _operation(self, op: str, left: tuple[str, ValueType], right: tuple[str, ValueType]) -> tuple[str, ValueType]:
        """Return what an operator makes of two numbers, with its type."""
        if op in ("<<", ">>"):  # the only two whose operands do not meet in one type
            vtype = _common(left[1])
            return self._wrapped(f"({self.convert(*left, vtype)} {op} bits({right[0]}))", vtype), vtype
        vtype = _common(left[1], right[1])
        a, b = self.convert(*left, vtype), self.convert(*right, vtype)
        if op in _COMPARISONS:
            return f"({a} {op} {b})", _BOOL
        if op in "/%":
            function = "divide" if vtype.kind == "float" else "quotient" if op == "/" else "remainder_of"
            return self._wrapped(f"{function}({bare(a)}, {bare(b)})", vtype), vtype
        return self._wrapped(f"({a} {op} {b})", vtype), vtype

    def _ternary(self, e: tree.Ternary) -> str:
        then, other = self.as_type(e.then, e.type), self.as_type(e.other, e.type)
        return f"({then} if {self.truth(e.condition)} else {other})"

    # ---- elements and assignments ----

    def _index(self, e: tree.Index) -> str:
        assert self.code is not None
        if f"{e.array}[]" in self.code.names:
            return self.past(self.code.names[f"{e.array}[]"], self.as_type(e.index, value_type("int64_t")))
        array, index = self._element(e)
        return f"{array}[{index}]"

    def _element(self, e: tree.Index) -> tuple[str, str]:
        assert self.code is not None
        array = self.array(self.code.names[e.array])
        return array, f"within({self.expression(e.index)}, {array}, {f'{self.code.title}: {e.array}'!r})"

    def _assigned(self, e: tree.Assign | tree.Step) -> tuple[str, str, str]:
        """Return what an assignment changes, a variable ("") or an array and an index, and its value then.

        Python evaluates the value before the index, as C++ does.
        """
        if isinstance(e.target, tree.Name):
            place = self._name(e.target.id)
            array, _, index = place.rstrip("]").rpartition("[")
            return array, index, self._new_value(e, place)
        array, index = self._element(e.target)
        if isinstance(e, tree.Assign) and e.op == "=":
            return array, index, self._new_value(e, "")
        at = self.fresh("at")
        return array, at, self._new_value(e, f"{array}[({at} := {index})]")

    def _new_value(self, e: tree.Assign | tree.Step, before: str) -> str:
        target = e.target.type
        if isinstance(e, tree.Step):
            if target.kind == "bool":
                return "True" if e.op == "++" else f"(not {before})"
            value, given = self._operation(e.op[0], (before, target), ("1", _INT))
        elif e.op == "=":
            value, given = self.expression(e.value), e.value.type
        else:
            value, given = self._operation(e.op[:-1], (before, target), (self.expression(e.value), e.value.type))
        guard = self._guards.get(self._target(e.target.id) or "") if isinstance(e.target, tree.Name) else None
        return self.convert(value, given, target) if guard is None else self.fit(value, given, target, guard)

    def fit(self, value: str, given: ValueType, to: ValueType, guard: str) -> str:
        """Return a number converted to a type, with a report where that has no place for it."""
        before, after = (t.dtype_for(self.precision) for t in (given, to))
        if to.kind == "float" and (before, after) != ("float64", "float32"):
            return self.convert(value, given, to)
        return f"memory.fit({value}, {np.dtype(after).name!r}, {guard!r})"

    def put(self, array: str, index: str, value: str) -> str:
        """Return an assignment as an expression."""
        return f"put({bare(value)}, {array}, {index})" if array else f"({index} := {bare(value)})"

    def _step(self, e: tree.Step) -> str:
        changed = self.put(*self._assigned(e))
        if e.prefix or e.target.type.kind == "bool":
            return changed
        back = self._operation("-" if e.op == "++" else "+", (changed, e.type), ("1", _INT))
        return self.convert(*back, e.type)

    # ---- calls ----

    def _call(self, e: tree.Call) -> str:
        if e.function.startswith("gennrand"):
            args = ", ".join(self.as_type(a, _DOUBLE) for a in e.args)
            name = e.function.removeprefix("gennrand_") if e.function != "gennrand" else "word"
            if name == "uniform" and np.dtype(e.type.dtype_for(self.precision)) == np.float32:
                return "random.single()"
            drawn = e.type if e.type.kind == "int" else _DOUBLE
            return self.convert(f"random.{name}({args})", drawn, e.type)
        if e.function.startswith(CHECK):
            return self._check(e)
        if self._is_action(e):
            return self.action(e, statement=False)
        single = np.dtype(e.type.dtype_for(self.precision)) == np.float32
        if e.function == "ilogb":
            return f"maths.ilogb({self.as_type(e.args[0], _DOUBLE)})"
        kinds = (e.type, _INT) if e.function in _EXPONENTS else (e.type,) * len(e.args)
        args = ", ".join(bare(self.as_type(a, kind)) for a, kind in zip(e.args, kinds, strict=True))
        if e.function == "nextafter" and single:
            return f"maths.nextafter_single({args})"
        return self._wrapped(f"maths.{e.function}({args})", e.type)

    def _check(self, e: tree.Call) -> str:
        """Return what a checked build looks at."""
        what, where = e.function.removeprefix(CHECK), self.expression(e.args[-1])
        if what in ("index", "count"):
            return f"memory.checked_{what}({self.expression(e.args[0])}, {self.expression(e.args[1])}, {where})"
        ops = {"divide": "/", "remainder": "%", "shift_left": "<<", "shift_right": ">>"}
        op = ops[what.removesuffix("_assign")]
        left, right = e.args[0], e.args[1]
        vtype = _common(left.type) if op in ("<<", ">>") else _common(left.type, right.type)
        b = self.expression(right) if op in ("<<", ">>") else self.as_type(right, vtype)
        name = np.dtype(vtype.dtype_for(self.precision)).name
        if not what.endswith("_assign"):
            return self._wrapped(f"memory.checked({op!r}, {self.as_type(left, vtype)}, {b}, {name!r}, {where})", vtype)
        assert isinstance(left, tree.Index)
        array, index = self._element(left)
        at = self.fresh("at")
        before = self.convert(f"{array}[({at} := {index})]", left.type, vtype)
        value = self._wrapped(f"memory.checked({op!r}, {before}, {b}, {name!r}, {where})", vtype)
        return self.put(array, at, self.convert(value, vtype, left.type))


def bare(text: str) -> str:
    """Return an expression without parentheses around all of it; one with texts or assignments as it is."""
    if not text.startswith("(") or any(mark in text for mark in ("'", '"', ":=", ",)")):
        return text
    depth = 0
    for number, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return text[1:-1] if number == len(text) - 1 else text
    return text


def _common(*types: ValueType) -> ValueType:
    """Return the type in which numbers of several types meet, as in C."""
    return max(*types, _INT, key=lambda t: t.rank)
