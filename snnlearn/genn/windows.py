"""The part of a program that has a window: what records and what does not, and where a window ends without a pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from snnlearn.errors import LifecycleError
from snnlearn.genn.tapes import Tapes, TapesStand


@dataclass(frozen=True, eq=False)
class ProgramStand:
    """What the host knows of passes, and gradients that no variable of the model sums up."""

    tapes: TapesStand
    sums: Mapping[tuple[str, str], Any]
    adjoints: Mapping[tuple[str, str], NDArray[Any]]


class KeepsWindows:
    """A program with a tape."""

    model: Any
    _tapes: Tapes
    _sums: dict[tuple[str, str], Any]
    _adjoints: dict[tuple[str, str], NDArray[Any]]

    def _check_loaded(self) -> None: ...

    @contextmanager
    def no_grad(self) -> Iterator[None]:
        """Run without recording: ``with program.no_grad(): model.run(...)``.

        Spikes that are on their way at its end bring no gradient to the weights that they reach.

        Raises
        ------
        LifecycleError
            In the middle of a window, whose timesteps are to follow one another.
        """
        self._check_loaded()
        if self._tapes.pending:
            raise LifecycleError(
                f"{self._tapes.pending} timesteps are on the tape: call backward() before no_grad(), or run them "
                "within it"
            )
        self._tapes.enable(False)
        try:
            yield
        finally:
            if self.model._loaded:
                self._tapes.enable(True)
                self._tapes.forget()

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Run something else in the middle of a window, without recording; the caller restores the model's state."""
        self._check_loaded()
        self._tapes.enable(False)
        try:
            yield
        finally:
            self._tapes.enable(True)

    @property
    def pending(self) -> int:
        """How many timesteps are on the tape: those since the last `backward`."""
        self._check_loaded()
        return self._tapes.pending

    def forget(self) -> None:
        """Free the tape without a pass. Spikes that are on their way count as none."""
        self._check_loaded()
        self._tapes.forget()

    @property
    def tape(self) -> Tapes:
        """What is recorded of the timesteps since the last `backward`."""
        self._check_loaded()
        return self._tapes

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
