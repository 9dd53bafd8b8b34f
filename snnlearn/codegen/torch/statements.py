"""Statements of code strings as Python over tensors: both branches of an ``if``, loops unrolled or under a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from snnlearn.codegen.plan import Code
from snnlearn.codegen.torch.expressions import Expressions
from snnlearn.codegen.torch.lines import INDENT, Line, indented
from snnlearn.codegen.torch.values import (
    ALL,
    BOOL,
    FALSE,
    INT,
    TRUE,
    Number,
    Tensor,
    Value,
    convert,
    convert_number,
    text,
    uses,
)
from snnlearn.dialect import tree

MOST_UNROLLED = 100  # passes of a loop that are written one after the other


class Statements(Expressions):
    """Emits the code of one kernel."""

    _loops: tuple[tuple[str, str], ...] = ()  # entries of `values`: where the loops at hand were left, and a pass ended

    def run(self, code: Code) -> None:
        """Emit a piece of code."""
        assert isinstance(code.tree, tree.Block)
        self.code = code
        if code.scoped:
            self._block(code.tree)
        else:
            self._statements(code.tree.statements)

    def evaluate(self, code: Code) -> Value:
        """Return the value of a piece of code that is an expression."""
        assert not isinstance(code.tree, tree.Block)
        self.code = code
        return self.get(code.tree)

    # ---- blocks ----

    def _block(self, block: tree.Block) -> None:
        self.scopes.append({})
        self._statements(block.statements)
        self.scopes.pop()

    def _statements(self, statements: Sequence[tree.Statement]) -> None:
        for number, statement in enumerate(statements):
            self._statement(statement)
            ended = self._ended()
            if isinstance(ended, Tensor):
                rest = statements[number + 1 :]
                if rest:
                    self.branch(self._named(self.negated(ended)), partial(self._statements, rest), None)
                return
            if ended.value:
                return

    def _named(self, condition: Tensor) -> Tensor:
        found = self.let("is", condition)
        assert isinstance(found, Tensor)
        return found

    def _ended(self) -> Value:
        """Return where the innermost pass of a loop has been ended, by ``break`` or ``continue``."""
        if not self._loops:
            return FALSE
        left, passed = (self.values[key] for key in self._loops[-1])
        return self._either(left, passed)

    def _either(self, a: Value, b: Value) -> Value:
        for one, other in ((a, b), (b, a)):
            if isinstance(one, Number):
                return TRUE if one.value else other
        return self._named(Tensor(f"({text(a)} | {text(b)})", BOOL, uses(a, b)))

    def _statement(self, s: tree.Statement) -> None:
        if isinstance(s, tree.Evaluate):
            self.get(s.value)
        elif isinstance(s, tree.Declare):
            self._declare(s)
        elif isinstance(s, tree.If):
            other = None if s.other is None else partial(self._block, s.other)
            self._if(self.condition(s.condition), partial(self._block, s.then), other)
        elif isinstance(s, tree.For):
            self._for(s)
        elif isinstance(s, tree.While):
            self._loop(lambda: self.condition(s.condition), s.body, lambda: None, test_last=s.test_last)
        elif isinstance(s, tree.Switch):
            self._switch(s)
        elif isinstance(s, tree.Jump):
            self.values[self._loops[-1][0 if s.word == "break" else 1]] = TRUE
        elif isinstance(s, tree.ForEachSynapse):
            self.for_each_synapse(s)
        else:
            self._block(s)

    def for_each_synapse(self, s: tree.ForEachSynapse) -> None:
        """Emit a loop over the synapses of a row."""
        raise self.refuse("for_each_synapse has no place among tensors")

    def _declare(self, s: tree.Declare) -> None:
        # The value comes first: it may still mean an outer variable of the same name.
        value = self.get(s.value) if s.value is not None else convert_number(0, s.type, self.precision)
        found = self.let(s.name.replace(".", "_"), convert(value, s.type, self.precision))
        key = self.fresh(f"{s.name}_local")
        self.scopes[-1][s.name] = key
        self.values[key] = found

    # ---- branches ----

    def _if(self, condition: Value, then: Callable[[], object], other: Callable[[], object] | None) -> None:
        if isinstance(condition, Tensor):
            self.branch(condition, then, other)
        elif condition.value:
            then()
        elif other is not None:
            other()

    def branch(
        self,
        condition: Tensor,
        then: Callable[[], object],
        other: Callable[[], object] | None,
        soft: Callable[[str], bool] = lambda key: True,
    ) -> None:
        """Emit both branches, then choose between what they leave; ``soft`` says where spikes' derivatives count."""
        before = dict(self.values)
        with self.where(condition):
            then()
        first, self.values = self.values, dict(before)
        if other is not None:
            with self.where(self._named(self.negated(condition))):
                other()
        second = self.values
        for key in before:
            a, b = first[key], second[key]
            if a is not b:
                second[key] = self.let(key, self.select(condition, a, b, soft=soft(key)))

    def _switch(self, s: tree.Switch) -> None:
        """Emit a ``switch`` whose cases each end with ``break``, as one ``if`` behind the other."""
        value = self.let("value", self.get(s.value))
        left = self.fresh("left_switch")
        self.values[left] = FALSE
        outer = self._loops
        cases = [(self._matches(value, labels), None in labels, body) for labels, body in self._cases(s)]
        matched: Value = FALSE
        for found, _, _ in cases:
            matched = self._either(matched, found)
        self._loops = (*outer, (left, outer[-1][1] if outer else left))
        for found, default, body in cases:
            condition = self._either(found, self._not(matched)) if default else found
            self._if(condition, partial(self._block, body), None)
            self.values[left] = FALSE
        self._loops = outer

    def _cases(self, s: tree.Switch) -> Iterator[tuple[list[tree.Expr | None], tree.Block]]:
        """Yield the bodies of cases, each with all of its labels; None is the default's."""
        labels: list[tree.Expr | None] = []
        for number, case in enumerate(s.cases):
            labels.append(case.label)
            last = number == len(s.cases) - 1
            if case.body.statements or last:
                if not last and not isinstance(case.body.statements[-1], tree.Jump):
                    raise self.refuse("a case of a switch runs on into the next one; end it with 'break'")
                yield labels, case.body
                labels = []

    def _matches(self, value: Value, labels: Iterable[tree.Expr | None]) -> Value:
        found: Value = FALSE
        for label in labels:
            if label is not None:
                common = max(value.type, label.type, INT, key=lambda t: t.rank)
                a, b = (convert(x, common, self.precision) for x in (value, self.get(label)))
                found = self._either(found, self.let("is", self.operation("==", a, b, common)))
        return found

    def _not(self, condition: Value) -> Value:
        if isinstance(condition, Number):
            return Number(not condition.value, BOOL)
        return self._named(self.negated(condition))

    # ---- loops ----

    def _for(self, s: tree.For) -> None:
        self.scopes.append({})
        for statement in s.start:
            self._statement(statement)
        step = s.step
        self._loop(
            lambda: TRUE if s.condition is None else self.condition(s.condition),
            s.body,
            lambda: None if step is None else self.get(step),
            test_last=False,
        )
        self.scopes.pop()

    def _loop(
        self, test: Callable[[], Value], body: tree.Block, step: Callable[[], object], *, test_last: bool
    ) -> None:
        """Emit a loop: pass by pass as long as its condition is a number, under a mask from then on."""
        left, passed = self.fresh("left"), self.fresh("passed")
        self.values |= {left: FALSE, passed: FALSE}
        outer, self._loops = self._loops, (*self._loops, (left, passed))
        for number in range(MOST_UNROLLED):
            if number or not test_last:
                before = dict(self.values), len(self.lines), dict(self.known)
                condition = test()
                if isinstance(condition, Tensor):
                    self.values, self.known = before[0], before[2]  # it is emitted once more, under the mask
                    del self.lines[before[1] :]
                    break
                if not condition.value:
                    self._loops = outer
                    return
            self._pass(body, step, left, passed)
            gone = self.values[left]
            if isinstance(gone, Tensor):
                break
            if gone.value:
                self._loops = outer
                return
        self._masked(test, body, step, (left, passed))
        self._loops = outer

    def _pass(self, body: tree.Block, step: Callable[[], object], left: str, passed: str) -> None:
        """Emit one pass, with the step behind it where the loop was not left."""
        self._block(body)
        self.values[passed] = FALSE
        gone = self.values[left]
        if isinstance(gone, Tensor):
            self.branch(self._named(self.negated(gone)), step, None)
        elif not gone.value:
            step()

    def _masked(
        self, test: Callable[[], Value], body: tree.Block, step: Callable[[], object], marks: tuple[str, str]
    ) -> None:
        """Emit a loop that goes on as long as its condition holds anywhere."""
        changed = {marks[0]}
        while True:  # until no more variables are found to change in a pass
            outside, taken, known = dict(self.values), dict(self._taken), dict(self.known)
            outer_lines, self.lines = self.lines, []
            head = self._enter(changed)
            inside = dict(self.values)
            self._masked_pass(test, body, step, marks)
            new = {key for key in outside if self.values[key] is not inside[key]}
            self.known = known
            if new <= changed:
                break
            changed |= new
            self.values, self.lines, self._taken = outside, outer_lines, taken
        self._close(outer_lines, head, {key: inside[key] for key in sorted(changed)})
        self.values = outside | {key: inside[key] for key in changed}
        self.values |= dict.fromkeys(marks, FALSE)

    def _close(self, outer: list[Line], head: list[Line], variables: dict[str, Value]) -> None:
        """Make one line of a loop's lines, behind those before it."""
        lines, names = self.lines, [text(value) for value in variables.values()]
        back = [(name, self.values[key]) for name, key in zip(names, variables, strict=True)]
        inner = [line.text for line in lines]
        inner += [f"{name} = {text(value)}" for name, value in back if text(value) != name]
        used = frozenset().union(*(line.uses for line in lines), *(uses(value) for _, value in back))
        defined = {name for line in lines for name in line.defines}
        loop = Line(
            "\n".join(["while True:", *indented(inner)]),
            tuple(names),
            used.difference(defined).union(names),
            frozenset().union(*(line.reads for line in lines)),
            frozenset().union(*(line.writes for line in lines)),
            any(line.kept for line in lines),
        )
        self.lines = [*outer, *head, loop]

    def _enter(self, changed: Iterable[str]) -> list[Line]:
        """Give what a loop changes names that it may assign to; return the lines that do so."""
        head = []
        for key in sorted(changed):
            value = self.tensor(self.values[key])
            name = self.fresh(key)
            head.append(Line(f"{name} = {value.text}", (name,), value.uses))
            self.values[key] = Tensor(name, value.type, frozenset([name]), ALL)
        return head

    def _masked_pass(
        self, test: Callable[[], Value], body: tree.Block, step: Callable[[], object], marks: tuple[str, str]
    ) -> None:
        """Emit a pass for those elements that are in the loop, and the end of the loop where there are none."""
        left, passed = marks
        outer, guard = self.mask, self.guard
        self.mask = self.guard = None
        going = self._named(self.negated(self.tensor(self.values[left])))
        if outer is not None:
            going = self.both(going, outer)
        with self.where(going):
            condition = test()
        going = self.both(going, self.tensor(condition))
        self.lines.append(Line(f"if not {going.text}.any():\n{INDENT}break", (), going.uses))
        self.branch(going, lambda: self._pass(body, step, left, passed), None)
        self.values[left] = self._either(self._named(self.negated(going)), self.values[left])
        self.mask, self.guard = outer, guard
