"""Expressions of code strings as Python over tensors: numbers are computed now, the rest is spelt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from snnlearn.codegen.plan import Code, Kernel, Plan
from snnlearn.codegen.torch import functions
from snnlearn.codegen.torch.lines import Line
from snnlearn.codegen.torch.values import (
    BOOL,
    COMPARISONS,
    FALSE,
    INT,
    Number,
    Tensor,
    Value,
    axes,
    calculate,
    convert,
    convert_number,
    spell,
    text,
    torch_type,
    uses,
    wrap,
)
from snnlearn.declare import ValueType
from snnlearn.dialect import tree
from snnlearn.errors import TorchError


@dataclass(frozen=True)
class Options:
    """How a plan is emitted.

    Attributes
    ----------
    smooth : bool
        Whether a spike is the surrogate's integral rather than a step.
    detach_reset : bool or frozenset of str
        Whether derivatives by way of what a spike resets are cut; or of which variables.
    surrogate : bool
        Whether spikes have derivatives.
    given : frozenset of str
        The arrays of spikes that are given from outside.
    """

    smooth: bool = False
    detach_reset: bool | frozenset[str] = False
    surrogate: bool = True
    given: frozenset[str] = frozenset()


class Expressions:
    """Emits the expressions of one kernel.

    Every value is written once: a local name of the emitted function never changes. What a code string assigns to is
    an entry of `values`, which then stands for the new value.

    Attributes
    ----------
    lines : list of Line
        What has been emitted so far.
    values : dict of str to Value
        By the kernel's names, and by names made for local variables.
    mask : Tensor or None
        Where the code at hand is run; None is everywhere.
    guard : Tensor or None
        Where its values count: spikes, which have a derivative where there is none too, leave nothing out.
    """

    def __init__(self, plan: Plan, kernel: Kernel, options: Options) -> None:
        self.plan, self.kernel, self.options = plan, kernel, options
        self.precision = plan.precision
        self.lines: list[Line] = []
        self.values: dict[str, Value] = {}
        self.mask: Tensor | None = None
        self.guard: Tensor | None = None
        self.code: Code | None = None
        self.scopes: list[dict[str, str]] = [{}]
        self.known: dict[str, str] = {}  # what has a name already: the same expression is computed once
        self._taken: dict[str, int] = {}

    def refuse(self, why: str) -> TorchError:
        """Return the error for what cannot be emitted."""
        return TorchError(f"{self.kernel.title}: {why}")

    # ---- lines ----

    def fresh(self, wanted: str) -> str:
        """Return an unused local name that says what it is for."""
        stem = re.sub(r"\W", "_", wanted.removeprefix("v_"))
        stem = stem if stem.isidentifier() else f"x{stem}"
        number = self._taken[stem] = self._taken.get(stem, 0) + 1
        return f"{stem}_{number}"

    def let(self, wanted: str, value: Value, **line: Any) -> Value:
        """Give a tensor a name; numbers need none."""
        if isinstance(value, Number) or (value.text.isidentifier() and not line):
            return value
        name = self.known.get(value.text)
        if name is None:
            name = self.known[value.text] = self.fresh(wanted)
            self.lines.append(Line(f"{name} = {value.text}", (name,), value.uses, **line))
        return replace(value, text=name, uses=frozenset([name]))

    def tensors(self, vtype: ValueType) -> str:
        """Return the name of the type of tensors that hold values of a type."""
        return torch_type(vtype, self.precision)

    def tensor(self, value: Value) -> Tensor:
        """Return a value as a tensor."""
        if isinstance(value, Tensor):
            return value
        code = f"support.constant({spell(value.value)}, {self.tensors(value.type)})"
        return Tensor(code, value.type, axes=frozenset())

    # ---- masks ----

    @contextmanager
    def where(self, condition: Tensor) -> Iterator[None]:
        """Emit code that is run where a condition holds, and not elsewhere."""
        mask, guard = self.mask, self.guard
        self.mask = condition if mask is None else self.both(mask, condition)
        if not (condition.soft and self.options.surrogate):
            self.guard = condition if guard is None else self.both(guard, condition)
        try:
            yield
        finally:
            self.mask, self.guard = mask, guard

    def both(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the conjunction of two conditions, under a name."""
        found = self.let("where", Tensor(f"({a.text} & {b.text})", BOOL, uses(a, b), axes(a, b)))
        assert isinstance(found, Tensor)
        return found

    def safe(self, value: Value, instead: float) -> Value:
        """Return an operand that is replaced where the code at hand is not run."""
        if self.guard is None or isinstance(value, Number) or value.type.kind != "float":
            return value
        code = f"torch.where({self.guard.text}, {value.text}, {spell(instead)})"
        return Tensor(code, value.type, uses(value, self.guard), axes(value, self.guard))

    def select(self, condition: Tensor, a: Value, b: Value, *, soft: bool = True) -> Value:
        """Return ``condition ? a : b`` of values of one type; with the derivative of spikes where they decide."""
        if a is b or (isinstance(a, Number) and isinstance(b, Number) and a.value == b.value):
            return a
        if a.type.kind == "bool" and isinstance(a, Number) and isinstance(b, Number):
            return condition if a.value else self.negated(condition)
        along = axes(condition, a, b)
        if soft and self.options.surrogate and condition.spike is not None and a.type.kind == "float":
            found = convert(condition, a.type, self.precision)
            assert isinstance(found, Tensor)
            spike = found
            if isinstance(b, Number) and b.value == 0.0:
                return self.product(a, spike)
            code = f"torch.lerp({self.tensor(b).text}, {self.tensor(a).text}, {spike.text})"
            return Tensor(code, a.type, uses(spike, a, b), along)
        if isinstance(a, Number) and isinstance(b, Number) and a.value == 1 and b.value == 0:
            return convert(condition, a.type, self.precision)
        first = text(a) if isinstance(b, Tensor) else self.tensor(a).text
        return Tensor(f"torch.where({condition.text}, {first}, {text(b)})", a.type, uses(condition, a, b), along)

    def product(self, a: Value, b: Value) -> Value:
        """Return the product of two floating-point values of one type."""
        for one, other in ((a, b), (b, a)):
            if isinstance(one, Number) and one.value == 1.0:
                return other
        if isinstance(a, Number) and isinstance(b, Number):
            return calculate("*", a, b, a.type, self.precision)
        factors = (*self._factors(a), *self._factors(b))
        return Tensor(f"({text(a)} * {text(b)})", a.type, uses(a, b), axes(a, b), factors=factors)

    def _factors(self, value: Value) -> tuple[Value, ...]:
        return value.factors or (value,) if isinstance(value, Tensor) else (value,)

    def negated(self, condition: Tensor) -> Tensor:
        """Return where a condition does not hold."""
        return Tensor(f"(~{condition.text})", BOOL, condition.uses, condition.axes, soft=condition.soft)

    # ---- names ----

    def key(self, name: str) -> str:
        """Return the entry of `values` that a name of the code at hand stands for."""
        assert self.code is not None
        outermost, *inner = self.scopes
        for block in reversed(inner if self.code.scoped else self.scopes):
            if name in block:
                return block[name]
        # The outermost block may hold other code's local of that name: what is declared comes first.
        target = self.code.names.get(name)
        return outermost[name] if target is None else target

    def assign(self, name: str, value: Value, vtype: ValueType) -> Value:
        """Let a name stand for another value from here on."""
        found = self.let(name, convert(value, vtype, self.precision))
        self.values[self.key(name)] = found
        return found

    # ---- expressions ----

    def get(self, e: tree.Expr) -> Value:
        """Return an expression's value, of its type."""
        if e.type.kind == "bool":
            own = self.own_threshold(e)
            if own is not None:
                return own
        method = getattr(self, f"_get_{type(e).__name__.lower()}", None)
        if method is None:
            raise self.refuse(f"{type(e).__name__} has no counterpart in PyTorch")
        found: Value = method(e)
        return found

    def condition(self, e: tree.Expr) -> Value:
        """Return an expression as a condition; a tensor has a name."""
        return self.let("is", convert(self.get(e), BOOL, self.precision))

    def _get_literal(self, e: tree.Literal) -> Value:
        if e.type.kind == "bool":
            return Number(e.text == "true", BOOL)
        value = float(e.text) if e.type.kind == "float" else int(e.text, 0)
        return convert_number(value, e.type, self.precision)

    def _get_name(self, e: tree.Name) -> Value:
        return self.values[self.key(e.id)]

    def _get_cast(self, e: tree.Cast) -> Value:
        return convert(self.get(e.operand), e.type, self.precision)

    def _get_comma(self, e: tree.Comma) -> Value:
        return [self.get(part) for part in e.parts][-1]

    def _get_unary(self, e: tree.Unary) -> Value:
        if e.op == "!":
            condition = convert(self.get(e.operand), BOOL, self.precision)
            return Number(not condition.value, BOOL) if isinstance(condition, Number) else self.negated(condition)
        value = convert(self.get(e.operand), e.type, self.precision)
        if e.op == "+":
            return value
        if isinstance(value, Number):
            return convert_number(-value.value if e.op == "-" else ~value.value, e.type, self.precision)
        code = f"({e.op}{value.text})"
        if e.type.kind == "int":
            code = wrap(code, e.type) if e.op == "-" or e.type.dtype.startswith("u") else code
        return Tensor(code, e.type, value.uses, value.axes, factors=self._negative(value) if e.op == "-" else ())

    def _negative(self, value: Tensor) -> tuple[Value, ...]:
        return (*value.factors, Number(-1.0, value.type)) if value.factors else ()

    def _get_binary(self, e: tree.Binary) -> Value:
        if e.op in ("&&", "||"):
            return self._logical(e)
        if e.op in ("<<", ">>"):
            common = e.type
            left, right = convert(self.get(e.left), common, self.precision), self.get(e.right)
        else:
            common = max(e.left.type, e.right.type, INT, key=lambda t: t.rank)
            left, right = (convert(self.get(x), common, self.precision) for x in (e.left, e.right))
        return self.operation(e.op, left, right, common)

    def _logical(self, e: tree.Binary) -> Value:
        left = self.condition(e.left)
        decided = e.op == "||"
        if isinstance(left, Number):
            return Number(decided, BOOL) if left.value == decided else convert(self.get(e.right), BOOL, self.precision)
        with self.where(left if e.op == "&&" else self.negated(left)):
            right = convert(self.get(e.right), BOOL, self.precision)
        if isinstance(right, Number):
            return Number(decided, BOOL) if right.value == decided else left
        sign = "&" if e.op == "&&" else "|"
        return Tensor(f"({left.text} {sign} {right.text})", BOOL, uses(left, right), axes(left, right))

    def operation(self, op: str, left: Value, right: Value, common: ValueType) -> Value:
        """Return ``left op right`` of values of a common type."""
        if isinstance(left, Number) and isinstance(right, Number):
            return calculate(op, left, right, common, self.precision)
        floating = common.kind == "float"
        if floating and op == "*":
            return self.product(left, right)
        if (same := self._neutral(op, left, right)) is not None:
            return same
        vtype = BOOL if op in COMPARISONS else common
        if op in ("/", "%") and not floating:
            code = f"support.{'quotient' if op == '/' else 'modulo'}({self.tensor(left).text}, {text(right)})"
        elif op == "/":
            right = self.safe(right, 1.0)
            code = f"({text(left)} / {text(right)})"
        else:
            # A number on the left of a shift would be one of Python.
            first = self.tensor(left).text if op in ("<<", ">>") else text(left)
            code = f"({first} {op} {text(right)})"
        if vtype.kind == "int" and op in ("+", "-", "*", "<<"):
            code = wrap(code, vtype)
        return Tensor(code, vtype, uses(left, right), axes(left, right))

    def _neutral(self, op: str, left: Value, right: Value) -> Value | None:
        """Return the other operand of a sum with zero, or of a quotient by one."""
        if isinstance(right, Number) and ((op in "+-" and right.value == 0.0) or (op == "/" and right.value == 1.0)):
            return left
        return right if isinstance(left, Number) and op == "+" and left.value == 0.0 else None

    def _get_ternary(self, e: tree.Ternary) -> Value:
        condition = self.condition(e.condition)
        if isinstance(condition, Number):
            return convert(self.get(e.then if condition.value else e.other), e.type, self.precision)
        with self.where(condition):
            a = convert(self.get(e.then), e.type, self.precision)
        with self.where(self.negated(condition)):
            b = convert(self.get(e.other), e.type, self.precision)
        return self.select(condition, a, b)

    # ---- assignments ----

    def _get_assign(self, e: tree.Assign) -> Value:
        value = self.get(e.value)
        if e.op != "=":
            op = e.op[:-1]
            old = self.get(e.target)
            common = max(e.target.type, e.value.type, INT, key=lambda t: t.rank)
            if op in ("<<", ">>"):
                common = max(e.target.type, INT, key=lambda t: t.rank)
                value = self.operation(op, convert(old, common, self.precision), value, common)
            else:
                a, b = (convert(x, common, self.precision) for x in (old, value))
                value = self.operation(op, a, b, common)
        return self._put(e.target, value)

    def _get_step(self, e: tree.Step) -> Value:
        old = self.get(e.target)
        common = max(e.type, INT, key=lambda t: t.rank)
        one = convert_number(1, common, self.precision)
        new = self.operation(e.op[0], convert(old, common, self.precision), one, common)
        changed = self._put(e.target, new)
        return changed if e.prefix else old

    def _put(self, target: tree.Name | tree.Index, value: Value) -> Value:
        if isinstance(target, tree.Name):
            return self.assign(target.id, value, target.type)
        found = self.let("element", convert(value, target.type, self.precision))
        self.write_element(target, found)
        return found

    # ---- what kernels know ----

    def own_threshold(self, e: tree.Expr) -> Tensor | None:
        """Return the spikes that an expression tests for, where it is the neuron's own threshold condition."""
        return None

    def write_element(self, target: tree.Index, value: Value) -> None:
        """Assign to an element of an array."""
        raise NotImplementedError

    def _get_index(self, e: tree.Index) -> Value:
        raise NotImplementedError

    def action(self, name: str, args: tuple[tree.Expr, ...]) -> Value:
        """Do what a call such as ``addToPost`` means."""
        raise NotImplementedError

    def random(self, e: tree.Call) -> Value:
        """Draw random numbers."""
        raise NotImplementedError

    # ---- calls ----

    def _get_call(self, e: tree.Call) -> Value:
        assert self.code is not None
        if e.function in self.code.actions:
            return self.action(e.function, e.args)
        if e.function == "printf":
            raise self.refuse("printf has no place among tensors; take it out, or print from Python")
        if e.function == "assert":
            return self._assert(e.args[0])
        if e.function.startswith("gennrand"):
            return self.random(e)
        args = [self.get(a) for a in e.args]
        if e.function not in ("scalbn", "ldexp", "ilogb"):
            args = [convert(a, e.type, self.precision) for a in args]
        elif e.function != "ilogb":
            args = [convert(args[0], e.type, self.precision), convert(args[1], INT, self.precision)]
        numbers = [a.value for a in args if isinstance(a, Number)]
        if len(numbers) == len(args):
            return convert_number(functions.evaluate(e.function, *numbers), e.type, self.precision)
        instead = functions.SAFE_OPERAND.get(e.function)
        if instead is not None:
            args = [self.safe(a, instead) for a in args]
        code = f"{functions.SPELLING[e.function]}({', '.join(self.tensor(a).text for a in args)})"
        return Tensor(code, e.type, uses(*args), axes(*args))

    def _assert(self, e: tree.Expr) -> Value:
        assert self.code is not None
        fine = self.condition(e)
        if isinstance(fine, Number) and fine.value:
            return FALSE
        where = self.tensor(fine)
        if self.mask is not None:
            where = Tensor(f"({where.text} | ~{self.mask.text})", BOOL, uses(where, self.mask))
        self.lines.append(Line(f"support.check({where.text}, {self.code.title!r})", (), where.uses, kept=True))
        return FALSE
