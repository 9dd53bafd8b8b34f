"""Printing the code of users for the C family; what C++ and CUDA share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from snnlearn.codegen.clike.code_expressions import ExpressionPrinter
from snnlearn.codegen.clike.pieces import LOCAL, NUMBER, Hole, Piece, literal, number
from snnlearn.codegen.lower.expressions import Scope
from snnlearn.codegen.plan import Code
from snnlearn.codegen.plan.domains import Diagonals, Rows
from snnlearn.dialect import tree
from snnlearn.dialect.loops import ends_soon

_TAB = "    "


class CodePrinter(ExpressionPrinter):
    """Prints statements and expressions of users into ``out``.

    Local variables are called as in the code, unless the kernel has that name already; see `Names`.

    Attributes
    ----------
    poll : str or None
        What loops without a bound ask in each pass, around the name of what counts them: whether to give up.
    """

    poll: ClassVar[tuple[str, str] | None] = None

    # ---- code ----

    def run(self, code: Code, scope: Scope) -> None:
        """Print a piece of code as statements."""
        assert isinstance(code.tree, tree.Block)
        outer = self._enter(code, scope)
        if code.scoped:
            self.line()
            self._block(code.tree)
        else:
            self._statements(code.tree)
        self._code, self._scope, self._base = outer

    def value(self, code: Code, scope: Scope, top: bool = False) -> None:
        """Print a piece of code that is an expression."""
        assert not isinstance(code.tree, tree.Block)
        outer = self._enter(code, scope)
        self._expr(code.tree, top)
        self._code, self._scope, self._base = outer

    def _enter(self, code: Code, scope: Scope) -> tuple[Any, Any, int]:
        outer = self._code, self._scope, self._base
        self.trees.append(code.tree)
        self._code, self._scope, self._base = code, scope, len(self._locals) if code.scoped else 0
        return outer

    # ---- statements ----

    def _block(self, block: tree.Block, tail: str = "}") -> None:
        self.braces("", lambda: self._statements(block), tail)

    def _statements(self, block: tree.Block) -> None:
        for s in block.statements:
            self.line()
            self._statement(s)

    def _statement(self, s: tree.Statement) -> None:
        if isinstance(s, tree.Evaluate):
            # The value of the expression is unused: prefix and postfix forms are equal.
            value = replace(s.value, prefix=True) if isinstance(s.value, tree.Step) and self._scope.guards else s.value
            self._expr(value, top=True)
            self.out.append(";")
        elif isinstance(s, tree.Declare):
            self._declaration(s)
            self.out.append(";")
        elif isinstance(s, tree.If):
            self._around("if (", s.condition, ") ")
            self._block(s.then)
            if s.other is not None:
                self.line("else ")
                self._block(s.other)
        elif isinstance(s, (tree.While, tree.For)):
            self._loop(s)
        elif isinstance(s, tree.Switch):
            self._around("switch (", s.value, ") ")
            self.braces("", lambda: self._cases(s))
        elif isinstance(s, tree.Jump):
            self.out.append(f"{s.word};")
        elif isinstance(s, tree.ForEachSynapse):
            self._for_each_synapse(s)
        else:
            self._block(s)

    def _declaration(self, s: tree.Declare) -> None:
        self.out.append(f"{'const ' if s.const else ''}{self._ctype(s.type)} ")
        # The value comes first: it may still mean an outer variable of the same name.
        place = len(self.out)
        if s.value is not None:
            self._expr(s.value, top=True, constant=s.const)
        else:  # from zero: code is not to see what was in memory before
            self.out.append("0")
        name = self._declare(s.name)
        value = self.out[place]
        if s.const and len(self.out) == place + 1 and isinstance(value, Hole) and value.kind == NUMBER:
            self.out[place] = value._replace(constant=name)
        self.out[place:place] = [Hole(name, LOCAL), " = "]

    def _loop(self, s: tree.While | tree.For) -> None:
        """Print a loop, which is given up when somebody waits for it, unless it is sure to end soon."""
        if self.poll is None or ends_soon(s):
            self._while(s) if isinstance(s, tree.While) else self._for(s)
            return
        before, after = self.poll

        def body() -> None:
            spent = self._declare("spent.")
            self.line("unsigned int ")
            self.out += [Hole(spent, LOCAL), " = 0;"]
            asking: list[Piece] = [f"if ({before}", Hole(spent, LOCAL), f"{after}) {{ break; }}"]
            self.line()
            self._while(s, asking) if isinstance(s, tree.While) else self._for(s, asking)

        self.braces("", body)

    def _asking(self, asking: Sequence[Piece], block: tree.Block) -> Callable[[], None]:
        """Return what prints a loop's body, at its head whether to give up."""

        def body() -> None:
            if asking:
                self.line()
                self.out += asking
            self._statements(block)

        return body

    def _while(self, s: tree.While, asking: Sequence[Piece] = ()) -> None:
        if s.test_last:
            self.braces("do ", self._asking(asking, s.body))
            self._around(" while (", s.condition, ");")
        else:
            self._around("while (", s.condition, ") ")
            self.braces("", self._asking(asking, s.body))

    def _for(self, s: tree.For, asking: Sequence[Piece] = ()) -> None:
        if (len(s.start) == 1 and isinstance(s.start[0], tree.Evaluate)) or not s.start:
            self._locals.append({})
            self._plain_for(s, s.start, asking)
            self._locals.pop()
            return

        def body() -> None:
            for d in s.start:
                self.line()
                self._statement(d)
            self.line()
            self._plain_for(s, (), asking)

        self.braces("", body)

    def _plain_for(self, s: tree.For, start: tuple[Any, ...], asking: Sequence[Piece]) -> None:
        self.out.append("for (")
        for part, after in ((start[0].value if start else None, "; "), (s.condition, "; "), (s.step, ") ")):
            if part is not None:
                self._expr(part, top=True)
            self.out.append(after)
        self.braces("", self._asking(asking, s.body))

    def _cases(self, s: tree.Switch) -> None:
        for case in s.cases:
            self.line("default: " if case.label is None else f"case {self._label(case.label)}: ")
            self._block(case.body)

    def _label(self, e: tree.Expr) -> str:
        """Return a case's number as one literal."""
        if isinstance(e, tree.Unary):
            assert isinstance(e.operand, tree.Literal)
            return literal(-int(e.operand.text, 0), self._ctype(e.type))
        assert isinstance(e, tree.Literal)
        return e.text if e.type.kind == "bool" else literal(int(e.text, 0), self._ctype(e.type))

    def _for_each_synapse(self, s: tree.ForEachSynapse) -> None:
        domain = self._scope.domain
        if isinstance(domain, Diagonals):
            self.out += ["for (unsigned int i = 0; i < ", number(domain.pre, "unsigned int"), "; i++) "]
            self._block(s.body)
            return
        assert isinstance(domain, Rows)
        row_length, ind = Hole(domain.sparse.row_length, LOCAL), Hole(domain.sparse.ind, LOCAL)
        self.out += ["for (unsigned int n = 0; n < ", row_length, "[i]; n++) "]

        def body() -> None:
            self.line("const size_t s = size_t(i) * ")
            self.out += [number(domain.sparse.stride, "unsigned int"), " + n;"]
            self.line("const unsigned int j = ")
            self.out += [ind, "[s];"]
            self.line("(void)j;")
            self._statements(s.body)

        self.braces("", body)
