"""Kernels of neurons: inputs, their own code, the code of attached connections, thresholds, spikes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from snnlearn.codegen.plan.bindings import BuiltInVariable, Element, KernelBuilder, LocalVariable
from snnlearn.codegen.plan.context import SCALAR, Context, Meanings, finish_step
from snnlearn.codegen.plan.domains import Neurons
from snnlearn.codegen.plan.history import Player, Recorder
from snnlearn.codegen.plan.kernels import Kernel
from snnlearn.codegen.plan.parts import Accumulate, Code, Flag, OnSpike, SavePreviousSpikeTime
from snnlearn.codegen.plan.synapses import weight_update
from snnlearn.declare import value_type
from snnlearn.dialect import check_model, tree
from snnlearn.dialect.tree import Assign, Block, Evaluate, Name, Snippet
from snnlearn.network import CurrentSource, Location, NeuronPopulation, Play, SynapsePopulation
from snnlearn.network.keys import called
from snnlearn.network.references import Space

Side = Literal["pre", "post"]


def neuron_kernel(context: Context, n: NeuronPopulation) -> Kernel:
    """Return the kernel that moves a population on by a timestep."""
    return _NeuronKernel(context, n).build()


class _NeuronKernel:
    def __init__(self, context: Context, n: NeuronPopulation) -> None:
        self.context, self.n = context, n
        title = f"neurons of {called(n.name)} ({n.model.name})"
        self.k: KernelBuilder = context.builder(f"neuron_update_{n.name}", title, "neuron_update", Neurons(n.size))
        net = context.network
        self.incoming = net.groups.incoming.get(n.name, ())
        self.outgoing = net.groups.outgoing.get(n.name, ())
        self.sources = net.groups.sources_into.get(n.name, ())
        self.meanings = self.neuron_meanings()

    def build(self) -> Kernel:
        k, snippets, net = self.k, check_model(self.n.model).snippets, self.context.network
        self.save_previous_spike_times()
        for s in self.incoming:
            if net.leaders[s.name] == s.name:
                self.add_postsynaptic(s)
        for s in self.outgoing:
            if s.uses("addToPre"):
                self.add_input_from_post(s)
        for c in self.sources:
            self.add_current_source(c)
        unless = None
        condition = snippets.get("threshold_condition_code")
        if self.n.model.auto_refractory_required and condition is not None:
            unless = k.local("above_before")
            k.add(Flag(unless, k.code(f"{called(self.n.name)}: threshold before", condition, self.meanings)))
        if "sim_code" in snippets:
            k.add(k.code(f"{called(self.n.name)}: sim_code", snippets["sim_code"], self.meanings, scoped=False))
        for attribute in ("pre_dynamics_code", "post_dynamics_code"):
            for code in self.attached(attribute):
                k.add(code)
        for event in self.events():
            k.add(event)
        if condition is not None:
            k.add(self.on_spike(condition, unless))
        self.carry_queues()
        return replace(finish_step(k), recorders=tuple(self.recorders()), players=tuple(self.players()))

    def neuron_meanings(self) -> Meanings:
        n, k, context = self.n, self.k, self.context
        found: Meanings = {"Isyn": k.input("Isyn", SCALAR, 0.0)} | context.neuron(n.size)
        for x in n.model.additional_input_vars:
            found[x.name] = k.input(x.name, value_type(x.type), x.init)
        found |= self.last_spike("st")
        found |= context.numbers(n.name, n.model, n.params, n.dynamic_params, "")
        for v in n.model.vars:
            found[v.name] = context.updated(Location(n.name, "own", v.name), v.name)
        for name in (name for record in n.records if record.only for name in record.variables):
            found[name] = context.element(Location(n.name, "own", name), "neuron", name, how="row")
        for play in n.plays:
            element = self.played(play)
            k.load(element)
            found[play.variable] = element
        return found

    def played(self, play: Play) -> Element:
        """Return a variable that plays rows, and may be nowhere else."""
        at = Location(self.n.name, "own", play.variable)
        if not play.only:
            return self.context.updated(at, play.variable)
        rows = self.context.memory[Location(self.n.name, "played", play.variable)].name
        return self.context.element(at, "neuron", play.variable, how="row", played=rows)

    def last_spike(self, name: str) -> Meanings:
        """Return the time of the last spike before this timestep, under a name."""
        at = Location(self.n.name, "spike_time")
        return {name: self.context.updated(at, "st")} if at in self.context.memory else {}

    def save_previous_spike_times(self) -> None:
        """Let the last spike before this timestep be that of ``prev_st`` too; so with events."""
        pairs = [(Location(self.n.name, "spike_time"), Location(self.n.name, "prev_spike_time"), "st")]
        for s in self.outgoing:
            last, before = Location(s.name, "pre_event_time"), Location(s.name, "prev_pre_event_time")
            pairs.append((last, before, f"{s.name}_set"))
        for s in self.incoming:
            last, before = Location(s.name, "post_event_time"), Location(s.name, "prev_post_event_time")
            pairs.append((last, before, f"{s.name}_set"))
        for last, before, label in pairs:
            if before in self.context.memory and last in self.context.memory:
                last_copy = self.k.load(self.context.updated(last, label))
                self.k.add(
                    SavePreviousSpikeTime(
                        last_copy, self.k.load(self.context.updated(before, f"prev_{label}"), written=True)
                    )
                )

    def add_postsynaptic(self, s: SynapsePopulation) -> None:
        psm, k, context = s.postsynaptic, self.k, self.context
        prefix = f"{s.name}_"
        meanings = context.neuron(self.n.size)
        meanings |= context.numbers(
            s.name, psm.model, psm.params, s.postsynaptic_dynamic_params, prefix, "psm_param", "psm_egp"
        )
        for v in psm.model.vars:
            meanings[v.name] = context.updated(Location(s.name, "psm", v.name), prefix + v.name)
        meanings["inSyn"] = context.element(Location(s.name, "out_post"), "neuron", f"{prefix}inSyn")
        for name, ref in s.neuron_var_refs.items():
            meanings[name] = context.updated(ref.to, ref.to.name)
        arriving = Location(s.name, "den_delay")
        if arriving in context.memory:
            both = {"input": meanings["inSyn"], "waiting": context.element(arriving, "neuron", f"{prefix}denDelay")}
            k.add(k.code(f"{called(s.name)}: input that was kept back", _TAKE, both))
        snippet = check_model(psm.model).snippets.get("sim_code")
        if snippet is None:
            return
        target = self.meanings[s.post_target_var]
        assert isinstance(target, LocalVariable)
        action = {"injectCurrent": Accumulate(target.name, None)}
        k.add(k.code(f"{called(s.name)}: {psm.model.name}", snippet, meanings, action))

    def add_input_from_post(self, s: SynapsePopulation) -> None:
        waiting = self.context.element(Location(s.name, "out_pre"), "neuron", f"{s.name}_outPre")
        meanings = {"input": self.meanings[s.pre_target_var], "waiting": waiting}
        self.k.add(self.k.code(f"{called(s.name)}: addToPre", _TAKE, meanings))

    def add_current_source(self, c: CurrentSource) -> None:
        snippet = check_model(c.model).snippets.get("injection_code")
        if snippet is None:
            return
        context, prefix = self.context, f"{c.name}_"
        meanings = context.neuron(self.n.size)
        meanings |= context.numbers(c.name, c.model, c.params, c.dynamic_params, prefix)
        meanings |= context.elements(c.name, "own", c.model.vars, "neuron", prefix)
        for name, ref in c.var_refs.items():
            meanings[name] = context.updated(ref.to, ref.to.name)
        target = self.meanings[c.target_var]
        assert isinstance(target, LocalVariable)
        action = {"injectCurrent": Accumulate(target.name, None)}
        self.k.add(self.k.code(f"{called(c.name)}: {c.model.name}", snippet, meanings, action))

    def attached(self, attribute: str) -> Iterator[Code]:
        """Yield one kind of code of all attached connections."""
        side: Side = "pre" if attribute.startswith("pre") else "post"
        for s in self.outgoing if side == "pre" else self.incoming:
            snippet = check_model(s.weight_update.model).snippets.get(attribute)
            if snippet is not None:
                yield self.k.code(f"{called(s.name)}: {attribute}", snippet, self.attached_meanings(s, side))

    def attached_meanings(self, s: SynapsePopulation, side: Side) -> Meanings:
        context, model, prefix = self.context, s.weight_update.model, f"{s.name}_"
        meanings = weight_update(context, s, prefix)
        variables, refs = (model.pre_vars, s.pre_var_refs) if side == "pre" else (model.post_vars, s.post_var_refs)
        for v in variables:
            meanings[v.name] = context.updated(Location(s.name, side, v.name), prefix + v.name)
        meanings |= context.neuron(self.n.size) | {f"id_{side}": BuiltInVariable("id")}
        for name, ref in refs.items():
            meanings[name] = context.updated(ref.to, ref.to.name)
        meanings |= self.last_spike(f"st_{side}")
        spaces: dict[str, Space] = {"": "pre_event_time", "prev_": "prev_pre_event_time"}
        if side == "post":
            spaces = {"": "post_event_time", "prev_": "prev_post_event_time"}
        for prefix_, space in spaces.items():
            at = Location(s.name, space)
            if at in context.memory:
                time = context.updated(at, f"{s.name}_{prefix_}set")
                meanings |= {f"{prefix_}set_{side}": time, f"{prefix_}set": time}
        return meanings

    def events(self) -> Iterator[OnSpike]:
        """Yield the tests for spike-like events of all attached connections."""
        for side, connections in (("pre", self.outgoing), ("post", self.incoming)):
            attribute = f"{side}_event_threshold_condition_code"
            for s in connections:
                snippet = check_model(s.weight_update.model).snippets.get(attribute)
                if snippet is not None:
                    yield self.on_event(s, "pre" if side == "pre" else "post", snippet)

    def on_event(self, s: SynapsePopulation, side: Side, condition: Snippet) -> OnSpike:
        context, memory = self.context, self.context.memory
        pre = side == "pre"
        time = Location(s.name, "pre_event_time" if pre else "post_event_time")
        title = f"{called(s.name)}: {side}_event_threshold_condition_code"
        return OnSpike(
            self.k.code(title, condition, self.attached_meanings(s, side)),
            (),
            (),
            memory[Location(s.name, "pre_events" if pre else "post_events")].name,
            memory[Location(s.name, "pre_event_count" if pre else "post_event_count")].name,
            memory.name(Location(s.name, "pre_event_recording" if pre else "post_event_recording")),
            self.k.load(context.updated(time, f"{s.name}_set"), written=True) if time in memory else None,
        )

    def on_spike(self, condition: Snippet, unless: str | None) -> OnSpike:
        n, k, context = self.n, self.k, self.context
        snippets = check_model(n.model).snippets
        spikes, count = context.spikes(n.name)
        before = (*self.attached("pre_spike_code"), *self.attached("post_spike_code"))
        reset: tuple[Code, ...] = ()
        if "reset_code" in snippets:
            reset = (k.code(f"{called(n.name)}: reset_code", snippets["reset_code"], self.meanings),)
        time = Location(n.name, "spike_time")
        return OnSpike(
            k.code(f"{called(n.name)}: threshold_condition_code", condition, self.meanings),
            before,
            reset,
            spikes.name,
            count.name,
            context.memory.name(Location(n.name, "recording")),
            k.load(context.updated(time, "st"), written=True) if time in context.memory else None,
            unless,
        )

    def carry_queues(self) -> None:
        """Copy what is kept of the past and no code mentions from one slot to the next."""
        populations = {self.n.name} | {c.name for c in self.sources}
        spaces = {s.name: {"pre", "pre_event_time", "prev_pre_event_time"} for s in self.outgoing}
        for s in self.incoming:
            spaces.setdefault(s.name, set()).update({"post", "psm", "post_event_time", "prev_post_event_time"})
        for at in self.context.network.kept:
            if at.group in populations or at.space in spaces.get(at.group, ()):
                self.k.load(self.context.updated(at, at.name or at.space))

    def recorders(self) -> Iterator[Recorder]:
        """Yield what the timestep leaves in rows."""
        n, memory = self.n, self.context.memory
        for number, record in enumerate(n.records):
            if record.elements is not None:  # a kernel of its own
                continue
            copied = tuple(
                (memory[Location(n.name, "own", name)].name, memory[record.rows_at(n.name, number, name)].name)
                for name in record.variables
            )
            flags = memory[Location(n.name, "recorded_spikes", str(number))].name if record.spikes else None
            numbers = memory[Location(n.name, "recorder", str(number))].name
            yield Recorder(numbers, record.every, copied, flags, record.only)

    def players(self) -> Iterator[Player]:
        """Yield which rows the timestep takes."""
        n, memory = self.n, self.context.memory
        for play in n.plays:
            numbers = memory[Location(n.name, "player", play.variable)].name
            rows = memory[Location(n.name, "played", play.variable)].name
            yield Player(numbers, rows, play.every, play.reverse, play.bits)


_TAKE = Snippet(
    Block(
        (
            Evaluate(Assign("+=", Name("input", SCALAR), Name("waiting", SCALAR), SCALAR)),
            Evaluate(Assign("=", Name("waiting", SCALAR), tree.Literal("0.0", SCALAR), SCALAR)),
        )
    ),
    frozenset(["input", "waiting"]),
    frozenset(["input", "waiting"]),
    frozenset(),
)
