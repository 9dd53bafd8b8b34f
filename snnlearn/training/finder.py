"""The learning-rate finder's curve, and the rate it suggests."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snnlearn.attributes import frozen
from snnlearn.errors import TrainingError
from snnlearn.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SMOOTH_SHARE = 0.1  # of the curve, the width over which it is smoothed
_FEWEST = 20  # updates that make a curve


@dataclass(frozen=True)
class Ending:
    """How a run of the finder ended.

    Attributes
    ----------
    planned : int
        How many updates it would have had.
    diverged : bool
        Whether it was stopped because the loss diverged.
    """

    planned: int
    diverged: bool

    def early(self, done: int) -> bool:
        """Whether a run of so many updates ended before its time."""
        return self.diverged or done < self.planned

    def explain(self, done: int, lr: float) -> str:
        """Return what happened after so many updates, at a learning rate."""
        if self.diverged:
            return f"the loss diverged at update {done} of {self.planned}, at a rate of {lr:.3g}"
        if self.early(done):
            return f"a callback stopped training after {done} of {self.planned} updates, at a rate of {lr:.3g}"
        return f"all {done} updates of the run were made"

    def advise(self) -> str:
        """Return what gives a curve more points."""
        if self.diverged:
            return "start from a lower rate, or let it grow over more epochs"
        return "train for more epochs"


@frozen
@dataclass(frozen=True, eq=False)
class FoundRate:
    """What a run of the finder gave.

    Attributes
    ----------
    lrs, losses : ndarray of float64, shape (iterations,)
        The rates tried, ascending, and the loss with each.
    smoothed : ndarray of float64, shape (iterations,)
        The losses, averaged over a tenth of the curve.
    suggestion : float
        The rate to train with.
    why : str
        How it was chosen.
    history : History
    """

    lrs: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    suggestion: float
    why: str
    history: History

    def plot(self, path: str | PathLike[str] | None = None) -> Figure:
        """Draw the loss against the rate, with the suggestion; also save it where a path is given."""
        figure = self.history.plot()
        axes = figure.axes[0]
        axes.lines[0].set(color="#a8a8a8", linewidth=1.0, label="each update")
        axes.plot(self.lrs, self.smoothed, color="black", linewidth=1.6, label="smoothed")
        axes.axvline(self.suggestion, color="black", linestyle="--", label=f"suggested: {self.suggestion:.3g}")
        axes.legend(frameon=False)
        if path is not None:
            from snnlearn.plot import save_figure

            save_figure(figure, path)
        return figure


def find_rate(history: History, ending: Ending) -> FoundRate:
    """Choose a rate from a curve of losses under a growing rate.

    With the curve smoothed, the suggestion lies half way, on a logarithmic scale, between the rate at which the loss
    falls fastest (where learning has begun) and that at which it is lowest (beyond which it breaks down).

    Raises
    ------
    TrainingError
        If there are too few points to tell, or the loss never falls; says how the run ended.
    """
    lrs = history.lrs.max(axis=1)
    losses = history.losses
    happened = ending.explain(len(losses), lrs[-1] if len(lrs) else 0.0)
    finite = np.isfinite(losses) & (lrs > 0)
    lrs, losses = lrs[finite], losses[finite]
    if len(losses) < _FEWEST:
        raise TrainingError(
            f"{len(losses)} losses are too few to find a rate, {_FEWEST} the least: {happened}; {ending.advise()}"
        )
    width = max(int(_SMOOTH_SHARE * len(losses)) | 1, 3)
    padded = np.pad(losses, width // 2, mode="edge")
    smoothed = np.convolve(padded, np.full(width, 1.0 / width), mode="valid")
    lowest = int(np.argmin(smoothed))
    slope = np.gradient(smoothed, np.log(lrs))
    steepest = int(np.argmin(slope[: max(lowest, 1)]))
    if lowest == 0:
        raise TrainingError(f"the loss never falls below that at {lrs[0]:.3g}: {happened}; start from a lower rate")
    suggestion = float(np.sqrt(lrs[steepest] * lrs[lowest]))
    edge = "; the loss still falls at the highest rate tried" if lowest == len(lrs) - 1 else ""
    why = (
        f"half way between {lrs[steepest]:.3g}, where the loss falls fastest, "
        f"and {lrs[lowest]:.3g}, where it is lowest "
        f"({smoothed[lowest]:.3g}, from {smoothed[0]:.3g} at {lrs[0]:.3g}){edge}"
    )
    if ending.early(len(history)):
        why += f"; {happened}"
    return FoundRate(lrs, losses, smoothed, suggestion, why, history)
