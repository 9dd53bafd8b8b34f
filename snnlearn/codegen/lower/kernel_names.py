"""What the arrays and indices of a kernel are called in its loop nest."""

from __future__ import annotations

from typing import Any, cast

from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Cast,
    Expr,
    Memory,
    Num,
    Slot,
    State,
    Var,
    size,
)  # fmt: skip
from snnlearn.codegen.plan import Array, Kernel, Load, Plan
from snnlearn.codegen.plan.parts import Index, Input
from snnlearn.declare import ValueType

# Before the name of an array: the view of all its slots, and which of them is the newest.
ANY_SLOT, NEWEST = "any_slot_", "newest_"
IX, JX, SX, BATCH, ZERO = Var("i", UINT), Var("j", UINT), Var("s", SIZE), Var("batch", UINT), Num(0, "int")
INDICES: dict[Index, Expr] = {"neuron": IX, "pre": IX, "post": JX, "synapse": SX, "only": ZERO}
BUILT_IN: dict[str, Expr] = {
    "id": IX,
    "id_pre": IX,
    "id_post": Cast(UINT, JX),
    "id_syn": Cast(UINT, SX),
    "id_diag": Var("d", UINT),
}
TIMESTEP = State("timestep")


class KernelNames:
    """A kernel of a plan, with expressions for its arrays and indices.

    Parameters
    ----------
    kernel : Kernel
    plan : Plan
    """

    restricts = True  # whether a view is the only way to its memory

    def __init__(self, kernel: Kernel, plan: Plan) -> None:
        self.kernel, self.plan = kernel, plan
        self.name, self.domain = kernel.name, cast(Any, kernel.domain)
        self.arrays = plan.arrays_by_name
        self.copies = kernel.batched and plan.batch_size > 1  # whether it is called for each copy of a batch
        self.dt = Num(plan.dt, "double")
        self.time_type = plan.timepoint.ctype_for(plan.precision)

    def ctype(self, item: Load | Input | Array | ValueType) -> str:
        """Return the C type of a load, input, array or type."""
        vtype = item if isinstance(item, ValueType) else item.type
        return vtype.ctype_for(self.plan.precision)

    def memory(self, name: str, host: bool = False) -> Memory:
        """Return the memory of an array."""
        return Memory(name, self.ctype(self.arrays[name]), host)

    def view(self, name: str, delay: int | None = 0) -> Var:
        """Return the view of an array, as it was some timesteps ago, or of all its slots (None)."""
        return Var(view_name(name, delay), self.ctype(self.arrays[name]))

    def past(self, name: str, delay: int) -> Var:
        """Return the view of an array some timesteps ago, which mean nothing where only the last is kept."""
        return self.view(name, delay if self.arrays[name].slots > 1 else 0)

    def size_of(self, name: str) -> int:
        """Return the size of an array."""
        found = self.arrays[name].size
        assert found is not None
        return found

    def index(self, index: Index) -> Expr:
        """Return the index of an element."""
        if index == "kernel":
            return Var(self.domain.sparse.kernel_ind, UINT)[SX]
        return INDICES[index]

    def start_of(self, array: Array, delay: int | None, host: bool = False) -> Expr:
        """Return where in memory a slot of an array begins, or all of them, for the copy of a batch at hand."""
        start: Expr = self.memory(array.name, host)
        if array.size is None:
            return start
        if self.copies and array.batched:
            start = start + size(BATCH) * (array.size * array.slots)
        if array.queue is not None and delay is not None:
            slot: Expr = Slot(array.queue)
            start = start + size((slot + (array.slots - delay) if delay else slot) % array.slots) * array.size
        return start


def view_name(array: str, delay: int | None) -> str:
    """Return what the view of an array is called, of one of its slots, or of all."""
    if delay is None:
        return f"{ANY_SLOT}{array}"
    return array if delay == 0 else f"slot_{delay}_{array}"
