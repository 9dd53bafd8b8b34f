"""What a pass back begins from: adjoints that are given, and losses of the whole window, as those of first spikes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import GradientError, did_you_mean
from snnlearn.genn.adjoint_parts import Parts, Task
from snnlearn.genn.arrays import Variable
from snnlearn.genn.neuron_group import NeuronGroup
from snnlearn.genn.tapes import Tapes
from snnlearn.grad.end_losses import EndLoss
from snnlearn.grad.event_reverse import OF_SPIKES
from snnlearn.grad.first_spikes import FirstSpikeLoss
from snnlearn.grad.tape import GATES

Seeds = dict[tuple[str, str], NDArray[Any]]
"""Arrays of shape (timesteps, batch, neurons), by population and variable."""


def given_seeds(model: Any, parts: Parts, gradient: Mapping[Any, ArrayLike], timesteps: int) -> Seeds:
    """Return the adjoints that a user gives, checked.

    Raises
    ------
    GradientError
        For what is no mapping, for variables and populations without adjoints, and for arrays of another shape.
    """
    if not isinstance(gradient, Mapping) or not gradient:
        raise GradientError(
            "gradient is a mapping of variables of neurons to arrays, such as {output.vars['V']: array}, "
            f"not {gradient!r}"
        )
    found: Seeds = {}
    for what, given in gradient.items():
        if isinstance(what, NeuronGroup):
            _check_has_times(model, parts, what)
            found[what._key, OF_SPIKES] = _shaped(given, f"gradient of the spikes of '{what.name}'", what, timesteps)
            continue
        if not isinstance(what, Variable):
            raise GradientError(f"gradient needs variables of neurons, not {what!r}: {{output.vars['V']: array}}")
        at = what.location
        if at.space != "own" or model._by_key.get(at.group) is not what.group or at.group not in parts.neurons:
            raise GradientError(f"gradient: {at} is no variable of neurons that the tape has")
        found[at.group, at.name] = _shaped(given, f"gradient of {at}", what.group, timesteps)
    return found


def _check_has_times(model: Any, parts: Parts, group: NeuronGroup) -> None:
    """Raise GradientError for a population whose spikes' times have no derivatives in a program."""
    if not parts.event_driven:
        raise GradientError(
            f"gradient of '{group.name}': times of spikes have derivatives with method='eventprop'; give adjoints of "
            "variables, {population.vars['V']: array}"
        )
    own = model._by_key.get(group._key) is group
    if not own or group._key not in parts.neurons or not parts.neurons[group._key].events:
        raise GradientError(f"gradient: '{group.name}' has no spikes whose times depend on wrt")


def _shaped(given: ArrayLike, what: str, group: Any, timesteps: int) -> NDArray[Any]:
    """Return adjoints in the shape of the window."""
    wanted = (timesteps, group._model.batch_size, group.num_neurons)
    values = numbers(given, what)
    if values.shape != wanted and not (wanted[1] == 1 and values.shape == (timesteps, wanted[2])):
        raise GradientError(
            f"{what}: the window has the shape {wanted} (timesteps, batch, neurons), not {values.shape}"
        )
    values = values.reshape(wanted)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        place = ", ".join(f"{axis} {i}" for axis, i in zip(("timestep", "copy", "neuron"), wrong[0], strict=True))
        raise GradientError(f"{what}: adjoints must be finite, not {values[tuple(wrong[0])]} ({place})")
    return values


def numbers(given: Any, what: str) -> NDArray[np.float64]:
    """Return numbers of double precision.

    Raises
    ------
    GradientError
        For anything but real numbers in the shape of an array.
    """
    try:
        found = np.asarray(given)
        if found.dtype.kind in "biuf":
            return found.astype(np.float64)
    except ValueError as error:
        raise GradientError(f"{what} must be an array of real numbers: {error}") from None
    raise GradientError(f"{what} must be an array of real numbers, not of {found.dtype}")


# ---- losses that no timestep's code has ----


def loss_seeds(model: Any, task: Task, tapes: Tapes, timesteps: int) -> Seeds:
    """Return the derivatives of losses by the times of the window's first spikes, and by scores at its end."""
    seeds = _first_spike_seeds(model, task.first_spikes, tapes, timesteps)
    for name, loss in task.end_losses.items():
        group = model._by_key[name]
        scores, target = (_now(group, variable, model.batch_size) for variable in (loss.score, loss.target))
        seed = np.zeros((timesteps, *scores.shape))
        seed[-1] = loss.of(scores, target)[1]
        seeds[name, loss.score] = seed
    return seeds


def _now(group: NeuronGroup, variable: str, batch: int) -> NDArray[np.float64]:
    """Return what a variable is on the device, shape (batch, neurons)."""
    array = group.vars[variable]
    array.pull_from_device()
    shape = (batch, group.num_neurons)
    return np.broadcast_to(np.asarray(array.current_values, np.float64), shape)


def check_variables(group: NeuronGroup, loss: FirstSpikeLoss | EndLoss) -> None:
    """Raise GradientError where a population lacks a loss's variables."""
    known = [v.name for v in group.spec.model.vars]
    for wanted in (loss.target, *([loss.score] if isinstance(loss, EndLoss) else [])):
        if wanted not in known:
            raise GradientError(
                f"{type(loss).__name__}: '{group.name}' has no variable '{wanted}'{did_you_mean(wanted, known)}"
            )


def _first_spike_seeds(model: Any, losses: Mapping[str, FirstSpikeLoss], tapes: Tapes, timesteps: int) -> Seeds:
    """Return the derivatives of losses by the times of the window's first spikes."""
    found: Seeds = {}
    for name, loss in losses.items():
        group, dt = model._by_key[name], float(model.dt)
        spikes = _spikes(tapes, name, timesteps)
        place = spikes.argmax(axis=0)
        first = np.where(spikes.any(axis=0), place * dt, np.inf)
        by = loss.of(first, _now(group, loss.target, model.batch_size), timesteps * dt)[1]
        seeds = np.zeros(spikes.shape)
        np.put_along_axis(seeds, place[None], by[None], axis=0)
        found[name, OF_SPIKES] = seeds
    return found


def _spikes(tapes: Tapes, name: str, timesteps: int) -> NDArray[np.bool_]:
    """Return which neurons spiked, shape (timesteps, batch, neurons)."""
    recording = tapes.recordings[name]
    spikes = recording[GATES].last(timesteps) & 1 if GATES in recording.variables else recording.spikes.last(timesteps)
    found: NDArray[np.bool_] = spikes != 0
    return found
