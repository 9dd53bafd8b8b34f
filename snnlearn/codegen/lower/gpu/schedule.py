"""A plan on a GPU: the functions that blocks of threads call, and which of them are one launch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from snnlearn.codegen.lower.gpu import deferred, edits, neurons, operations, synapses
from snnlearn.codegen.lower.gpu.kernel import GpuKernel, ceil
from snnlearn.codegen.lower.gpu.phases import Phase, Work, phases_of
from snnlearn.codegen.lower.gpu.residency import ResidentArrays, resident_arrays
from snnlearn.codegen.lower.gpu.threads import SHARED_BYTES, ThreadMapping, unordered_sums
from snnlearn.codegen.lower.nest import Unit, scratch_bytes
from snnlearn.codegen.lower.reports import can_report
from snnlearn.codegen.plan import Kernel, Neurons, Plan
from snnlearn.codegen.plan.domains import BuildDomain, Once, SpikingDomain
from snnlearn.codegen.plan.kernels import Fill, Operation, Transposition


@dataclass(frozen=True)
class Schedule:
    """What a plan becomes on a GPU.

    Attributes
    ----------
    units : tuple of Unit
        In the order of their definition.
    step : tuple of Phase
        One timestep, kernel by kernel.
    phases : tuple of Phase
        The same, several kernels each, where none waits for another.
    deferred : tuple of Phase
        Work on a block of the kept past: one, or none.
    depth : int
        How many timesteps such a block has; 0 where no kernel is deferred.
    connect, init : tuple of Phase
    column_indexing, custom_updates : mapping of str to tuple of Phase
    resident_bytes : int
        Of a block's own memory that the state takes which stays with it.
    """

    units: tuple[Unit, ...]
    step: tuple[Phase, ...]
    phases: tuple[Phase, ...]
    deferred: tuple[Phase, ...]
    depth: int
    connect: tuple[Phase, ...]
    init: tuple[Phase, ...]
    column_indexing: Mapping[str, tuple[Phase, ...]]
    custom_updates: Mapping[str, tuple[Phase, ...]]
    resident_bytes: int

    @cached_property
    def scratch(self) -> int:
        """How many bytes of a block's own memory its functions need while they run."""
        return max((scratch_bytes(unit) for unit in self.units), default=0)

    @property
    def launched(self) -> list[Phase]:
        """All that is launched by itself, or while no timestep runs."""
        groups = [self.connect, self.init, *self.column_indexing.values(), *self.custom_updates.values()]
        return [phase for group in (*groups, self.step, self.deferred) for phase in group]

    @property
    def resident_phase(self) -> Phase | None:
        """The phase of a timestep whose blocks keep state of their own."""
        return next((phase for phase in self.phases if phase.resident), None)


def schedule(plan: Plan, threads: int) -> Schedule:
    """Return the schedule of a plan for blocks of so many threads."""
    return _Scheduler(plan, threads).schedule()


class _Scheduler:
    def __init__(self, plan: Plan, threads: int) -> None:
        self.plan, self.threads = plan, threads
        self.units: dict[str, Unit] = {}
        self.resident: Mapping[str, ResidentArrays] = {}
        kernels = [self.kernel(k) for k in plan.step]
        # Neurons need no scratch; their state can have what room the others leave.
        self.known = {k.kernel.name: _unit_of(k) for k in kernels if not isinstance(k.domain, Neurons)}
        scratch = max((scratch_bytes(unit) for unit in self.known.values()), default=0)
        self.resident = resident_arrays(plan, SHARED_BYTES - scratch)

    def schedule(self) -> Schedule:
        plan = self.plan
        step = [work for k in plan.step for work in self.step_works(self.kernel(k))]
        # All neurons first, then all lists: one phase for these where several populations need one.
        step.sort(key=lambda work: (work.stage == "neurons") + work.function.startswith("list_"))
        later = [self.deferred_work(self.kernel(k)) for k in plan.step if k.deferral is not None]
        connect, init = self.in_order(plan.connect, "connect"), self.in_order(plan.init, "init")
        columns = {name: self.in_order([k], f"columns_{n}") for n, (name, k) in enumerate(plan.column_indexing.items())}
        updates = {
            group: self.in_order(operations, f"update_{n}")
            for n, (group, operations) in enumerate(plan.custom_updates.items())
        }
        return Schedule(
            tuple(self.units.values()),
            tuple(Phase(work.function, (work,)) for work in step),
            tuple(phases_of(step)),
            (Phase("deferred", tuple(later)),) if later else (),
            next((k.deferral.depth for k in plan.step if k.deferral is not None), 0),
            connect,
            init,
            columns,
            updates,
            max((r.nbytes for r in self.resident.values()), default=0),
        )

    def kernel(self, kernel: Kernel) -> GpuKernel:
        found = self.resident.get(kernel.name)
        return GpuKernel(kernel, self.plan, self.threads, found.places if found is not None else {})

    def define(self, k: GpuKernel) -> Unit:
        unit = self.known.get(k.kernel.name)
        return self.take(_unit_of(k) if unit is None else unit)

    def take(self, unit: Unit) -> Unit:
        self.units[unit.name] = unit
        return unit

    # ---- work of a timestep ----

    def step_works(self, k: GpuKernel) -> Iterable[Work]:
        kernel = k.kernel
        if kernel.deferral is not None:
            yield from self.keeping(k)
            return
        reports = can_report(self.define(k))
        stage = "neurons" if isinstance(k.domain, Neurons) else "synapses"
        yield Work(
            kernel.name,
            k.parts,
            stage,
            kernel.timer,
            kernel.reads | {x.array for x in kernel.loads},
            kernel.writes,
            unordered_sums(kernel),
            bool(k.resident),
            reports,
        )
        if stage == "neurons" and k.lists:
            copies = self.plan.batch_size if k.copies else 1
            yield Work(f"list_{kernel.name}", copies, stage, kernel.timer, reads=kernel.writes)

    def keeping(self, k: GpuKernel) -> Iterable[Work]:
        """Yield what keeps the past that a deferred kernel will read."""
        kernel = k.kernel
        assert kernel.deferral is not None
        self.take(deferred.keep(k))
        for n, b in enumerate(kernel.deferral.buffers):
            parts = ceil(k.size_of(b.array), self.threads)
            reads, writes = frozenset([b.array]), frozenset([b.buffer])
            yield Work(f"keep_{n}_{kernel.name}", parts, "synapses", kernel.timer, reads, writes)
        silent = k.linear.silent if k.linear is not None else None
        if silent is not None:
            reads = frozenset([silent.spikes, silent.count])
            yield Work(f"mark_{kernel.name}", 1, "synapses", kernel.timer, reads, frozenset([silent.spiked]))

    def deferred_work(self, k: GpuKernel) -> Work:
        reports = can_report(self.define(k))
        return Work(k.kernel.name, k.parts, "between", k.kernel.timer, reports=reports)

    # ---- between timesteps ----

    def in_order(self, operations: Sequence[Operation], label: str) -> tuple[Phase, ...]:
        """Return what runs some operations between timesteps, in as few launches as can be."""
        works = [work for operation in operations for work in self.works_of(operation)]
        phases = phases_of(works, label, timed=True)
        return tuple(p if len(p.works) > 1 else Phase(p.works[0].function, p.works) for p in phases)

    def works_of(self, operation: Operation) -> Iterable[Work]:
        if isinstance(operation, Kernel):
            yield from self.kernel_works(self.kernel(operation))
            return
        if isinstance(operation, Transposition):
            unit, pieces = operations.transposition(operation, self.plan)
        elif isinstance(operation, Fill):
            unit, pieces = operations.fill(operation, self.plan)
        else:
            unit, pieces = operations.index_columns(operation, self.plan)
        self.take(unit)
        for function, items in pieces.items():
            parts = ceil(items, self.threads)
            yield Work(function, parts, "between", operation.timer, operation.reads, operation.writes)

    def kernel_works(self, k: GpuKernel) -> Iterable[Work]:
        kernel = k.kernel
        reports = can_report(self.define(k))
        yield Work(
            kernel.name,
            k.parts,
            "between",
            kernel.timer,
            kernel.reads | {x.array for x in kernel.loads},
            kernel.writes,
            reports=reports,
            host_arrays=tuple(kernel.arrays) if isinstance(k.domain, Once) else (),
        )
        if kernel.calls is not None:
            unit = self.take(operations.counter(kernel, self.plan))
            calls = frozenset([kernel.calls])
            yield Work(unit.name, 1, "between", kernel.timer, calls, calls)


def _unit_of(k: GpuKernel) -> Unit:
    """Return what a kernel becomes."""
    domain = k.domain
    if k.mapping is ThreadMapping.TILES:
        return deferred.tiles(k)
    if k.mapping is ThreadMapping.MATRIX:
        return deferred.matrix(k)
    if isinstance(domain, Neurons):
        return neurons.neurons(k)
    if isinstance(domain, Once):
        return edits.once(k)
    if isinstance(domain, BuildDomain):
        return edits.edit(k)
    if k.mapping is ThreadMapping.ROWS:
        return synapses.rows(k)
    if k.mapping is ThreadMapping.COLUMNS:
        return synapses.columns(k)
    if isinstance(domain, SpikingDomain):  # along sparse connectivity
        return synapses.spiking(k)
    return synapses.by_one_thread(k) if k.serial else synapses.each_synapse(k)
