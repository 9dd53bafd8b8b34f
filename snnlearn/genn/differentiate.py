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
from snnlearn.genn.synapse_group import SynapseGroup
from snnlearn.grad.constants import given_to
from snnlearn.grad.credit import FeedbackLoss
from snnlearn.grad.step import Constant
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.network.checks import check_size

METHODS = ("bptt", *FORWARD_METHODS)
FEEDBACK = ("symmetric",)


def differentiate(
    model: GeNNModel,
    wrt: Sequence[Any] | None = None,
    loss: Mapping[NeuronGroup, Loss] | None = None,
    *,
    surrogate: Surrogate | str,
    params: Mapping[str, float] | None = None,
    method: str = "bptt",
    window: int | None = None,
    checkpoint: int = 0,
    outputs: Sequence[Variable] = (),
    detach_reset: bool = True,
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
        Summed over timesteps, neurons and copies of a batch.
    surrogate : Surrogate or str
        The derivative of a spike with respect to the margin of the threshold.
    params : mapping of str to float
        The surrogate's parameters and those of losses, by name. ``Level_tau`` is that of the loss ``Level`` alone.
    method : {"bptt", "superspike", "eprop", "rtrl"}
        Backpropagation through time; or a forward rule, which cuts paths through other neurons' spikes, so that each
        target of weights needs a loss of its own (a `FeedbackLoss` where it receives another layer's error): with
        traces of neurons below threshold for ``"superspike"`` and ``"eprop"``, of neurons as they are for ``"rtrl"``.
    window : int
        For ``"bptt"``: how many timesteps, at most, are run between two passes.
    checkpoint : int
        For ``"bptt"``, as all that follows. Record blocks of this many timesteps, and run the forward model again from
        one block to the next: less memory, and more time; half of the window costs half a forward run. A change to
        variables of neurons within a window ends a block; nothing but timesteps may change what else recorded values
        follow from. 0 records the whole window.
    outputs : sequence of Variable
        Variables of neurons whose adjoints are to be given to ``backward(gradient=...)``, beside those of the loss.
    detach_reset : bool
        Whether the derivative takes the times of resets for given.
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
    if not isinstance(detach_reset, bool):
        raise GradientError(f"detach_reset is True or False, not {detach_reset!r}; grad.eligibility takes names too")
    if method not in METHODS:
        raise GradientError(f"there is no method {method!r}{did_you_mean(str(method), METHODS)}")
    if feedback is not None and feedback not in FEEDBACK:
        raise GradientError(f"there is no feedback {feedback!r}{did_you_mean(str(feedback), FEEDBACK)}")
    rule = find_surrogate(surrogate)
    if method != "bptt":
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
        raise GradientError("method='bptt' needs window, the longest number of timesteps between two backward()")
    weights, states, parameters = _sort(model, _chosen(model) if wrt is None else wrt)
    losses = _losses(model, loss or {})
    task = Task(losses, weights, rule, states, parameters, _outputs(model, outputs), {}, detach_reset)
    return Program(
        model,
        task,
        _constants(rule, losses, params or {}),
        check_size("differentiate", "window", window),
        check_size("differentiate", "checkpoint", checkpoint, 0),
    )


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
    losses = _losses(model, loss, (Loss, FeedbackLoss))
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


def _outputs(model: GeNNModel, outputs: Any) -> dict[str, frozenset[str]]:
    if isinstance(outputs, (Variable, str)) or not isinstance(outputs, Iterable):
        raise GradientError(f"outputs is a sequence, such as [population.vars['V']], not {outputs!r}")
    seeds: dict[str, frozenset[str]] = {}
    for variable in outputs:
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


def _losses(model: GeNNModel, loss: Mapping[Any, Any], kinds: Any = Loss) -> dict[str, Any]:
    if not isinstance(loss, Mapping):
        raise GradientError(f"loss is a mapping of neuron populations to Loss, {{output: loss}}, not {loss!r}")
    found = {}
    for group, one in loss.items():
        if not isinstance(group, NeuronGroup) or not isinstance(one, kinds):
            raise GradientError(f"loss is a mapping of neuron populations to Loss, not of {group!r} to {one!r}")
        _check_own(model, group)
        found[group._key] = one
    return found


def _constants(surrogate: Surrogate, losses: Mapping[str, Any], params: Mapping[str, float]) -> dict[str, float]:
    """Return the parameters of surrogate and losses: by name, or where one has a value of its own as ``Level_tau``.

    Raises
    ------
    GradientError
        For one without a value, a value for none, and one that is outside of its interval.
    """
    if not isinstance(params, Mapping):
        raise GradientError(f"params is a mapping of names to numbers, not {params!r}")
    models: list[Model] = [surrogate]
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
