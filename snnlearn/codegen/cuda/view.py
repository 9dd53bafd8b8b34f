"""Kernels as CUDA has them, with the mapping of iterations to threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from snnlearn.codegen.clike import KernelView, Printer
from snnlearn.codegen.clike.history import value_of
from snnlearn.codegen.lower.gpu import threads as thread_mapping
from snnlearn.codegen.lower.gpu.threads import WARP, ThreadMapping
from snnlearn.codegen.plan import Load, Neurons, SpikingRows, Synapses
from snnlearn.codegen.plan.domains import Rows, SpikingDomain
from snnlearn.codegen.plan.history import Recorder
from snnlearn.codegen.plan.parts import Accumulate


class CudaPrinter(Printer):
    """Prints code whose sums are in registers where they belong to one thread, and added by hardware elsewhere."""

    memory = "snn_arrays"
    owned: frozenset[str] = frozenset()
    serial = False  # whether one thread does everything

    def add(self, action: Accumulate, element: str, value: str) -> str:
        """Return what adds a value to an array's element."""
        if action.target in self.owned and not action.delayed:
            return f"partial_{action.target} += {value}"
        return f"{element} += {value}" if self.serial else f"snn::add({element}, {value})"


@dataclass(frozen=True)
class CudaKernel(KernelView):
    """A kernel with its code printed, in the form that the CUDA templates want."""

    printer = CudaPrinter
    threads: int = field(default=256, kw_only=True)
    resident_arrays: Mapping[str, int] = field(default_factory=dict, kw_only=True)  # the byte at which each starts

    def slot(self, queue: str) -> str:
        """Return the number of a queue's newest slot, which threads know by heart."""
        return f"sim.{queue}"

    @property
    def restrict(self) -> str:
        """Nothing: other blocks change what a block reads, while a kernel runs that does many timesteps."""
        return ""

    def _pointer(self, name: str, delay: int | None) -> str:
        line = super()._pointer(name, delay)
        if name not in self.resident_arrays:
            return line
        place, _, start = line.removesuffix(";").partition(" = ")
        resident = f"({self.ctype(self.arrays_by_name[name])} *)(resident + {self.resident_arrays[name]}u)"
        return f"{place} = resident != nullptr ? {resident} : {start};"

    @property
    def fetched(self) -> list[tuple[str, str, int, str, bool]]:
        """The arrays that a block can keep: name, type, size, where all have it, and whether it changes them."""
        plain = replace(self, resident_arrays={})
        return [
            (
                name,
                self.ctype(self.arrays_by_name[name]),
                self.size_of(name),
                plain._pointer(name, 0).removesuffix(";").partition(" = ")[2],
                name in self.kernel.writes,
            )
            for name in self.resident_arrays
        ]

    def _printer(self) -> Printer:
        printer = CudaPrinter(self.kernel, self.plan.precision, self.arrays_by_name, self.arrays_by_name)
        printer.owned = self.owned
        printer.serial = self.serial
        return printer

    # ---- threads ----

    @property
    def mapping(self) -> ThreadMapping:
        """What its threads are."""
        return thread_mapping.mapping_of(self.kernel)

    @property
    def serial(self) -> bool:
        """Whether one thread does everything."""
        return self.mapping is ThreadMapping.SERIAL

    @property
    def owned(self) -> frozenset[str]:
        """The arrays that it adds to with a thread for each element."""
        return thread_mapping.owned(self.kernel)

    @property
    def sums(self) -> list[tuple[str, str]]:
        """The same with their types: sums in registers."""
        return [(name, self.ctype(self.arrays_by_name[name])) for name in sorted(self.owned)]

    @property
    def reductions(self) -> list[Load]:
        """What it sums up over all neurons or synapses."""
        return thread_mapping.reductions(self.kernel)

    @property
    def columns_per_block(self) -> int:
        """How many columns a block has, where a thread has one."""
        return thread_mapping.columns_per_block(self.kernel, self.threads)

    @property
    def groups(self) -> int:
        """How many groups of threads share the rows of the same columns."""
        return self.threads // self.columns_per_block

    @property
    def unroll(self) -> int:
        """How many rows a thread of a column passes at a time."""
        return thread_mapping.unroll_of(self.kernel, self.threads)

    @property
    def each_copy(self) -> bool:
        """Whether a thread goes through all copies of a batch, in order: they add to the same elements."""
        return self.copies and any(
            x.store and x.how in ("sum", "max") and not self.arrays_by_name[x.array].batched for x in self.kernel.loads
        )

    @property
    def parts_of_copy(self) -> int:
        """How many blocks of threads one copy takes."""
        if self.serial or self.reductions:
            return 1
        domain: Any = self.kernel.domain
        if isinstance(domain, Neurons):
            return 1 if self.in_one_block else _ceil(domain.size, self.threads)
        if self.mapping is ThreadMapping.TILES:
            return _ceil(domain.post, self.threads) * _ceil(domain.pre, thread_mapping.ROWS_PER_THREAD)
        if self.mapping is ThreadMapping.MATRIX:
            return self.column_tiles * _ceil(domain.pre, self.rows_per_part)
        if self.mapping is ThreadMapping.SPIKES:
            number = domain.pre if isinstance(domain, SpikingRows) else domain.post
            return min(thread_mapping.MAX_PARTS, _ceil(number, max(1, self.threads // WARP)))
        if self.mapping is ThreadMapping.ROWS:
            return _ceil(domain.pre, self.threads)
        if self.mapping is ThreadMapping.COLUMNS:
            return _ceil(domain.post, self.columns_per_block)
        return _ceil(self.synapses, self.threads)

    @property
    def number_of_parts(self) -> int:
        """How many blocks of threads it takes."""
        return self.parts_of_copy * (self.plan.batch_size if self.copies and not self.each_copy else 1)

    @property
    def synapses(self) -> int:
        """How many synapses there is room for."""
        assert isinstance(self.kernel.domain, Synapses)
        domain = self.kernel.domain
        return domain.pre * (domain.post if domain.sparse is None else domain.sparse.stride)

    def recorded_value(self, recorder: Recorder, array: str) -> str:
        """Return what a thread records of an array."""
        return value_of(self.kernel, recorder, array)

    @property
    def in_one_block(self) -> bool:
        """Whether one block updates all neurons of a population, as it lists those that spike."""
        return thread_mapping.fits_one_block(self.kernel)

    @property
    def lists(self) -> bool:
        """Whether spikes are listed by a launch of their own, since many blocks find them."""
        return bool(self.kernel.spikes) and not self.in_one_block

    @property
    def list_lines(self) -> list[str]:
        """Pointers to the lists of neurons that have spiked."""
        return [self._pointer(name, 0) for spike in self.kernel.spikes for name in (spike.spikes, spike.count)]

    @property
    def spike_words(self) -> int:
        """How many words of marks the neurons of one copy have."""
        assert isinstance(self.kernel.domain, Neurons)
        return _ceil(self.kernel.domain.size, WARP)

    @property
    def along(self) -> str:
        """What a kernel of spikes goes along: ``rows`` or ``columns``."""
        assert isinstance(self.kernel.domain, SpikingDomain)
        return "rows" if isinstance(self.kernel.domain, SpikingRows) else "columns"

    @property
    def by_row(self) -> bool:
        """Whether each row of synapses is made or changed by a thread of its own."""
        return isinstance(self.kernel.domain, Rows)

    # ---- deferred kernels ----

    @property
    def rows_per_thread(self) -> int:
        """How many rows a thread of a deferred kernel passes through time at once."""
        return thread_mapping.ROWS_PER_THREAD

    @property
    def column_parts(self) -> int:
        """How many parts the columns of a deferred kernel make."""
        assert isinstance(self.kernel.domain, Synapses)
        return _ceil(self.kernel.domain.post, self.threads)

    @property
    def column_tiles(self) -> int:
        """How many tiles the columns of a kernel in matrix form make."""
        assert isinstance(self.kernel.domain, Synapses)
        return _ceil(self.kernel.domain.post, self.width)

    @property
    def width(self) -> int:
        """How many columns a tile of a kernel in matrix form has: as many as a block's memory has room for."""
        return next((w for w in (WARP, WARP // 2, WARP // 4) if self._bytes(w) <= thread_mapping.SCRATCH_BYTES), 1)

    @property
    def scratch(self) -> int:
        """How many bytes of a block's own memory it needs while it runs."""
        if self.mapping is ThreadMapping.MATRIX:
            return self._bytes(self.width)
        return 8 * self.threads * len(self.sums) if self.groups > 1 else 0

    def _bytes(self, width: int) -> int:
        form = self.linear
        assert form is not None
        assert self.kernel.deferral is not None
        columns = len(form.per_column) + (len(form.silent.per_column) if form.silent is not None else 0)
        numbers = (
            (len(form.responses) * self.kernel.deferral.depth + columns) * width
            + len(form.invariant)
            + thread_mapping.MAX_PART_ROWS
        )
        return 8 * numbers if self.plan.precision == "double" else 4 * numbers + 8 * (len(form.invariant) + 1)

    def newest_start(self, name: str) -> str:
        """Return what comes before the index of what was written last to an array; nothing without a queue."""
        array = self.arrays_by_name[name]
        return "" if array.queue is None else f"size_t({self.slot(array.queue)}) * {array.size}u + "

    @property
    def rows_per_part(self) -> int:
        """How many rows a part of a kernel in matrix form has."""
        assert isinstance(self.kernel.domain, Synapses)
        return thread_mapping.rows_per_part(self.kernel.domain.pre, self.column_tiles)

    @property
    def silent_rows(self) -> int:
        """How many rows that take one step a thread has at a time."""
        state = [load for load in self.loads_at("synapse") if load.store]
        return max(1, min(8, thread_mapping.LOADS_IN_FLIGHT // max(1, len(state))))

    @property
    def group(self) -> int:
        """How many rows of a kernel in matrix form a warp adds up at a time."""
        assert self.linear is not None
        return max(1, thread_mapping.MAX_SUMS // max(1, len(self.linear.sums)))


def _ceil(number: int, size: int) -> int:
    return -(-number // size)
