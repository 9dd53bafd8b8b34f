"""What kernels add up: inputs of neurons as they stand, sums over synapses as products with matrices."""

from __future__ import annotations

import math

from snnlearn.codegen.plan import Accumulate
from snnlearn.codegen.plan.parts import Index
from snnlearn.codegen.torch.elements import Layout
from snnlearn.codegen.torch.lines import Line
from snnlearn.codegen.torch.statements import Statements
from snnlearn.codegen.torch.values import (
    FALSE,
    POST,
    PRE,
    Number,
    Tensor,
    Value,
    convert,
    convert_number,
    spell,
    text,
    uses,
)
from snnlearn.dialect import tree


class Sums(Statements):
    """Emits the additions of a kernel.

    A sum over synapses is an entry of `values` while code runs, so that it is what it is in each branch. What a code
    string adds is added up along rows or columns once, at the end.
    """

    layout: Layout
    arriving: str | None = None  # the spikes that set off the code of synapses

    def begin_sums(self) -> None:
        """Begin with nothing added."""
        self._sums: dict[str, tuple[Accumulate, int]] = {}
        for action in sorted(self.kernel.accumulations, key=lambda a: (a.target, str(a.index))):
            array = self.plan.array(action.target)
            for steps in range(array.slots if action.delayed else 1):
                key = self._sum(action, steps)
                self._sums[key] = action, steps
                self.values[key] = convert_number(0, array.type, self.precision)

    @staticmethod
    def _sum(action: Accumulate, steps: int) -> str:
        return f"sum_{action.target}_{action.index}_{steps}"

    def accumulate(self, action: Accumulate, args: tuple[tree.Expr, ...]) -> Value:
        """Add a value to an input, or to an array's elements."""
        value = self.get(args[0])
        if action.index is None:
            vtype = self.values[action.target].type
            self._add(action.target, convert(value, vtype, self.precision))
            return FALSE
        array = self.plan.array(action.target)
        value = convert(value, array.type, self.precision)
        number = 0
        if action.delayed and array.slots > 1:
            steps = self.get(args[1])
            if isinstance(steps, Tensor):
                self._add_delayed(action, self.tensor(value), steps)
                return FALSE
            # GeNN's queue of input has no slot for the longest delay itself; a longer one wraps around as there.
            number = int(steps.value)
            number = number if 0 <= number < array.slots else number % (array.slots - 1)
        self._add(self._sum(action, number), value)
        return FALSE

    def _add(self, key: str, value: Value) -> None:
        old = self.values[key]
        self.values[key] = self.let(key, self.operation("+", old, value, old.type))

    def end_sums(self) -> None:
        """Store what was added."""
        for key, (action, steps) in self._sums.items():
            value = self.values.get(key)
            if value is None or (isinstance(value, Number) and value.value == 0):
                continue
            array = self.plan.array(action.target)
            slot = self.layout.slot(array, str(-steps) if steps and array.queue else "0")
            added, used, reads = self._total(value, action.index, slot)
            if self.layout.copies and not array.batched:
                added = f"{added}.sum(0)"
            code = f"{slot} = {slot} + {added}"
            reads |= self.layout.reads(array)
            self.lines.append(Line(code, (), used, reads, frozenset([array.name])))

    def _total(self, value: Value, index: Index | None, slot: str) -> tuple[str, frozenset[str], frozenset[str]]:
        """Return a sum over synapses, for each neuron at an index; with the names and arrays that it takes."""
        layout = self.layout
        assert index is not None
        if not layout.dense:
            where = layout.index_of(index)
            size = f"{slot}.shape[-1]"
            code = f"support.scatter({text(self.tensor(value))}, {where}, {size})"
            return code, uses(value), layout.index_arrays(index)
        factors = (value.factors if isinstance(value, Tensor) else ()) or (value,)
        tensors = [f for f in factors if isinstance(f, Tensor)] or [self.tensor(value)]
        before = [f.text for f in tensors if f.axes == PRE]
        behind = [f.text for f in tensors if f.axes == POST]
        rest = [f.text for f in tensors if f.axes not in (PRE, POST)]
        vectors = [" * ".join(texts) if texts else "None" for texts in (before, rest, behind)]
        domain = layout.domain
        code = f"support.to_{index}({', '.join(vectors)}, {domain.pre}, {domain.post})"  # type: ignore[union-attr]
        scale = math.prod(f.value for f in factors if isinstance(f, Number)) if isinstance(value, Tensor) else 1.0
        return code if scale == 1.0 else f"{spell(scale)} * {code}", uses(*tensors), frozenset()

    def _add_delayed(self, action: Accumulate, value: Tensor, steps: Tensor) -> None:
        """Add what arrives after delays that differ between synapses."""
        where = self.guard
        if where is not None:
            value = Tensor(f"support.only({value.text}, {where.text})", value.type, value.uses | where.uses)
        if self.arriving is not None:
            value = Tensor(f"({value.text} * {self.arriving})", value.type, value.uses | {self.arriving})
        array = self.plan.array(action.target)
        assert action.index is not None
        if self.layout.dense:
            domain = self.layout.domain
            to = f"-2, ({domain.pre}, {domain.post})"  # type: ignore[union-attr]
        else:
            to = f"{self.layout.index_of(action.index)}, None"
        slots = f'a["{array.name}"]'
        newest = f'a["{array.queue}"]'
        code = f"support.add_delayed({slots}, {newest}, {value.text}, {steps.text}, {to})"
        reads = self.layout.reads(array) | self.layout.index_arrays(action.index)
        used = value.uses | steps.uses
        self.lines.append(Line(f"{slots} = {code}", (), used, reads, frozenset([array.name])))
