"""Printing kernel code for the C family; what C++ and CUDA share."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from snnlearn.codegen.plan import Code, Kernel
from snnlearn.codegen.plan.kernels import Index
from snnlearn.codegen.plan.names import Names
from snnlearn.declare import Precision, ValueType
from snnlearn.dialect import tree

_BUILTINS = {"id": "i", "id_pre": "i", "id_post": "(unsigned int)j", "id_syn": "(unsigned int)s"}
# How an element's index is spelt.
INDEX: dict[Index, str] = {"neuron": "i", "pre": "i", "post": "j", "synapse": "s", "only": "0"}
# Functions of ours, where C++ has none of that name and meaning.
_OWN_FUNCTIONS = frozenset(["min", "max", "fmin", "fmax"])


def literal(value: float, vtype: ValueType, precision: Precision) -> str:
    """Return a number as source text of this type, exact to the last bit."""
    ctype = vtype.ctype_for(precision)
    if vtype.kind == "bool":
        return "true" if value else "false"
    if vtype.kind == "int":
        number = int(value)
        suffix = "ull" if ctype == "uint64_t" else "u" if ctype.startswith("u") else "ll" if ctype == "int64_t" else ""
        if number >= 0:
            return f"{number}{suffix}"
        # The sign is no part of a literal, and the positive of the lowest number would not fit.
        return f"({number + 1}{suffix} - 1)" if number in (-(2**31), -(2**63)) else f"({number}{suffix})"
    if math.isinf(value):
        infinity = f"std::numeric_limits<{ctype}>::infinity()"
        return infinity if value > 0 else f"(-{infinity})"
    if ctype == "float":
        with np.errstate(over="ignore"):
            rounded = np.float32(value)
        if np.isinf(rounded):
            return literal(math.copysign(math.inf, value), vtype, precision)
        text = str(rounded)
    else:
        text = repr(float(value))
    if not any(c in text for c in ".e"):
        text += ".0"
    text += "f" if ctype == "float" else ""
    return f"({text})" if text.startswith("-") else text


class Printer:
    """Prints the code of one kernel, line by line, without indentation of its own.

    Local variables keep their names unless the kernel or the language has taken them.
    """

    def __init__(self, kernel: Kernel, precision: Precision, taken: Iterable[str]) -> None:
        self.precision = precision
        self._taken = frozenset(taken) | kernel.local_names
        self._locals: list[dict[str, str]] = [{}]
        self._code: Code | None = None

    def lines(self, code: Code) -> list[str]:
        """Return a piece of code as lines of statements."""
        assert isinstance(code.tree, tree.Block)
        self._code = code
        if not code.scoped:
            return [line for s in code.tree.statements for line in self._statement(s)]
        return self._block(code.tree)

    def condition(self, code: Code) -> str:
        """Return a piece of code that is an expression."""
        assert not isinstance(code.tree, tree.Block)
        self._code = code
        return self._expr(code.tree)

    # ---- names ----

    def _name(self, name: str) -> str:
        assert self._code is not None
        outermost, *inner = self._locals
        for block in reversed(inner if self._code.scoped else self._locals):
            if name in block:
                return block[name]
        # The outermost block may hold other code's local of that name: what is declared comes first.
        target = self._code.names.get(name)
        return outermost[name] if target is None else _BUILTINS.get(target, target)

    def _declare(self, name: str) -> str:
        visible = {new for block in self._locals for new in block.values()}
        self._locals[-1][name] = Names(self._taken | visible).unique(name)
        return self._locals[-1][name]

    # ---- statements ----

    def _block(self, block: tree.Block) -> list[str]:
        self._locals.append({})
        lines = [f"    {line}" for s in block.statements for line in self._statement(s)]
        self._locals.pop()
        return ["{", *lines, "}"]

    def _statement(self, s: tree.Statement) -> list[str]:
        if isinstance(s, tree.Evaluate):
            return [f"{self._expr(s.value, top=True)};"]
        if isinstance(s, tree.Declare):
            return [f"{self._declaration(s)};"]
        if isinstance(s, tree.If):
            lines = [f"if ({self._expr(s.condition, top=True)}) {{", *self._block(s.then)[1:]]
            return lines if s.other is None else [*lines, "else {", *self._block(s.other)[1:]]
        if isinstance(s, tree.While):
            condition = f"while ({self._expr(s.condition, top=True)})"
            body = self._block(s.body)
            return ["do {", *body[1:-1], f"}} {condition};"] if s.test_last else [f"{condition} {{", *body[1:]]
        if isinstance(s, tree.For):
            return self._for(s)
        if isinstance(s, tree.Switch):
            return self._switch(s)
        if isinstance(s, tree.Jump):
            return [f"{s.word};"]
        return self._block(s)

    def _declaration(self, s: tree.Declare) -> str:
        # The value comes first: it may still mean an outer variable of the same name.
        # One without a value starts from zero: code is not to see what was in memory before.
        value = f" = {self._expr(s.value, top=True)}" if s.value is not None else " = 0"
        return f"{'const ' if s.const else ''}{s.type.ctype_for(self.precision)} {self._declare(s.name)}{value}"

    def _for(self, s: tree.For) -> list[str]:
        self._locals.append({})
        if len(s.start) == 1 and isinstance(s.start[0], tree.Evaluate):
            before, start = [], self._expr(s.start[0].value, top=True)
        else:
            before, start = [f"    {self._statement(d)[0]}" for d in s.start], ""
        condition = self._expr(s.condition, top=True) if s.condition is not None else ""
        step = self._expr(s.step, top=True) if s.step is not None else ""
        lines = [f"for ({start}; {condition}; {step}) {{", *self._block(s.body)[1:]]
        self._locals.pop()
        return ["{", *before, *(f"    {line}" for line in lines), "}"] if before else lines

    def _switch(self, s: tree.Switch) -> list[str]:
        lines = [f"switch ({self._expr(s.value, top=True)}) {{"]
        for case in s.cases:
            label = "default" if case.label is None else f"case {self._expr(case.label, top=True)}"
            lines += [f"{label}: {{", *self._block(case.body)[1:]]
        return [*lines, "}"]

    # ---- expressions ----

    def _expr(self, e: tree.Expr, top: bool = False) -> str:
        text = self._print(e)
        compound = isinstance(e, (tree.Binary, tree.Ternary, tree.Assign))
        # A comma would otherwise part arguments and declarations.
        return f"({text})" if isinstance(e, tree.Comma) or (compound and not top) else text

    def _print(self, e: tree.Expr) -> str:
        if isinstance(e, tree.Literal):
            return self._number(e)
        if isinstance(e, tree.Name):
            return self._name(e.id)
        if isinstance(e, tree.Unary):
            operand = self._expr(e.operand)
            return f"{e.op}({operand})" if operand[0] in "+-" else f"{e.op}{operand}"
        if isinstance(e, tree.Binary):
            return f"{self._expr(e.left)} {e.op} {self._expr(e.right)}"
        if isinstance(e, tree.Ternary):
            return f"{self._expr(e.condition)} ? {self._expr(e.then)} : {self._expr(e.other)}"
        if isinstance(e, tree.Index):
            return f"{self._name(e.array)}[{self._expr(e.index, top=True)}]"
        if isinstance(e, tree.Cast):
            return f"({e.type.ctype_for(self.precision)})({self._expr(e.operand, top=True)})"
        if isinstance(e, tree.Assign):
            return f"{self._name(e.target.id)} {e.op} {self._expr(e.value, top=True)}"
        if isinstance(e, tree.Step):
            name = self._name(e.target.id)
            if e.type.kind == "bool":  # C++ has no such steps for it
                return f"({name} = {'true' if e.op == '++' else f'!{name}'})"
            return f"{e.op}{name}" if e.prefix else f"{name}{e.op}"
        if isinstance(e, tree.Comma):
            return ", ".join(self._expr(part) for part in e.parts)
        return self._call(e)

    def _number(self, e: tree.Literal) -> str:
        if e.type.kind == "float":
            return literal(float(e.text), e.type, self.precision)
        return e.text + ("u" if e.type.name == "unsigned int" else "")

    def _call(self, e: tree.Call) -> str:
        assert self._code is not None
        action = self._code.actions.get(e.function)
        if action is not None:
            index = f"[{INDEX[action.index]}]" if action.index is not None else ""
            return f"{action.target}{index} += {self._expr(e.args[0], top=True)}"
        if e.function.startswith("gennrand"):
            return self._random(e.function)
        ctype = e.type.ctype_for(self.precision)
        name = e.function
        if e.type.kind == "float" and name not in ("scalbn", "ldexp"):
            args = [self._cast(a, ctype) for a in e.args]
        elif name == "ilogb":
            args = [self._cast(e.args[0], self.precision)]
        elif name in ("scalbn", "ldexp"):
            args = [self._cast(e.args[0], ctype), self._cast(e.args[1], "int")]
        else:
            args = [self._cast(a, ctype) for a in e.args]
        return f"{'snn' if name in _OWN_FUNCTIONS else 'std'}::{name}({', '.join(args)})"

    def _cast(self, e: tree.Expr, ctype: str) -> str:
        text = self._expr(e, top=True)
        return text if e.type.ctype_for(self.precision) == ctype else f"({ctype})({text})"

    def _random(self, function: str) -> str:
        if function == "gennrand":
            return "random.word()"
        return f"random.{function.removeprefix('gennrand_')}<{self.precision}>()"
