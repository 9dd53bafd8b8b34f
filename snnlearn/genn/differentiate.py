"""`snnlearn.grad.differentiate`: from a described model and a loss to a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from snnlearn.declare import Loss, Model, Surrogate
from snnlearn.errors import GradientError, LifecycleError, did_you_mean
from snnlearn.genn.adjoint_parts import Task
from snnlearn.genn.arrays import Variable
from snnlearn.genn.forward_program import METHODS as FORWARD_METHODS
from snnlearn.genn.forward_program import ForwardProgram
from snnlearn.genn.model import GeNNModel
from snnlearn.genn.neuron_group import NeuronGroup
from snnlearn.genn.program import Program
from snnlearn.genn.seeds import check_variables
from snnlearn.genn.synapse_group import SynapseGroup
from snnlearn.grad.constants import given_to
from snnlearn.grad.credit import FeedbackLoss
from snnlearn.grad.end_losses import EndLoss
from snnlearn.grad.event_reverse import OF_SPIKES, check_least_slope
from snnlearn.grad.first_spikes import FirstSpikeLoss
from snnlearn.grad.flows import Flows, unrounded
from snnlearn.grad.step import Constant, step_of
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.network.checks import check_size

METHODS = ("bptt", "eventprop", *FORWARD_METHODS)
FEEDBACK = ("symmetric",)
_KINDS: tuple[Any, ...] = (Loss, FirstSpikeLoss, EndLoss)  # of losses


def differentiate(
    model: GeNNModel,
    wrt: Sequence[Any] | None = None,
    loss: Mapping[NeuronGroup, Loss] | None = None,
    *,
    surrogate: Surrogate | str | None = None,
    params: Mapping[str, float] | None = None,
    method: str = "bptt",
    window: int | None = None,
    checkpoint: int = 0,
    outputs: Sequence[Variable | NeuronGroup] = (),
    detach_reset: bool = True,
    flow: Mapping[NeuronGroup, Mapping[str, str]] | None = None,
    least_slope: float = 0.0,
    feedback: str | None = None,
) -> Program | ForwardProgram:
    """Have a model record what its gradient needs; before ``build``.

    Parameters
    ----------
    model : GeNNModel
        Described, not built. Populations and connections that the gradient goes through get models that record.
    wrt : sequence of Variable or (population, parameter's name), optional
        What to differentiate with respect to: variables of synapses, variables and parameters of neurons. By default
        all variables whose ``requires_grad`` is True.
    loss : mapping of population to Loss
        Summed over timesteps, neurons and copies of a batch. For ``"bptt"`` and ``"eventprop"`` also an `EndLoss`, for
        ``"eventprop"`` a `FirstSpikeLoss`; or a tuple of these.
    surrogate : Surrogate or str
        The derivative of a spike with respect to the margin of the threshold; for all methods but ``"eventprop"``.
    params : mapping of str to float
        The surrogate's parameters and those of losses, by name. ``Level_tau`` is that of the loss ``Level`` alone.
    method : {"bptt", "eventprop", "superspike", "eprop", "rtrl"}
        Backpropagation through time, with a surrogate or, ``"eventprop"``, with the derivatives of the times of spikes
        (Wunderlich & Pehle 2021); or a forward rule, which cuts paths through other neurons' spikes, so that each
        target of weights needs a loss of its own (a `FeedbackLoss` where it receives another layer's error): with
        traces of neurons below threshold for ``"superspike"`` and ``"eprop"``, of neurons as they are for ``"rtrl"``.
    window : int
        For ``"bptt"`` and ``"eventprop"``: how many timesteps, at most, are run between two passes.
    checkpoint : int
        For these two. Record blocks of this many timesteps, and run the forward model again from one block to the
        next: less memory, and more time; half of the window costs half a forward run. A change to variables of neurons
        within a window ends a block; nothing but timesteps may change what else recorded values follow from. 0 records
        the whole window.
    outputs : sequence of Variable, or of populations
        For these two: variables of neurons whose adjoints are to be given to ``backward(gradient=...)``, beside those
        of the loss. For ``"eventprop"`` those of the loss too, where a reset changes them; and populations, whose
        spikes' times have derivatives there.
    detach_reset : bool
        For ``"bptt"``: whether the derivative takes the times of resets for given.
    flow : mapping of population to mapping of str to str
        For ``"eventprop"``: the time derivatives [per ms] of variables that do not move linearly between spikes, as
        expressions of variables, inputs and parameters of the neuron: ``{hidden: {"V": "V * V / tau + Isyn"}}``.
    least_slope : float
        For ``"eventprop"``: no less than this is taken for the slope of the margin at the threshold [its unit / ms].
        Spikes that graze the threshold have gradients without bound.
    feedback : {"symmetric"}, optional
        For forward rules: what brings the error to populations without a loss. Connections from them to populations
        with one send the loss's derivative, times their weights, back themselves, in every timestep; populations
        without a variable for it get the input ``ErrorInput``. Errors of several populations add up.

    Returns
    -------
    Program or ForwardProgram

    Raises
    ------
    GradientError
        For what has no derivative, an unknown method or surrogate, and what the loss does not depend on.
    LifecycleError
        For a model that is built, or differentiated already.
    """
    if not isinstance(model, GeNNModel):
        raise GradientError(
            f"differentiate needs a model of snnlearn.genn, not {type(model).__name__}; on another engine build the "
            "network from the models that grad.adjoint gives"
        )
    model._need_unbuilt("differentiate; call it before build()")
    if model._programs:
        raise LifecycleError(
            "the model is differentiated already: give all variables in one differentiate(..., wrt=[...])"
        )
    if method not in METHODS:
        raise GradientError(f"there is no method {method!r}{did_you_mean(str(method), METHODS)}")
    if not isinstance(detach_reset, bool):
        raise GradientError(f"detach_reset is True or False, not {detach_reset!r}; grad.eligibility takes names too")
    if feedback is not None and feedback not in FEEDBACK:
        raise GradientError(f"there is no feedback {feedback!r}{did_you_mean(str(feedback), FEEDBACK)}")
    rule = _rule(method, surrogate, detach_reset, flow, least_slope)
    if rule is not None and method != "bptt":
        given = {
            "window": window is not None,
            "checkpoint": checkpoint,
            "outputs": outputs,
            "detach_reset": not detach_reset,
        }
        _check_forward(method, [name for name, said in given.items() if said])
        chosen = _chosen(model) if wrt is None else wrt
        return _forward(model, chosen, loss or {}, rule, params or {}, method, feedback)
    if feedback is not None:
        raise GradientError(
            f"feedback is for forward rules, {', '.join(map(repr, FORWARD_METHODS))}: '{method}' goes back through the "
            "weights themselves"
        )
    if window is None:
        raise GradientError(f"method='{method}' needs window, the longest number of timesteps between two backward()")
    weights, states, parameters = _sort(model, _chosen(model) if wrt is None else wrt)
    by_kind = _by_kind(loss or {}, method)
    losses, first_spikes, end_losses = (_losses(model, by_kind[kind], kind) for kind in _KINDS)
    seeds = _outputs(model, outputs, method)
    for name, one in first_spikes.items():
        _check_first_spikes(model._by_key[name], one, checkpoint)
        seeds[name] = seeds.get(name, frozenset()) | {OF_SPIKES}
    for name, end in end_losses.items():
        check_variables(model.neuron_populations[model._by_key[name].name], end)
        seeds[name] = seeds.get(name, frozenset()) | {end.score}
    task = Task(
        losses, weights, rule, states, parameters, seeds, {}, detach_reset, event_driven=rule is None,
        flows=_flows(model, flow or {}), least_slope=float(least_slope), first_spikes=first_spikes,
        end_losses=end_losses,
    )  # fmt: skip
    return Program(
        model,
        task,
        _constants(rule, losses, params or {}),
        check_size("differentiate", "window", window),
        check_size("differentiate", "checkpoint", checkpoint, 0),
    )


def _rule(method: str, surrogate: Any, detach_reset: bool, flow: Any, least_slope: Any) -> Surrogate | None:
    """Return the surrogate of a method; None for "eventprop".

    Raises
    ------
    GradientError
        For arguments that the method has no use for, and where it lacks its surrogate.
    """
    if method != "eventprop":
        if surrogate is None:
            raise GradientError(
                f"method='{method}' needs surrogate, the derivative of a spike: surrogate='FastSigmoid', say; "
                "method='eventprop' needs none"
            )
        for name, given in (("flow", flow), ("least_slope", least_slope)):
            if given:
                raise GradientError(f"{name} is for method='eventprop', not for '{method}', which asks for no slopes")
        return find_surrogate(surrogate)
    if surrogate is not None:
        raise GradientError("surrogate is not for method='eventprop', whose spikes have derivatives of their times")
    if not detach_reset:
        raise GradientError("detach_reset=False is for method='bptt': with 'eventprop', resets come when spikes do")
    check_least_slope(least_slope)
    return None


def _check_first_spikes(group: Any, loss: FirstSpikeLoss, checkpoint: int) -> None:
    check_variables(group, loss)
    if checkpoint:
        raise GradientError(
            "FirstSpikeLoss needs the spikes of the whole window, and checkpoints hold a block: leave checkpoint out"
        )


def _flows(model: GeNNModel, flow: Any) -> dict[str, Mapping[str, str]]:
    form = "flow is a mapping of populations to mappings of variables to code, {hidden: {'V': '-V / TauM'}}"
    if not isinstance(flow, Mapping):
        raise GradientError(f"{form}, not {flow!r}")
    found: dict[str, Mapping[str, str]] = {}
    for group, one in flow.items():
        if not isinstance(group, NeuronGroup) or not isinstance(one, Mapping):
            raise GradientError(f"{form}, not of {group!r} to {one!r}")
        _check_own(model, group)
        found[group._key] = dict(one)
        Flows(unrounded(step_of(group.spec.model)), found[group._key])  # errors, whether a pass needs it or not
    return found


def _check_forward(method: str, given: Sequence[str]) -> None:
    """Refuse arguments that a forward rule has no use for."""
    if given:
        raise GradientError(
            f"{given[0]} is for method='bptt': '{method}' has no tape and no pass back, and its own way with resets"
        )


def _forward(
    model: GeNNModel,
    wrt: Sequence[Any],
    loss: Mapping[Any, Any],
    surrogate: Surrogate,
    params: Any,
    method: Any,
    feedback: str | None,
) -> ForwardProgram:
    weights, states, parameters = _sort(model, wrt)
    if states or parameters:
        raise GradientError(f"method '{method}' is for weights alone; parameters and variables of neurons need 'bptt'")
    losses = _losses(model, _by_kind(loss, method)[Loss], (Loss, FeedbackLoss))
    values = _constants(surrogate, losses, params)
    return ForwardProgram(model, weights, losses, surrogate, values, method, feedback)


def _chosen(model: GeNNModel) -> list[Variable]:
    groups: list[Any] = [*model.synapse_populations.values(), *model.neuron_populations.values()]
    return [v for group in groups for v in group.vars.values() if v.requires_grad]


def _sort(model: GeNNModel, wrt: Sequence[Any]) -> tuple[dict[str, tuple[str, ...]], ...]:
    """Return variables of synapses, variables of neurons and parameters of neurons, by group."""
    kinds: tuple[dict[str, tuple[str, ...]], ...] = ({}, {}, {})
    if isinstance(wrt, (Variable, str)) or not isinstance(wrt, Iterable):
        raise GradientError(f"wrt is a sequence, such as [connection.vars['g']], not {wrt!r}")
    if not wrt:
        raise GradientError("there is nothing to differentiate with respect to: wrt=[connection.vars['g']]")
    for what in wrt:
        kind, key, name = _kind(what)
        _check_own(model, what.group if isinstance(what, Variable) else what[0])
        kinds[kind][key] = tuple(dict.fromkeys([*kinds[kind].get(key, ()), name]))
    return kinds


def _check_own(model: GeNNModel, group: Any) -> None:
    if model._by_key.get(group._key) is not group:
        raise GradientError(f"'{group.name}' is no group of this model, but of another")


def _outputs(model: GeNNModel, outputs: Any, method: str) -> dict[str, frozenset[str]]:
    if isinstance(outputs, (Variable, str)) or not isinstance(outputs, Iterable):
        raise GradientError(f"outputs is a sequence, such as [population.vars['V']], not {outputs!r}")
    seeds: dict[str, frozenset[str]] = {}
    for variable in outputs:
        if method == "eventprop" and isinstance(variable, NeuronGroup):
            _check_own(model, variable)
            seeds[variable._key] = seeds.get(variable._key, frozenset()) | {OF_SPIKES}
            continue
        if not isinstance(variable, Variable) or not isinstance(variable.group, NeuronGroup):
            raise GradientError(f"outputs takes variables of neurons, population.vars['V'], not {variable!r}")
        _check_own(model, variable.group)
        if variable.type != "scalar":
            raise GradientError(
                f"{variable.location} is of type {variable.type}: only what is of type scalar has an adjoint"
            )
        key = variable.group._key
        seeds[key] = seeds.get(key, frozenset()) | {variable.name}
    return seeds


def _kind(what: Any) -> tuple[int, str, str]:
    if isinstance(what, Variable):
        group: Any = what.group
        if what.type != "scalar":
            raise GradientError(f"{what.location} is of type {what.type}: only what is of type scalar has a gradient")
        if isinstance(group, SynapseGroup) and what.location.space == "synapse":
            return 0, group._key, what.name
        if isinstance(group, NeuronGroup):
            return 1, group._key, what.name
        raise GradientError(f"wrt takes variables of synapses and of neurons, not {what.location}")
    if isinstance(what, tuple) and len(what) == 2 and isinstance(what[0], NeuronGroup):
        known = [p.name for p in what[0].model.params]
        if what[1] not in known:
            raise GradientError(f"'{what[0].name}' has no parameter '{what[1]}'{did_you_mean(str(what[1]), known)}")
        return 2, what[0]._key, what[1]
    raise GradientError(f"wrt takes variables, and parameters as (population, 'name'), not {what!r}")


def _by_kind(loss: Any, method: str) -> dict[type, dict[Any, Any]]:
    """Return losses by their kinds, of each of which a population may have one."""
    if not isinstance(loss, Mapping):
        raise GradientError(f"loss is a mapping of neuron populations to Loss, {{output: loss}}, not {loss!r}")
    found: dict[type, dict[Any, Any]] = {kind: {} for kind in _KINDS}
    for group, given in loss.items():
        for one in given if isinstance(given, tuple) else (given,):
            kind = next((k for k in _KINDS if isinstance(one, k)), Loss)
            if kind is FirstSpikeLoss and method != "eventprop":
                raise GradientError(f"FirstSpikeLoss is for method='eventprop', not for '{method}': give a grad.Loss")
            if kind is EndLoss and method in FORWARD_METHODS:
                raise GradientError(
                    f"{type(one).__name__} is for 'bptt' and 'eventprop', which go back from the end; '{method}' needs "
                    "a grad.Loss of every timestep"
                )
            if group in found[kind]:
                raise GradientError(
                    "loss: a population has one grad.Loss (several add up by +), one FirstSpikeLoss, or both; and one "
                    "EndLoss"
                )
            found[kind][group] = one
    return found


def _losses(model: GeNNModel, loss: Mapping[Any, Any], kinds: Any = Loss) -> dict[str, Any]:
    found = {}
    for group, one in loss.items():
        if not isinstance(group, NeuronGroup) or not isinstance(one, kinds):
            raise GradientError(f"loss is a mapping of neuron populations to Loss, not of {group!r} to {one!r}")
        _check_own(model, group)
        found[group._key] = one
    return found


def _constants(surrogate: Surrogate | None, losses: Mapping[str, Any], params: Mapping[str, float]) -> dict[str, float]:
    """Return the parameters of surrogate and losses: by name, or where one has a value of its own as ``Level_tau``.

    Raises
    ------
    GradientError
        For one without a value, a value for none, and one that is outside of its interval.
    """
    if not isinstance(params, Mapping):
        raise GradientError(f"params is a mapping of names to numbers, not {params!r}")
    models: list[Model] = [] if surrogate is None else [surrogate]
    for loss in losses.values():
        models += (loss.loss if isinstance(loss, FeedbackLoss) else loss).parts
    declared = [(model, param) for model in models for param in model.params]
    known = [*(p.name for _, p in declared), *(f"{model.name}_{p.name}" for model, p in declared)]
    found: dict[str, float] = {}
    for name, value in params.items():
        if name not in known:
            raise GradientError(f"params: surrogate and losses have no parameter '{name}'{did_you_mean(name, known)}")
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise GradientError(f"params: {name} must be a number, not {value!r}")
        found[name] = float(value)
    for model, param in declared:
        given = given_to(Constant(model, "params", param.name), found)
        if given is None:
            raise GradientError(
                f"params has no value for '{param.name}': differentiate(..., params={{'{param.name}': ...}})"
            )
        fault = param.fault(given, "double")
        if fault is not None:
            raise GradientError(f"params: {param.name} {fault}")
    return found
