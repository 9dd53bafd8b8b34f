"""A kernel as a Python function: its loop, one neuron or synapse after the other, exactly as the plan says."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from snnlearn.codegen.plan import Array, Kernel, Load, Neurons, OnSpike, Plan, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.domains import BuildDomain, Columns, Diagonals, Once, Rows, Sparse
from snnlearn.codegen.plan.history import Player, Recorder
from snnlearn.codegen.plan.names import Names
from snnlearn.codegen.plan.parts import (
    Accumulate,
    AddSynapse,
    Code,
    Connect,
    Flag,
    Index,
    Part,
    RemoveSynapse,
    SavePreviousSpikeTime,
    Transfer,
)
from snnlearn.codegen.reference.code import INDENT, CodePrinter, bare
from snnlearn.declare import ValueType, value_type
from snnlearn.dialect import tree
from snnlearn.errors import NetworkError

_UINT = value_type("unsigned int")
# What loops call the neuron, the presynaptic and the postsynaptic neuron, the synapse, the diagonal.
_BUILT_IN = {"id": "i", "id_pre": "i", "id_post": "j", "id_syn": "s", "id_diag": "d"}
_INDEX: dict[Index, str] = {"neuron": "i", "pre": "i", "post": "j", "synapse": "s", "only": "0"}

Lines = list[str]


class KernelPrinter(CodePrinter):
    """Prints a kernel; the views of arrays that it needs are found on the way.

    Parameters
    ----------
    plan : Plan
    kernel : Kernel
        Not deferred.
    """

    def __init__(self, plan: Plan, kernel: Kernel) -> None:
        guards = {x.name: x.guard for x in kernel.loads if x.guard}
        super().__init__(plan.precision, Names(plan.arrays_by_name, kernel.local_names), guards)
        self.plan, self.kernel = plan, kernel
        self._direct = {x.name: x for x in kernel.loads if x.direct}
        self._views: dict[str, str] = {}

    def function(self) -> Lines:
        """Return the function."""
        k = self.kernel
        assert k.deferral is None, "the reference runs plans without deferred kernels"
        loop = self._loop_of()
        lines = [f"{c.name} = {self.number(c.value, c.type)}" for c in k.constants]
        if "dt" in k.uses:
            lines.append(f"dt = {self.number(self.plan.dt, self.plan.timepoint)}")
        inner = [*(f"{name} = {view}" for name, view in self._views.items()), *loop]
        copies = k.batched and self.plan.batch_size > 1
        lines += [f"for batch in range({self.plan.batch_size}):", *_in(inner)] if copies else ["batch = 0", *inner]
        if k.calls is not None:
            lines.append(f"memory.slot({k.calls!r})[0] += 1")
        return [f"def {k.name}(memory, timestep, t, seed):", f"{INDENT}# {k.title!a}", *_in(lines)]

    # ---- names ----

    def variable(self, target: str) -> str:
        """Return what stands for a name of the kernel."""
        direct = self._direct.get(target)
        if direct is not None:
            return f"{self._view(direct.array)}[{self._place(direct.index)}]"
        return _BUILT_IN.get(target, target)

    def array(self, target: str) -> str:
        """Return a whole array."""
        if isinstance(self.kernel.domain, Once):
            self._views[target] = f"memory.host({target!r})"
            return target
        return self._view(target)

    def _view(self, name: str, delay: int = 0) -> str:
        """Return what an array is called, as it was some timesteps ago."""
        if delay == 0 or self.plan.array(name).slots == 1:
            self._views[name] = f"memory.slot({name!r}, batch)"
            return name
        self._views[f"ago_{delay}_{name}"] = f"memory.slot({name!r}, batch, {delay})"
        return f"ago_{delay}_{name}"

    def _slots(self, name: str) -> str:
        """Return the slots of an array, the newest first."""
        self._views[f"slots_{name}"] = f"memory.slots({name!r}, batch)"
        return f"slots_{name}"

    def past(self, array: str, delay: str) -> str:
        """Return the postsynaptic neuron's element so many timesteps ago."""
        slots = self.plan.array(array).slots
        return f"{self._slots(array)}[memory.delay({delay}, {slots}, {slots}, {self.kernel.title!r})][j]"

    def _place(self, index: Index | None) -> str:
        if index == "kernel":
            sparse = self._sparse
            assert sparse is not None
            assert sparse.kernel_ind is not None
            return f"{self._view(sparse.kernel_ind)}[s]"
        assert index is not None
        return _INDEX[index]

    @property
    def _sparse(self) -> Sparse | None:
        return getattr(self.kernel.domain, "sparse", None)

    # ---- local copies of elements ----

    def _load_lines(self, *indices: Index) -> Lines:
        return [f"{load.name} = {self._first_value(load)}" for load in self.kernel.loads_at(*indices)]

    def _first_value(self, load: Load) -> str:
        if load.how in ("sum", "broadcast") or (load.how == "row" and not load.played):
            return self.number(0, load.type)
        if load.how == "max":
            return self._least(load.type)
        if load.played:
            player = next(p for p in self.kernel.players if p.rows == load.played)
            return f"played_bit(played_{player.rows}, i)" if player.bits else f"played_{player.rows}[i]"
        element = f"{self._view(load.array, load.delay)}[{self._place(load.index)}]"
        if load.arrives_after is not None:
            return f"arrival({element}, {load.arrives_after}, {self.plan.dt!r}, {self._as_time(load.type)})"
        return element

    def _least(self, vtype: ValueType) -> str:
        dtype = np.dtype(vtype.dtype_for(self.precision))
        if dtype.kind == "f":
            return repr(float(np.finfo(dtype).min))
        return "False" if dtype.kind == "b" else str(np.iinfo(dtype).min)

    def _as_time(self, vtype: ValueType) -> str:
        """Return the function that rounds a time."""
        return "single" if vtype.dtype_for(self.precision) == "float32" else "float"

    def _store_lines(self, *indices: Index) -> Lines:
        return [line for load in self.kernel.loads_at(*indices) if load.store for line in self._store(load)]

    def _store(self, load: Load) -> Lines:
        place = self._place(load.index)
        if load.how == "row":
            return [f"kept_{load.array}.append({load.name})"]
        if load.how == "broadcast" and self.plan.array(load.array).slots > 1:
            return [f"for slot in {self._slots(load.array)}:", f"{INDENT}slot[{place}] = {load.name}"]
        element = f"{self._view(load.array)}[{place}]"
        if load.how == "sum":
            return [f"{element} = {bare(self._sum(element, load.type, load.name, load.type))}"]
        if load.how == "max":
            return [f"{element} = max({element}, {load.name})"]
        return [f"{element} = {load.name}"]

    def _sum(self, element: str, vtype: ValueType, value: str, given: ValueType) -> str:
        return self.convert(*self._operation("+", (element, vtype), (value, given)), vtype)

    # ---- loops ----

    def _loop_of(self) -> Lines:
        loops: dict[type, Callable[[], Lines]] = {
            Neurons: self._neurons,
            Synapses: self._synapses,
            SpikingRows: self._spiking_rows,
            SpikingColumns: self._spiking_columns,
            Rows: self._build,
            Columns: self._build,
            Diagonals: self._build,
            Once: self._once,
        }
        return [*self._load_lines("only"), *loops[type(self.kernel.domain)]()]

    def _neurons(self) -> Lines:
        k = self.kernel
        assert isinstance(k.domain, Neurons)
        only = [load.array for load in k.loads if load.how == "row" and load.store]
        lines = [f"kept_{array} = []" for array in only] + [f"spiking_{n} = []" for n in range(len(k.spikes))]
        lines += [self._played(p) for p in k.players]
        one = [f"{v.name} = {self.number(v.start, v.type)}" for v in k.inputs]
        one += [*self._load_lines("neuron"), *self._random("i", k.domain.size)]
        one += [*self._parts(), *self._store_lines("neuron")]
        if one:
            lines += [f"for i in range({k.domain.size}):", *_in(one)]
        for n, spike in enumerate(k.spikes):
            names = f"{spike.spikes!r}, {spike.count!r}, {spike.recording!r}"
            lines.append(f"memory.list_spikes({names}, batch, spiking_{n}, {k.domain.size}, timestep)")
        return [*lines, *(line for r in k.recorders for line in self._record(r))]

    def _synapses(self) -> Lines:
        domain = self.kernel.domain
        assert isinstance(domain, Synapses)
        width = domain.post if domain.sparse is None else domain.sparse.stride
        each = [*self._load_lines("post", "synapse", "kernel"), *self._random("s", domain.pre * width)]
        each += [*self._parts(), *self._store_lines("synapse", "kernel")]
        return [f"for i in range({domain.pre}):", *_in([*self._load_lines("pre"), *self._along_row(each)])]

    def _along_row(self, each: Lines) -> Lines:
        """Return the loop from presynaptic neuron i to its synapses s, with the postsynaptic neuron j of each."""
        domain = self.kernel.domain
        assert isinstance(domain, (Synapses, SpikingRows))
        if domain.sparse is None:
            return [f"for j in range({domain.post}):", *_in([f"s = i * {domain.post} + j", *each])]
        begin, lengths = f"i * {domain.sparse.stride}", self._view(domain.sparse.row_length)
        head = f"for s in range({begin}, {begin} + {lengths}[i]):"
        return [head, *_in([f"j = {self._view(domain.sparse.ind)}[s]", *each])]

    def _spiking_rows(self) -> Lines:
        domain = self.kernel.domain
        assert isinstance(domain, SpikingRows)
        each = [*self._load_lines("post", "synapse", "kernel"), *self._parts(), *self._store_lines("synapse", "kernel")]
        spikes, count = (self._view(name, domain.delay) for name in (domain.spikes, domain.count))
        return [f"for i in {spikes}[: {count}[0]]:", *_in([*self._load_lines("pre"), *self._along_row(each)])]

    def _spiking_columns(self) -> Lines:
        domain = self.kernel.domain
        assert isinstance(domain, SpikingColumns)
        each = [*self._load_lines("pre", "synapse", "kernel"), *self._parts(), *self._store_lines("synapse", "kernel")]
        if domain.sparse is None:
            column = [f"for i in range({domain.pre}):", *_in([f"s = i * {domain.post} + j", *each])]
        else:
            assert domain.sparse.column_start is not None
            assert domain.sparse.column_synapses is not None
            start, synapses = self._view(domain.sparse.column_start), self._view(domain.sparse.column_synapses)
            head = f"for s in {synapses}[{start}[j] : {start}[j + 1]]:"
            column = [head, *_in([f"i = s // {domain.sparse.stride}", *each])]
        spikes, count = (self._view(name, domain.delay) for name in (domain.spikes, domain.count))
        return [f"for j in {spikes}[: {count}[0]]:", *_in([*self._load_lines("post"), *column])]

    def _build(self) -> Lines:
        """Return the loop over rows, columns or diagonals whose synapses code makes or changes."""
        k, domain = self.kernel, self.kernel.domain
        assert isinstance(domain, BuildDomain)
        sparse = domain.sparse
        loops = {"Rows": ("i", domain.pre), "Columns": ("j", domain.post)}
        name, number = loops.get(type(domain).__name__, ("d", getattr(domain, "number", 0)))
        each = [*self._load_lines("pre"), *self._random(name, number), *self._parts(), *self._store_lines("pre")]
        makes = any(isinstance(a, Connect) for code in k.codes for a in code.actions.values())
        arrays = f"{sparse.row_length!r}, {sparse.ind!r}, {sparse.kernel_ind!r}, {k.moved!r}"
        made = f"rows = memory.rows({arrays}, {domain.pre}, {domain.post}, {sparse.stride}, {k.title!r})"
        first = ["rows.clear()"] if makes else []
        return [made, *first, f"for {name} in range({number}):", *_in(each)]

    def _once(self) -> Lines:
        return [*self._random("0", 1), *self._parts()]

    def each_synapse(self, s: tree.ForEachSynapse) -> str:
        """Return the head of a loop along a row, or along a diagonal."""
        if isinstance(self.kernel.domain, Diagonals):
            return f"for i in range({self.kernel.domain.pre}):"
        return "for s, j in rows.synapses(i):"

    # ---- parts of the body ----

    def _parts(self) -> Lines:
        return [line for part in self.kernel.body for line in self._part(part)]

    def _part(self, part: Part) -> Lines:
        if isinstance(part, OnSpike):
            return self._on_spike(part)
        if isinstance(part, SavePreviousSpikeTime):
            kind = next(load.type for load in self.kernel.loads if load.name == part.last)
            just_now = f"just_now({part.last}, timestep, {self.plan.dt!r}, {self._as_time(kind)})"
            return [f"if {just_now}:", f"{INDENT}{part.before} = {part.last}"]
        if isinstance(part, Flag):
            return [f"{part.name} = {bare(self._condition(part.condition))}"]
        return [f"# {part.title!a}", *self.lines(part)]

    def _condition(self, code: Code) -> str:
        assert not isinstance(code.tree, tree.Block)
        return self.convert(self.value(code), code.tree.type, value_type("bool"))

    def _on_spike(self, part: OnSpike) -> Lines:
        condition = self._condition(part.condition)
        if part.unless is not None:
            condition = f"({condition} and not {part.unless})"
        lines = [line for code in part.before for line in self.lines(code)]
        lines.append(f"spiking_{self.kernel.spikes.index(part)}.append(i)")
        if part.time is not None:
            lines.append(f"{part.time} = t")
        lines += [line for code in part.reset for line in self.lines(code)]
        return [f"# {part.condition.title!a}", f"if {bare(condition)}:", *_in(lines)]

    def _random(self, index: str, number: int) -> Lines:
        k = self.kernel
        if k.stream is None:
            return []
        if k.draws == "each timestep":
            number = -(-number // 4) * 4  # four neurons share a block
        if k.batched and self.plan.batch_size > 1:
            index = f"batch * {number} + {index}"
        kind, when = {
            "once": ("Once", ""),
            "each timestep": ("EachStep", ", timestep"),
            "each call": ("EachCall", f", memory.slot({k.calls!r})[0]"),
        }[k.draws]
        return [f"random = {kind}(seed, {k.stream}, {index}{when})"]

    # ---- rows of kept values ----

    def _played(self, player: Player) -> str:
        assert isinstance(self.kernel.domain, Neurons)
        given = f"{player.numbers!r}, {player.rows!r}, batch, {self.kernel.domain.size}, timestep"
        how = f"every={player.every}, reverse={player.reverse}, bits={player.bits}"
        return f"played_{player.rows} = memory.played_row({given}, {how})"

    def _record(self, recorder: Recorder) -> Iterable[str]:
        yield f"row = memory.recorded_row({recorder.numbers!r}, timestep, {recorder.every}, batch)"
        yield "if row is not None:"
        for array, rows in recorder.copied:
            values = f"kept_{array}" if recorder.only else self._view(array)
            if recorder.index is not None:
                values = f"[{values}[n] for n in {self._view(recorder.index)}]"
            yield f"{INDENT}memory.write_row({rows!r}, row, {values})"
        if recorder.flags is not None:
            assert isinstance(self.kernel.domain, Neurons)
            spiking = f"spiking_{len(self.kernel.spikes) - 1}"
            yield f"{INDENT}memory.write_row({recorder.flags!r}, row, flags({spiking}, {self.kernel.domain.size}))"

    # ---- actions ----

    def action(self, e: tree.Call, *, statement: bool) -> str:
        """Return what a call does to the network."""
        assert self.code is not None
        action = self.code.actions.get(e.function)
        if isinstance(action, Accumulate):
            return self._accumulate(action, e.args, statement)
        if isinstance(action, Connect):
            other = self._as_index(e.args[0])
            pair = f"i, {other}" if action.end == "post" else f"{other}, j"
            return f"rows.connect({pair}, {self._kernel_index(action, e.args[1:])})"
        if isinstance(action, AddSynapse):
            values = [
                f"({to.array!r}, {self.fit(self.expression(a), a.type, self.plan.array(to.array).type, to.guard)})"
                for a, to in zip(e.args[1:], action.values, strict=True)
            ]
            return f"rows.add(i, {self._as_index(e.args[0])}, [{', '.join(values)}])"
        if isinstance(action, RemoveSynapse):
            return "rows.remove(i, s)"
        if isinstance(action, Transfer):
            array = self.plan.array(action.array)
            count = self.expression(e.args[0]) if array.size is None else str(array.total(1))
            return f"memory.transfer({array.name!r}, {action.to_device}, {count})"
        args = ", ".join(map(self.expression, e.args))
        if e.function == "printf":
            return f"printf({args})"
        assert e.function == "assert"
        return f"memory.check({self.truth(e.args[0])}, 'ASSERTION', {self.code.title!r})"

    def _accumulate(self, action: Accumulate, args: tuple[tree.Expr, ...], statement: bool) -> str:
        value = self.expression(args[0]), args[0].type
        if action.index is None:
            vtype = next(v.type for v in self.kernel.inputs if v.name == action.target)
            found = self._sum(action.target, vtype, *value)
            return f"{action.target} = {bare(found)}" if statement else self.put("", action.target, found)
        array = self.plan.array(action.target)
        place = self._place(action.index)
        view = self.fresh("later") if action.delayed else self._view(array.name)
        # Python evaluates the sum first, and in it which slot it is.
        element = f"({view} := {self._later(array, args[1])})[{place}]" if action.delayed else f"{view}[{place}]"
        found = self._sum(element, array.type, *value)
        return f"{view}[{place}] = {bare(found)}" if statement else self.put(view, place, found)

    def _later(self, array: Array, delay: tree.Expr) -> str:
        """Return the slot of input that arrives in some timesteps."""
        # GeNN's queue of input has no slot for the longest delay itself; a longer one wraps around as there.
        around = array.slots - 1 if array.slots > 1 else 1
        steps = f"memory.delay({self.expression(delay)}, {array.slots}, {around}, {self.kernel.title!r})"
        return f"{self._slots(array.name)}[-{steps}]"

    def _as_index(self, e: tree.Expr) -> str:
        """Return a number as the index of a neuron; what can be none becomes one that no population has."""
        cut = e.type.kind == "float" or e.type.name in ("int64_t", "uint64_t")
        return f"as_index({self.expression(e)})" if cut else self.as_type(e, _UINT)

    def _kernel_index(self, action: Connect, args: tuple[tree.Expr, ...]) -> str:
        if not action.kernel:
            return "0"
        if len(args) != len(action.kernel):
            raise NetworkError(
                f"{self.kernel.title}: addSynapse gives {len(args)} kernel indices; the kernel has "
                f"{len(action.kernel)} dimensions"
            )
        text = "0"
        for size, arg in zip(action.kernel, args, strict=True):
            text = f"({text} * {size} + {self.as_type(arg, _UINT)})"
        return text


def _in(lines: Iterable[str]) -> Lines:
    """Return lines one level further in."""
    return [f"{INDENT}{line}" for line in lines] or [f"{INDENT}pass"]
