"""Whether training diverges, judged from its losses alone, whatever their unit and their zero."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median

import numpy as np

FEWEST = 10  # losses before one can be called divergent
FACTOR = 4.0  # times the range, above the lowest
_LAST = 5  # losses whose median is judged
_ROUNDING = float(np.finfo(np.float32).eps)  # share of a loss that single precision does not hold


class Divergence:
    """Judges losses one after the other.

    The first half of the losses so far, at least ten, has a lowest and a highest. Training diverges where the median
    of the last five losses lies more than four times as far above the lowest as the highest does: what a loss has lost
    by learning and how it scatters are both in that range. A loss that is not finite diverges at once.

    Nothing else is asked of a loss: adding a number to all losses, or multiplying all by a positive one, changes no
    verdict. A loss that falls or rises steadily is never called divergent, one that grows as a power soon is. The
    median keeps a single large loss from counting; a range that rounding to single precision could make is none, so
    a loss that has not moved yet (a silent network's) may move by any amount.

    Attributes
    ----------
    diverges : bool
        The verdict on the loss that was added last.
    """

    def __init__(self, losses: Iterable[float] = ()) -> None:
        self.diverges = False
        self._losses: list[float] = []  # the finite ones
        self._low, self._high = math.inf, -math.inf
        self._judged_by = 0  # how many of the losses are in that range
        for loss in losses:
            self.add(loss)

    def add(self, loss: float) -> None:
        """Take in the next loss."""
        if not math.isfinite(loss):
            self.diverges = True
            return
        self._losses.append(loss)
        number = len(self._losses)
        for earlier in self._losses[self._judged_by : max(FEWEST, number // 2)]:
            self._low, self._high = min(self._low, earlier), max(self._high, earlier)
            self._judged_by += 1
        moved = self._high - self._low > _ROUNDING * max(abs(self._low), abs(self._high))
        limit = self._low + FACTOR * (self._high - self._low)
        self.diverges = number > FEWEST and moved and median(self._losses[-_LAST:]) > limit
