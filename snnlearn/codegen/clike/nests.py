"""Printing loop nests for the C family; a language overrides what it spells in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from snnlearn.codegen.clike.code import CodePrinter
from snnlearn.codegen.clike.pieces import ARRAY, COMMENT, LOCAL, TEXT, Hole, Piece, literal, number
from snnlearn.codegen.lower import expressions as ex
from snnlearn.codegen.lower import nest

# The operators, from those that bind least; an operand of a weaker one needs parentheses.
_STRENGTH = {
    op: n for n, ops in enumerate(["&&", "& << >>", "== != < <= > >=", "+ -", "* / %"], 1) for op in ops.split()
}


class NestPrinter(CodePrinter):
    """Prints functions, statements and expressions of nests into ``out``.

    Attributes
    ----------
    simulation : str
        The type of a function's first parameter.
    memory_of : str
        The object that has the pointers to all arrays.
    copy, zero : str
        The functions that copy bytes, and set them to zero.
    """

    simulation: ClassVar[str]
    memory_of: ClassVar[str] = "sim"
    copy: ClassVar[str] = "std::memcpy"
    zero: ClassVar[str] = "std::memset"
    restrict: ClassVar[str] = "__restrict__ "
    states: ClassVar[dict[str, str]] = {}  # how states are spelt that are no members of the simulation
    hints: ClassVar[dict[str, str]] = {}  # what is before a loop

    _printers: ClassVar[dict[type, Callable[[Any, Any], None]]] = {}  # by the type of a node

    def __init_subclass__(cls) -> None:
        """Find what prints each type of node: ``_print_let`` prints a `Let`."""
        nodes = [x for module in (nest, ex) for x in vars(module).values() if isinstance(x, type)]
        methods = {node: getattr(cls, f"_print_{node.__name__.lower()}", None) for node in nodes}
        cls._printers = {node: method for node, method in methods.items() if method is not None}

    # ---- functions ----

    def function(self, f: nest.Function) -> list[Piece]:
        """Return a function's pieces; ``trees`` has the code of users in it."""
        self.out, self._indent, self._locals = [Hole(f"// {f.title}", COMMENT)] if f.title else [], "\n", [{}]
        self.trees = []
        out = self.out
        if f.widths:
            out.append("\ntemplate <" + ", ".join(f"unsigned int {name}" for name in f.widths) + ">")
        head = {None: "static void ", True: "static inline void ", False: "SNN_NO_INLINE static void "}[f.inline]
        simulation = self.simulation if not f.constant else f"const {self.simulation.removeprefix('const ')}"
        out += ["\n" + head, Hole(f.name, LOCAL), f"({simulation}"]
        self.commas(f.parameters, self._parameter, ", ")
        out.append(")\n")
        self.braces("", lambda: self.statements(f.body))
        return out

    def _parameter(self, p: nest.Parameter) -> None:
        restrict = self.restrict if p.restrict else ""
        if p.shape:
            self.out += [f"{'const ' if p.const else ''}{p.type} (*{restrict}", Hole(p.name, LOCAL), ")"]
            self.out.append("".join(f"[{n}]" for n in p.shape))
        else:
            self.out += [
                f"{'const ' if p.const else ''}{p.type}{'' if p.type[-1] == '*' else ' '}",
                Hole(p.name, LOCAL),
            ]

    # ---- statements ----

    def statements(self, body: Iterable[nest.Statement]) -> None:
        """Print statements, each on lines of its own."""
        for s in body:
            self._printers[type(s)](self, s)

    def _body(self, head: str, body: nest.Body, tail: str = "}") -> None:
        self.braces(head, lambda: self.statements(body), tail)

    def _print_let(self, s: nest.Let) -> None:
        self.line(f"{'constexpr ' if s.known else 'const ' if s.const else ''}{s.type} ")
        self.out.append(Hole(s.name, LOCAL))
        if s.known:
            assert isinstance(s.value, ex.Num)
            self.out.append(f" = {literal(s.value.value, s.type)};")
            return
        if s.value is not None:
            self.out.append(" = ")
            constant = s.name if s.const else ""
            if isinstance(s.value, ex.Num):
                self.out.append(number(s.value.value, s.value.type, constant))
            else:
                self.expression(s.value, top=True)
        self.out.append(";")

    def _print_view(self, s: nest.View) -> None:
        restrict = self.restrict if s.restrict else ""
        self.line(f"{'' if s.writes else 'const '}{s.type} *{restrict}const ")
        self.out += [Hole(s.name, LOCAL), " = "]
        self.expression(s.start, top=True)
        self.out.append(";")

    def _print_alias(self, s: nest.Alias) -> None:
        self.line(f"{s.type} &")
        self.out += [Hole(s.name, LOCAL), " = "]
        self.expression(s.target, top=True)
        self.out.append(";")

    def _print_room(self, s: nest.Room) -> None:
        self.line(f"{'alignas(64) ' if s.aligned else ''}{s.type} ")
        self.out += [Hole(s.name, LOCAL), "".join(f"[{n}]" for n in s.shape) + ";"]

    def _print_assign(self, s: nest.Assign) -> None:
        self.line()
        if s.atomic:
            assert s.op == "+="
            self._print_call(ex.Call("add", (s.target, s.value)))
        else:
            self.expression(s.target, top=True)
            self.out.append(f" {s.op} ")
            self.expression(s.value, top=True)
        self.out.append(";")

    def _print_do(self, s: nest.Do) -> None:
        self.line()
        self.expression(s.value, top=True)
        self.out.append(";")

    def _print_draws(self, s: nest.Draws) -> None:
        kind = "StepRandom" if s.each_step else "Random"
        self.line(f"snn::{kind} random(sim.seed")
        self.commas((ex.Num(s.stream, ex.UINT), s.index, *s.more), self._top_expression, ", ")
        self.out.append(");")

    def _print_for(self, s: nest.For) -> None:
        for hint in s.hints:
            text = self.hints.get(hint, "")
            if text:
                self.line(text)
        self.line("for (")
        variable = Hole(s.name, LOCAL)
        if s.begin is not None:
            self.out += [f"{s.type} ", variable, " = "]
            self.expression(s.begin, top=True)
        self.out.append("; ")
        if s.down:
            self.out += [variable, "-- > 0;"]
        else:
            self.expression(s.condition, top=True)
            self.out += ["; ", variable]
        if not s.down and s.step == _ONE:
            self.out.append("++")
        elif not s.down:
            self.out.append(" += ")
            self.expression(s.step, top=True)
        self._body(") ", s.body)

    def _print_if(self, s: nest.If) -> None:
        self.line("if (")
        self.expression(s.condition, top=True)
        self._body(") ", s.then)
        if s.other:
            self._body(" else ", s.other)

    def _print_block(self, s: nest.Block) -> None:
        self.line()
        self._body("", s.body)

    def _print_jump(self, s: nest.Jump) -> None:
        self.line(f"{s.word};")

    def _print_comment(self, s: nest.Comment) -> None:
        self.line()
        self.out.append(Hole(f"// {s.text}", COMMENT))

    def _print_unused(self, s: nest.Unused) -> None:
        for name in s.names:
            self.line("(void)")
            self.out += [Hole(name, LOCAL), ";"]

    def _print_closure(self, s: nest.Closure) -> None:
        self.line("const auto ")
        self.out += [Hole(s.name, LOCAL), " = [&]("]
        self.commas(s.parameters, self._parameter)
        self._body(") ", s.body, "};")

    def _print_copy(self, s: nest.Copy) -> None:
        self.line(f"{self.zero if s.source is None else self.copy}(")
        self.expression(s.target, top=True)
        self.out.append(", ")
        if s.source is None:
            self.out.append("0")
        else:
            self.expression(s.source, top=True)
        self.out.append(", ")
        self.expression(s.count)
        self.out.append(" * sizeof(")
        if isinstance(s.sized, str):
            self.out.append(s.sized)
        else:
            self.expression(s.sized)
        self.out.append("));")

    def _print_fence(self, s: nest.Fence) -> None:
        self.line('asm volatile("')
        if s.name is not None:
            self.out += ['" : : "r"(', Hole(s.name, LOCAL), "));"]
        else:
            self.out.append('");')

    def _print_barrier(self, s: nest.Barrier) -> None:
        self.line("__syncthreads();")

    def _print_run(self, s: nest.Run) -> None:
        self.run(s.code, s.scope)

    # ---- expressions ----

    def expression(self, e: ex.Expr, top: bool = False) -> None:
        """Print an expression; one of weak operators that is part of another (not ``top``) in parentheses."""
        kind = type(e)
        if kind is ex.Var:
            self.out.append(Hole(e.name, LOCAL))  # type: ignore[attr-defined]
        elif not top and kind in (ex.Binary, ex.Choose, ex.Value):
            self.out.append("(")
            self._printers[kind](self, e)
            self.out.append(")")
        else:
            self._printers[kind](self, e)

    def _top_expression(self, e: ex.Expr) -> None:
        self.expression(e, top=True)

    def _print_num(self, e: ex.Num) -> None:
        self.out.append(number(e.value, e.type))

    def _print_text(self, e: ex.Text) -> None:
        self.out.append(Hole(f'"{e.value}"', TEXT))

    def _print_memory(self, e: ex.Memory) -> None:
        self.memory(e.array, e.type, e.host)

    def memory(self, array: str, ctype: str, host: bool = False) -> None:
        """Print where an array of the plan begins."""
        owner = self.memory_of
        self.out.append(f"{owner}.host_{array}" if host else Hole(f"{owner}.{array}", ARRAY, f"{ctype} *", array))

    def _print_state(self, e: ex.State) -> None:
        self.out.append(self.states.get(e.name) or f"sim.{e.name}")

    def _print_slot(self, e: ex.Slot) -> None:
        self.memory(e.queue, e.type)
        self.out.append("[0]")

    def _print_element(self, e: ex.Element) -> None:
        self.expression(e.base)
        self.out.append("[")
        self.expression(e.index, top=True)
        self.out.append("]")

    def _print_unary(self, e: ex.Unary) -> None:
        self.out.append(e.op)
        self.expression(e.operand)

    def _print_step(self, e: ex.Step) -> None:
        self.out.append("--" if e.down else "")
        self.expression(e.target)
        self.out.append("" if e.down else "++")

    def _operand(self, e: ex.Expr, op: str, right: bool) -> None:
        """Print an operand of an operator: without parentheses only where everybody knows what binds more."""
        plain = isinstance(e, ex.Binary) and op not in ("<<", ">>", "&") and e.op not in ("<<", ">>", "&")
        strength = _STRENGTH[op]
        if plain and strength + right <= _STRENGTH[e.op]:  # type: ignore[attr-defined]
            self.expression(e, top=True)
        else:
            self.expression(e)

    def _print_binary(self, e: ex.Binary) -> None:
        self._operand(e.left, e.op, False)
        self.out.append(f" {e.op} ")
        self._operand(e.right, e.op, True)

    def _print_choose(self, e: ex.Choose) -> None:
        condition = e.condition
        self.expression(condition, top=isinstance(condition, ex.Binary) and condition.op != "&&")
        self.out.append(" ? ")
        self.expression(e.then, top=isinstance(e.then, ex.Binary))
        self.out.append(" : ")
        self.expression(e.other, top=isinstance(e.other, ex.Binary))

    def _print_cast(self, e: ex.Cast) -> None:
        if " " in e.type:
            self.out.append(f"({e.type})")
            self.expression(e.operand)
        else:
            self.out.append(f"{e.type}(")
            self.expression(e.operand, top=True)
            self.out.append(")")

    def _print_call(self, e: ex.Call) -> None:
        at = f"<{', '.join(map(str, e.at))}>" if e.at else ""
        if e.own:
            self.out += [Hole(e.function, LOCAL), f"{at}(sim"]
            self.commas(e.args, self._top_expression, ", ")
        else:
            plain = "." in e.function or e.function[:2] in ("::", "__")
            self.out.append(f"{'' if plain else 'snn::'}{e.function}{at}(")
            self.commas(e.args, self._top_expression)
        self.out.append(")")

    def _print_check(self, e: ex.Check) -> None:
        self.out.append("sim.check(")
        self.expression(e.condition, top=True)
        self.out.append(f", snn::{e.kind}")
        self.commas((e.where, *e.numbers), self._top_expression, ", ")
        self.out.append(")")

    def _print_value(self, e: ex.Value) -> None:
        self.value(e.code, e.scope)


_ONE = ex.Num(1, ex.UINT)
