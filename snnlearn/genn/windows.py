"""The part of a program that ends its window without a pass, and that takes and puts back where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from snnlearn.genn.tapes import Tapes, TapesStand


@dataclass(frozen=True, eq=False)
class ProgramStand:
    """What the host knows of passes, and gradients that no variable of the model sums up."""

    tapes: TapesStand
    sums: Mapping[tuple[str, str], Any]
    adjoints: Mapping[tuple[str, str], NDArray[Any]]


class KeepsWindows:
    """A program with a tape."""

    _tapes: Tapes
    _sums: dict[tuple[str, str], Any]
    _adjoints: dict[tuple[str, str], NDArray[Any]]

    def _check_loaded(self) -> None: ...

    def detach(self) -> None:
        """End the window without a pass: what has run is given, as PyTorch's ``detach()`` of all values here makes it.

        Spikes that are on their way bring a gradient to the weights that they reach, as after `backward`.
        """
        self._check_loaded()
        self._tapes.detach()

    def _stand(self) -> ProgramStand:
        """Return where it is."""
        return ProgramStand(self._tapes.stand, dict(self._sums), dict(self._adjoints))

    def _put_back(self, stand: ProgramStand) -> None:
        """Be where it was, now that the model is."""
        self._tapes.put_back(stand.tapes)
        self._sums, self._adjoints = dict(stand.sums), dict(stand.adjoints)

    def _needed(self) -> dict[tuple[str, int], int]:
        """Return how many timesteps a pass needs of each recording, by population and number of the record."""
        return self._tapes.needed
