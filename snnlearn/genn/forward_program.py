"""Gradients that synapses sum up as the network runs: forward rules for the connections of a described model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.declare import Loss, Surrogate, Var, WeightUpdateModel
from snnlearn.dialect import tree
from snnlearn.errors import GradientError, LifecycleError
from snnlearn.genn.adjoint_parts import inputs_of
from snnlearn.genn.copy_weights import Weights, copy_weights, weighted
from snnlearn.genn.symmetric_feedback import SymmetricFeedback
from snnlearn.genn.synapse_group import SynapseGroup
from snnlearn.grad.assemble import SENDS
from snnlearn.grad.credit import FeedbackLoss
from snnlearn.grad.forward import EligibilityRule, eligibility
from snnlearn.grad.methods import ForwardMethod, LayerModels, Values, detached_by, rule_values
from snnlearn.grad.synapses import spike_synapse

METHODS: tuple[str, ...] = get_args(ForwardMethod)


class ForwardProgram:
    """Gradients of a network's weights by forward rules; made by `snnlearn.grad.differentiate`.

    They are summed up while the model runs, and need no pass back. Paths through spikes of other neurons are cut.

    Attributes
    ----------
    model : GeNNModel
    rules : dict of str to EligibilityRule
        By connection.
    """

    def __init__(
        self, model: Any, weights: Mapping[str, tuple[str, ...]], losses: Mapping[str, Loss | FeedbackLoss],
        surrogate: Surrogate, params: Mapping[str, float], method: ForwardMethod, feedback: str | None = None,
    ) -> None:  # fmt: skip
        self.model, self.method = model, method
        self._weights: Weights | None = None  # of the copies of a batch
        self.rules: dict[str, EligibilityRule] = {}
        self._variables: dict[tuple[str, str], SynapseGroup] = {}
        self._declared = {name: g.spec for name, g in model.neuron_populations.items()}  # before rules change them
        self._check_losses(weights, losses if feedback is None else None)
        self._feedback = SymmetricFeedback(model, weights, losses) if feedback is not None else None
        for name in weights:
            self.rules[name] = self._derive(model._by_key[name], losses, surrogate, params)
        for name, variables in weights.items():
            group = model._by_key[name]
            self._variables[name, variables[0]] = group
            _adopt(group, variables[0], self.rules[name])
            group.vars[variables[0]]._follow(self)
        for sender in self._feedback.senders if self._feedback is not None else ():
            sender.send(params)
        model._programs.append(self)

    def _check_losses(self, weights: Mapping[str, tuple[str, ...]], losses: Mapping[str, Any] | None) -> None:
        """Check what to differentiate with respect to, and that targets have losses, unless they are fed back."""
        for name, variables in weights.items():
            group: SynapseGroup = self.model._by_key[name]
            if len(variables) > 1:
                raise GradientError(
                    f"'{name}': a forward rule is for one variable of a connection, not {len(variables)}"
                )
            if group.post_target_var != "Isyn":
                raise GradientError(
                    f"connection '{name}': forward rules know input to Isyn, not to '{group.post_target_var}'; "
                    "method='bptt' has more"
                )
            if group.spec.connectivity.weights != "INDIVIDUAL":
                raise GradientError(
                    f"connection '{name}': a forward rule keeps traces for each synapse, and those of "
                    f"{group.spec.connectivity.matrix_type} connectivity have no variables of their own; method='bptt' "
                    "has kernels too"
                )
            self._check_inputs(group)
            if losses is not None and group.trg._key not in losses:
                raise GradientError(
                    f"method '{self.method}' cuts paths through other neurons' spikes, so '{group.trg.name}', which "
                    f"'{group.name}' leads to, needs a loss of its own: loss={{population: grad.Loss(...)}}; or "
                    "feedback='symmetric', or a grad.FeedbackLoss where it receives the error of another layer"
                )

    def _check_inputs(self, group: SynapseGroup) -> None:
        """Refuse what a rule of one connection would leave out of its target's Jacobian."""
        synapses, sources = self.model.synapse_populations.values(), self.model.current_sources.values()
        for given in inputs_of(group.trg._key, synapses, sources).values():
            if given.model.neuron_var_refs and given.group != group._key:
                raise GradientError(
                    f"'{group.trg.name}' gets input from '{given.group}' that depends on its variables "
                    f"('{given.model.name}'), which a rule for '{group.name}' would not follow; method='bptt' does"
                )

    def _derive(
        self,
        group: SynapseGroup,
        losses: Mapping[str, Loss | FeedbackLoss],
        surrogate: Surrogate,
        params: Mapping[str, float],
    ) -> EligibilityRule:
        psm, target = group.spec.postsynaptic, self._declared[group.trg.name]
        neuron, key = target.model, group.trg._key
        if self._feedback is not None and key in self._feedback.neurons:
            neuron, own = self._feedback.neurons[key], self._feedback.losses[key]
            layers = self._feedback.layers[key]
        else:
            own = (losses[key],)
            layers = [self._layer_of(loss, losses) for loss in own if isinstance(loss, FeedbackLoss)]
        known = Values(target.params, psm.params, params, layers)
        return eligibility(
            neuron,
            psm.model,
            surrogate=surrogate,
            loss=own,
            params=rule_values(LayerModels(neuron, psm.model), own, surrogate, known),
            dt=self.model.dt,
            jacobian="exact" if self.method == "rtrl" else "subthreshold",
            detach_reset=detached_by(self.method, neuron),
        )

    def _layer_of(
        self, loss: FeedbackLoss, losses: Mapping[str, Loss | FeedbackLoss]
    ) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Return the parameters of the layer whose error is fed back, and of how spikes reach it."""
        alike = {name: spec for name, spec in self._declared.items() if spec.model == loss.neuron}
        layers = {name: spec for name, spec in alike.items() if losses.get(name) == loss.loss} or alike
        incoming = [s.spec.postsynaptic for s in self.model.synapse_populations.values() if s.trg.name in layers]
        via = [p.params for p in incoming if p.model == loss.via]
        return next((spec.params for spec in layers.values()), {}), next(iter(via), {})

    def explain(self) -> str:
        """Return what each rule keeps, cuts and approximates."""
        sections = [f"{name}\n{rule.explain()}" for name, rule in self.rules.items()]
        if self._feedback is not None:
            sections.append("\n".join(["feedback, symmetric", *(f"  {line}" for line in self._feedback.explain()), ""]))
        return "\n\n".join(sections)

    # ---- gradients ----

    def backward(self, *_: object, **__: object) -> NoReturn:
        """Raise GradientError: there is no pass back."""
        raise GradientError(
            f"method '{self.method}' sums gradients up as the model runs: read .grad, without backward()"
        )

    def zero_grad(self) -> None:
        """Set all gradients to zero; traces stay."""
        for group in self._variables.values():
            group.vars["m"].values = 0
            group.vars["m"].push_to_device()

    def grad(self, what: Any) -> NDArray[Any] | None:
        """Return the gradient with respect to a variable, summed up since the last `zero_grad` or update.

        In the shape of the variable's ``values``: summed over the copies of a batch that share it.
        """
        group = self._variables.get((what.group._key, what.name))
        if group is None:
            raise GradientError(f"the program does not differentiate with respect to {what.location}; add it to wrt=")
        if not self.model._loaded:
            return None
        group.vars["m"].pull_from_device()
        found: NDArray[Any] = -group.vars["m"].values
        found = weighted(found, self._weights)
        return found.sum(axis=0) if found.ndim > np.ndim(what.values) else found

    def weigh_copies(self, weights: ArrayLike | None) -> None:
        """Have each copy of a batch count so many times in `grad`; see `Program.weigh_copies`.

        Raises
        ------
        GradientError
            For another shape, and numbers that are not finite.
        """
        self._weights = copy_weights(weights, self.model.batch_size)

    def requires_grad(self, what: Any) -> bool:
        """Whether the program differentiates with respect to a variable."""
        return (what.group._key, what.name) in self._variables

    def retain_grad(self, variable: Any) -> None:
        """Raise GradientError: forward rules have no adjoints."""
        raise GradientError(f"{variable.location}: forward rules have no adjoints; method='bptt' has")

    def register_hook(self, what: Any, hook: Callable[[NDArray[Any]], Any]) -> NoReturn:
        """Raise GradientError: forward rules have no passes."""
        raise GradientError(f"{what.location}: forward rules have no passes to hook into; method='bptt' has")

    @property
    def pending(self) -> int:
        """How many timesteps await a pass back: none."""
        return 0

    @property
    def tape(self) -> None:
        """What a pass back would need: there is none."""

    def forget(self) -> None:
        """Do nothing: there is no tape."""

    def detach(self) -> None:
        """Do nothing: a forward rule has no graph that leads back. Its traces are part of the model."""

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Run something else, after which the caller restores the model's state, gradients with it."""
        yield

    @contextmanager
    def no_grad(self) -> Iterator[None]:
        """Raise LifecycleError: what sums up gradients is part of the model."""
        raise LifecycleError("forward rules run with the model: call zero_grad() after what is not to count")

    def _prepare(self) -> None: ...

    def _begin(self) -> None: ...

    def _end(self) -> None: ...

    def _stand(self) -> None: ...

    def _put_back(self, stand: None) -> None: ...

    def _needed(self) -> dict[tuple[str, int], int]:
        return {}

    def _note_update(self, group: str) -> None: ...

    def _note_state(self) -> None: ...

    def _note_push(self, variable: Any) -> None: ...

    def _note_param(self, at: Any) -> None: ...


def _adopt(group: SynapseGroup, weight: str, rule: EligibilityRule) -> None:
    """Give a connection, and its target, the models of a rule."""
    synapse = spike_synapse(group.spec.weight_update.model, f"connection '{group.name}'")
    if synapse.delay is not None or not (isinstance(synapse.amount, tree.Name) and synapse.amount.id == weight):
        raise GradientError(
            f"connection '{group.name}': forward rules know synapses that send '{weight}' itself, without a delay of "
            "their own; method='bptt' has more"
        )
    declared = {v.name: v for v in synapse.model.vars}
    own = rule.weight_update
    model: WeightUpdateModel = replace(
        own,
        name=f"{synapse.model.name}{own.name}",
        params=(*synapse.model.params, *own.params),
        derived_params=(*synapse.model.derived_params, *own.derived_params),
        vars=(*synapse.model.vars, *(v for v in own.vars if v.name != "w")),
        pre_spike_syn_code=own.pre_spike_syn_code.replace(SENDS, f"{synapse.model.pre_spike_syn_code}\n", 1),
    )
    taken = [v.name for v in own.vars if v.name != "w" and v.name in declared]
    if taken:
        raise GradientError(f"connection '{group.name}' has a variable '{taken[0]}' already; call it something else")
    if rule.neuron != group.trg.spec.model:
        spec = group.trg.spec
        new: list[Var] = [v for v in rule.neuron.vars if v.name not in spec.vars]
        params = {**spec.params, **rule.neuron_params}
        group.trg._become(rule.neuron, params, {v.name: 0 for v in new})
    group._learn(model, dict(rule.params), dict(rule.post_neuron_var_refs))
