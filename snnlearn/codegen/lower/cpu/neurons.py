"""Neurons on a CPU: strips, passes over them, and which rows of kept values their loops write."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from snnlearn.codegen.lower import history
from snnlearn.codegen.lower.cpu.kernel import CpuKernel
from snnlearn.codegen.lower.cpu.passes import Pass, passes_of
from snnlearn.codegen.lower.expressions import UINT, Expr, Var
from snnlearn.codegen.lower.kernel_names import IX
from snnlearn.codegen.lower.nest import Assign, Body, View
from snnlearn.codegen.plan import Load
from snnlearn.codegen.plan.parts import Array, Input
from snnlearn.declare import ValueType
from snnlearn.dialect.tree import calls_in

STRIP = 1024  # neurons whose marks of a spike are kept in the first cache
LISTED_AT_ONCE = 32  # marks that are looked at together; more take longer where few neurons spike
FIRST = Var("first", UINT)
IN_STRIP = IX - FIRST


class NeuronKernel(CpuKernel):
    """A kernel over neurons, in strips where they spike, draw random numbers, or play narrow rows."""

    @property
    def strip(self) -> int:
        """How many neurons are marked as spiking before they are listed."""
        return STRIP if self.any_size else min(STRIP, self.domain.size)

    @property
    def marks(self) -> int:
        """How many marks there is room for: a strip's, up to a whole number of those looked at together."""
        return -(-self.strip // LISTED_AT_ONCE) * LISTED_AT_ONCE

    @property
    def in_strips(self) -> bool:
        """Whether neurons are updated strip by strip, in passes."""
        return bool(self.kernel.spikes or self.wide_played) or self.foresees

    @cached_property
    def passes(self) -> list[Pass]:
        """The loops over a strip."""
        return passes_of(self.kernel)

    @property
    def hints(self) -> tuple[str, ...]:
        """That no two neurons touch the same element, where that is so."""
        kernel = self.kernel
        shared = any(load.store and load.index == "only" for load in kernel.loads)
        return () if shared or kernel.written_arrays or kernel.past else ("independent",)

    # ---- random numbers ----

    @property
    def foresees(self) -> bool:
        """Whether the first random numbers of many neurons are made at once."""
        return self.kernel.stream is not None and self.kernel.draws == "each timestep"

    @property
    def words_ahead(self) -> int:
        """How many random words of each neuron are made at once: what one number of a distribution takes."""
        calls = {name for code in self.kernel.codes for name in calls_in(code.tree) if name.startswith("gennrand")}
        single = self.plan.precision == "float" and calls <= {"gennrand", "gennrand_uniform"}
        return 1 if single else 2

    @property
    def random_stride(self) -> int:
        """How many neurons a strip has, rounded up to whole blocks of random numbers."""
        return -(-self.strip // 4) * 4

    # ---- rows of kept values ----

    @property
    def kept_recorder(self) -> int | None:
        """Which recorder's rows a loop over neurons writes: one of what is nowhere else, or the only one."""
        recorders = self.kernel.recorders
        only = [number for number, r in enumerate(recorders) if r.only]
        return only[0] if only else 0 if len(recorders) == 1 and self.in_strips else None

    @cached_property
    def kept_rows(self) -> dict[str, int]:
        """The recorded arrays whose rows a loop over neurons writes as it goes, by the number of the pass.

        Stores go on while numbers are computed; a copy at the end would have to wait for memory. With several recorders
        there would be a loop for each case, so they are those of one recorder.
        """
        if self.kept_recorder is None:
            return {}
        recorded = {array for array, _ in self.kernel.recorders[self.kept_recorder].copied}
        return {
            x.array: number
            for number, p in enumerate(self.passes)
            for x in p.loads
            if x.array in recorded and x.index == "neuron"
        }

    @cached_property
    def narrow_rows(self) -> list[str]:
        """Those of them whose elements are narrower than what loops over strips compute with."""
        own = {x.array for x in self.kernel.loads if x.how == "row"} if self.in_strips else ()
        return [name for name in self.kept_rows if name in own and self._is_narrow(name)]

    def _is_narrow(self, name: str) -> bool:
        dtype = np.dtype(self.arrays[name].type.dtype_for(self.plan.precision))
        return dtype.itemsize < np.dtype(np.int32).itemsize

    @cached_property
    def wide_played(self) -> dict[str, bool]:
        """The rows of narrow elements, or bits, that a strip widens before its loops, and whether they are of bits."""
        return {p.rows: p.bits for p in self.kernel.players if p.bits or self._is_narrow(p.rows)}

    def ctype(self, item: Load | Input | Array | ValueType) -> str:
        """Return the C type of an item; what is narrow in rows is what C's arithmetic makes of it."""
        if isinstance(item, Load):
            narrow = item.how == "row" and item.array in self.narrow_rows
            if narrow or item.played in self.wide_played:
                return "int"
        return super().ctype(item)

    def first_value(self, load: Load) -> Expr:
        """Return what a local copy begins with."""
        wide = load.played in self.wide_played
        return Var(f"wide_{load.played}", "int")[IN_STRIP] if wide else super().first_value(load)

    def row_assign(self, load: Load) -> Assign:
        """Return what stores an element of a row: narrow ones by way of an array, or vectors would have to widen."""
        copy = Var(load.name, self.ctype(load))
        if load.array in self.narrow_rows:
            return Assign(Var(f"wide_{load.array}", "int")[IN_STRIP], copy)
        return Assign(Var(f"kept_{load.array}", copy.type)[IX], copy)

    def kept_views(self) -> Body:
        """View these rows."""
        number = self.kept_recorder
        assert number is not None
        rows = dict(self.kernel.recorders[number].copied)
        views = (
            View(f"kept_{name}", self.ctype(self.arrays[name]), history.row_start(self, rows[name], number), True)
            for name in self.kept_rows
        )
        return (*history.number_lets(self, number), *views)
