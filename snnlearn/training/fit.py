"""One fit: the phases that it has, laid out over trials and updates, and what holds at each update."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from snnlearn.errors import TrainingError
from snnlearn.training.data import Data
from snnlearn.training.decay import DecayType, Value
from snnlearn.training.layout import Segment, lay_out
from snnlearn.training.phases import TrainingPhase


@dataclass(frozen=True)
class FitStart:
    """Where a fit began, and what tells its phases and data from others.

    Attributes
    ----------
    trial, timestep, epoch : int
        Counted over all fits.
    signature : list of str
        One for each phase.
    """

    trial: int
    timestep: int
    epoch: int
    signature: list[str]


class Rates(NamedTuple):
    """What holds at an update.

    Attributes
    ----------
    lr, momentum : float or ndarray of shape (connections,)
        For the record; the momentum is None where the optimiser has none.
    params : dict
        All parameters of the optimiser to set, by name.
    """

    lr: Value
    momentum: Value | None
    params: dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A phase with its place in a fit and its data."""

    segment: Segment
    phase: TrainingPhase
    data: Data

    def rates(self, update: int) -> Rates:
        """Return what holds at an update, counted over all fits."""
        phase, rule = self.phase, self.phase.rule
        iteration, iterations = update - self.segment.first_update, self.segment.num_updates
        lr, momentum = phase.lr_at(iteration, iterations), phase.momentum_at(iteration, iterations)
        params: dict[str, Any] = {rule.lr_param: lr, **phase.constants()}
        if rule.momentum_param is None:
            return Rates(lr, None, params)
        return Rates(lr, momentum, {**params, rule.momentum_param: momentum})


@dataclass(frozen=True)
class Fit:
    """The phases of a fit, end to end."""

    parts: tuple[Part, ...]

    @property
    def first_trial(self) -> int:
        """The trial with which it begins."""
        return self.parts[0].segment.first_trial

    @property
    def num_trials(self) -> int:
        """How many trials it has."""
        return self.parts[-1].segment.end - self.first_trial

    @property
    def num_updates(self) -> int:
        """How many updates it has."""
        return sum(part.segment.num_updates for part in self.parts)

    def lr_of_update(self, update: int) -> float:
        """Return the highest learning rate of an update; one beyond the last has the last's.

        Raises
        ------
        TrainingError
            Where there are no phases.
        """
        if not self.parts:
            raise TrainingError("no fit has been laid out yet, so that there is no learning rate")
        for part in self.parts:
            segment = part.segment
            if update < segment.first_update + segment.num_updates:
                return float(np.max(part.phase.lr_at(max(update - segment.first_update, 0), segment.num_updates)))
        last = self.parts[-1]
        updates = max(last.segment.num_updates, 1)
        return float(np.max(last.phase.lr_at(updates - 1, updates)))


def signature_of(phases: Sequence[TrainingPhase], datas: Sequence[Data]) -> list[str]:
    """Return what tells a fit's phases and data from others', the same in every process."""
    return [f"{phase.signature} on {len(data)}" for phase, data in zip(phases, datas, strict=True)]


def extends(before: Sequence[str], phases: Sequence[TrainingPhase], signature: Sequence[str]) -> bool:
    """Whether a fit is another one that goes on for longer: what that runs is the same, trial by trial.

    Parameters
    ----------
    before : sequence of str
        The signature of the other.
    phases, signature : sequence of TrainingPhase, sequence of str
        Of the longer one.
    """
    if list(before) == list(signature):
        return True
    if not before or len(signature) < len(before) or list(signature[: len(before) - 1]) != list(before[:-1]):
        return False
    if not math.fsum(_epochs(text) for text in before).is_integer():
        return False  # its last epoch was cut short
    last, there, here = phases[len(before) - 1], before[-1], signature[len(before) - 1]
    if there == here:
        return True
    stays = last.lr_decay == DecayType.NO and last.momentum_decay == DecayType.NO
    same = there.partition(", ")[2] == here.partition(", ")[2]
    return stays and same and _epochs(there) < _epochs(here)


def _epochs(signature: str) -> float:
    """Return how many epochs the phase of a signature has; NaN where that says nothing of the kind."""
    try:
        return float(signature.partition(", ")[0].lstrip("("))
    except ValueError:
        return math.nan


def plan_fit(
    phases: Sequence[TrainingPhase],
    datas: Sequence[Data],
    start: FitStart,
    trial_timesteps: int,
    updates_until: Callable[[int], int],
    num_trials: Callable[[Data], int] = len,
) -> Fit:
    """Lay out the phases of a fit, each with its data, from where it began; see `lay_out`.

    ``num_trials`` says how many trials show a data set once.

    Raises
    ------
    TrainingError
        If a phase is shorter than a trial.
    """
    segments = lay_out(
        [phase.epochs for phase in phases],
        [num_trials(data) for data in datas],
        [number > 0 and datas[number] is datas[number - 1] for number in range(len(phases))],
        start.trial,
        start.timestep,
        start.epoch,
        trial_timesteps,
        updates_until,
    )
    return Fit(tuple(Part(*part) for part in zip(segments, phases, datas, strict=True)))


def check_phases(phases: Sequence[TrainingPhase], data_list: Sequence[Data] | None) -> None:
    """Raise TrainingError unless these are phases, and as many data sets where there are such."""
    if isinstance(phases, TrainingPhase) or not all(isinstance(phase, TrainingPhase) for phase in phases):
        raise TrainingError("phases must be a list of TrainingPhase")
    if not phases:
        raise TrainingError("there are no phases to train")
    if data_list is not None and len(data_list) != len(phases):
        raise TrainingError(f"data_list has {len(data_list)} data sets for {len(phases)} phases; repeat one as needed")
