"""Losses and metrics for TensorBoard."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from snnlearn.calling import named_arguments
from snnlearn.errors import OutputError
from snnlearn.io.optional import library
from snnlearn.training.callbacks import Callback
from snnlearn.training.monitoring import monitored_names, values_of


@named_arguments
class TensorBoardLogger(Callback):
    """Writes the losses and metrics of each epoch when that ends, for ``tensorboard --logdir FOLDER``.

    Each fit, and each that goes on, has a file of its own in the folder. It says from which epoch on it counts, so that
    TensorBoard shows epochs that are run again once, and another training in the same folder in the place of the first.
    Where the folder has no file yet, what the learner knows of earlier epochs is written too.

    Parameters
    ----------
    folder : path-like
        Of one training; give several that are to be compared folders beside each other.

    Raises
    ------
    MissingLibraryError
        If ``tensorboard`` is not installed; PyTorch and TensorFlow are not needed.
    OutputError
        If the folder cannot be written to.

    Source
    ------
    Abadi et al. (2016), TensorFlow: a system for large-scale machine learning, OSDI 16, section 5 (tools).
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        library("tensorboard")
        self._folder = Path(folder)
        self._writer: Any = None
        self._first = True  # whether there is no other file in the folder
        self._next = -1  # the epoch behind the last one that this file has

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Begin a file."""
        monitored_names(trainer)
        self.close()
        module = import_module("tensorboard.summary.writer.event_file_writer")
        try:
            self._first = not any(self._folder.glob("events.out.tfevents.*"))
            self._writer = module.EventFileWriter(os.fspath(self._folder))
        except OSError as error:
            raise self._cannot(error) from error
        self._next = -1

    def on_epoch_begin(self, trainer: Any, epoch: int) -> None:
        """Say where the file goes on, if not with the epoch behind the last one."""
        self._go_on(trainer, epoch)

    def on_epoch_end(self, trainer: Any, epoch: int) -> None:
        """Write the epoch's values."""
        self._go_on(trainer, epoch)  # which had begun where a checkpoint was saved
        self._write(epoch, values_of(trainer.epochs[-1], monitored_names(trainer)))
        self._flush()
        self._next = epoch + 1

    def on_train_end(self, trainer: Any) -> None:
        """End the file."""
        self.close()

    def close(self) -> None:
        """End the file: after an error, too."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            try:
                writer.close()
            except OSError as error:
                raise self._cannot(error) from error

    def _go_on(self, trainer: Any, epoch: int) -> None:
        if self._next == epoch:
            return
        if self._first:
            names = monitored_names(trainer)
            for result in trainer.epochs:
                if result.epoch < epoch:
                    self._write(result.epoch, values_of(result, names))
        else:
            session = _events().SessionLog(status=_events().SessionLog.START)
            self._writer.add_event(_events().Event(wall_time=time.time(), step=epoch, session_log=session))
        self._first, self._next = False, epoch
        self._flush()

    def _write(self, epoch: int, values: Mapping[str, float]) -> None:
        summaries = import_module("tensorboard.compat.proto.summary_pb2")
        each = [summaries.Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        event = _events().Event(wall_time=time.time(), step=epoch, summary=summaries.Summary(value=each))
        self._writer.add_event(event)

    def _flush(self) -> None:
        try:
            self._writer.flush()
        except OSError as error:
            raise self._cannot(error) from error

    def _cannot(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write to {self._folder}: {error.strerror or error}")


def _events() -> Any:
    return import_module("tensorboard.compat.proto.event_pb2")
