"""A numerical watch: weights that are no longer finite, or at their bounds; layers that are silent or saturated."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TrainingError, TrainingWarning
from snnlearn.training import Callback, TrainedConnection

_SHARE = 0.01  # of the training's time that may be spent here
_AT_A_BOUND = 0.5  # share of weights
_FEW = 10  # spikes of a neuron from which on its rate says something
_NEARLY = 0.9


class Watch(Callback):
    """Looks at the weights and at the spikes of recorded layers after a trial, as often as is cheap.

    Each finding is said once, with trial and group, and again when it has gone and come back.

    Parameters
    ----------
    connections : sequence of TrainedConnection
        Whose weights to look at; ``bounds`` are theirs.
    populations : sequence of neuron groups
        Whose spikes to look at; they are recorded.
    stop_on_nan : bool
        End the training where weights are no longer finite, before a checkpoint has them.

    Raises
    ------
    TrainingError
        In a training, for such weights.
    """

    internal = True

    def __init__(
        self,
        connections: Sequence[TrainedConnection],
        populations: Sequence[Any] = (),
        stop_on_nan: bool = True,
    ) -> None:
        self._connections, self._populations = tuple(connections), tuple(populations)
        self._stop_on_nan = stop_on_nan
        self._said: set[tuple[str, str]] = set()
        self._began = time.perf_counter()
        self._looked_after = -1
        self._next = {"weights": 0, "spikes": 0}

    def on_trial_begin(self, trainer: Any, trial: int) -> None:
        """Note the time."""
        self._began = time.perf_counter()

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        """Look, where it is time to."""
        took = time.perf_counter() - self._began
        if trial >= self._next["weights"]:
            self._next["weights"] = trial + self._look(lambda: self.check_weights(trial), took)
        if trial >= self._next["spikes"]:
            self._next["spikes"] = trial + self._look(lambda: self._look_at_spikes(trainer, trial), took)

    def _look(self, look: Callable[[], None], trial: float) -> int:
        """Look, and return after how many trials of this length [s] to look again."""
        begin = time.perf_counter()
        look()
        return self.rest(time.perf_counter() - begin, trial)

    @staticmethod
    def rest(look: float, trial: float) -> int:
        """Return after how many trials to look again: both times in seconds."""
        return max(1, round(look / (0.5 * _SHARE * max(trial, 1e-9))))

    # ---- weights ----

    def check_weights(self, trial: int) -> None:
        """Look at the weights after a trial, unless that is done.

        Raises
        ------
        TrainingError
            Where they are not finite, unless ``stop_on_nan`` is False.
        """
        if self._looked_after == trial:
            return
        for connection in self._connections:
            variable = connection.synapses.vars[connection.weight]
            variable.pull_from_device()
            values = np.asarray(variable.current_values)
            name = connection.synapses.name
            if not values.size:
                continue
            low, high = float(values.min()), float(values.max())
            finite = low == low and abs(low) != np.inf and abs(high) != np.inf
            if not finite:
                self._complain_of_weights(name, values, trial)
            elif connection.bounds is not None:
                self._compare(name, values, low, high, connection.bounds, trial)
        self._looked_after = trial

    def _complain_of_weights(self, name: str, values: NDArray[Any], trial: int) -> None:
        bad = int(np.count_nonzero(~np.isfinite(values)))
        text = f"{bad} of {values.size} weights of '{name}' are no longer finite"
        if self._stop_on_nan:
            raise TrainingError(f"after trial {trial + 1} {text}; a lower learning rate or tighter bounds may help")
        self._say("finite", name, True, trial, text)

    def _compare(
        self, name: str, values: NDArray[Any], low: float, high: float, bounds: tuple[float, float], trial: int
    ) -> None:
        least, most = (values.dtype.type(bound) for bound in bounds)
        out = low < least or high > most
        self._say("bounds", name, out, trial, f"weights of '{name}' are from {low:g} to {high:g}, out of {bounds}")
        if out or (low > least and high < most):
            share = 0.0
        else:
            share = np.count_nonzero((values <= least) | (values >= most)) / values.size
        self._say("share", name, share > _AT_A_BOUND, trial, f"{share:.0%} of the weights of '{name}' are at a bound")

    # ---- spikes ----

    def _look_at_spikes(self, trainer: Any, trial: int) -> None:
        if not self._populations:
            return
        trainer.model.pull_recording_buffers_from_device()
        for group in self._populations:
            times, ids = group.spike_recording_data[0]
            self._say("silent", group.name, not len(ids), trial, f"'{group.name}' is silent: no neuron has spiked")
            self._say(
                "saturated",
                group.name,
                _is_saturated(np.asarray(times), np.asarray(ids), int(group.num_neurons)),
                trial,
                f"'{group.name}' is saturated: nearly all neurons spike as often as they can",
            )

    def _say(self, what: str, name: str, found: bool, trial: int, text: str) -> None:
        """Warn of a finding that was not there the last time."""
        key = what, name
        if found and key not in self._said:
            warnings.warn(f"after trial {trial + 1} {text}", TrainingWarning, stacklevel=2)
        (self._said.add if found else self._said.discard)(key)


def _is_saturated(times: NDArray[Any], ids: NDArray[Any], number: int) -> bool:
    """Whether nine in ten neurons spike nearly as often as the shortest interval between two spikes allows."""
    if len(ids) < _FEW * _NEARLY * number:
        return False
    order = np.lexsort((times, ids))
    times, ids = times[order], ids[order]
    intervals = np.diff(times)[np.diff(ids) == 0]
    if not intervals.size or intervals.min() <= 0.0:
        return False
    most = (times.max() - times.min()) / intervals.min()
    counts = np.bincount(ids, minlength=number)
    return bool(np.count_nonzero(counts >= _NEARLY * most) >= _NEARLY * number)
