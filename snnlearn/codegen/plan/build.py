"""From a network to its plain plan: the kernels of a timestep in GeNN's order, as they stand in the models.

A timestep is: synapse dynamics of every connection; the synapses of presynaptic, then of postsynaptic neurons
that spiked one step ago; the neurons. Within a neuron: inputs, its own code, the code of attached connections,
the threshold, what a spike does, the reset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal
from zlib import crc32

from snnlearn.codegen.plan.bindings import Builtin, Element, KernelBuilder, Meaning, Number, Own, Whole
from snnlearn.codegen.plan.kernels import (
    Accumulate,
    Code,
    Domain,
    Index,
    Kernel,
    Neurons,
    OnSpike,
    Plan,
    SpikingColumns,
    SpikingRows,
    Synapses,
    Transposition,
)
from snnlearn.codegen.plan.memory import Memory
from snnlearn.codegen.plan.names import Names
from snnlearn.declare import Model, Var, value_type
from snnlearn.dialect import check_model, tree
from snnlearn.dialect.tree import Assign, Block, Evaluate, Name, Snippet
from snnlearn.errors import NetworkError
from snnlearn.network import (
    CustomUpdate,
    Location,
    Network,
    NeuronPopulation,
    SynapsePopulation,
    Variable,
    VarInit,
    WeightReference,
    derive_params,
)
from snnlearn.network.references import VariableSpace

_SCALAR, _UINT, _DOUBLE = value_type("scalar"), value_type("unsigned int"), value_type("double")
Meanings = dict[str, Meaning]


def build_plan(network: Network) -> Plan:
    """Return the plan of a network, with no optimisation."""
    return _Planner(network).plan()


class _Planner:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.memory = Memory(network)
        self.taken = frozenset(a.name for a in self.memory.arrays)
        self.transpositions = Names()

    def plan(self) -> Plan:
        net = self.network
        synapses = list(net.synapses.values())
        step = [
            *(
                self.synapse_kernel(s, "synapse_dynamics_code", Synapses(s.source.size, s.target.size))
                for s in synapses
            ),
            *(self.synapse_kernel(s, "pre_spike_syn_code", self.rows(s)) for s in synapses),
            *(self.synapse_kernel(s, "post_spike_syn_code", self.columns(s)) for s in synapses),
            *(self.neuron_kernel(n) for n in net.neurons.values()),
        ]
        groups: dict[str, list[Kernel | Transposition]] = {}
        for u in net.custom_updates.values():
            groups.setdefault(u.group_name, []).extend(self.update_kernels(u))
        return Plan(
            net.name,
            net.dt,
            net.precision,
            self.memory.arrays,
            tuple(_present(self.init_kernel(v) for v in net.variables.values() if isinstance(v.init, VarInit))),
            tuple(_present(step)),
            # Transpositions copy what the updates have left, so they come last.
            {name: tuple(sorted(ks, key=lambda k: isinstance(k, Transposition))) for name, ks in groups.items()},
        )

    def builder(self, name: str, title: str, timer: str, domain: Domain) -> KernelBuilder:
        return KernelBuilder(name, title, timer, domain, self.taken)

    # ---- meanings of names ----

    def numbers(
        self, group: str, model: Model, params: Mapping[str, float], dynamic: frozenset[str], prefix: str, space: str
    ) -> Meanings:
        """Parameters, derived parameters, arrays, dt and t of a model."""
        found: Meanings = {"dt": Builtin("dt"), "t": Builtin("t")}
        for p in model.params:
            vtype = value_type(p.type)
            if p.name in dynamic:
                at = Location(group, "param" if space == "param" else "psm_param", p.name)
                found[p.name] = Element(prefix + p.name, self.memory[at].name, vtype, "only")
            else:
                found[p.name] = Number(prefix + p.name, vtype, params[p.name])
        derived = derive_params(model, params, self.network.dt, f"group '{group}'")
        for d in model.derived_params:
            found[d.name] = Number(prefix + d.name, value_type(d.type), derived[d.name])
        for egp in model.extra_global_params:
            at = Location(group, "egp", egp.name)
            if at in self.memory:
                found[egp.name] = Whole(self.memory[at].name)
        return found

    def elements(
        self, group: str, space: VariableSpace, variables: tuple[Var, ...], index: Index, prefix: str = ""
    ) -> Meanings:
        return {v.name: self.element(Location(group, space, v.name), index, prefix + v.name) for v in variables}

    def element(self, at: Location, index: Index, label: str) -> Element:
        array = self.memory[at]
        return Element(label, array.name, array.type, index)

    def sizes(self, **sizes: int) -> Meanings:
        return {name: Number(name, _UINT, size) for name, size in sizes.items()}

    def weight_update(self, s: SynapsePopulation, prefix: str) -> Meanings:
        wu = s.weight_update
        dynamic = s.weight_update_dynamic_params
        found = self.numbers(s.name, wu.model, wu.params, dynamic, prefix, "param")
        return found | self.sizes(num_pre=s.source.size, num_post=s.target.size)

    # ---- kernels ----

    def rows(self, s: SynapsePopulation) -> SpikingRows:
        spikes, count = self.spike_arrays(s.source)
        return SpikingRows(s.source.size, s.target.size, spikes, count)

    def columns(self, s: SynapsePopulation) -> SpikingColumns:
        spikes, count = self.spike_arrays(s.target)
        return SpikingColumns(s.source.size, s.target.size, spikes, count)

    def spike_arrays(self, n: NeuronPopulation) -> tuple[str, str]:
        return self.memory[Location(n.name, "spikes", "")].name, self.memory[Location(n.name, "spike_count", "")].name

    def synapse_kernel(self, s: SynapsePopulation, attribute: str, domain: Domain) -> Kernel | None:
        snippet = check_model(s.weight_update.model).snippets.get(attribute)
        if snippet is None:
            return None
        timer = _SYNAPSE_TIMERS[attribute]
        model = s.weight_update.model
        k = self.builder(f"{timer}_{s.name}", f"{attribute} of {s.name} ({model.name})", timer, domain)
        meanings = self.weight_update(s, "")
        meanings |= {name: Builtin(name) for name in ("id_pre", "id_post", "id_syn")}
        meanings |= self.elements(s.name, "synapse", model.vars, "synapse")
        meanings |= self.elements(s.name, "pre", model.pre_vars, "pre")
        meanings |= self.elements(s.name, "post", model.post_vars, "post")
        for name, ref in s.weight_update.pre_var_refs.items():
            meanings[name] = self.element(ref.to, "pre", name)
        for name, ref in s.weight_update.post_var_refs.items():
            meanings[name] = self.element(ref.to, "post", name)
        actions = {
            "addToPost": Accumulate(self.memory[Location(s.name, "out_post", "")].name, "post"),
            "addToPre": Accumulate(self.memory[Location(s.name, "out_pre", "")].name, "pre"),
        }
        k.add(k.code(f"{model.name}: {attribute}", snippet, meanings, actions))
        return k.finish()

    def neuron_kernel(self, n: NeuronPopulation) -> Kernel:
        model, snippets = n.model, check_model(n.model).snippets
        k = self.builder(
            f"neuron_update_{n.name}", f"neurons of {n.name} ({model.name})", "neuron_update", Neurons(n.size)
        )
        meanings: Meanings = {"Isyn": k.input("Isyn", _SCALAR, 0.0), "id": Builtin("id")}
        for v in model.additional_input_vars:
            meanings[v.name] = k.input(v.name, value_type(v.type), v.init)
        meanings |= self.numbers(n.name, model, n.params, n.dynamic_params, "", "param")
        meanings |= self.elements(n.name, "own", model.vars, "neuron") | self.sizes(num_neurons=n.size)
        incoming = [s for s in self.network.synapses.values() if s.target.name == n.name]
        outgoing = [s for s in self.network.synapses.values() if s.source.name == n.name]
        for s in incoming:
            self.add_postsynaptic(k, s, meanings)
        for s in outgoing:
            if check_model(s.weight_update.model).uses("addToPre"):
                self.add_input_from_post(k, s, meanings)
        if "sim_code" in snippets:
            k.add(k.code(f"{n.name}: sim_code", snippets["sim_code"], meanings, scoped=False))
        for s in outgoing:
            self.add_attached(k, s, "pre_dynamics_code")
        for s in incoming:
            self.add_attached(k, s, "post_dynamics_code")
        if "threshold_condition_code" in snippets:
            k.add(self.on_spike(k, n, meanings, incoming, outgoing))
        return k.finish()

    def add_postsynaptic(self, k: KernelBuilder, s: SynapsePopulation, neuron: Meanings) -> None:
        psm = s.postsynaptic
        snippet = check_model(psm.model).snippets.get("sim_code")
        if snippet is None:
            return
        prefix = f"{s.name}_"
        dynamic = s.postsynaptic_dynamic_params
        meanings = self.numbers(s.name, psm.model, psm.params, dynamic, prefix, "psm_param")
        meanings |= self.elements(s.name, "psm", psm.model.vars, "neuron", prefix)
        meanings |= {"id": Builtin("id")} | self.sizes(num_neurons=s.target.size)
        meanings["inSyn"] = self.element(Location(s.name, "out_post", ""), "neuron", f"{prefix}inSyn")
        for name, ref in psm.var_refs.items():
            meanings[name] = self.element(ref.to, "neuron", ref.to.name)
        target = neuron[s.post_target_var]
        assert isinstance(target, Own)
        k.add(
            k.code(f"{s.name}: {psm.model.name}", snippet, meanings, {"injectCurrent": Accumulate(target.name, None)})
        )

    def add_input_from_post(self, k: KernelBuilder, s: SynapsePopulation, neuron: Meanings) -> None:
        meanings = {
            "Isyn": neuron["Isyn"],
            "outPre": self.element(Location(s.name, "out_pre", ""), "neuron", f"{s.name}_outPre"),
        }
        k.add(k.code(f"{s.name}: addToPre", _TAKE_OUT_PRE, meanings))

    def attached_meanings(self, s: SynapsePopulation, side: Literal["pre", "post"]) -> Meanings:
        wu, prefix = s.weight_update, f"{s.name}_"
        meanings = self.weight_update(s, prefix)
        if side == "pre":
            variables, refs = wu.model.pre_vars, wu.pre_var_refs
        else:
            variables, refs = wu.model.post_vars, wu.post_var_refs
        meanings |= self.elements(s.name, side, variables, "neuron", prefix)
        meanings[f"id_{side}"] = Builtin("id")
        for name, ref in refs.items():
            meanings[name] = self.element(ref.to, "neuron", ref.to.name)
        return meanings

    def attached(self, k: KernelBuilder, s: SynapsePopulation, attribute: str) -> list[Code]:
        snippet = check_model(s.weight_update.model).snippets.get(attribute)
        if snippet is None:
            return []
        side: Literal["pre", "post"] = "pre" if attribute.startswith("pre") else "post"
        return [k.code(f"{s.name}: {attribute}", snippet, self.attached_meanings(s, side))]

    def add_attached(self, k: KernelBuilder, s: SynapsePopulation, attribute: str) -> None:
        for code in self.attached(k, s, attribute):
            k.add(code)

    def on_spike(
        self,
        k: KernelBuilder,
        n: NeuronPopulation,
        meanings: Meanings,
        incoming: list[SynapsePopulation],
        outgoing: list[SynapsePopulation],
    ) -> OnSpike:
        snippets = check_model(n.model).snippets
        spikes, count = self.spike_arrays(n)
        recording = Location(n.name, "recording", "")
        before = [c for s in outgoing for c in self.attached(k, s, "pre_spike_code")]
        before += [c for s in incoming for c in self.attached(k, s, "post_spike_code")]
        reset = [k.code(f"{n.name}: reset_code", snippets["reset_code"], meanings)] if "reset_code" in snippets else []
        return OnSpike(
            k.code(f"{n.name}: threshold_condition_code", snippets["threshold_condition_code"], meanings),
            tuple(before),
            tuple(reset),
            spikes,
            count,
            self.memory[recording].name if recording in self.memory else None,
        )

    def update_kernels(self, u: CustomUpdate) -> list[Kernel | Transposition]:
        shape = self.network.variables[next(iter(u.var_refs.values())).to].shape
        kernels: list[Kernel | Transposition] = []
        snippet = check_model(u.model).snippets.get("update_code")
        if snippet is not None:
            kernels.append(self.update_kernel(u, snippet, shape))
        for name, ref in u.var_refs.items():
            if isinstance(ref, WeightReference) and ref.transpose is not None:
                if ref.transpose == ref.to:
                    raise NetworkError(f"custom update '{u.name}': {ref.to} cannot be its own transposed copy")
                kernels.append(
                    Transposition(
                        self.transpositions.unique(f"transpose_{u.name}_{name}"),
                        f"custom_update_transpose_{u.group_name}",
                        self.memory[ref.to].name,
                        self.memory[ref.transpose].name,
                        *shape,
                    )
                )
        return kernels

    def update_kernel(self, u: CustomUpdate, snippet: Snippet, shape: tuple[int, ...]) -> Kernel:
        title = f"custom update {u.name} ({u.model.name})"
        index: Index
        if len(shape) == 2:
            domain: Domain = Synapses(*shape)
            index = "synapse"
            meanings = self.sizes(num_pre=shape[0], num_post=shape[1])
            meanings |= {name: Builtin(name) for name in ("id_pre", "id_post", "id_syn")}
        else:
            domain, index = Neurons(*shape), "neuron"
            meanings = self.sizes(num_neurons=shape[0]) | {"id": Builtin("id")}
        k = self.builder(f"custom_update_{u.name}", title, f"custom_update_{u.group_name}", domain)
        meanings |= self.numbers(u.name, u.model, u.params, u.dynamic_params, "", "param")
        meanings |= self.elements(u.name, "own", u.model.vars, index)
        meanings |= {name: self.element(ref.to, index, name) for name, ref in u.var_refs.items()}
        k.add(k.code(f"{u.model.name}: update_code", snippet, meanings))
        return k.finish()

    def init_kernel(self, v: Variable) -> Kernel | None:
        array = self.memory[v.location]
        snippet, params = v.init.snippet, v.init.params
        checked = check_model(snippet).snippets.get("var_init_code")
        if checked is None:
            return None
        if len(v.shape) == 2:
            domain: Domain = Synapses(*v.shape)
            meanings = self.sizes(num_pre=v.shape[0], num_post=v.shape[1])
            meanings |= {name: Builtin(name) for name in ("id_pre", "id_post", "id_syn")}
            index: Index = "synapse"
        else:
            domain, index = Neurons(*v.shape), "neuron"
            meanings = self.sizes(num_neurons=v.shape[0]) | {"id": Builtin("id")}
        k = self.builder(f"init_{array.name}", f"first values of {v.location}: {snippet.name}", "init", domain)
        numbers = self.numbers(v.location.group, snippet, params, frozenset(), "", "param")
        if v.type.kind != "float":
            # Single precision would round large integers, and double precision very large ones.
            numbers = {key: _widened(m) if isinstance(m, Number) else m for key, m in numbers.items()}
        meanings |= numbers
        meanings["value"] = Element("value", array.name, v.type, index)
        k.add(k.code(snippet.name, checked, meanings))
        random = any(call.startswith("gennrand") for call in checked.calls)
        return k.finish(crc32(f"{v.location.group}.{v.location.space}.{v.location.name}".encode()) if random else None)


def _present(kernels: Iterable[Kernel | None]) -> list[Kernel]:
    return [k for k in kernels if k is not None]


def _widened(m: Number) -> Number:
    if isinstance(m.value, int) and abs(m.value) > 2**53:
        return Number(m.label, value_type("uint64_t" if m.value > 0 else "int64_t"), m.value)
    return Number(m.label, _DOUBLE, m.value)


_SYNAPSE_TIMERS = {
    "synapse_dynamics_code": "synapse_dynamics",
    "pre_spike_syn_code": "presynaptic_update",
    "post_spike_syn_code": "postsynaptic_update",
}

_TAKE_OUT_PRE = Snippet(
    Block(
        (
            Evaluate(Assign("+=", Name("Isyn", _SCALAR), Name("outPre", _SCALAR), _SCALAR)),
            Evaluate(Assign("=", Name("outPre", _SCALAR), tree.Literal("0.0", _SCALAR), _SCALAR)),
        )
    ),
    frozenset(["Isyn", "outPre"]),
    frozenset(["Isyn", "outPre"]),
    frozenset(),
)
