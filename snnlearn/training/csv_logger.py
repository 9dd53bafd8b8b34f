"""A table of epochs in a file that grows with the training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snnlearn.calling import named_arguments
from snnlearn.errors import OutputError, TrainingError
from snnlearn.io import atomic_write
from snnlearn.training.callbacks import Callback
from snnlearn.training.monitoring import monitored_names, values_of
from snnlearn.training.session import EpochResult


@named_arguments
class CSVLogger(Callback):
    """Writes a row for each epoch when that ends: number, loss, validation loss where there is one, metrics.

    A fit that goes on from a checkpoint goes on with its table: rows of epochs that are run again are replaced, and
    those that are lost are written again from what the checkpoint knows. A last line that is not whole is dropped.

    Parameters
    ----------
    file : path-like

    Raises
    ------
    TrainingError
        Where a fit begins, if the file is no such table, or has other columns.
    OutputError
        If it cannot be written to.
    """

    def __init__(self, file: str | Path) -> None:
        self._path = Path(file)
        self._names: tuple[str, ...] = ()
        self._next = -1  # the epoch whose row comes next, where the file has all before it

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Check the file, and have it with what is known so far."""
        epochs, self._next = trainer.epochs, -1
        if epochs:
            self._go_on(trainer, epochs[-1].epoch + 1)
        else:
            self._names = monitored_names(trainer)
            self._write(self._rows())

    def on_epoch_begin(self, trainer: Any, epoch: int) -> None:
        """Leave out rows of epochs that come again."""
        self._go_on(trainer, epoch)

    def on_epoch_end(self, trainer: Any, epoch: int) -> None:
        """Write the epoch's row."""
        self._go_on(trainer, epoch)
        try:
            with self._path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(self._row(trainer.epochs[-1]))
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error
        self._next = epoch + 1

    def _go_on(self, trainer: Any, epoch: int) -> None:
        """Have the file with the rows of all epochs before this one, and no others."""
        if self._next == epoch:
            return
        self._names = monitored_names(trainer)
        known = [result for result in trainer.epochs if result.epoch < epoch]
        first = known[0].epoch if known else epoch
        rows = [row for row in self._rows() if int(row.partition(",")[0]) < first]
        self._write([*rows, *map(self._row, known)])
        self._next = epoch

    def _write(self, rows: Sequence[str]) -> None:
        with atomic_write(self._path) as file:
            file.write(self._header())
            file.writelines(rows)

    def _rows(self) -> list[str]:
        """Return the whole lines of the file; none where there is no file."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise TrainingError(f"{self._path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
        lines = [line for line in lines if line.endswith("\n")]
        if lines and lines[0] != self._header():
            found, wanted = lines[0].strip(), self._header().strip()
            raise TrainingError(
                f"{self._path} is a table of something else: its first line is {found!r:.200}, and is to be "
                f"{wanted!r}; give CSVLogger another file"
            )
        rows = lines[1:]
        for number, row in enumerate(rows, 2):
            if not row.partition(",")[0].isdecimal() or row.count(",") != len(self._names):
                raise TrainingError(f"{self._path}, line {number}, is no epoch's: {row.strip()!r:.200}")
        return rows

    def _header(self) -> str:
        return ",".join(("epoch", *self._names)) + "\n"

    def _row(self, result: EpochResult) -> str:
        values = values_of(result, self._names).values()
        return ",".join([str(result.epoch), *map(repr, values)]) + "\n"
