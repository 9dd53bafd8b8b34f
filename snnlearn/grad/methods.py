"""Forward rules of whole networks: which loss each layer is given, and what brings the error signal back.

The last layer has a loss of its own. Each layer before it receives an error signal, which a connection from the last
layer sends in every timestep: a weighted sum of the loss's derivatives. It reaches the neurons one timestep later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from snnlearn.declare import Loss, Model, NeuronModel, PostsynapticModel, Surrogate, WeightUpdateModel
from snnlearn.errors import GradientError, did_you_mean
from snnlearn.grad.constants import add_constants
from snnlearn.grad.credit import FeedbackLoss
from snnlearn.grad.error_signal import SIGNAL, error_feedback, with_error_signal
from snnlearn.grad.forward import EligibilityRule, JacobianKind, eligibility
from snnlearn.grad.loss import loss_gradient
from snnlearn.grad.step import Constant, find_driven, step_of
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.grad.tangents import Tangent, recursion_of

ForwardMethod = Literal["superspike", "eprop", "rtrl"]
"""``"superspike"``: traces as of a neuron that does not spike (Zenke & Ganguli 2018). ``"eprop"``: so too, but what
only spikes drive, such as an adapting threshold, is followed (Bellec et al. 2020). ``"rtrl"``: the exact Jacobian of
each neuron (Williams & Zipser 1989); paths through other neurons' spikes are cut here too."""


class LayerModels(NamedTuple):
    """The models of a layer: its neurons, and the postsynaptic model of what it learns from."""

    neuron: NeuronModel
    postsynaptic: PostsynapticModel


@dataclass(frozen=True)
class NetworkRules:
    """The rules of a network.

    Attributes
    ----------
    output : EligibilityRule
        Of the weights into the last layer.
    hidden : tuple of EligibilityRule
        Of those into the layers before, in order. Their neurons have the further input ``ErrorInput``, unless they
        declare a variable ``errTilda`` that they are to take the signal from.
    feedback : WeightUpdateModel
        Of connections from the last layer to those before, whose weights ``w`` send the error signal. Variables of
        presynaptic neurons, where it has some, begin at 0.
    feedback_params : dict of str to float
        Of that, as far as they were given.
    feedback_refs : dict of str to str
        What its references to presynaptic variables are called in the last layer's neuron.
    """

    output: EligibilityRule
    hidden: tuple[EligibilityRule, ...]
    feedback: WeightUpdateModel
    feedback_params: dict[str, float]
    feedback_refs: dict[str, str]

    def explain(self) -> str:
        """Return what each rule is, in words."""
        return "\n".join(rule.explain() for rule in (*self.hidden, self.output))


def network_rules(
    method: ForwardMethod,
    hidden: Sequence[tuple[NeuronModel, PostsynapticModel]],
    output: tuple[NeuronModel, PostsynapticModel],
    loss: Loss,
    *,
    surrogate: Surrogate | str,
    params: Sequence[Mapping[str, float]] | Mapping[str, float] | None = None,
    dt: float | None = None,
    detach_reset: bool | Collection[str] | None = None,
) -> NetworkRules:
    """Derive the forward rules of a network from its layers' models and its loss.

    Parameters
    ----------
    method : "superspike", "eprop" or "rtrl"
        See `ForwardMethod`.
    hidden : sequence of (NeuronModel, PostsynapticModel)
        The layers that are given an error signal.
    output : (NeuronModel, PostsynapticModel)
        The layer that has the loss.
    loss : Loss
    surrogate : Surrogate or str
    params : mapping of str to float, or a sequence of one for each layer, optional
        Values that decide branches, as in `eligibility`; names that a layer does not have are left out.
    dt : float, optional
        The timestep [ms].
    detach_reset : bool or collection of str, optional
        As in `eligibility`; what the method says unless given.

    Raises
    ------
    GradientError
        For an unknown method, and where a layer has no rule.
    """
    known = get_args(ForwardMethod)
    if method not in known:
        raise GradientError(f"there is no forward method '{method}'{did_you_mean(str(method), known)}")
    layers = [LayerModels(*layer) for layer in (*hidden, output)]
    given = _by_layer(params, len(layers))
    last, chosen = layers[-1], find_surrogate(surrogate)
    jacobian: JacobianKind = "exact" if method == "rtrl" else "subthreshold"
    via = "spike" if answers_to_its_spikes(last.neuron, loss) else last.postsynaptic

    def rule(layer: LayerModels, what: Loss | FeedbackLoss, values: dict[str, float]) -> EligibilityRule:
        detached = detached_by(method, layer.neuron) if detach_reset is None else detach_reset
        options = {"dt": dt, "jacobian": jacobian, "detach_reset": detached}
        known = Values(values, values, values, ((given[-1], given[-1]),))
        own = rule_values(layer, (what,), chosen, known)
        return eligibility(*layer, surrogate=chosen, loss=what, params=own, **options)  # type: ignore[arg-type]

    rules = []
    for layer, values in zip(layers[:-1], given[:-1], strict=True):
        signal = "errTilda" if any(v.name == "errTilda" for v in layer.neuron.vars) else SIGNAL
        neuron = layer.neuron if signal == "errTilda" else with_error_signal(layer.neuron)
        what = FeedbackLoss(last.neuron, loss, signal, via)  # type: ignore[arg-type]
        rules.append(rule(layer._replace(neuron=neuron), what, values))
    feedback, refs, sent = error_feedback(*last, loss, given[-1])
    return NetworkRules(rule(last, loss, given[-1]), tuple(rules), feedback, sent, refs)


def _by_layer(params: Sequence[Mapping[str, float]] | Mapping[str, float] | None, count: int) -> list[dict[str, float]]:
    if params is None or isinstance(params, Mapping):
        return [dict(params or {})] * count
    if len(params) != count:
        raise GradientError(f"params: there are {count} layers, not {len(params)}")
    return [dict(p) for p in params]


class Values(NamedTuple):
    """Values of parameters by the names that their models declare, or that they have in a rule."""

    neuron: Mapping[str, float]
    postsynaptic: Mapping[str, float]
    more: Mapping[str, float]  # of surrogate and losses
    # Of the neuron of each loss that is fed back, and of the postsynaptic model through which a spike reaches that.
    layers: Sequence[tuple[Mapping[str, float], Mapping[str, float]]] = ()


def rule_values(
    layer: LayerModels, losses: Sequence[Loss | FeedbackLoss], surrogate: Surrogate | None, known: Values
) -> dict[str, float]:
    """Return the values of parameters by the names that they have in a layer's rule."""
    step = step_of(*layer)
    found: dict[str, float] = {}

    def take(name: str, c: Constant, values: Mapping[str, float], *more: str) -> None:
        for key in (*more, name, c.name):
            if c.kind == "params" and key in values:
                found.setdefault(name, float(values[key]))

    for name, c in step.constants.items():
        take(name, c, known.neuron if c.model is layer.neuron else known.postsynaptic)
    models: list[tuple[Model, Mapping[str, float]]] = [(surrogate, known.more)] if surrogate is not None else []
    layers, fed_back = iter(known.layers), []
    for one in losses:
        if isinstance(one, FeedbackLoss):
            last, via = next(layers)
            fed_back += [one.neuron, one.via]
            models += [(one.neuron, last), *([(one.via, via)] if isinstance(one.via, PostsynapticModel) else [])]
        else:
            models += [(part, known.more) for part in one.parts]
    constants: dict[str, Constant] = {}
    taken = {*step.taken, "w", "m"}
    for model, values in models:
        for new in add_constants(constants, taken, model).values():
            # Of losses and surrogate, what is given for one of them alone comes first, as in `given_to`.
            own = () if model in fed_back else (f"{model.name}_{constants[new].name}",)
            take(new, constants[new], values, *own)
    return found


def detached_by(method: ForwardMethod, neuron: NeuronModel) -> bool | tuple[str, ...]:
    """Return along which resets a method cuts the derivative of the spike."""
    if method == "superspike":
        return True
    step = step_of(neuron)
    driven = find_driven(step, spikes=False)
    return tuple(v.name for v in neuron.vars if v.name in driven)


def answers_to_its_spikes(neuron: NeuronModel, loss: Loss) -> bool:
    """Whether a neuron's own spike changes what the loss depends on within its timestep."""
    step = step_of(neuron)
    recursion = recursion_of(step, (), detached=True, quiet=True, spike="spike")
    reached = {Tangent("spike", "spike")}
    for row in recursion.rows:
        if row.terms.keys() & reached:
            reached.add(row.target)
    return any(Tangent("after", x) in reached for x in loss_gradient(loss, neuron).partials)
