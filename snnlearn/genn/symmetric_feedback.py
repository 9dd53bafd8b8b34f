"""Symmetric feedback: connections send the error of their target back through their own weights.

Source
------
Zenke & Ganguli (2018), Neural Computation 30(6), 1514-1541, section on credit assignment in hidden layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from snnlearn.declare import Loss, NeuronModel, Var
from snnlearn.dialect import algebra, tree
from snnlearn.errors import GradientError
from snnlearn.genn.neuron_group import NeuronGroup
from snnlearn.genn.synapse_group import SynapseGroup
from snnlearn.grad.credit import FeedbackLoss
from snnlearn.grad.error_signal import SIGNAL, error_sent, signal_input, signal_names, with_error_signal
from snnlearn.grad.methods import LayerModels, Values, answers_to_its_spikes, rule_values
from snnlearn.grad.synapses import spike_synapse

LayerParams = tuple[Mapping[str, float], Mapping[str, float]]  # of neurons, of what reaches them


@dataclass(frozen=True)
class Sender:
    """A connection that is to send an error back.

    Attributes
    ----------
    group : SynapseGroup
    amount : Expr
        What it sends with a spike.
    loss : Loss
        That of its target.
    target : NeuronModel
        As declared.
    input : str
        The source's input that the error arrives in.
    arrives : bool
        Whether the rule follows how spikes get there.
    """

    group: SynapseGroup
    amount: tree.Expr
    loss: Loss
    target: NeuronModel
    input: str
    arrives: bool

    def send(self, params: Mapping[str, float]) -> None:
        """Have the connection send, given the parameters of losses."""
        group, wu = self.group, self.group.spec.weight_update.model
        psm = group.spec.postsynaptic
        layer = LayerModels(self.target, psm.model)
        known = {p.name: group.trg.spec.params[p.name] for p in self.target.params}
        values = rule_values(layer, (self.loss,), None, Values(known, psm.params, params))
        sent = error_sent(*layer, self.loss, values, {field.name for _, field in wu.named_fields()})
        back = sent.code("addToPre", algebra.multiply(self.amount, sent.signal))
        model = replace(
            wu,
            name=f"{wu.name}Symmetric",
            params=(*wu.params, *sent.params),
            derived_params=(*wu.derived_params, *sent.derived_params),
            post_vars=(*wu.post_vars, *map(Var, sent.kept)),
            post_neuron_var_refs=(*wu.post_neuron_var_refs, *sent.references),
            post_dynamics_code=wu.post_dynamics_code + (f"{{\n{sent.dynamics}}}\n" if sent.kept else ""),
            synapse_dynamics_code=f"{{\n{back}}}\n{wu.synapse_dynamics_code}",
        )
        group.pre_target_var = self.input
        group._learn(model, sent.values, sent.refs)


class SymmetricFeedback:
    """Which populations get an error signal, and from where.

    A population with trained input receives that of each other population with a loss that it leads to; one that has a
    loss of its own sums both. A `FeedbackLoss` that is given stays as it is.

    Parameters
    ----------
    model : GeNNModel
    weights : mapping of str to tuple of str
        Variables to differentiate with respect to, by connection.
    losses : mapping of str to Loss or FeedbackLoss
        By population.

    Attributes
    ----------
    losses : dict of str to tuple of Loss and FeedbackLoss
        By population.
    layers : dict of str to list of (mapping, mapping)
        By population: the parameters of what each of its `FeedbackLoss` is of.
    neurons : dict of str to NeuronModel
        The models of populations that receive an error.
    senders : list of Sender
    """

    def __init__(self, model: Any, weights: Mapping[str, Any], losses: Mapping[str, Any]) -> None:
        self._model, self._given = model, losses
        self.losses: dict[str, tuple[Loss | FeedbackLoss, ...]] = {name: (loss,) for name, loss in losses.items()}
        self.layers: dict[str, list[LayerParams]] = {}
        self.neurons: dict[str, NeuronModel] = {}
        self.senders: list[Sender] = []
        for target in dict.fromkeys(model._by_key[name].trg for name in weights):
            if not isinstance(losses.get(target._key), FeedbackLoss):
                self._add(target)

    def _add(self, hidden: NeuronGroup) -> None:
        """Find what a population gets an error signal from."""
        outgoing = list(self._outgoing(hidden))
        if not outgoing and hidden._key not in self._given:
            raise GradientError(
                f"feedback='symmetric': '{hidden.name}' is connected to no population with a loss that could send an "
                "error back; give it a loss of its own or a grad.FeedbackLoss, or use method='bptt'"
            )
        kinds: list[tuple[FeedbackLoss, LayerParams]] = []
        neuron = hidden.spec.model
        inputs: list[tuple[str, str]] = []
        for group in outgoing:
            loss, spec = self._given[group.trg._key], group.trg.spec
            synapse = spike_synapse(group.spec.weight_update.model, f"connection '{group.name}'")
            psm = group.spec.postsynaptic
            if group.post_target_var != "Isyn":
                raise GradientError(
                    f"connection '{group.name}': symmetric feedback knows input to Isyn, not to "
                    f"'{group.post_target_var}'; use method='bptt'"
                )
            via: Any = "spike" if answers_to_its_spikes(spec.model, loss) else psm.model
            delay = group.axonal_delay_steps if via != "spike" else 0
            kind = FeedbackLoss(spec.model, loss, "", via, True, delay), (spec.params, psm.params)
            if kind not in kinds:  # one signal for each response to a spike
                kinds.append(kind)
                neuron, new = _receiving(neuron, len(inputs))
                inputs.append(new)
            where = inputs[kinds.index(kind)][0]
            self._check_free(hidden, where)
            self.senders.append(Sender(group, synapse.amount, loss, spec.model, where, via != "spike"))
        fed_back = [replace(loss, signal=signal) for (loss, _), (_, signal) in zip(kinds, inputs, strict=True)]
        own = self.losses.get(hidden._key, ())
        self.losses[hidden._key] = (*own, *fed_back)
        self.layers[hidden._key] = [params for _, params in kinds]
        self.neurons[hidden._key] = neuron

    def _outgoing(self, hidden: NeuronGroup) -> Iterator[SynapseGroup]:
        for group in self._model.synapse_populations.values():
            leads_on = group.src is hidden and group.trg is not hidden
            if leads_on and isinstance(self._given.get(group.trg._key), Loss):
                yield group

    def _check_free(self, hidden: NeuronGroup, where: str) -> None:
        """Raise GradientError where something else gives a population that input."""
        synapses = self._model.synapse_populations.values()
        others = [s.name for s in synapses if s.trg is hidden and s.post_target_var == where]
        others += [s.name for s in synapses if s.src is hidden and s.pre_target_var == where]
        sources = self._model.current_sources.values()
        others += [s.name for s in sources if s.target_pop is hidden and s.target_var == where]
        if others:
            raise GradientError(
                f"feedback='symmetric': '{hidden.name}' gets '{where}' from '{others[0]}' already; leave that out, or "
                "give the feedback by a grad.FeedbackLoss and no feedback="
            )

    def explain(self) -> list[str]:
        """Return what sends an error back, a line each."""
        return [
            f"{s.group.name}: sends its weights times the loss's derivative at {s.group.trg.name} back to {s.input} of "
            f"{s.group.src.name}, a timestep late" + _later(s)
            for s in self.senders
        ]


def _later(sender: Sender) -> str:
    """Return what delays that a rule does not follow do to it."""
    spec = sender.group.spec
    delays = [spec.back_prop_delay_steps, (spec.max_dendritic_delay_timesteps or 1) - 1]
    if not any(delays) and (sender.arrives or not spec.axonal_delay_steps):
        return ""
    return "; approximated: its delays, as if spikes and errors took one timestep"


def _receiving(neuron: NeuronModel, number: int) -> tuple[NeuronModel, tuple[str, str]]:
    """Return a neuron that receives one more signal, with the names of its input and the variable that keeps it."""
    if number == 0:
        for variable in ("errTilda", SIGNAL):
            where = signal_input(neuron, variable)
            if where is not None:
                return neuron, (where, variable)
    return with_error_signal(neuron, number), signal_names(number)
