"""What the SuperSpike demo prints, keeps and writes while it trains: the learning curve and recorded spikes."""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from snnlearn.errors import RunError
from snnlearn.io import CurvePoint, read_learning_curve, write_learning_curve, write_spikes
from snnlearn.io.tables import curve_lines
from snnlearn.runs import RunFolder
from snnlearn.training import Callback, Learner, NotedSum
from snnlearn.training.archive import read_archive, write_archive
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st
from snnlearn.userproject.superspike_error import normalised_error

REPORT_TRIALS = 10
LAYERS = ("Input", "Hidden", "Output")
COLUMNS = ("times", "ids")
CURVE = "learning_curve.csv"


def spike_file(layer: str, trial: int) -> str:
    """Return the name of the file with a layer's spikes in a trial."""
    return f"{layer.lower()}_spikes_{trial}.csv"


def recorded_file(trial: int) -> str:
    """Return the name of the file with all layers' spikes in a trial, for a plot of the whole run."""
    return f"recorded_{trial}.npz"


class Progress(Callback):
    """Prints and keeps the learning curve, keeps or writes recorded spikes, moves the bar."""

    def __init__(self, learner: Learner, title: str, spike_dir: Path | None, plotting: bool, quiet: bool) -> None:
        assert isinstance(learner.loss, st.ShareOfSilent)
        self.loss = learner.loss
        self.title = title
        self.curve: list[CurvePoint] = []
        self._unread: deque[tuple[NotedSum, int, float, int]] = deque()
        self.spikes: list[Mapping[str, Any]] = []
        self.spike_dir, self.plotting = spike_dir, plotting
        self.quiet = quiet
        self.bar: Any = None

    def close(self) -> None:
        """Leave the bar as it is, so that what is printed next starts a line of its own."""
        if self.bar is not None:
            self.bar.close()

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Print the title: nothing can be wrong with the input any more. Start the bar."""
        if not self.quiet:
            print(self.title, flush=True)
        # A bar belongs on a terminal only; `disable=None` is tqdm's word for that.
        self.bar = tqdm(total=num_trials, unit="trial", file=sys.stderr, disable=True if self.quiet else None)

    def on_recording(self, trainer: Any, trial: int, spikes: Mapping[str, Any]) -> None:
        """Write or keep the spikes of a trial."""
        if self.plotting:
            self.spikes.append(spikes)
        if self.spike_dir is not None:
            for layer, (times, ids) in spikes.items():
                write_spikes(self.spike_dir / spike_file(layer, trial), times, ids)

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        """Note a point of the curve on the device; read every tenth time, and print that point."""
        trials, runner = trial + 1, trainer.runner
        self._unread.append((self.loss.note_total(), trials, trainer.lr_of_update(runner.update), runner.timestep))
        if trials % REPORT_TRIALS == 0:
            self.settle()
            if not self.quiet and self.curve and self.curve[-1].trial == trials:
                tqdm.write(f"Trial {trials} (r0 = {self.curve[-1].r0:f}, error = {self.curve[-1].error:f})")
                sys.stdout.flush()
        self.bar.update()

    def on_train_end(self, trainer: Any) -> None:
        """Read the last points."""
        self.settle()

    def settle(self) -> None:
        """Read the points that are not read yet; what comes after the state is no longer finite is no part of it."""
        while self._unread:
            noted, trials, r0, timesteps = self._unread[0]
            total = noted.value()
            self._unread.popleft()
            if math.isfinite(total) and len(self.curve) == trials - 1:
                error = normalised_error(total / ss.NUM_OUTPUT, timesteps)
                self.curve.append(CurvePoint(trials, r0, error, total / self.loss.silent.after(trials)))


class KeptProgress(Progress):
    """The progress of a run with a folder: the curve is there trial by trial, and what was recorded before is too.

    Parameters
    ----------
    learner, title, save_data, plotting, quiet
        As `Progress`.
    folder : RunFolder
    recorded : sequence of int
        The trials that are recorded.
    """

    def __init__(
        self,
        learner: Learner,
        title: str,
        save_data: bool,
        plotting: bool,
        quiet: bool,
        folder: RunFolder,
        recorded: Sequence[int],
    ) -> None:
        super().__init__(learner, title, folder.path if save_data else None, plotting, quiet)
        self._folder, self._done = folder, learner.runner.trial
        self._curve_file = folder.path / CURVE
        self._num_written = 0
        self._file: Any = None
        if self._done:
            self.curve = read_learning_curve(self._curve_file)[: self._done]
            self._check_curve()
            self.spikes = [self._read_spikes(trial) for trial in recorded if plotting and trial < self._done]

    def _check_curve(self) -> None:
        if [point.trial for point in self.curve] != list(range(1, self._done + 1)):
            raise RunError(f"{self._curve_file} is not the curve of the run: it lacks trials of the checkpoint's")

    def close(self) -> None:
        """Leave the bar as it is, and the curve too."""
        super().close()
        if self._file is not None:
            self._file.close()

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Begin the curve's file, or go on with it."""
        super().on_train_begin(trainer, num_trials)
        self.bar.update(self._done)
        if self.curve:
            # The rate that follows may be another one where the run goes on for longer than it was to.
            last = self.curve[-1]
            r0 = trainer.lr_of_update(trainer.runner.update)
            self.curve[-1] = CurvePoint(last.trial, r0, last.error, last.error_of_silent)
        write_learning_curve(self._curve_file, self.curve)
        self._num_written = len(self.curve)
        self._file = self._curve_file.open("a", encoding="utf-8", newline="\n")

    def on_recording(self, trainer: Any, trial: int, spikes: Mapping[str, Any]) -> None:
        """Write the spikes of a trial, for the plot of whoever goes on with this run too."""
        super().on_recording(trainer, trial, spikes)
        if self.plotting:
            named = {layer: dict(zip(COLUMNS, pair, strict=True)) for layer, pair in spikes.items()}
            columns = {f"{layer}.{what}": of for layer, pair in named.items() for what, of in pair.items()}
            write_archive(self._folder.path / recorded_file(trial), columns)

    def _read_spikes(self, trial: int) -> Mapping[str, Any]:
        arrays, _ = read_archive(self._folder.path / recorded_file(trial))
        try:
            return {layer: tuple(arrays[f"{layer}.{what}"] for what in COLUMNS) for layer in LAYERS}
        except KeyError as error:
            raise RunError(f"{recorded_file(trial)} has no {error}") from None

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        """Write the trial's point."""
        super().on_trial_end(trainer, trial)
        self.settle()

    def settle(self) -> None:
        """Read the points that are not read yet, and write them."""
        super().settle()
        if self._file is not None and not self._file.closed:
            self._file.writelines(curve_lines(self.curve[self._num_written :], header=False))
            self._file.flush()
            self._num_written = len(self.curve)
