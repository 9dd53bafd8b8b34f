"""Printing expressions of users for the C family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from snnlearn.codegen.clike.pieces import LOCAL, TEXT, Hole, Piece, number
from snnlearn.codegen.lower.expressions import Expr
from snnlearn.codegen.lower.kernel_names import ANY_SLOT, NEWEST
from snnlearn.codegen.lower.reports import needs_fit
from snnlearn.codegen.plan import Accumulate
from snnlearn.codegen.plan.checks import CHECK
from snnlearn.codegen.plan.names import Names, label
from snnlearn.codegen.plan.parts import Action, AddSynapse, Connect, NewValue, RemoveSynapse
from snnlearn.declare import ValueType
from snnlearn.dialect import tree
from snnlearn.errors import NetworkError

_TAB = "    "


class ExpressionPrinter(ABC):
    """Prints expressions of users into ``out``."""

    def __init__(self) -> None:
        self.out: list[Piece] = []
        self._indent = "\n"
        self._locals: list[dict[str, str]] = [{}]
        self._base = 0  # which of these blocks is the first of the code at hand, where its variables are its own
        self._code: Any = None
        self._scope: Any = None
        self.trees: list[Any] = []

    # ---- what the printer of nests does ----

    @abstractmethod
    def expression(self, e: Expr, top: bool = False) -> None:
        """Print an expression of a nest."""

    @abstractmethod
    def memory(self, array: str, ctype: str, host: bool = False) -> None:
        """Print where an array of the plan begins."""

    # ---- pieces ----

    def line(self, text: str = "") -> None:
        """Begin a line."""
        self.out.append(self._indent + text)

    def local(self, name: str) -> None:
        """Print a local name."""
        self.out.append(Hole(name, LOCAL))

    def braces(self, head: str, inside: Callable[[], None], tail: str = "}") -> None:
        """Print what is in braces, indented, with names of its own."""
        self.out.append(head + "{")
        outer, self._indent = self._indent, self._indent + _TAB
        self._locals.append({})
        inside()
        self._locals.pop()
        self._indent = outer
        self.line(tail)

    def commas(self, items: Iterable[Any], print_one: Callable[[Any], None], before: str = "") -> None:
        """Print items with commas in between."""
        out = self.out
        for item in items:
            out.append(before)
            print_one(item)
            before = ", "

    # ---- names ----

    def _meaning(self, name: str) -> tuple[str, Expr | None]:
        """Return the name of a local variable; or also what in the nest a declared name stands for."""
        for block in self._locals[: self._base - 1 if self._base else None : -1]:
            if name in block:
                return block[name], None
        # Blocks around it may hold other code's local of that name: what is declared comes first.
        target = self._code.names.get(name)
        if target is not None:
            return target, self._scope.names.get(target)
        return next(block[name] for block in reversed(self._locals) if name in block), None

    def _name(self, name: str) -> None:
        text, stands_for = self._meaning(name)
        if stands_for is None:
            self.out.append(Hole(text, LOCAL))
        else:
            self.expression(stands_for)

    def _declare(self, name: str) -> str:
        visible = {new for block in self._locals for new in block.values()}
        # A local that hides something declared, or stands for a pointer, has a point in its name.
        scope = self._scope
        self._locals[-1][name] = Names(scope.arrays, scope.taken, visible).unique(label(name).replace(".", "_"))
        return self._locals[-1][name]

    def _guard(self, target: tree.Expr) -> str | None:
        """Return the text of the range check that assignments to a variable need, if they do."""
        guards = self._scope.guards
        if not guards or not isinstance(target, tree.Name):
            return None
        text, stands_for = self._meaning(target.id)
        found: str | None = guards.get(text) if stands_for is None else None
        return found

    # ---- expressions ----

    def _ctype(self, vtype: ValueType) -> str:
        scalar: str = self._scope.scalar
        return scalar if vtype.name == "scalar" else vtype.name

    def _around(self, before: str, e: tree.Expr, after: str) -> None:
        self.out.append(before)
        self._expr(e, top=True)
        self.out.append(after)

    def _expr(self, e: tree.Expr, top: bool = False, constant: bool = False) -> None:
        kind = type(e)
        # A comma would otherwise part arguments and declarations.
        if kind is tree.Comma or (not top and kind in _COMPOUND):
            self.out.append("(")
            _PRINT[kind](self, e)
            self.out.append(")")
        else:
            _PRINT[kind](self, e)

    def _literal(self, e: tree.Literal) -> None:
        if e.type.kind == "float":
            self.out.append(number(float(e.text), self._ctype(e.type)))
        elif e.type.name in ("int64_t", "uint64_t"):  # a literal with a suffix may be of another type as wide
            self.out += [f"({e.type.name})", number(int(e.text, 0), e.type.name)]
        elif e.text.isdigit() and e.type.name in ("int", "unsigned int"):
            found = number(int(e.text), e.type.name)
            text = e.text + ("u" if e.type.name == "unsigned int" else "")
            self.out.append(found._replace(text=text) if isinstance(found, Hole) else text)
        else:
            self.out.append(e.text + ("u" if e.type.name == "unsigned int" else ""))

    def _text(self, e: tree.Text) -> None:
        self.out.append(Hole(e.quoted, TEXT))

    def _unary(self, e: tree.Unary) -> None:
        self.out.append(e.op)
        if (isinstance(e.operand, tree.Unary) and e.operand.op in "+-") or self._is_plain_prefix(e.operand):
            self._around("(", e.operand, ")")
        else:
            self._expr(e.operand)

    def _is_plain_prefix(self, e: tree.Expr) -> bool:
        if not isinstance(e, tree.Step) or not e.prefix or e.type.kind == "bool":
            return False
        return e.type.kind != "int" or self._guard(e.target) is None

    def _binary(self, e: tree.Binary) -> None:
        self._expr(e.left)
        self.out.append(f" {e.op} ")
        self._expr(e.right)

    def _ternary(self, e: tree.Ternary) -> None:
        self._expr(e.condition)
        self.out.append(" ? ")
        self._expr(e.then)
        self.out.append(" : ")
        self._expr(e.other)

    def _index(self, e: tree.Index) -> None:
        past = self._code.names.get(f"{e.array}[]")
        if past is not None:
            self._slot(past, "-", e.index)
            self.out.append("j]")
        else:
            self._name(e.array)
            self._around("[", e.index, "]")

    def _converted(self, e: tree.Cast) -> None:
        self._around(f"({self._ctype(e.type)})(", e.operand, ")")

    def _step(self, e: tree.Step) -> None:
        guard, bare = self._guard(e.target), e.target
        if guard is not None and e.type.kind == "int":
            self.out.append("(")
            self._assign_fit(bare, lambda: self._plus(bare, e.op[0]), e.type, e.type, guard)
            if not e.prefix:
                self.out.append(f", {self._ctype(e.type)}(")
                self._plus(bare, "-" if e.op == "++" else "+")
                self.out.append(")")
            self.out.append(")")
        elif e.type.kind == "bool":  # C++ has no such steps for it
            self.out.append("(")
            self._expr(bare)
            self.out.append(" = true)" if e.op == "++" else " ^= true)")
        else:
            self.out.append(e.op if e.prefix else "")
            self._expr(bare)
            self.out.append("" if e.prefix else e.op)

    def _plus(self, e: tree.Expr, op: str) -> None:
        self._expr(e)
        self.out.append(f" {op} 1")

    def _comma(self, e: tree.Comma) -> None:
        self.commas(e.parts, self._expr)

    def _assignment(self, e: tree.Assign) -> None:
        guard = self._guard(e.target)
        if guard is None:
            self._expr(e.target)
            self.out.append(f" {e.op} ")
            self._expr(e.value, top=True)
            return

        def value() -> None:
            if e.op == "=":
                self._expr(e.value, top=True)
            else:
                self._expr(e.target)
                self.out.append(f" {e.op[:-1]} ")
                self._expr(e.value)

        self._assign_fit(e.target, value, e.value.type, e.type, guard)

    def _assign_fit(
        self, target: tree.Expr, value: Callable[[], None], given: ValueType, to: ValueType, guard: str
    ) -> None:
        self._expr(target)
        self.out.append(" = ")
        self._fit(value, given, to, guard)

    def _fit(self, value: Callable[[], None], given: ValueType, to: ValueType, guard: str) -> None:
        """Print a number converted to a variable's type, with a range check where it may overflow."""
        if not needs_fit(given, to, self._scope.scalar):
            value()
            return
        self.out.append(f"sim.fit<{self._ctype(to)}>(")
        value()
        self.out += [", ", Hole(f'"{guard}"', TEXT), ")"]

    def _call(self, e: tree.Call) -> None:
        action = self._code.actions.get(e.function)
        top = self._top
        if action is not None:
            self._action(action, e)
        elif e.function.startswith(CHECK):
            self.out.append(f"snn::checked_{e.function.removeprefix(CHECK)}(sim")
            self.commas(e.args, top, ", ")
            self.out.append(")")
        elif e.function == "printf":
            self.out.append("::printf(")
            self.commas(e.args, top)
            self.out.append(")")
        elif e.function == "assert":
            self._around("sim.check(", e.args[0], ", snn::ASSERTION, ")
            self.out += [Hole(f'"{self._code.title}"', TEXT), ")"]
        elif e.function.startswith("gennrand"):
            self._random(e)
        else:
            self._library(e)

    def _top(self, e: tree.Expr) -> None:
        self._expr(e, top=True)

    def _library(self, e: tree.Call) -> None:
        ctype = self._ctype(e.type)
        types = [ctype] * len(e.args)
        if e.function == "ilogb":
            types = [self._scope.scalar]
        elif e.function in ("scalbn", "ldexp"):
            types = [ctype, "int"]
        self.out.append(f"snn::{e.function}(")
        self.commas(zip(e.args, types, strict=True), lambda pair: self._cast(*pair))
        self.out.append(")")

    def _cast(self, e: tree.Expr, ctype: str) -> None:
        if self._ctype(e.type) == ctype:
            self._expr(e, top=True)
        else:
            self._around(f"({ctype})(", e, ")")

    def _random(self, e: tree.Call) -> None:
        if e.function == "gennrand":
            self.out.append("random.word()")
            return
        name = e.function.removeprefix("gennrand_")
        self.out.append(f"random.{name}(" if name == "binomial" else f"random.{name}<{self._scope.scalar}>(")
        self.commas(e.args, lambda a: self._around("(double)(", a, ")"))
        self.out.append(")")

    # ---- actions ----

    def _action(self, action: Action, e: tree.Call) -> None:
        args, out = e.args, self.out
        if isinstance(action, Accumulate):
            self._accumulate(action, args)
        elif isinstance(action, Connect):
            out.append("connect(i, " if action.end == "post" else "connect(")
            self._neuron(args[0])
            out.append(", " if action.end == "post" else ", (unsigned int)j, ")
            self._kernel_index(action, e)
            out.append(")")
        elif isinstance(action, AddSynapse):
            out.append("add_synapse(")
            self._neuron(args[0])
            self.commas(zip(args[1:], action.values, strict=True), lambda pair: self._first_value(*pair), ", ")
            out.append(")")
        elif isinstance(action, RemoveSynapse):
            out.append("(remove_synapse(s), n--)")
        else:
            array = self._scope.arrays[action.array]
            here, there = lambda: self.memory(array.name, self._ctype(array.type)), lambda: self.local(array.name)
            out.append("::memcpy(")
            self.commas((here, there) if action.to_device else (there, here), lambda place: place())
            if array.size is None:
                self._around(", size_t(", args[0], ")")
            else:
                out += [", ", number(array.total(1) or 0, "unsigned int")]
            out += [" * sizeof(*", Hole(array.name, LOCAL), "))"]

    def _accumulate(self, action: Accumulate, args: tuple[tree.Expr, ...]) -> None:
        found = self._scope.sums.get((action.target, action.index))
        self.out.append("snn::add(" if found is not None and found.atomic else "")
        if found is None:
            self.local(action.target)
        elif action.delayed:
            self._slot(action.target, "+", args[1])
            self.expression(found.target, top=True)
            self.out.append("]")
        else:
            self.expression(found.target)
        after = (", ", ")") if found is not None and found.atomic else (" += ", "")
        self._around(after[0], args[0], after[1])

    def _neuron(self, e: tree.Expr) -> None:
        """Print a number as the index of a neuron; what can be none is looked at before it is cut off."""
        cut = e.type.kind == "float" or e.type.name in ("int64_t", "uint64_t")
        self._around(f"{'snn::as_index' if cut else '(unsigned int)'}(", e, ")")

    def _first_value(self, e: tree.Expr, to: NewValue) -> None:
        """Print what a variable of a new synapse starts with."""
        self._fit(lambda: self._expr(e, top=True), e.type, self._scope.arrays[to.array].type, to.guard)

    def _slot(self, array: str, sign: str, delay: tree.Expr) -> None:
        """Print the start of an element of a queue's slot some timesteps away."""
        a, out = self._scope.arrays[array], self.out
        # GeNN's queue of input has no slot for the longest delay itself; a longer one wraps around as there.
        around = a.slots - 1 if sign == "+" and a.slots > 1 else a.slots
        out += [Hole(ANY_SLOT + array, LOCAL), "["]
        if a.queue is not None:
            out += [f"size_t(snn::{'later' if sign == '+' else 'earlier'}(", Hole(NEWEST + array, LOCAL), ", "]
        self._around("sim.within(", delay, ", ")
        self.commas((a.slots, around), lambda n: out.append(number(n, "unsigned int")))
        out += [", ", Hole(f'"{self._scope.title}"', TEXT), ")"]
        if a.queue is None:
            out += [" * ", number(0, "unsigned int"), " + "]
        else:
            out += [", ", number(a.slots, "unsigned int"), ")) * ", number(a.size or 0, "unsigned int"), " + "]

    def _kernel_index(self, action: Connect, e: tree.Call) -> None:
        if not action.kernel:
            self.out.append(number(0, "unsigned int"))
            return
        args = e.args[1:]
        if len(args) != len(action.kernel):
            message = f"addSynapse gives {len(args)} kernel indices; the kernel has {len(action.kernel)} dimensions"
            raise NetworkError(f"{self._scope.title}: {message}" if e.at is None else str(e.at.error(message)))
        self.out += ["(" * len(args), number(0, "unsigned int")]
        for extent, arg in zip(action.kernel, args, strict=True):
            self.out += [" * ", number(extent, "unsigned int"), " + (unsigned int)("]
            self._expr(arg, top=True)
            self.out.append("))")


_COMPOUND = frozenset([tree.Binary, tree.Ternary, tree.Assign])
_PRINT: dict[Any, Callable[[Any, Any], None]] = {
    tree.Literal: ExpressionPrinter._literal,
    tree.Name: lambda printer, e: printer._name(e.id),
    tree.Text: ExpressionPrinter._text,
    tree.Unary: ExpressionPrinter._unary,
    tree.Binary: ExpressionPrinter._binary,
    tree.Ternary: ExpressionPrinter._ternary,
    tree.Index: ExpressionPrinter._index,
    tree.Cast: ExpressionPrinter._converted,
    tree.Assign: ExpressionPrinter._assignment,
    tree.Step: ExpressionPrinter._step,
    tree.Comma: ExpressionPrinter._comma,
    tree.Call: ExpressionPrinter._call,
}
