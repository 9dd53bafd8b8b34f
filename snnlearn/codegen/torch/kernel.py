"""Kernels as Python functions over tensors: what they load, run, add up and store."""

from __future__ import annotations

from dataclasses import replace

from snnlearn.codegen.plan import Accumulate, Array, Kernel, Load, Neurons, OnSpike, Plan
from snnlearn.codegen.plan.domains import BuildDomain, Once, SpikingColumns, SpikingDomain, SpikingRows
from snnlearn.codegen.plan.parts import Connect, Flag, Index, SavePreviousSpikeTime
from snnlearn.codegen.torch.draws import Draws
from snnlearn.codegen.torch.elements import Layout
from snnlearn.codegen.torch.expressions import Options
from snnlearn.codegen.torch.lines import Line
from snnlearn.codegen.torch.spikes import Spikes
from snnlearn.codegen.torch.sums import Sums
from snnlearn.codegen.torch.values import (
    BOOL,
    POST,
    PRE,
    SCALAR,
    UINT,
    Number,
    Tensor,
    Value,
    convert_number,
    text,
    uses,
)
from snnlearn.dialect import tree

_LEAST = {"float": float("-inf"), "bool": False}


class KernelEmitter(Spikes, Sums, Draws):
    """Emits one kernel.

    Parameters
    ----------
    plan : Plan
    kernel : Kernel
    options : Options

    Raises
    ------
    TorchError
        For what has no counterpart among tensors; names the model.
    """

    def __init__(self, plan: Plan, kernel: Kernel, options: Options) -> None:
        super().__init__(plan, kernel, options)
        self.layout = Layout(plan, kernel)

    def emit(self) -> list[Line]:
        """Return the lines of the kernel."""
        kernel = self.kernel
        if isinstance(kernel.domain, Once) or (isinstance(kernel.domain, BuildDomain) and not self._builds()):
            raise self.refuse("connectivity that changes has no place among tensors; run this on another engine")
        self._name_constants()
        self.name_built_ins()
        for load in kernel.loads:
            self._load(load)
        self.begin_sums()
        self.begin_draws()
        if isinstance(kernel.domain, SpikingDomain):
            self.branch(self._arriving(), self._body, None)
        else:
            self._body()
        self.end_sums()
        for load in kernel.loads:
            if load.store:
                self._store(load)
        return self.lines

    def _builds(self) -> bool:
        return any(isinstance(a, Connect) for code in self.kernel.codes for a in code.actions.values())

    # ---- what code sees ----

    def _name_constants(self) -> None:
        for c in self.kernel.constants:
            self.values[c.name] = convert_number(c.value, c.type, self.precision)
        for v in self.kernel.inputs:
            self.values[v.name] = convert_number(v.start, v.type, self.precision)

    def name_built_ins(self) -> None:
        """Give the built-in names of the kernel their values."""
        plan = self.plan
        for name in sorted(self.kernel.uses):
            if name == "dt":
                self.values[name] = convert_number(plan.dt, plan.timepoint, self.precision)
            elif name == "t":
                self.values[name] = Tensor("t", plan.timepoint, axes=frozenset())
            else:
                found = self.layout.built_in(name)
                if found is None:
                    continue
                code, axes = found
                reads = self.layout.index_arrays("pre")
                self.values[name] = self.let(name, Tensor(code, UINT, axes=axes), reads=reads)

    def _load(self, load: Load) -> None:
        if load.direct or load.played:
            raise self.refuse("this works on memory, which tensors do not show; run it on another engine")
        array = self.plan.array(load.array)
        if array.location.space.endswith("_count"):
            raise self.refuse("spikes on their way are no list that code could wipe out; run this on another engine")
        if load.store and load.index == "kernel" and not isinstance(self.kernel.domain, Neurons):
            raise self.refuse(
                f"synapses that share '{array.location.name}' change it one after the other: use atomic_add"
            )
        if load.how in ("sum", "broadcast"):
            self.values[load.name] = convert_number(0, load.type, self.precision)
            return
        if load.how == "max":
            least = _LEAST.get(load.type.kind, -(2**63))
            self.values[load.name] = Number(least, load.type)
            return
        layout = self.layout
        code = layout.element(array, load.index, str(load.delay if array.slots > 1 else 0))
        if load.arrives_after is not None:
            code = f"support.arrival({code}, {load.arrives_after}, {self.plan.dt!r})"
        value = Tensor(code, load.type, axes=layout.axes(load.index))
        reads = layout.reads(array) | layout.index_arrays(load.index)
        self.values[load.name] = self.let(load.name, value, reads=reads)

    def _store(self, load: Load) -> None:
        array, value = self.plan.array(load.array), self.values[load.name]
        layout, reads = self.layout, self.layout.reads(array)
        if load.how in ("sum", "max"):
            where, alone = self._place(load.index), layout.copies and not array.batched
            code = f"support.reduce_{load.how}({{}}, {text(self.tensor(value))}, {layout.shape}, {where}, {alone})"
            reads |= layout.index_arrays(load.index) | layout.index_arrays("pre")
        else:
            code = f"support.fit({text(self.tensor(value))}, {{}})"
        if load.how == "broadcast" and array.slots > 1:
            name = f'a["{array.name}"]'
            code = f"{name} = [{code.format('old')} for old in {name}]"
        else:
            slot = layout.slot(array, "0")
            code = f"{slot} = {code.format(slot)}"
        self.lines.append(Line(code, (), uses(value), reads, frozenset([array.name])))

    def _place(self, index: Index) -> str:
        """Return where the elements of a reduction go to: an axis that stays, or neurons of sparse synapses."""
        if self.layout.sparse is not None and index in ("pre", "post", "kernel"):
            return self.layout.index_of(index)
        if self.layout.dense:
            return {"pre": "-1", "post": "-2", "only": "(-2, -1)"}.get(index, "()")
        return "-1" if index == "only" else "()"

    # ---- what runs ----

    def _arriving(self) -> Tensor:
        """Return the condition that a synapse's neuron has spiked."""
        domain = self.kernel.domain
        assert isinstance(domain, SpikingRows | SpikingColumns)
        index: Index = "pre" if isinstance(domain, SpikingRows) else "post"
        array = self.plan.array(domain.spikes)
        along = PRE if index == "pre" else POST
        reads = self.layout.reads(array) | self.layout.index_arrays(index)
        delay = domain.delay if array.slots > 1 else 0
        spikes = Tensor(self.layout.element(array, index, str(delay)), SCALAR, axes=along)
        found = self.let("spikes", spikes, reads=reads)
        assert isinstance(found, Tensor)
        spiking = self.let("spiking", Tensor(f"({found.text} > 0.5)", BOOL, found.uses, along))
        assert isinstance(spiking, Tensor)
        self.arriving = found.text
        return replace(spiking, spike=found.text, soft=True)

    def _body(self) -> None:
        for part in self.kernel.body:
            if isinstance(part, OnSpike):
                self.on_spike(part)
            elif isinstance(part, SavePreviousSpikeTime):
                self._remember(part)
            elif isinstance(part, Flag):
                self.values[part.name] = self.let(part.name, replace_spike(self.evaluate(part.condition)))
            else:
                self.run(part)

    def _remember(self, part: SavePreviousSpikeTime) -> None:
        last, before = self.values[part.last], self.values[part.before]
        kind = self.tensors(last.type)
        code = f"support.just_now({text(last)}, timestep, {self.plan.dt!r}, {kind})"
        now = self.let("now", Tensor(code, BOOL, uses(last)))
        assert isinstance(now, Tensor)
        self.values[part.before] = self.let(part.before, self.select(now, last, before))

    # ---- arrays ----

    def _get_index(self, e: tree.Index) -> Value:
        code = self.code
        assert code is not None
        past = code.names.get(f"{e.array}[]")
        index = self.get(e.index)
        if past is not None:
            return self._past(self.plan.array(past), index, e)
        array = code.names[e.array]
        found = f'support.element(a["{array}"], {text(index)})'
        return self.let("element", Tensor(found, e.type, uses(index)), reads=frozenset([array]))

    def _past(self, array: Array, delay: Value, e: tree.Index) -> Value:
        layout = self.layout
        reads = layout.reads(array) | layout.index_arrays("post")
        if array.slots == 1 or isinstance(delay, Number):
            steps = int(delay.value) % array.slots if isinstance(delay, Number) else 0
            return self.let(e.array, Tensor(layout.element(array, "post", str(steps)), e.type), reads=reads)
        slots = ", ".join(layout.element(array, "post", str(steps)) for steps in range(array.slots))
        found = Tensor(f"support.past([{slots}], {delay.text})", e.type, uses(delay))
        return self.let(e.array, found, reads=reads)

    def write_element(self, target: tree.Index, value: Value) -> None:
        """Assign to an element of an extra global parameter: a new tensor takes the old one's place."""
        assert self.code is not None
        array = self.code.names[target.array]
        index, where = self.get(target.index), "None" if self.mask is None else self.mask.text
        code = f'support.put(a["{array}"], {text(index)}, {text(value)}, {where}, {self.kernel.title!r})'
        used = uses(index, value, *([] if self.mask is None else [self.mask]))
        self.lines.append(Line(f'a["{array}"] = {code}', (), used, frozenset([array]), frozenset([array])))
        self.known.clear()

    # ---- actions ----

    def action(self, name: str, args: tuple[tree.Expr, ...]) -> Value:
        """Add to inputs and arrays."""
        assert self.code is not None
        found = self.code.actions[name]
        if isinstance(found, Accumulate):
            return self.accumulate(found, args)
        if isinstance(found, Connect):
            return self.connect(found, args)
        raise self.refuse(f"{name} has no place among tensors; run this on another engine")

    def connect(self, action: Connect, args: tuple[tree.Expr, ...]) -> Value:
        """Make synapses."""
        raise self.refuse("addSynapse is for initialisers of connectivity")


def replace_spike(value: Value) -> Value:
    """Return a condition without the spikes behind it."""
    return replace(value, spike=None, soft=False) if isinstance(value, Tensor) else value


def emit_kernel(plan: Plan, kernel: Kernel, options: Options) -> list[Line]:
    """Return the lines of a kernel; raises as `KernelEmitter`."""
    return KernelEmitter(plan, kernel, options).emit()
