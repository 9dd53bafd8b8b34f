"""Which parts of a network a gradient needs, and the models that reverse them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from snnlearn.declare import NeuronModel
from snnlearn.errors import GradientError
from snnlearn.genn.neuron_group import NeuronGroup
from snnlearn.genn.synapse_group import SynapseGroup
from snnlearn.grad.continuous import ContinuousSynapse, continuous_synapse, is_continuous
from snnlearn.grad.end_losses import EndLoss
from snnlearn.grad.event_reverse import event_reverse
from snnlearn.grad.explain import warn_of_comparisons
from snnlearn.grad.first_spikes import FirstSpikeLoss
from snnlearn.grad.inputs import Inputs, is_linear
from snnlearn.grad.reverse import Request, Reversal, reverse
from snnlearn.grad.step import step_of
from snnlearn.grad.synapses import SpikeSynapse, spike_synapse


@dataclass(frozen=True)
class ReversedConnection:
    """A connection that carries adjoints.

    Attributes
    ----------
    group : SynapseGroup
    synapse : SpikeSynapse or ContinuousSynapse
    inputs : Inputs
        Those of its target that it is one of.
    wrt : tuple of str
        Its variables to differentiate with respect to.
    back : bool
        Whether adjoints go on to its source.
    """

    group: SynapseGroup
    synapse: SpikeSynapse | ContinuousSynapse
    inputs: Inputs
    wrt: tuple[str, ...]
    back: bool

    @property
    def shown(self) -> str:
        """The variable of its source that it sends all the time; empty where it sends with spikes."""
        if not isinstance(self.synapse, ContinuousSynapse):
            return ""
        return self.group.spec.pre_var_refs[self.synapse.variable].to.name


@dataclass(frozen=True)
class Task:
    """What to differentiate, by name of group.

    Attributes
    ----------
    losses : mapping of str to Loss
    weights, states, parameters : mapping of str to tuple of str
        Variables of synapses, variables of neurons, parameters of neurons.
    seeds, kept : mapping of str to frozenset of str
        Of neurons: see `Request`.
    surrogate : Surrogate, optional
        None where spikes have times.
    detach_reset : bool
    outside, given : mapping of str to frozenset of str
        Variables of neurons that get a value from outside in every timestep; those to differentiate with respect to.
    surrogates : mapping of str to Surrogate
        Those of populations that have another one.
    event_driven : bool
        Whether spikes have times, and adjoints go from neuron to neuron with spikes alone.
    flows : mapping of str to mapping of str to str
        Time derivatives that were declared, by population and variable.
    least_slope : float
        See `Request`.
    first_spikes : mapping of str to FirstSpikeLoss
        Losses on the times of spikes.
    end_losses : mapping of str to EndLoss
        Losses on what neurons have come to at the end of a window.
    """

    losses: Mapping[str, Any]
    weights: Mapping[str, tuple[str, ...]]
    surrogate: Any
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seeds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    kept: Mapping[str, frozenset[str]] = field(default_factory=dict)
    detach_reset: bool = True
    outside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    given: Mapping[str, frozenset[str]] = field(default_factory=dict)
    surrogates: Mapping[str, Any] = field(default_factory=dict)
    event_driven: bool = False
    flows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    least_slope: float = 0.0
    first_spikes: Mapping[str, FirstSpikeLoss] = field(default_factory=dict)
    end_losses: Mapping[str, EndLoss] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """The reversed populations and connections of a network, by name."""

    neurons: Mapping[str, Reversal]
    connections: Mapping[str, ReversedConnection]
    declared: Mapping[str, NeuronModel]
    inputs: Mapping[str, Mapping[str, Inputs]]  # of all populations, by connection and current source
    event_driven: bool = False


def find_parts(model: Any, task: Task, recorded: Parts | None = None) -> Parts:
    """Return what a gradient needs.

    Parameters
    ----------
    model : GeNNModel
    task : Task
    recorded : Parts, optional
        What the model records already.

    Raises
    ------
    GradientError
        For a part of the network without a derivative, and for what the loss does not depend on.
    """
    return _Search(model, task, recorded).run()


def check_fixed(model: Any, parts: Parts) -> None:
    """Raise GradientError for connectivity that may change as the model runs, and for flows that would."""
    for name, reversal in parts.neurons.items():
        dynamic = sorted(model._by_key[name].spec.dynamic_params)
        if dynamic and reversal.events:
            raise GradientError(
                f"'{name}' has the dynamic parameter '{dynamic[0]}', and EventProp finds how neurons move between "
                "spikes once, from the first values of parameters; make it a variable, or use method='bptt'"
            )
    for name, c in parts.connections.items():
        if model._changes_connectivity_of(c.group):
            raise GradientError(
                f"connection '{name}' is changed by a custom connectivity update, which the pass back would not follow"
            )


class _Search:
    """Goes from the losses against the direction of spikes, until no population is added."""

    def __init__(self, model: Any, task: Task, recorded: Parts | None) -> None:
        self.task, self.recorded = task, recorded
        self.populations: dict[str, NeuronGroup] = {g._key: g for g in model.neuron_populations.values()}
        self.synapses: dict[str, SynapseGroup] = {g._key: g for g in model.synapse_populations.values()}
        now = {name: group.spec.model for name, group in self.populations.items()}
        self.declared: Mapping[str, NeuronModel] = now if recorded is None else recorded.declared
        self.inputs: Mapping[str, Mapping[str, Inputs]] = (
            {name: inputs_of(name, self.synapses.values(), model.current_sources.values()) for name in self.populations}
            if recorded is None
            else recorded.inputs
        )
        self.upstream = self._upstream()
        self.matter: set[str] = set()  # populations whose spikes the loss depends on
        self.shown: dict[str, frozenset[str]] = {}  # variables that synapses send all the time, by population

    def _upstream(self) -> frozenset[str]:
        """Return the populations whose neurons depend on something to differentiate with respect to."""
        known = {*self.task.states, *self.task.parameters, *self.task.given}
        known |= {s.trg._key for name, s in self.synapses.items() if name in self.task.weights}
        while True:
            more = {s.trg._key for s in self.synapses.values() if s.src._key in known} - known
            if not more:
                return frozenset(known)
            known |= more

    def run(self) -> Parts:
        """Return the parts."""
        while True:
            reversals = {name: self._reverse(name) for name in self.populations if name in self.upstream}
            connections = {name: self._connection(name, i) for name, i in self._carrying(reversals).items()}
            if not self._note_sent(connections.values()):
                break
        if self.recorded is None:  # afterwards, what is given to a pass may leave some of it out
            self._check_reached(reversals, connections)
        used = {name: r for name, r in reversals.items() if r.states or r.inputs or r.parameters or r.given}
        sources = {self.synapses[c].src._key for c in connections} - set(used)
        used |= {name: self._reverse(name) for name in self.populations if name in sources}
        if self.recorded is None:
            compared = [place for reversal in used.values() for place in reversal.compared]
            for c in connections.values():
                compared += c.synapse.compared(c.wrt) if isinstance(c.synapse, ContinuousSynapse) else ()
            warn_of_comparisons(dict.fromkeys(compared))
        return Parts(used, connections, self.declared, self.inputs, self.task.event_driven)

    def _note_sent(self, connections: Iterable[ReversedConnection]) -> bool:
        """Note what of populations connections send; returns whether there is anything new."""
        before = len(self.matter), sum(map(len, self.shown.values()))
        for c in connections:
            source = c.group.src._key
            if c.shown:
                self.shown[source] = self.shown.get(source, frozenset()) | {c.shown}
            elif c.back:
                self.matter.add(source)
        return before != (len(self.matter), sum(map(len, self.shown.values())))

    def _reverse(self, name: str) -> Reversal:
        task = self.task
        none: frozenset[str] = frozenset()
        shown = self.shown.get(name, none)
        request = Request(
            task.surrogates.get(name, task.surrogate),
            task.losses.get(name),
            task.seeds.get(name, none),
            task.kept.get(name, none),
            name in self.matter,
            self._parameters(name),
            frozenset(task.states.get(name, ())),
            task.detach_reset,
            outside=task.outside.get(name, none),
            given=task.given.get(name, none),
            shown=shown,
            graded=shown if name in self.upstream else none,
            falls=self._falls(name),
            flow=tuple(task.flows.get(name, {}).items()),
            least_slope=task.least_slope,
        )
        derive = event_reverse if task.event_driven else reverse
        inputs = list(dict.fromkeys(self.inputs[name].values())) if name in self.upstream else []
        if self.recorded is None:
            return derive(self.declared[name], inputs, request)
        before = self.recorded.neurons.get(name)
        return derive(self.declared[name], inputs, request, before.tape.coefficients if before is not None else None)

    def _falls(self, name: str) -> frozenset[str]:
        """Return the inputs of a population whose arrivals have times that the loss depends on."""
        connections = ((self.synapses[c], i) for c, i in self.inputs[name].items() if c in self.synapses)
        return frozenset(i.name for group, i in connections if group.src._key in self.upstream)

    def _parameters(self, name: str) -> frozenset[str]:
        """Return the parameters to differentiate with respect to, and the derived ones, which may depend on them."""
        wanted = self.task.parameters.get(name, ())
        return frozenset([*wanted, *(d.name for d in self.declared[name].derived_params)] if wanted else ())

    def _carrying(self, reversals: Mapping[str, Reversal]) -> dict[str, Inputs]:
        """Return the connections that adjoints go through, with the inputs that they are one of."""
        found = {}
        for name, group in self.synapses.items():
            wanted = name in self.task.weights or group.src._key in self.upstream
            if wanted and group.trg._key in reversals:
                inputs = self.inputs[group.trg._key][name]
                if inputs in reversals[group.trg._key].inputs:
                    found[name] = inputs
        return found

    def _connection(self, name: str, inputs: Inputs) -> ReversedConnection:
        group, wrt = self.synapses[name], self.task.weights.get(name, ())
        if self.recorded is not None and name in self.recorded.connections:
            synapse = self.recorded.connections[name].synapse
        else:
            synapse = self._synapse(group)
        back = group.src._key in self.upstream
        synapse.adjoint(wrt, 0, back=back)  # which refuses what has no derivative, and names that it needs
        return ReversedConnection(group, synapse, inputs, wrt, back)

    def _synapse(self, group: SynapseGroup) -> SpikeSynapse | ContinuousSynapse:
        """Return what a connection sends."""
        model, owner = group.spec.weight_update.model, f"connection '{group.name}'"
        if not is_continuous(model):
            return spike_synapse(model, owner, event_driven=self.task.event_driven)
        if self.task.event_driven:
            raise GradientError(
                f"{owner}: '{model.name}' sends in every timestep, and EventProp follows spikes; use method='bptt'"
            )
        synapse = continuous_synapse(model, owner)
        sent = group.spec.pre_var_refs[synapse.variable].to.name
        step = step_of(self.declared[group.src._key])
        if synapse.condition is not None and step.after[sent] != step.tilde[sent]:
            raise GradientError(
                f"{owner}: '{model.name}' sends at events of '{sent}' of '{group.src.name}', which spikes reset in the "
                "same timestep, after the event; send in every timestep, by synapse_dynamics_code"
            )
        return synapse

    def _check_reached(self, reversals: Mapping[str, Reversal], connections: Mapping[str, Any]) -> None:
        missing = [(name, w[0]) for name, w in self.task.weights.items() if name not in connections]
        missing += [(k, v) for k, own in self.task.states.items() for v in own if v not in reversals[k].states]
        missing += [(k, own[0]) for k, own in self.task.parameters.items() if not reversals[k].parameters]
        if missing:
            (name, variable), ends = missing[0], dict.fromkeys([*self.task.losses, *self.task.seeds])
            raise GradientError(
                f"the loss does not depend on '{variable}' of '{name}': no path of derivatives and spikes leads from "
                f"it to {', '.join(map(repr, ends)) or 'any loss; give loss={population: grad.Loss(...)}'}"
            )


def inputs_of(name: str, synapses: Iterable[SynapseGroup], sources: Iterable[Any]) -> dict[str, Inputs]:
    """Return the inputs of a population by connection, and by current source that reads the neuron.

    Connections that are alike are one, where their postsynaptic model does no more than decay and pass on.
    """
    kinds: list[tuple[Any, ...]] = []
    found = {}
    for group in synapses:
        if group.trg._key != name:
            continue
        psm = group.spec.postsynaptic
        own = "" if is_linear(psm.model) else group._key
        apart = group._key if own or group.spec.postsynaptic_dynamic_params else ""
        kind = psm.model, dict(psm.params), group.post_target_var, apart
        if kind not in kinds:
            kinds.append(kind)
        refs = tuple((ref, to.to.name) for ref, to in group.spec.neuron_var_refs.items()) if own else ()
        called = f"mu{kinds.index(kind)}"
        found[group._key] = Inputs(psm.model, group.post_target_var, called, tuple(psm.params.items()), refs, own)
    for number, source in enumerate(s for s in sources if s.target_pop._key == name and s.model.neuron_var_refs):
        spec = source.spec
        refs = tuple((ref, to.to.name) for ref, to in spec.var_refs.items())
        found[source._key] = Inputs(
            spec.model, source.target_var, f"source{number}", tuple(spec.params.items()), refs, source._key
        )
    return found
