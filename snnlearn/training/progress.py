"""What the counters, curves and measures of a checkpoint can be: types, ranges, lengths, and what belongs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snnlearn.errors import CheckpointError

_MOST = 1 << 62  # trials, timesteps, updates: what an int64 still holds with room for more


def check_progress(values: Mapping[str, Any]) -> None:
    """Check what a checkpoint has of a session, before anything is made of it.

    Raises
    ------
    CheckpointError
        At the first value that no session can have.
    """
    runner, fit = values.get("runner"), values.get("conductor")
    _need(isinstance(runner, list) and len(runner) == 4, "the counters are not four numbers")
    _need(isinstance(fit, dict), "it does not say how far its fit is")
    assert runner is not None
    assert fit is not None
    for name, count in zip(("trial", "timestep", "update"), runner, strict=False):
        _need(_is_count(count), f"{name} is {count!r:.50}")
    left = runner[3]
    _need(left is None or _is_count(left), f"what is left of the trial is {left!r:.50}")
    start = fit.get("start")
    if start is not None:
        _check_start(start, runner, fit.get("epochs_done"))
    _check_fit(fit, runner)
    for state in _list(values, "measures"):
        _need(isinstance(state, dict) and all(map(_is_number, state.values())), "a measure's state is not of numbers")
    _check_history(values.get("history"))
    for epoch in _list(values, "epochs"):
        _need(isinstance(epoch, list) and len(epoch) == 4, "an epoch's result is not of four parts")
        number, loss, validation_loss, metrics = epoch
        _need(_is_count(number) and _is_number(loss) and _is_number(validation_loss), "an epoch's result is no number")
        _need(isinstance(metrics, dict) and all(map(_is_number, metrics.values())), "a metric is no number")


def check_counters(
    values: Mapping[str, Any], trial_timesteps: int, updates_until: Any, num_measures: int, num_connections: int
) -> None:
    """Check a session's state against the training that is to go on with it.

    Parameters
    ----------
    values : mapping
        That `check_progress` has found nothing wrong with.
    trial_timesteps : int
    updates_until : callable
        How many updates are due in so many timesteps.
    num_measures, num_connections : int

    Raises
    ------
    CheckpointError
        Where the two do not belong together.
    """
    _, timestep, update, left = values["runner"]
    _need(left is None or left <= trial_timesteps, f"{left} timesteps are left of a trial of {trial_timesteps}")
    due = updates_until(timestep)
    _need(due - 1 <= update <= due + 1, f"there were {update} updates in {timestep} timesteps, in which {due} are due")
    _need(_is_count(values["timestep"]), f"the timestep is {values['timestep']!r:.50}")
    _need(len(values["measures"]) == num_measures, "it has other measures")
    found = values["history"]["num_connections"]
    _need(found == num_connections, f"its history is of {found} connections, and {num_connections} are trained")


def _check_start(start: Any, runner: Sequence[Any], epochs_done: Any) -> None:
    _need(isinstance(start, dict), "it does not say where its fit began")
    wanted = {"trial", "timestep", "epoch", "signature"}
    _need(set(start) == wanted, "it does not say where its fit began")
    for name, most in zip(("trial", "timestep", "epoch"), (*runner[:2], epochs_done), strict=True):
        _need(_is_count(start[name]), f"its fit began at {name} {start[name]!r:.50}")
        _need(_is_count(most) and start[name] <= most, f"its fit began at {name} {start[name]}, after the last one")
    signature = start["signature"]
    _need(isinstance(signature, list) and all(isinstance(s, str) for s in signature), "its phases are no texts")


def _check_fit(fit: Mapping[str, Any], runner: Sequence[Any]) -> None:
    for name in ("epochs_done", "epoch_losses", "measured", "announced", "pending_epoch"):
        _need(name in fit, f"KeyError: {name!r}")
    done, announced, pending = (fit[name] for name in ("epochs_done", "announced", "pending_epoch"))
    _need(_is_count(done), f"the number of epochs is {done!r:.50}")
    _need(pending is None or (_is_count(pending) and pending <= runner[0]), f"the epoch at its end is {pending!r:.50}")
    _need(announced == -1 or _is_count(announced), f"the last update that was noted is {announced!r:.50}")
    _need(announced <= runner[2], f"the last update that was noted, {announced}, is not one of {runner[2]}")
    losses = fit["epoch_losses"]
    _need(isinstance(losses, list) and all(map(_is_number, losses)), "the losses of an epoch are no numbers")
    _need(isinstance(fit["measured"], bool), "whether the trial is measured is neither true nor false")


def _check_history(history: Any) -> None:
    _need(isinstance(history, dict), "it has no history")
    num = history.get("num_connections")
    series = [history.get(name) for name in ("lrs", "momenta", "losses")]
    _need(all(isinstance(one, list) for one in series), "KeyError: this is no history of a training")
    lrs, momenta, losses = series
    _need(_is_count(num), f"its history is of {num!r:.50} connections")
    _need(all(map(_is_number, losses)), "a loss is no number")
    for rates in (*lrs, *momenta):
        _need(isinstance(rates, list) and len(rates) == num and all(map(_is_number, rates)), "a rate is no number")
    phases = history.get("phases")
    _need(isinstance(phases, list), "its history has no phases")
    before = 0
    for phase in phases:
        texts = ("optimiser", "fixed", "decay")
        _need(isinstance(phase, dict) and set(phase) == {"start", *texts}, "a phase of its history is none")
        _need(all(isinstance(phase[text], str) for text in texts), "a phase of its history is none")
        _need(_is_count(phase["start"]) and before <= phase["start"] <= len(losses), "a phase begins where none can")
        before = phase["start"]


def _list(values: Mapping[str, Any], name: str) -> list[Any]:
    found = values.get(name)
    _need(isinstance(found, list), f"it has no {name}")
    assert isinstance(found, list)
    return found


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MOST


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and -_MOST < value < _MOST)


def _need(right: bool, why: str) -> None:
    if not right:
        raise CheckpointError(f"this is no state of a training: {why}")
