"""Fill the CUDA templates from a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from snnlearn.codegen.clike import fill_literal, view_name
from snnlearn.codegen.clike.merge import CUDA, Function, Merged, merge
from snnlearn.codegen.cuda.program import Launch, Program
from snnlearn.codegen.cuda.view import CudaKernel
from snnlearn.codegen.lower.gpu.phases import Phase, Work, phases_of
from snnlearn.codegen.lower.gpu.residency import ResidentArrays, resident_arrays
from snnlearn.codegen.lower.gpu.threads import SHARED_BYTES, WARP, ThreadMapping, unordered_sums
from snnlearn.codegen.plan import Kernel, Neurons, Plan
from snnlearn.codegen.plan.domains import BuildDomain, Once, SpikingDomain
from snnlearn.codegen.plan.kernels import Fill, IndexColumns, Operation, Transposition
from snnlearn.codegen.reports import REPORT_KINDS

THREADS = 256  # of a block: enough to hide what memory takes, few enough for two blocks beside each other


def emit_cuda(plan: Plan, threads: int = THREADS) -> Program:
    """Return a plan as CUDA C++, with the launches that make it run.

    Parameters
    ----------
    plan : Plan
    threads : int
        Of each block: a power of two, at least a warp.
    """
    assert threads >= WARP
    assert threads & (threads - 1) == 0
    return _Emitter(plan, threads).program()


class _Emitter:
    def __init__(self, plan: Plan, threads: int) -> None:
        self.plan, self.threads = plan, threads
        self.resident_arrays: dict[str, ResidentArrays] = {}
        self.definitions: dict[str, str] = {}
        kernels = [self.view(k) for k in plan.step]
        self.scratch = max((k.scratch for k in kernels), default=0)
        self.resident_arrays = resident_arrays(plan, SHARED_BYTES - self.scratch)
        self.launched: dict[str, Phase] = {}

    def program(self) -> Program:
        plan = self.plan
        step = [work for k in plan.step for work in self.step_works(self.view(k))]
        # All neurons first, then all lists: one phase for these where several populations need one.
        step.sort(key=lambda work: (work.stage == "neurons") + work.function.startswith("list_"))
        deferred = Phase(
            "deferred", tuple(self.deferred_work(self.view(k)) for k in plan.step if k.deferral is not None)
        )
        connect, init = self.launches(plan.connect, "connect"), self.launches(plan.init, "init")
        columns = {name: self.launches([k], f"columns_{n}") for n, (name, k) in enumerate(plan.column_indexing.items())}
        updates = {
            group: self.launches(operations, f"update_{n}")
            for n, (group, operations) in enumerate(plan.custom_updates.items())
        }
        step_launches = tuple(self.launch(Phase(work.function, (work,))) for work in step)
        deferred_launches = (self.launch(deferred),) if deferred.works else ()
        phases = phases_of(step)
        resident_phase = next((phase for phase in phases if phase.resident), None)
        depth = next((k.deferral.depth for k in plan.step if k.deferral is not None), 0)
        merged = self.merged()
        rows = {name: f"table_{m.name}[{n}], " for m in merged for n, name in enumerate(m.members)}
        first = {name: m.name for m in merged for name in m.members}
        source = (
            _environment()
            .get_template("program.cu.jinja")
            .render(
                plan=plan,
                name=ascii(plan.name),
                threads=self.threads,
                ctypes={a.name: a.type.ctype_for(plan.precision) for a in plan.arrays},
                definitions=self.printed(merged),
                call=lambda function: f"{first.get(function, function)}(sim, {rows.get(function, '')}",
                launched=list(self.launched.values()),
                phases=phases,
                deferred=deferred,
                depth=depth,
                scratch=self.scratch,
                resident_phase=resident_phase,
                resident_bytes=max((r.nbytes for r in self.resident_arrays.values()), default=0),
            )
        )
        return Program(
            "\n".join(line.rstrip() for line in source.splitlines()) + "\n",
            self.threads,
            (*step_launches, Launch("snn_end_step", 1, "neuron_update")),
            tuple(Launch(f"launch_{phase.name}", phase.parts, phase.works[0].timer) for phase in phases),
            deferred_launches,
            depth,
            connect,
            init,
            columns,
            updates,
            max([1, *(phase.parts for phase in phases), deferred.parts]),
        )

    def view(self, kernel: Kernel) -> CudaKernel:
        found = self.resident_arrays.get(kernel.name)
        places = found.places if found is not None else {}
        return CudaKernel(kernel, self.plan, threads=self.threads, resident_arrays=places)

    # ---- work of a timestep ----

    def step_works(self, k: CudaKernel) -> Iterable[Work]:
        if k.deferral is not None:
            yield from self.keeping(k)
            return
        reports = self.define(k)
        stage = "neurons" if isinstance(k.domain, Neurons) else "synapses"
        reads, writes = k.reads | {x.array for x in k.loads}, k.writes
        yield Work(
            k.name,
            k.number_of_parts,
            stage,
            k.timer,
            reads,
            writes,
            unordered_sums(k.kernel),
            bool(k.resident_arrays),
            reports,
        )
        if stage == "neurons" and k.lists:
            copies = self.plan.batch_size if k.copies else 1
            yield Work(f"list_{k.name}", copies, stage, k.timer, reads=k.writes)

    def keeping(self, k: CudaKernel) -> Iterable[Work]:
        """Yield what keeps the past that a deferred kernel will read."""
        assert k.deferral is not None
        self.definitions[f"keep_{k.name}"] = _fill("deferred.jinja", "keep", k)
        for n, b in enumerate(k.deferral.buffers):
            parts = _ceil(k.size_of(b.array), self.threads)
            yield Work(f"keep_{n}_{k.name}", parts, "synapses", k.timer, frozenset([b.array]), frozenset([b.buffer]))
        if k.silent is not None:
            reads = frozenset([k.silent.spikes, k.silent.count])
            yield Work(f"mark_{k.name}", 1, "synapses", k.timer, reads, frozenset([k.silent.spiked]))

    def deferred_work(self, k: CudaKernel) -> Work:
        reports = self.define(k)
        return Work(k.name, k.number_of_parts, "between", k.timer, reports=reports)

    # ---- definitions ----

    def define(self, k: CudaKernel) -> bool:
        """Define what a kernel does; return whether its code can report an error or a warning."""
        if k.mapping is ThreadMapping.TILES:
            text = _fill("deferred.jinja", "tiles", k)
        elif k.mapping is ThreadMapping.MATRIX:
            text = _fill("deferred.jinja", "matrix", k)
        elif isinstance(k.domain, Neurons):
            text = _fill("kernels.jinja", "serial_neurons" if k.mapping is ThreadMapping.SERIAL else "neurons", k)
        elif isinstance(k.domain, Once):
            text = _fill("edits.jinja", "once", k)
        elif isinstance(k.domain, BuildDomain):
            text = _fill("edits.jinja", "edit", k)
        elif k.mapping in (ThreadMapping.ROWS, ThreadMapping.COLUMNS):
            along_spikes = isinstance(k.domain, SpikingDomain)
            text = _fill("kernels.jinja", "rows" if k.mapping is ThreadMapping.ROWS else "columns", k, along_spikes)
        elif isinstance(k.domain, SpikingDomain):  # along sparse connectivity
            text = _fill("kernels.jinja", "spiking", k)
        else:
            text = _fill("kernels.jinja", "serial_synapses" if k.mapping is ThreadMapping.SERIAL else "synapses", k)
        self.definitions[k.name] = text
        return any(name in text for name in ("sim.check(", "sim.within(", "sim.fit<", "snn::checked_"))

    def merged(self) -> list[Merged]:
        """Return which functions are alike, and are compiled as one: those that are all there is of their kernel."""
        if not self.plan.merged:
            return []
        mergeable = [Function(name, text) for name, text in self.definitions.items() if _is_one_function(name, text)]
        ctypes = {("snn_arrays", a.name): f"{a.type.ctype_for(self.plan.precision)} *" for a in self.plan.arrays}
        queues = {("sim", q.array): "unsigned int" for q in self.plan.queues}
        return merge(mergeable, ctypes | queues, CUDA)

    def printed(self, merged: Sequence[Merged]) -> list[str]:
        """Return the printed functions, in order; those of merged ones by the first, and nothing for the others."""
        texts = {name: "" for m in merged for name in m.members} | {m.name: m.text for m in merged}
        return [texts.get(name, text) for name, text in self.definitions.items()]

    # ---- launches ----

    def launch(self, phase: Phase) -> Launch:
        self.launched[phase.name] = phase
        work = phase.works[0]
        reports = any(work.reports for work in phase.works)
        return Launch(f"launch_{phase.name}", phase.parts, work.timer, work.host_arrays, reports)

    def launches(self, operations: Sequence[Operation], label: str) -> tuple[Launch, ...]:
        """Return what runs some operations between timesteps, in as few launches as can be."""
        works = [work for operation in operations for work in self.works_of(operation)]
        phases = phases_of(works, label, timed=True)
        return tuple(self.launch(p if len(p.works) > 1 else Phase(p.works[0].function, p.works)) for p in phases)

    def works_of(self, operation: Operation) -> Iterable[Work]:
        plan = self.plan

        def work(function: str, items: int) -> Work:
            parts = _ceil(items, self.threads)
            return Work(function, parts, "between", operation.timer, operation.reads, operation.writes)

        if isinstance(operation, Transposition):
            self.definitions[operation.name] = _fill("operations.jinja", "transposition", operation)
            yield work(operation.name, operation.copies * operation.pre * operation.post)
        elif isinstance(operation, Fill):
            array = plan.array(operation.array)
            number = array.total(plan.batch_size)
            assert number is not None
            value = fill_literal(operation.value, array, plan.precision)
            self.definitions[operation.name] = _fill("operations.jinja", "fill", operation, number, value)
            yield work(operation.name, number)
        elif isinstance(operation, IndexColumns):
            self.definitions[operation.name] = _fill("operations.jinja", "index_columns", operation)
            post, room = operation.domain.post, operation.domain.pre * operation.domain.sparse.stride
            for step, items in [("zero", post + 1), ("count", room), ("sum", 1), ("place", room), ("sort", post)]:
                yield work(f"{step}_{operation.name}", items)
        else:
            yield from self.kernel_works(self.view(operation))

    def kernel_works(self, k: CudaKernel) -> Iterable[Work]:
        reports = self.define(k)
        yield Work(
            k.name,
            k.number_of_parts,
            "between",
            k.timer,
            k.reads | {x.array for x in k.loads},
            k.writes,
            reports=reports,
            host_arrays=tuple(k.arrays) if isinstance(k.domain, Once) else (),
        )
        if k.calls is not None:
            self.definitions[f"tick_{k.name}"] = _fill("operations.jinja", "counter", k)
            calls = frozenset([k.calls])
            yield Work(f"tick_{k.name}", 1, "between", k.timer, calls, calls)


def _is_one_function(name: str, text: str) -> bool:
    return text.count("static void ") == 1 and f"static void {name}(" in text and "__device__" not in text


def _ceil(number: int, size: int) -> int:
    return max(1, -(-number // size))


def _fill(template: str, macro: str, *args: Any) -> str:
    text = str(getattr(_macros(template), macro)(*args))
    return "\n".join(line for line in text.splitlines() if line.strip())


@cache
def _macros(template: str) -> Any:
    return _environment().get_template(template).module


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("snnlearn.codegen.cuda"), PackageLoader("snnlearn.codegen.clike")]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals["view_name"] = view_name
    environment.globals["report_kinds"] = REPORT_KINDS
    return environment
