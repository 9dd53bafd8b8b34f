"""What a learner is made from, checked before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from snnlearn.attributes import frozen
from snnlearn.errors import TrainingError
from snnlearn.training.callbacks import Callback
from snnlearn.training.data import Data
from snnlearn.training.engine import SynapseGroupApi
from snnlearn.training.measures import Measure


@frozen
@dataclass(frozen=True)
class TrainedConnection:
    """A connection whose weights are to be trained.

    Attributes
    ----------
    synapses : synapse group
    weight, gradient : str
        Its variables: the weight, and the gradient that its weight update model sums up over timesteps, in the
        direction in which the weight should move.
    feedback : synapse group, optional
        The connection in the opposite direction whose ``feedback_weight`` is to follow, transposed.
    feedback_weight : str
    bounds : (float, float), optional
        Of the weight.
    """

    synapses: SynapseGroupApi
    weight: str = "w"
    gradient: str = "m"
    feedback: SynapseGroupApi | None = None
    feedback_weight: str = "w"
    bounds: tuple[float, float] | None = None


@dataclass
class Settings:
    """What of a learner can be replaced between fits; see `Learner`."""

    loss: Measure
    metrics: Sequence[Measure]
    data: Data
    validation: Data | None
    callbacks: list[Callback]
    shuffle: bool
    seed: int
    quiet: bool
    read_trials: int

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The loss and the metrics."""
        return (self.loss, *self.metrics)


def check_whole(name: str, value: object, least: int) -> None:
    """Raise TrainingError unless a value is a whole number, not below the least."""
    if not isinstance(value, Integral) or value < least:
        raise TrainingError(f"{name} must be a whole number and {'positive' if least else 'not negative'}: {value!r}")


def check_lists(optimisers: object, reset_groups: object) -> None:
    """Raise TrainingError for a name where a list of names is meant."""
    if isinstance(optimisers, str) or isinstance(reset_groups, str):
        raise TrainingError("optimisers and reset_groups must be lists of names, not a single name")


def check_kind(what: str, kind: type, given: Sequence[object]) -> None:
    """Raise TrainingError unless all that is given is of a kind."""
    for one in given:
        if not isinstance(one, kind):
            raise TrainingError(f"{what} must be {kind.__name__} objects, not {one!r}")


def check_connections(connections: Sequence[TrainedConnection]) -> None:
    """Raise TrainingError unless these are connections to train, with bounds that are some."""
    if not connections:
        raise TrainingError("a learner needs at least one connection to train")
    for connection in connections:
        if not isinstance(connection, TrainedConnection):
            raise TrainingError(f"connections must be TrainedConnection, not {type(connection).__name__}")
        if connection.bounds is not None and not are_bounds(connection.bounds):
            raise TrainingError(f"bounds of '{connection.synapses.name}' must be (low, high), not {connection.bounds}")


def are_bounds(given: Any) -> bool:
    """Return whether these are two numbers, the lower one first."""
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        return False
    return low < high
