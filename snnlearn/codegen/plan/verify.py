"""A plan that contradicts itself is refused: a fault of whatever made or rewrote it, found before anything is printed.

Names must resolve and types agree; every local copy is stored where its loop stores such copies; an array that only
kernels write has a writer; and no two iterations that threads may share write one element (`Kernel.split`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from snnlearn.codegen.plan.deferral import Deferral
from snnlearn.codegen.plan.domains import (
    BuildDomain,
    Neurons,
    Once,
    SpikingColumns,
    SpikingDomain,
    SpikingRows,
    Synapses,
)
from snnlearn.codegen.plan.kernels import Fill, IndexColumns, Kernel, Operation, Plan, Transposition
from snnlearn.codegen.plan.parts import Array, Load
from snnlearn.codegen.plan.verify_code import verify_body
from snnlearn.errors import PlanError

VARIABLE = "SNNLEARN_VERIFY"  # the environment variable that has every plan verified, with 1
# What kernels alone write: without a writer, whoever reads it reads zeros. All else may come from the host, or, as the
# spikes of neurons without a threshold, never.
_MADE = frozenset(
    ["pre_events", "pre_event_count", "post_events", "post_event_count", "queue", "den_queue"]
) | frozenset(["out_pre", "kernel_ind", "column_start", "column_synapses", "history", "calls"])
# Which elements the loop over a domain copies, and which of the copies it stores.
_COPIED = {
    Neurons: frozenset(["neuron", "only"]),
    Synapses: frozenset(["pre", "post", "synapse", "kernel", "only"]),
    SpikingRows: frozenset(["pre", "post", "synapse", "kernel", "only"]),
    SpikingColumns: frozenset(["pre", "post", "synapse", "kernel", "only"]),
    Once: frozenset[str](),
} | {kind: frozenset(["pre", "only"]) for kind in BuildDomain}
_STORED = {
    Neurons: frozenset(["neuron", "only"]),
    Synapses: frozenset(["synapse", "kernel", "only"]),
    SpikingRows: frozenset(["synapse", "kernel"]),
    SpikingColumns: frozenset(["synapse", "kernel"]),
    Once: frozenset[str](),
} | {kind: frozenset(["pre"]) for kind in BuildDomain}


def verifying() -> bool:
    """Whether all plans are to be verified, as tests want it."""
    return os.environ.get(VARIABLE) == "1"


def verify_plan(plan: Plan) -> Plan:
    """Return the plan.

    Raises
    ------
    PlanError
        For one that contradicts itself; names the kernel and the array.
    """
    _Verifier(plan).verify()
    return plan


class _Verifier:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.arrays = plan, plan.arrays_by_name
        self.updates = [operation for group in plan.custom_updates.values() for operation in group]
        self.operations: list[Operation] = [
            *plan.connect,
            *plan.column_indexing.values(),
            *plan.init,
            *plan.step,
            *plan.at_once.values(),
            *self.updates,
        ]

    def verify(self) -> None:
        if len(self.arrays) != len(self.plan.arrays):
            raise PlanError(f"{self.plan.name}: two arrays have one name")
        self._queues()
        names: set[str] = set()
        for operation in self.operations:
            if operation.name in names:
                raise PlanError(f"{operation.name}: another kernel has this name")
            names.add(operation.name)
            self._operation(operation)
        self._writers()

    # ---- arrays ----

    def _queues(self) -> None:
        """Check that what has several slots has a queue that moves, and has as many."""
        slots = {queue.array: queue.slots for queue in self.plan.queues}
        for array in self.plan.arrays:
            if array.slots > 1 and slots.get(array.queue or "") != array.slots:
                raise PlanError(
                    f"{array.name} has {array.slots} slots, and its queue {array.queue} moves through others"
                )
        for name in slots:
            self._array("the timestep", name)

    def _array(self, kernel: str, name: str) -> Array:
        found = self.arrays.get(name)
        if found is None:
            raise PlanError(f"{kernel}: there is no array {name}")
        return found

    def _writers(self) -> None:
        """Check that what kernels alone write has a writer, if anything reads it."""
        written = {queue.array for queue in self.plan.queues}.union(*(o.writes for o in self.operations))
        for kernel in self.plan.step:
            if kernel.deferral is not None:
                written |= _kept(kernel.deferral)
        for operation in (*self.plan.step, *self.updates):
            for name in sorted(operation.reads - written):
                if self.arrays[name].location.space in _MADE:
                    raise PlanError(f"{operation.name} reads {name}, which nothing writes")

    # ---- operations ----

    def _operation(self, operation: Operation) -> None:
        for name in sorted(operation.reads | operation.writes):
            self._array(operation.name, name)
        if isinstance(operation, Kernel):
            self._kernel(operation)
        elif isinstance(operation, Fill):
            return
        elif isinstance(operation, Transposition):
            sizes = {self.arrays[name].size for name in (operation.source, operation.target)}
            if sizes != {operation.pre * operation.post}:
                raise PlanError(f"{operation.name}: {operation.source} and {operation.target} differ in their sizes")
        else:
            assert isinstance(operation, IndexColumns)

    def _kernel(self, kernel: Kernel) -> None:
        locals_ = [
            *(c.name for c in kernel.constants),
            *(x.name for x in kernel.loads),
            *(v.name for v in kernel.inputs),
        ]
        for name in locals_:
            if locals_.count(name) > 1 or name in self.arrays:
                raise PlanError(f"{kernel.name}: two things are called {name}")
        for load in kernel.loads:
            self._load(kernel, load)
        self._copies(kernel)
        self._spikes(kernel)
        verify_body(kernel, self.plan)
        self._split(kernel)
        if kernel.deferral is not None:
            self._deferral(kernel, kernel.deferral)

    def _load(self, kernel: Kernel, load: Load) -> None:
        array, domain = self._array(kernel.name, load.array), kernel.domain
        if load.type != array.type:
            raise PlanError(f"{kernel.name}: the copy {load.name} of {array.name} is not of its type")
        if not 0 <= load.delay < max(array.slots, 1):
            raise PlanError(
                f"{kernel.name} reads {array.name} as it was {load.delay} timesteps ago: it has {array.slots}"
            )
        if not load.direct and load.index not in _COPIED[type(domain)]:
            raise PlanError(f"{kernel.name}: its loop has no element '{load.index}' of {array.name}")
        if load.store and not load.direct and load.index not in _STORED[type(domain)]:
            raise PlanError(
                f"{kernel.name} changes a copy of an element '{load.index}' of {array.name}, and never stores it"
            )
        if load.direct and not isinstance(domain, BuildDomain):
            raise PlanError(f"{kernel.name} works on {array.name} itself, which only kernels of connectivity do")
        size = _size(kernel, load.index)
        if size is not None and array.size is not None and array.size < size:
            raise PlanError(f"{kernel.name}: {array.name} has {array.size} elements, and its loop {size}")
        if load.played and load.played not in {player.rows for player in kernel.players}:
            raise PlanError(f"{kernel.name}: no player has the rows {load.played}")

    def _copies(self, kernel: Kernel) -> None:
        """Check that an element that is stored (to the newest slot) has no other copy, and that nothing adds to it."""
        stored = {(x.array, x.index) for x in kernel.loads if x.store and x.how != "row"}
        for x in kernel.loads:
            is_newest = self.arrays[x.array].slots == 1 or x.delay == 0
            others = [y for y in kernel.loads if y is not x and y.store and (y.array, y.index) == (x.array, x.index)]
            if is_newest and any(y.how != "row" for y in others):
                raise PlanError(f"{kernel.name} has two copies of an element of {x.array}, and stores one")
        for action in kernel.accumulations:
            self._array(kernel.name, action.target)
            if any(array == action.target for array, _ in stored):
                raise PlanError(f"{kernel.name} adds to {action.target}, and stores copies of its elements")

    def _spikes(self, kernel: Kernel) -> None:
        domain = kernel.domain
        found = [(spike.spikes, spike.count) for spike in kernel.spikes]
        if isinstance(domain, SpikingDomain):
            found.append((domain.spikes, domain.count))
            spikes = self._array(kernel.name, domain.spikes)
            if not (domain.delay == 0 or domain.delay < spikes.slots):
                raise PlanError(
                    f"{kernel.name} follows {spikes.name} of {domain.delay} timesteps ago: it has {spikes.slots}"
                )
        for names in found:
            spikes, count = (self._array(kernel.name, name) for name in names)
            if (spikes.slots, spikes.queue, spikes.batched) != (
                count.slots,
                count.queue,
                count.batched,
            ) or count.size != 1:
                raise PlanError(f"{kernel.name}: {count.name} is no count of {spikes.name}")
        if found and isinstance(domain, Neurons) and any(self.arrays[s].size != domain.size for s, _ in found):
            raise PlanError(f"{kernel.name}: a list of its spikes has not the size of its population")

    # ---- threads ----

    def _split(self, kernel: Kernel) -> None:
        """Check that threads which share a kernel by one end of its synapses never write one element."""
        if isinstance(kernel.domain, Neurons):
            for load in kernel.loads:
                shared = load.index == "only" and load.store and kernel.domain.size > 1
                if shared and load.how not in ("sum", "max"):
                    raise PlanError(f"{kernel.name}: every neuron stores the only element of {load.array}")
        end = kernel.split
        if end is None:
            return
        for name, index in written_elements(kernel):
            if index not in ("synapse", end):
                raise PlanError(
                    f"{kernel.name}: threads share it by the '{end}' end, and several would write one element of {name}"
                )

    def _deferral(self, kernel: Kernel, deferral: Deferral) -> None:
        if not isinstance(kernel.domain, Synapses) or kernel.domain.sparse is not None:
            raise PlanError(f"{kernel.name} is deferred, which only loops over dense synapses are")
        for name, index in written_elements(kernel):
            if index != "synapse":
                raise PlanError(f"{kernel.name} is deferred, and writes {name}, which others see in the meantime")
        for buffer in deferral.buffers:
            array, kept = self._array(kernel.name, buffer.array), self._array(kernel.name, buffer.buffer)
            rows = 2 * deferral.depth
            if array.size is None or buffer.stride < array.size or (kept.size or 0) < rows * buffer.stride:
                raise PlanError(f"{kernel.name}: {kept.name} has no room for {rows} rows of {array.name}")


def written_elements(kernel: Kernel) -> Iterator[tuple[str, str]]:
    """Yield the arrays that a kernel over synapses writes, each with the index of the element."""
    for load in kernel.loads:
        if load.store and load.how != "row":
            yield load.array, load.index
    for action in kernel.accumulations:
        yield action.target, action.index or "local"
    for name in sorted(kernel.written_arrays):
        yield name, "any"


def _kept(deferral: Deferral) -> set[str]:
    """Return the arrays that are kept for a deferred kernel."""
    silent = deferral.linear.silent if deferral.linear is not None else None
    return {b.buffer for b in deferral.buffers} | ({silent.spiked} if silent is not None else set())


def _size(kernel: Kernel, index: str) -> int | None:
    """Return how many elements a loop has at an index."""
    domain = kernel.domain
    if isinstance(domain, Neurons):
        return domain.size if index == "neuron" else None
    if isinstance(domain, Once):
        return None
    sparse = getattr(domain, "sparse", None)
    width = domain.post if sparse is None else sparse.stride
    return {"pre": domain.pre, "post": domain.post, "synapse": domain.pre * width}.get(index)
