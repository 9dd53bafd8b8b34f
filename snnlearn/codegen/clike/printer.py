"""Printing kernel code for the C family; what C++ and CUDA share."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from snnlearn.codegen.plan import Accumulate, Array, Code, Kernel
from snnlearn.codegen.plan.checks import CHECK
from snnlearn.codegen.plan.domains import Diagonals, Rows
from snnlearn.codegen.plan.names import Names, label
from snnlearn.codegen.plan.parts import Action, AddSynapse, Connect, Index, NewValue, RemoveSynapse
from snnlearn.declare import Precision, ValueType
from snnlearn.dialect import tree
from snnlearn.dialect.loops import ends_soon
from snnlearn.errors import NetworkError

_BUILTINS = {
    "id": "i",
    "id_pre": "i",
    "id_post": "(unsigned int)j",
    "id_syn": "(unsigned int)s",
    "id_diag": "d",
    "batch": "batch",
}
# How an element's index is spelt.
INDEX: dict[Index, str] = {"neuron": "i", "pre": "i", "post": "j", "synapse": "s", "only": "0"}
_NO_ARRAYS: Mapping[str, Array] = MappingProxyType({})


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
        infinity = f"snn::infinity<{ctype}>()"
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

    Local variables are called as in the code, unless the kernel has that name already; see `Names`.

    Attributes
    ----------
    memory : str
        The object that has the pointers to all arrays.
    poll : str or None
        What loops without a bound ask in each pass, with a place for what counts them: whether to give up.
    """

    memory: ClassVar[str] = "sim"
    poll: ClassVar[str | None] = None

    def __init__(
        self, kernel: Kernel, precision: Precision, taken: Collection[str], arrays: Mapping[str, Array] = _NO_ARRAYS
    ) -> None:
        self.kernel, self.precision, self.arrays = kernel, precision, arrays
        self._direct = {x.name: f"{x.array}[{spell_index(kernel, x.index)}]" for x in kernel.loads if x.direct}
        self._guards = {x.name: x.guard for x in kernel.loads if x.guard}
        self._taken = taken, kernel.local_names
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

    # ---- what languages differ in ----

    def add(self, action: Accumulate, element: str, value: str) -> str:
        """Return what adds a value to an array's element."""
        return f"{element} += {value}"

    def place(self, array: str) -> str:
        """Return what the pointer to the memory of an array is called outside of kernels."""
        return f"{self.memory}.{array}"

    # ---- names ----

    def _name(self, name: str) -> str:
        assert self._code is not None
        outermost, *inner = self._locals
        for block in reversed(inner if self._code.scoped else self._locals):
            if name in block:
                return block[name]
        # The outermost block may hold other code's local of that name: what is declared comes first.
        target = self._code.names.get(name)
        return outermost[name] if target is None else self._direct.get(target, _BUILTINS.get(target, target))

    def _declare(self, name: str) -> str:
        visible = {new for block in self._locals for new in block.values()}
        # A local that hides something declared, or stands for a pointer, has a point in its name.
        self._locals[-1][name] = Names(*self._taken, visible).unique(label(name).replace(".", "_"))
        return self._locals[-1][name]

    # ---- statements ----

    def _block(self, block: tree.Block) -> list[str]:
        self._locals.append({})
        lines = [f"    {line}" for s in block.statements for line in self._statement(s)]
        self._locals.pop()
        return ["{", *lines, "}"]

    def _statement(self, s: tree.Statement) -> list[str]:
        if isinstance(s, tree.Evaluate):
            # The value of the expression is unused: prefix and postfix forms are equal.
            value = replace(s.value, prefix=True) if isinstance(s.value, tree.Step) and self._guards else s.value
            return [f"{self._expr(value, top=True)};"]
        if isinstance(s, tree.Declare):
            return [f"{self._declaration(s)};"]
        if isinstance(s, tree.If):
            lines = [f"if ({self._expr(s.condition, top=True)}) {{", *self._block(s.then)[1:]]
            return lines if s.other is None else [*lines, "else {", *self._block(s.other)[1:]]
        if isinstance(s, (tree.While, tree.For)):
            return self._loop(s)
        if isinstance(s, tree.Switch):
            return self._switch(s)
        if isinstance(s, tree.Jump):
            return [f"{s.word};"]
        if isinstance(s, tree.ForEachSynapse):
            return self._for_each_synapse(s)
        return self._block(s)

    def _declaration(self, s: tree.Declare) -> str:
        # The value comes first: it may still mean an outer variable of the same name.
        # One without a value starts from zero: code is not to see what was in memory before.
        value = f" = {self._expr(s.value, top=True)}" if s.value is not None else " = 0"
        return f"{'const ' if s.const else ''}{s.type.ctype_for(self.precision)} {self._declare(s.name)}{value}"

    def _loop(self, s: tree.While | tree.For) -> list[str]:
        """Return a loop, which is given up when somebody waits for it, unless it is sure to end soon."""
        if self.poll is None or ends_soon(s):
            return self._while(s, []) if isinstance(s, tree.While) else self._for(s, [])
        self._locals.append({})
        spent = self._declare("spent.")
        asking = [f"    if ({self.poll.format(spent)}) {{", "        break;", "    }"]
        lines = self._while(s, asking) if isinstance(s, tree.While) else self._for(s, asking)
        self._locals.pop()
        return ["{", f"    unsigned int {spent} = 0;", *(f"    {line}" for line in lines), "}"]

    def _while(self, s: tree.While, first: list[str]) -> list[str]:
        condition = f"while ({self._expr(s.condition, top=True)})"
        body = [*first, *self._block(s.body)[1:]]
        return ["do {", *body[:-1], f"}} {condition};"] if s.test_last else [f"{condition} {{", *body]

    def _for(self, s: tree.For, first: list[str]) -> list[str]:
        self._locals.append({})
        if len(s.start) == 1 and isinstance(s.start[0], tree.Evaluate):
            before, start = [], self._expr(s.start[0].value, top=True)
        else:
            before, start = [f"    {self._statement(d)[0]}" for d in s.start], ""
        condition = self._expr(s.condition, top=True) if s.condition is not None else ""
        step = self._expr(s.step, top=True) if s.step is not None else ""
        lines = [f"for ({start}; {condition}; {step}) {{", *first, *self._block(s.body)[1:]]
        self._locals.pop()
        return ["{", *before, *(f"    {line}" for line in lines), "}"] if before else lines

    def _switch(self, s: tree.Switch) -> list[str]:
        lines = [f"switch ({self._expr(s.value, top=True)}) {{"]
        for case in s.cases:
            label = "default" if case.label is None else f"case {self._label(case.label)}"
            lines += [f"{label}: {{", *self._block(case.body)[1:]]
        return [*lines, "}"]

    def _label(self, e: tree.Expr) -> str:
        """Return a case's number as one literal."""
        if isinstance(e, tree.Unary):
            assert isinstance(e.operand, tree.Literal)
            return literal(-int(e.operand.text, 0), e.type, self.precision)
        assert isinstance(e, tree.Literal)
        return e.text if e.type.kind == "bool" else literal(int(e.text, 0), e.type, self.precision)

    def _for_each_synapse(self, s: tree.ForEachSynapse) -> list[str]:
        domain = self.kernel.domain
        if isinstance(domain, Diagonals):
            return [f"for (unsigned int i = 0; i < {domain.pre}u; i++) {{", *self._block(s.body)[1:]]
        assert isinstance(domain, Rows)
        sparse = domain.sparse
        return [
            f"for (unsigned int n = 0; n < {sparse.row_length}[i]; n++) {{",
            f"    const size_t s = size_t(i) * {sparse.stride}u + n;",
            f"    const unsigned int j = {sparse.ind}[s];",
            "    (void)j;",
            *self._block(s.body)[1:],
        ]

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
        if isinstance(e, tree.Text):
            return e.quoted
        if isinstance(e, tree.Unary):
            operand = self._expr(e.operand)
            return f"{e.op}({operand})" if operand[0] in "+-" else f"{e.op}{operand}"
        if isinstance(e, tree.Binary):
            return f"{self._expr(e.left)} {e.op} {self._expr(e.right)}"
        if isinstance(e, tree.Ternary):
            return f"{self._expr(e.condition)} ? {self._expr(e.then)} : {self._expr(e.other)}"
        if isinstance(e, tree.Index):
            assert self._code is not None
            past = self._code.names.get(f"{e.array}[]")
            if past is not None:
                return f"{self._slot(past, '-', e.index)}j]"
            return f"{self._name(e.array)}[{self._expr(e.index, top=True)}]"
        if isinstance(e, tree.Cast):
            return f"({e.type.ctype_for(self.precision)})({self._expr(e.operand, top=True)})"
        if isinstance(e, tree.Assign):
            return self._assignment(e)
        if isinstance(e, tree.Step):
            name = self._print(e.target)
            if name in self._guards and e.type.kind == "int":
                stepped = f"{name} = {self._fit(f'{name} {e.op[0]} 1', e.type, e.type, self._guards[name])}"
                back = f"{e.type.ctype_for(self.precision)}({name} {'-' if e.op == '++' else '+'} 1)"
                return f"({stepped})" if e.prefix else f"({stepped}, {back})"
            if e.type.kind == "bool":  # C++ has no such steps for it
                return f"({name} {'= true' if e.op == '++' else '^= true'})"
            return f"{e.op}{name}" if e.prefix else f"{name}{e.op}"
        if isinstance(e, tree.Comma):
            return ", ".join(self._expr(part) for part in e.parts)
        return self._call(e)

    def _assignment(self, e: tree.Assign) -> str:
        name, value = self._print(e.target), self._expr(e.value, top=True)
        guard = self._guards.get(name)
        if guard is None:
            return f"{name} {e.op} {value}"
        if e.op != "=":
            value = f"{name} {e.op[:-1]} {self._expr(e.value)}"
        return f"{name} = {self._fit(value, e.value.type, e.type, guard)}"

    def _fit(self, value: str, given: ValueType, to: ValueType, guard: str) -> str:
        """Return a number converted to a variable's type, with a range check where it may overflow."""
        ctype = to.ctype_for(self.precision)
        if to.kind == "float" and (ctype, given.ctype_for(self.precision)) != ("float", "double"):
            return value
        return f'sim.fit<{ctype}>({value}, "{guard}")'

    def _number(self, e: tree.Literal) -> str:
        if e.type.kind == "float":
            return literal(float(e.text), e.type, self.precision)
        if e.type.name in ("int64_t", "uint64_t"):  # a literal with a suffix may be of another type as wide
            return f"({e.type.name}){literal(int(e.text, 0), e.type, self.precision)}"
        return e.text + ("u" if e.type.name == "unsigned int" else "")

    def _call(self, e: tree.Call) -> str:
        assert self._code is not None
        action = self._code.actions.get(e.function)
        if action is not None:
            return self._action(action, e.args)
        if e.function.startswith(CHECK):
            args = [self._expr(a, top=True) for a in e.args]
            return f"snn::checked_{e.function.removeprefix(CHECK)}({', '.join(['sim', *args])})"
        if e.function == "printf":
            return f"::printf({', '.join(self._expr(a, top=True) for a in e.args)})"
        if e.function == "assert":
            where = f'"{self._code.title}"'
            return f"sim.check({self._expr(e.args[0], top=True)}, snn::ASSERTION, {where})"
        if e.function.startswith("gennrand"):
            return self._random(e)
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
        return f"snn::{name}({', '.join(args)})"

    def _cast(self, e: tree.Expr, ctype: str) -> str:
        text = self._expr(e, top=True)
        return text if e.type.ctype_for(self.precision) == ctype else f"({ctype})({text})"

    def _random(self, e: tree.Call) -> str:
        if e.function == "gennrand":
            return "random.word()"
        args = ", ".join(f"(double)({self._expr(a, top=True)})" for a in e.args)
        if e.function == "gennrand_binomial":
            return f"random.binomial({args})"
        return f"random.{e.function.removeprefix('gennrand_')}<{self.precision}>({args})"

    # ---- actions ----

    def _action(self, action: Action, args: tuple[tree.Expr, ...]) -> str:
        first = self._expr(args[0], top=True) if args else ""
        if isinstance(action, Accumulate):
            if action.index is None:
                return f"{action.target} += {first}"
            index = f"{spell_index(self.kernel, action.index)}]"
            start = self._slot(action.target, "+", args[1]) if action.delayed else f"{action.target}["
            return self.add(action, start + index, first)
        if isinstance(action, Connect):
            at = self._kernel_index(action, args[1:])
            other = self._index(args[0])
            return f"connect(i, {other}, {at})" if action.end == "post" else f"connect({other}, (unsigned int)j, {at})"
        if isinstance(action, AddSynapse):
            values = [self._first_value(a, v) for a, v in zip(args[1:], action.values, strict=True)]
            return f"add_synapse({', '.join([self._index(args[0]), *values])})"
        if isinstance(action, RemoveSynapse):
            return "(remove_synapse(s), n--)"
        array = self.arrays[action.array]
        count = f"size_t({first})" if array.size is None else f"{array.total(1)}u"
        device = self.place(array.name)
        places = (device, array.name) if action.to_device else (array.name, device)
        return f"::memcpy({', '.join(places)}, {count} * sizeof(*{array.name}))"

    def _index(self, e: tree.Expr) -> str:
        """Return a number as the index of a neuron; what can be none is looked at before it is cut off."""
        cut = e.type.kind == "float" or e.type.name in ("int64_t", "uint64_t")
        return f"{'snn::as_index' if cut else '(unsigned int)'}({self._expr(e, top=True)})"

    def _first_value(self, e: tree.Expr, to: NewValue) -> str:
        """Return what a variable of a new synapse starts with."""
        vtype = self.arrays[to.array].type
        return self._fit(self._expr(e, top=True), e.type, vtype, to.guard)

    def _slot(self, array: str, sign: str, delay: tree.Expr) -> str:
        """Return the start of an element of a queue's slot some timesteps away."""
        a = self.arrays[array]
        steps = self._expr(delay, top=True)
        # GeNN's queue of input has no slot for the longest delay itself; a longer one wraps around as there.
        around = a.slots - 1 if sign == "+" and a.slots > 1 else a.slots
        within = f'sim.within({steps}, {a.slots}u, {around}u, "{self.kernel.title}")'
        if a.queue is None:
            return f"{ANY_SLOT}{array}[{within} * 0u + "
        slot = f"snn::{'later' if sign == '+' else 'earlier'}({NEWEST}{array}, {within}, {a.slots}u)"
        return f"{ANY_SLOT}{array}[size_t({slot}) * {a.size}u + "

    def _kernel_index(self, action: Connect, args: tuple[tree.Expr, ...]) -> str:
        if not action.kernel:
            return "0u"
        if len(args) != len(action.kernel):
            raise NetworkError(
                f"{self.kernel.title}: addSynapse gives {len(args)} kernel indices; the kernel has "
                f"{len(action.kernel)} dimensions"
            )
        text = "0u"
        for size, arg in zip(action.kernel, args, strict=True):
            text = f"({text} * {size}u + (unsigned int)({self._expr(arg, top=True)}))"
        return text


# Before the name of an array: the pointer to all its slots, and which of them is the newest.
ANY_SLOT, NEWEST = "any_slot_", "newest_"


def spell_index(kernel: Kernel, index: Index | None) -> str:
    """Return how the index of an element is spelt in a kernel."""
    if index == "kernel":
        sparse = getattr(kernel.domain, "sparse", None)
        assert sparse is not None
        assert sparse.kernel_ind is not None
        return f"{sparse.kernel_ind}[s]"
    assert index is not None
    return INDEX[index]
