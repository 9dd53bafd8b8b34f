"""Kernels as C++ has them: vectors of neurons, tiles of synapses, shares for threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from snnlearn.codegen.clike import KernelView, Printer, history, literal
from snnlearn.codegen.cpp.passes import Pass, passes_of
from snnlearn.codegen.plan import Neurons, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.domains import Columns, Diagonals, Once, Rows
from snnlearn.codegen.plan.parts import Array, Input, Load
from snnlearn.dialect.tree import calls_in

# Below, waking a thread costs more than its share of the work; in every timestep anew, or now and then.
MIN_SHARED_EACH_STEP = 1 << 18
MIN_SHARED = 1 << 13
PART = 32  # rows of a deferred kernel that a thread takes at a time; fewer would fetch the kept past more often
STRIP = 1024  # neurons whose marks of a spike are kept in the first cache
ROWS_AT_ONCE = 8  # whose sums go on side by side; measured: of 4, 8 and 16 the fastest
LONG = 1 << 22  # neurons or synapses from which on a kernel's loop asks whether to give up
LISTED_AT_ONCE = 32  # marks that are looked at together; more take longer where few neurons spike
LINEAR_PART = 256  # the same of one in matrix form: each part finds the responses of its columns anew
# Vectors of sums that a kernel in matrix form keeps in registers: more than half, the rest for what is added.
MAX_SUMS = 18
TILE = 64  # columns of a deferred tile: four vectors of 512 bits, few enough to stay in registers

_SHAPES = {
    Neurons: "neurons",
    Synapses: "synapses",
    SpikingRows: "rows",
    SpikingColumns: "columns",
    Rows: "edit",
    Columns: "edit",
    Diagonals: "edit",
    Once: "once",
}


class CppPrinter(Printer):
    """Prints code as C++."""

    poll = "sim.poll.due({}, 64u)"


@dataclass(frozen=True)
class CppKernel(KernelView):
    """A kernel with its code printed, in the form that the C++ templates want."""

    any_size: bool = False  # whether it is printed as for a population of any size

    def _printer(self) -> Printer:
        return CppPrinter(self.kernel, self.plan.precision, self.arrays_by_name, self.arrays_by_name)

    @property
    def is_long(self) -> bool:
        """Whether its loop may take so long that it is to be given up when somebody waits for it."""
        domain = self.kernel.domain
        if isinstance(domain, Neurons):
            return domain.size >= LONG
        if isinstance(domain, (Synapses, SpikingRows, SpikingColumns)):
            return domain.pre * (domain.post if domain.sparse is None else domain.sparse.stride) >= LONG
        return False

    @property
    def shape(self) -> str:
        """Which loop macro to use."""
        return "deferred" if self.kernel.deferral is not None else _SHAPES[type(self.kernel.domain)]

    @property
    def parameters(self) -> str:
        """What the function takes beside the simulation."""
        text = ", unsigned int batch" if self.copies else ""
        return text + (", unsigned int begin, unsigned int end" if self.shared else "")

    @property
    def rows_at_once(self) -> int:
        """How many rows of synapses are gone through side by side: several where all that rows do is to add up."""
        kernel = self.kernel
        if not isinstance(kernel.domain, Synapses) or kernel.domain.sparse is not None or kernel.split != "pre":
            return 1
        sums = {a.index for a in kernel.accumulations} == {"pre"}
        others = any(load.store or load.index == "pre" for load in kernel.loads) or "id_pre" in kernel.uses
        return ROWS_AT_ONCE if sums and not others and kernel.stream is None else 1

    @property
    def row_sums(self) -> list[Array]:
        """The arrays that rows are added up into."""
        return [self.arrays_by_name[name] for name in sorted({a.target for a in self.kernel.accumulations})]

    @property
    def shared(self) -> str | None:
        """The end of the synapses along which threads share the work; None where one thread does it all."""
        kernel, domain = self.kernel, self.kernel.domain
        if kernel.stream is not None or not isinstance(domain, Synapses):
            return None
        each_step = kernel.name in self.plan.places and kernel.deferral is None
        enough = MIN_SHARED_EACH_STEP if each_step else MIN_SHARED
        number = domain.pre * (domain.post if domain.sparse is None else domain.sparse.stride)
        return kernel.split if number >= enough else None

    @property
    def strip(self) -> int:
        """How many neurons are marked as spiking before they are listed."""
        assert isinstance(self.kernel.domain, Neurons)
        return STRIP if self.any_size else min(STRIP, self.kernel.domain.size)

    @property
    def listed_at_once(self) -> int:
        """How many marks are looked at together when spikes are listed."""
        return LISTED_AT_ONCE

    @property
    def marks(self) -> int:
        """How many marks there is room for: a strip's, up to a whole number of those looked at together."""
        return -(-self.strip // LISTED_AT_ONCE) * LISTED_AT_ONCE

    @property
    def strip_end(self) -> str:
        """The end of the strip of neurons from ``first`` on."""
        assert isinstance(self.kernel.domain, Neurons)
        size = self.kernel.domain.size
        if size % self.strip == 0 and not self.any_size:
            return f"first + {self.strip}u"
        return f"{size}u - first < {self.strip}u ? {size}u : first + {self.strip}u"

    @property
    def independence(self) -> str:
        """What tells the compiler that no two neurons touch the same element, where that is so."""
        kernel = self.kernel
        shared = any(load.store and load.index == "only" for load in kernel.loads)
        return "" if shared or kernel.written_arrays or kernel.past else "SNN_INDEPENDENT"

    @property
    def tiles(self) -> list[tuple[int, int, int]]:
        """Columns of a deferred kernel as (first, end, width): whole tiles, and a rest that is no sliver."""
        assert isinstance(self.kernel.domain, Synapses)
        post = self.kernel.domain.post
        # A sliver would take as long as a tile: it joins the last one.
        whole, rest = divmod(post, TILE)
        if whole and 0 < rest <= TILE // 2:
            whole, rest = whole - 1, rest + TILE
        first = whole * TILE
        return ([(0, first, TILE)] if whole else []) + ([(first, post, rest)] if rest else [])

    @property
    def deferred_rows(self) -> int:
        """How many rows one part of the work on a deferred block spans."""
        assert isinstance(self.kernel.domain, Synapses)
        if self.linear is not None:
            return min(LINEAR_PART, self.kernel.domain.pre)
        return PART if self.shared else self.kernel.domain.pre

    @property
    def deferred_parts(self) -> int:
        """How many parts the work on a deferred block has."""
        assert isinstance(self.kernel.domain, Synapses)
        chunks = -(-self.kernel.domain.pre // self.deferred_rows)
        return chunks * self.tile_count if self.linear is not None else chunks

    @property
    def tile_count(self) -> int:
        """How many tiles of columns a deferred kernel has."""
        return sum((end - first) // width for first, end, width in self.tiles)

    @property
    def group(self) -> int:
        """How many rows of a kernel in matrix form are added up at a time."""
        assert self.linear is not None
        return max(1, MAX_SUMS // max(1, len(self.linear.sums)))

    def pointer_lines_of(self, index: str) -> list[str]:
        """Pointers to what a deferred kernel reads at an index."""
        names = [self.buffer_of(load) or load.array for load in self.loads_at(index)]
        return [self._pointer(name, 0) for name in dict.fromkeys(names)]

    @property
    def extent(self) -> int:
        """How many rows or columns threads share."""
        domain = self.kernel.domain
        assert isinstance(domain, Synapses)
        return domain.pre if self.kernel.split == "pre" else domain.post

    @cached_property
    def passes(self) -> list[dict[str, Any]]:
        """The loops over a strip of neurons: what each copies, runs and stores."""
        parts = self.parts
        kept = self.kept_rows
        return [
            {
                "rows": [self._row_line(x) for x in p.loads if kept.get(x.array) == number],
                "inputs": [self._input_line(p, v) for v in p.inputs],
                "loads": self._pass_loads(p),
                "draws": p.draws,
                "parts": parts[p.first : p.end],
                "handed_over": [f"handed_{v.name}[i - first] = {v.name};" for v in p.inputs if v.name in p.after],
                "stores": [line for x in p.loads if x.store and x.index == "neuron" for line in self.store(x)],
            }
            for number, p in enumerate(passes_of(self.kernel))
        ]

    @property
    def kept_recorder(self) -> int | None:
        """Which recorder's rows a loop over neurons writes: one of what is nowhere else, or the only one."""
        recorders = self.kernel.recorders
        only = [number for number, r in enumerate(recorders) if r.only]
        return only[0] if only else 0 if len(recorders) == 1 and self.in_strips else None

    @property
    def in_strips(self) -> bool:
        """Whether neurons are updated strip by strip, in passes."""
        return bool(self.kernel.spikes or self.wide_played) or self.foresees

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
            for number, p in enumerate(passes_of(self.kernel))
            for x in p.loads
            if x.array in recorded and x.index == "neuron"
        }

    def _row_line(self, load: Load) -> str:
        """Return what stores an element of a row: narrow ones by way of an array, or vectors would have to widen."""
        if load.array in self.narrow_rows:
            return f"wide_{load.array}[i - first] = {load.name};"
        return f"kept_{load.array}[i] = {load.name};"

    @property
    def narrow_rows(self) -> list[str]:
        """Those of them whose elements are narrower than what loops over strips compute with."""
        types = {name: self.arrays_by_name[name].type.dtype_for(self.plan.precision) for name in self.kept_rows}
        own = {x.array for x in self.kernel.loads if x.how == "row"} if self.in_strips else ()
        return [n for n, dtype in types.items() if n in own and np.dtype(dtype).itemsize < np.dtype(np.int32).itemsize]

    @cached_property
    def wide_played(self) -> dict[str, str]:
        """The rows of narrow elements, or bits, that a strip widens before its loops, with the pointers to them."""
        found = {}
        for player in self.kernel.players:
            dtype = np.dtype(self.arrays_by_name[player.rows].type.dtype_for(self.plan.precision))
            if player.bits or dtype.itemsize < np.dtype(np.int32).itemsize:
                found[player.rows] = history.played_view(player)
        return found

    @property
    def played_bits(self) -> list[str]:
        """The rows that have a bit for each neuron."""
        return [player.rows for player in self.kernel.players if player.bits]

    def _value(self, load: Load) -> str:
        return f"wide_{load.played}[i - first]" if load.played in self.wide_played else super()._value(load)

    def ctype(self, item: Any) -> str:
        """Return the C type of a load, input or array; what is narrow in rows is what C's arithmetic makes of it."""
        if isinstance(item, Load):
            narrow = item.how == "row" and item.array in self.narrow_rows
            if narrow or item.played in self.wide_played:
                return "int"
        return super().ctype(item)

    @property
    def kept_lines(self) -> list[str]:
        """Pointers to these rows."""
        assert self.kept_recorder is not None
        recorder = super().recorders[self.kept_recorder]
        rows = dict(recorder["copied"])
        ctypes = {name: self.ctype(self.arrays_by_name[name]) for name in self.kept_rows}
        pointers = [f"{ctype} *__restrict__ const kept_{name} = {rows[name]};" for name, ctype in ctypes.items()]
        return [*recorder["number"], *pointers]

    @property
    def recorders(self) -> list[dict[str, Any]]:
        """What it records, with what is left to copy at the end."""
        left = [[pair for pair in r["copied"] if pair[0] not in self.kept_rows] for r in super().recorders]
        return [{**r, "left": pairs} for r, pairs in zip(super().recorders, left, strict=True)]

    def _input_line(self, p: Pass, v: Input) -> str:
        value = f"handed_{v.name}[i - first]" if v.name in p.before else literal(v.start, v.type, self.plan.precision)
        return f"{self.ctype(v)} {v.name} = {value};"

    def _pass_loads(self, p: Pass) -> list[str]:
        # What an earlier pass has stored is in the newest slot of a queue by now.
        loads = [replace(x, delay=0) if x.name in p.again and x.store else x for x in p.loads if x.index == "neuron"]
        return [f"{'' if x.store else 'const '}{self.ctype(x)} {x.name} = {self._value(x)};" for x in loads]

    @property
    def handed_over(self) -> list[str]:
        """Definitions of what passes hand over."""
        names = {name for p in passes_of(self.kernel) for name in p.after}
        return [f"{self.ctype(v)} handed_{v.name}[{self.strip}];" for v in self.kernel.inputs if v.name in names]

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

    def newest(self, name: str) -> str:
        """Return what to add to the pointer to an array, to have what was written last; nothing without a queue."""
        array = self.arrays_by_name[name]
        return "" if array.slots == 1 else f" + size_t(sim.{array.queue}[0]) * {array.size}u"
