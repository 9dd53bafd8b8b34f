"""What a training did: learning rates, momenta and losses by iteration, phase by phase, and their figures."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.attributes import frozen
from snnlearn.calling import named_arguments
from snnlearn.errors import TrainingError
from snnlearn.training.decay import DecayType, describe_decay
from snnlearn.training.history_figures import figure_of_losses, figure_of_schedule
from snnlearn.training.phases import TrainingPhase
from snnlearn.training.rates import PerConnection

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@frozen
@dataclass(frozen=True)
class PhaseRecord:
    """Where a phase began, and what held in it.

    Attributes
    ----------
    start : int
        Its first iteration, counted from 0 over all phases.
    optimiser : str
        The optimiser's name.
    fixed : str
        Its parameters that hold all through the phase, such as ``"beta 0.999, weight decay 0.01"``; may be empty.
    decay : str
        How the learning rate went from start to end, such as ``"cosine"``.
    """

    start: int
    optimiser: str
    fixed: str
    decay: str

    @property
    def text(self) -> str:
        """The optimiser with its parameters."""
        return f"{self.optimiser}, {self.fixed}" if self.fixed else self.optimiser


@named_arguments
class History:
    """The recorded series of a training; a learner has it as ``learner.sched``.

    Parameters
    ----------
    num_connections : int
        How many connections are trained.

    Attributes
    ----------
    num_connections : int
    phases : list of PhaseRecord

    Raises
    ------
    TrainingError
        If the number is not positive.
    """

    def __init__(self, num_connections: int) -> None:
        if num_connections < 1:
            raise TrainingError(f"num_connections must be positive, not {num_connections!r}")
        self.num_connections = num_connections
        self.phases: list[PhaseRecord] = []
        self._lrs: list[list[float]] = []
        self._momenta: list[list[float]] = []
        self._losses: list[float] = []

    def __len__(self) -> int:
        """Return how many iterations have been recorded."""
        return len(self._losses)

    # ---- recording ----

    def begin_phase(self, phase: TrainingPhase) -> None:
        """Note that the next iteration is the first of this phase."""
        record = PhaseRecord(len(self), phase.rule.name, _fixed_params(phase), describe_decay(phase.lr_decay))
        self.phases.append(record)

    def record(self, lr: ArrayLike, momentum: ArrayLike | None, loss: float) -> None:
        """Add an iteration.

        Parameters
        ----------
        lr, momentum : float or array of shape (num_connections,)
            What held in it; None or NaN for the momentum of an optimiser without.
        loss : float
            May be infinite or NaN.

        Raises
        ------
        TrainingError
            Before the first phase, and for another shape.
        """
        if not self.phases:
            raise TrainingError("begin_phase must come before the first iteration")
        # Both before either is kept, so that a wrong one leaves the series of one length.
        lrs, momenta = self._spread("lr", lr), self._spread("momentum", math.nan if momentum is None else momentum)
        self._lrs.append(lrs)
        self._momenta.append(momenta)
        self._losses.append(float(loss))

    def _spread(self, name: str, value: ArrayLike) -> list[float]:
        array = np.asarray(value, dtype=np.float64)
        if array.shape not in ((), (self.num_connections,)):
            raise TrainingError(f"{name} has shape {array.shape} for {self.num_connections} trained connections")
        values: list[float] = np.broadcast_to(array, self.num_connections).tolist()
        return values

    # ---- the series ----

    @property
    def lrs(self) -> NDArray[np.float64]:
        """Learning rates, shape (iterations, connections)."""
        return np.array(self._lrs, dtype=np.float64).reshape(-1, self.num_connections)

    def last_lr(self, optimiser: str) -> tuple[float, ...] | None:
        """Return the learning rates of the last iteration with an optimiser, one for each connection; None without."""
        ends = [*(phase.start for phase in self.phases[1:]), len(self)]
        rows = [
            end - 1
            for phase, end in zip(self.phases, ends, strict=True)
            if phase.optimiser == optimiser and end > phase.start
        ]
        return tuple(self._lrs[rows[-1]]) if rows else None

    @property
    def momenta(self) -> NDArray[np.float64]:
        """Momenta, shape (iterations, connections); NaN where the optimiser has none."""
        return np.array(self._momenta, dtype=np.float64).reshape(-1, self.num_connections)

    @property
    def losses(self) -> NDArray[np.float64]:
        """Losses, shape (iterations,)."""
        return np.array(self._losses, dtype=np.float64)

    @property
    def phase_starts(self) -> NDArray[np.int64]:
        """The first iteration of each phase, shape (phases,)."""
        return np.array([phase.start for phase in self.phases], dtype=np.int64)

    # ---- checkpoints ----

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists, numbers and strings, for a checkpoint; numbers may be NaN or infinite."""
        return {
            "num_connections": self.num_connections,
            "phases": [asdict(phase) for phase in self.phases],
            "lrs": [list(values) for values in self._lrs],
            "momenta": [list(values) for values in self._momenta],
            "losses": list(self._losses),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> History:
        """Return the history that `to_dict` was taken from.

        Raises
        ------
        TrainingError
            If something is missing or the series differ in length.
        """
        try:
            history = cls(state["num_connections"])
            history.phases = [PhaseRecord(**phase) for phase in state["phases"]]
            history._lrs = [history._spread("lr", values) for values in state["lrs"]]
            history._momenta = [history._spread("momentum", values) for values in state["momenta"]]
            history._losses = [float(loss) for loss in state["losses"]]
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"this is no history of a training: {type(error).__name__}: {error}") from None
        if not len(history._lrs) == len(history._momenta) == len(history._losses):
            raise TrainingError("this is no history of a training: its series differ in length")
        return history

    # ---- figures ----

    def plot_lr(
        self, show_text: bool = True, show_moms: bool = True, path: str | os.PathLike[str] | None = None
    ) -> Figure:
        """Draw learning rate and momentum over iterations, with a dashed line where a phase begins.

        Of rates that differ between connections the highest is drawn.

        Parameters
        ----------
        show_text : bool
            Whether to write the optimiser and its parameters beside each phase's beginning.
        show_moms : bool
            Whether to draw the momentum; it is left out anyway where no optimiser had one.
        path : path-like, optional
            Where to save the figure: .png, .pdf or .svg.

        Raises
        ------
        TrainingError
            If nothing has been recorded.
        OutputError
            If the file cannot be written.
        """
        self._need_iterations()
        starts = [phase.start for phase in self.phases]
        texts = [phase.text for phase in self.phases] if show_text else None
        return figure_of_schedule(self.lrs, self.momenta if show_moms else None, starts, texts, path)

    def plot(
        self,
        linear: bool | None = None,
        skip_start: int = 0,
        skip_end: int = 0,
        path: str | os.PathLike[str] | None = None,
    ) -> Figure:
        """Draw the loss against the learning rate, the highest where connections differ.

        Parameters
        ----------
        linear : bool, optional
            Whether the axis of the rate is linear or logarithmic (where rates of 0 have no place). By default
            logarithmic, unless the last phase's decay was linear.
        skip_start, skip_end : int
            How many of the first and last iterations to leave out.
        path : path-like, optional
            Where to save the figure: .png, .pdf or .svg.

        Raises
        ------
        TrainingError
            If nothing has been recorded, or nothing is left.
        OutputError
            If the file cannot be written.
        """
        self._need_iterations()
        if min(skip_start, skip_end) < 0 or skip_start + skip_end >= len(self):
            raise TrainingError(
                f"skip_start={skip_start} and skip_end={skip_end} leave nothing of {len(self)} iterations to draw"
            )
        if linear is None:
            linear = self.phases[-1].decay == DecayType.LINEAR.value
        part = slice(skip_start, len(self) - skip_end)
        return figure_of_losses(self.lrs.max(axis=1)[part], self.losses[part], linear, path)

    def _need_iterations(self) -> None:
        if not len(self):
            raise TrainingError("nothing has been recorded yet: train first, then plot")


def _fixed_params(phase: TrainingPhase) -> str:
    """Return beta and weight decay in words, as far as the optimiser has them and they do something."""
    rule = phase.rule
    beta = rule.default(rule.beta_param) if phase.beta is None else phase.beta
    wds: Any = rule.default(rule.decay_param) if phase.wds is None else phase.wds
    parts = [] if math.isnan(beta) else [f"beta {beta:.4g}"]
    values = wds.values if isinstance(wds, PerConnection) else (wds,)
    if any(value > 0 for value in values):
        parts.append("weight decay " + "/".join(f"{value:g}" for value in values))
    return ", ".join(parts)
