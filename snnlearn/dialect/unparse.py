"""From trees back to code strings, which say the same to whoever reads them next: the checker, GeNN, a person.

What the checker makes of the text is the tree again, but for names that no code can have: of local variables that hide
something declared, and of pointers, which are distances from an array's start. They get names of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from snnlearn.dialect import tree

_COMMA, _ASSIGN, _TERNARY, _UNARY, _POSTFIX = 1, 2, 3, 14, 15
_LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"))
_BINARY = {op: level for level, ops in enumerate((*_LEVELS, ("*", "/", "%")), start=_TERNARY + 1) for op in ops}
_SUFFIX = {"float": "f", "double": "d"}
_INDENT = "    "


def unparse(
    node: tree.Block | tree.Expr | Sequence[tree.Statement], taken: Collection[str] = (), indent: str = ""
) -> str:
    """Return a tree as a code string.

    Parameters
    ----------
    node : Block, expression or sequence of statements
        What the code says; of a block, its statements.
    taken : collection of str
        What new names must differ from, beside the tree's own.
    indent : str
        What each line of statements begins with.

    Returns
    -------
    str
        An expression on one line; statements one a line, each line ended.
    """
    printer = _Unparser(spellable(tuple(node) if isinstance(node, Sequence) else node, taken))
    if isinstance(node, (Sequence, tree.Block)):
        statements = node.statements if isinstance(node, tree.Block) else node
        return "".join(f"{indent}{line}\n" for line in printer.statements(statements))
    return printer.expression(node)


def spellable(node: Any, taken: Collection[str] = ()) -> dict[str, str]:
    """Return what names with a point, which no code can have, are called in a code string."""
    names = tree.names_in(node)
    used, found = {*names, *taken}, {}
    for name in sorted(n for n in names if "." in n):
        spelt = plain = name.replace(".", "_")
        number = 1
        while spelt in used:
            number += 1
            spelt = f"{plain}_{number}"
        used.add(spelt)
        found[name] = spelt
    return found


class _Unparser:
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def name(self, name: str) -> str:
        return self.names.get(name, name)

    # ---- statements ----

    def statements(self, statements: Iterable[tree.Statement]) -> list[str]:
        return [line for s in statements for line in self.statement(s)]

    def block(self, head: str, block: tree.Block, tail: str = "") -> list[str]:
        body = [f"{_INDENT}{line}" for line in self.statements(block.statements)]
        return [f"{head} {{" if head else "{", *body, f"}} {tail}" if tail else "}"]

    def statement(self, s: tree.Statement) -> list[str]:
        lines: list[str] = getattr(self, f"_do_{type(s).__name__.lower()}")(s)
        return lines

    def _do_evaluate(self, s: tree.Evaluate) -> list[str]:
        return [f"{self.expression(s.value)};"]

    def _do_declare(self, s: tree.Declare) -> list[str]:
        return [f"{self.declared(s)} {self.declarator(s)};"]

    def declared(self, s: tree.Declare) -> str:
        return f"const {s.type.name}" if s.const else s.type.name

    def declarator(self, s: tree.Declare) -> str:
        name = self.name(s.name)
        return name if s.value is None else f"{name} = {self.expression(s.value, _ASSIGN)}"

    def _do_if(self, s: tree.If) -> list[str]:
        lines = self.block(f"if ({self.expression(s.condition)})", s.then)
        return lines if s.other is None else [*lines, *self.block("else", s.other)]

    def _do_for(self, s: tree.For) -> list[str]:
        before: list[str] = []
        start = ", ".join(
            self.declarator(x) if isinstance(x, tree.Declare) else self.expression(x.value) for x in s.start
        )
        kinds = list(dict.fromkeys(self.declared(x) for x in s.start if isinstance(x, tree.Declare)))
        if len(kinds) == 1:
            start = f"{kinds[0]} {start}"
        elif kinds:  # a pointer and what it points to: one is a whole number now
            before, start = self.statements(s.start), ""
        condition, step = ("" if e is None else f" {self.expression(e)}" for e in (s.condition, s.step))
        loop = self.block(f"for ({start};{condition};{step})", s.body)
        return loop if not before else ["{", *(f"{_INDENT}{line}" for line in [*before, *loop]), "}"]

    def _do_while(self, s: tree.While) -> list[str]:
        condition = f"while ({self.expression(s.condition)})"
        return self.block("do", s.body, f"{condition};") if s.test_last else self.block(condition, s.body)

    def _do_foreachsynapse(self, s: tree.ForEachSynapse) -> list[str]:
        return self.block("for_each_synapse", s.body)

    def _do_jump(self, s: tree.Jump) -> list[str]:
        return [f"{s.word};"]

    def _do_switch(self, s: tree.Switch) -> list[str]:
        lines = [f"switch ({self.expression(s.value)}) {{"]
        for case in s.cases:
            label = "default:" if case.label is None else f"case {self.expression(case.label)}:"
            lines += self.block(label, case.body)
        return [*lines, "}"]

    def _do_block(self, s: tree.Block) -> list[str]:
        return self.block("", s)

    # ---- expressions ----

    def expression(self, e: tree.Expr, least: int = _COMMA) -> str:
        """Return an expression, in brackets where it binds less than it must."""
        text, level = getattr(self, f"_on_{type(e).__name__.lower()}")(e)
        return f"({text})" if level < least else text

    def _on_literal(self, e: tree.Literal) -> tuple[str, int]:
        suffix = _SUFFIX.get(e.type.name, "") if e.type.kind == "float" else ""
        return f"{e.text}{'u' if e.type.name.startswith('u') else suffix}", _POSTFIX

    def _on_text(self, e: tree.Text) -> tuple[str, int]:
        # '?' is escaped for C's sake alone: the dialect has no trigraphs.
        return e.quoted.replace("\\?", "?"), _POSTFIX

    def _on_name(self, e: tree.Name) -> tuple[str, int]:
        return self.name(e.id), _POSTFIX

    def _on_unary(self, e: tree.Unary) -> tuple[str, int]:
        operand = self.expression(e.operand, _UNARY)
        return f"{e.op}({operand})" if operand[0] == e.op and e.op in "+-" else f"{e.op}{operand}", _UNARY

    def _on_binary(self, e: tree.Binary) -> tuple[str, int]:
        level = _BINARY[e.op]
        return f"{self.expression(e.left, level)} {e.op} {self.expression(e.right, level + 1)}", level

    def _on_ternary(self, e: tree.Ternary) -> tuple[str, int]:
        condition = self.expression(e.condition, _TERNARY + 1)
        return f"{condition} ? {self.expression(e.then, _TERNARY)} : {self.expression(e.other, _TERNARY)}", _TERNARY

    def _on_call(self, e: tree.Call) -> tuple[str, int]:
        return f"{e.function}({', '.join(self.expression(a, _ASSIGN) for a in e.args)})", _POSTFIX

    def _on_index(self, e: tree.Index) -> tuple[str, int]:
        return f"{self.name(e.array)}[{self.expression(e.index)}]", _POSTFIX

    def _on_cast(self, e: tree.Cast) -> tuple[str, int]:
        return f"({e.type.name}){self.expression(e.operand, _UNARY)}", _UNARY

    def _on_assign(self, e: tree.Assign) -> tuple[str, int]:
        return f"{self.expression(e.target, _UNARY)} {e.op} {self.expression(e.value, _ASSIGN)}", _ASSIGN

    def _on_step(self, e: tree.Step) -> tuple[str, int]:
        target = self.expression(e.target, _POSTFIX)
        return (f"{e.op}{target}", _UNARY) if e.prefix else (f"{target}{e.op}", _POSTFIX)

    def _on_comma(self, e: tree.Comma) -> tuple[str, int]:
        return ", ".join(self.expression(part, _ASSIGN) for part in e.parts), _COMMA
