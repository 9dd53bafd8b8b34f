"""Checkpoints: everything that training needs to go on, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.attributes import frozen
from snnlearn.errors import CheckpointError, TrainingError, did_you_mean
from snnlearn.training.archive import read_archive, write_archive
from snnlearn.training.fingerprint import differences, plain_number

_FORMAT = 2
_UNSEALED = 1  # the format of earlier versions, without a digest
_PARTS = {
    "setup": dict,
    "optimisers": list,
    "runner": list,
    "timestep": int,
    "conductor": dict,
    "measures": list,
    "history": dict,
    "epochs": list,
}
_ARRAY, _TAPE = "array/", "tape/"  # what the names of arrays begin with in a file
_NAMED = 6  # differences of a network that a message names
# Parts of a state that may be there for recordings alone: spikes and events are kept where something reads them.
_RECORDED = frozenset({"spikes", "spike_count", "recording"}) | {
    f"{side}_{what}" for side in ("pre", "post") for what in ("events", "event_count", "event_recording")
}


@frozen
@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training run.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        The engine's state: every variable, what is in flight, optimisers' state.
    progress : mapping
        Counters, curves and measures, and the network's fingerprint; plain numbers, strings, lists and dicts.
    tape : mapping of str to ndarray
        What a gradient's tape holds of timesteps since the last update; empty without one.
    """

    arrays: Mapping[str, NDArray[Any]]
    progress: Mapping[str, Any]
    tape: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def write(self, name: str | Path) -> Path:
        """Write to a file, whole or not at all; ``.npz`` is added to a name without it.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        path = _path(name)
        text = json.dumps({"format": _FORMAT, **self.progress}, default=plain_number)
        arrays = {f"{_TAPE}{key}": value for key, value in self.tape.items()}
        arrays |= {f"{_ARRAY}{key}": value for key, value in self.arrays.items()}
        write_archive(path, {"progress": np.array(text), **arrays})
        return path

    @classmethod
    def read(cls, name: str | Path) -> Checkpoint:
        """Read a file. Arrays cannot be written to; what their values are is not looked at.

        Raises
        ------
        CheckpointError
            If there is none, it is no checkpoint, or is damaged.
        """
        path = _path(name)
        found, sealed = read_archive(path)
        text = found.pop("progress", None)
        try:
            progress = json.loads(str(text)) if text is not None and text.dtype.kind == "U" else None
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{path} is no checkpoint, or is damaged ({type(error).__name__})") from None
        if not isinstance(progress, dict):
            raise CheckpointError(f"{path} is no checkpoint, or is damaged: it does not say what it holds")
        if progress.get("format") != (_FORMAT if sealed else _UNSEALED):
            if progress.get("format") == _FORMAT:
                raise CheckpointError(f"{path} is no checkpoint, or is damaged: it has no digest")
            raise CheckpointError(f"{path} is a checkpoint of format {progress.get('format')!r:.20}, not {_FORMAT}")
        for key, kind in _PARTS.items():
            if not isinstance(progress.get(key), kind) or isinstance(progress[key], bool):
                raise CheckpointError(f"{path} is no checkpoint: it has no {key}")
        arrays, tape = (
            {key.removeprefix(kind): array for key, array in found.items() if key.startswith(kind)}
            for kind in (_ARRAY, _TAPE)
        )
        return cls(arrays, progress, tape)

    def check_setup(self, here: Mapping[str, Any]) -> None:
        """Check that training is set up as it was.

        Raises
        ------
        TrainingError
            At the first setting that differs.
        """
        there = self.progress["setup"]
        for key, value in here.items():
            if there.get(key) != value:
                was = there.get(key)
                raise TrainingError(f"the checkpoint is of another training: {key} is {was} there, {value} here")

    def check_fingerprint(self, here: Mapping[str, Any]) -> None:
        """Check that the network was declared as it is here.

        Raises
        ------
        TrainingError
            Where it was not, naming the differences; and where the checkpoint does not say.
        """
        anyway = "load(name, force=True), or --force of a command, loads it all the same"
        there = self.progress.get("fingerprint")
        if not isinstance(there, dict):
            raise TrainingError(
                "the checkpoint has no fingerprint of its network, for an earlier version wrote it: nothing tells "
                f"whether it is of this one; {anyway}"
            )
        found = differences(there, here)
        if found:
            more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            raise TrainingError(f"the checkpoint is of another network: {'; '.join(found[:_NAMED])}{more} ({anyway})")

    def fitted_to(self, present: Mapping[str, NDArray[Any]]) -> Checkpoint:
        """Return the checkpoint for a network that records something else; itself in the middle of a trial.

        Parameters
        ----------
        present : mapping of str to ndarray
            The state of the network in memory.
        """
        if self.progress["runner"][3] is not None:
            return self
        arrays = {key: array for key, array in self.arrays.items() if key in present or not _is_recorded(key)}
        arrays |= {key: array for key, array in present.items() if key not in arrays and _is_recorded(key)}
        return replace(self, arrays=arrays)

    def not_finite(self) -> list[str]:
        """Return what of the arrays is NaN, in words."""
        counts = {key: int(np.count_nonzero(np.isnan(a))) for key, a in self.arrays.items() if a.dtype.kind == "f"}
        return [f"{count} of {self.arrays[key].size} values of {key}" for key, count in counts.items() if count]

    def check_fits(self, present: Mapping[str, NDArray[Any]]) -> None:
        """Check that the arrays are those of a network in memory.

        Raises
        ------
        TrainingError
            At the first that differs; says which and how.
        """
        for key in self.arrays:
            if key not in present:
                raise TrainingError(
                    f"the checkpoint is of another network: it has {key}, this one has not{did_you_mean(key, present)}"
                )
        for key, here in present.items():
            if key not in self.arrays:
                raise TrainingError(f"the checkpoint is of another network: it has no {key}")
            there = self.arrays[key]
            if (there.shape, there.dtype) != (here.shape, here.dtype):
                raise TrainingError(
                    f"the checkpoint is of another network: {key} is {_describe(there)} there, {_describe(here)} here"
                )


def _is_recorded(key: str) -> bool:
    """Whether an array may be in the state of one network, and not in that of the same with other recordings."""
    return key.rpartition(".")[2] in _RECORDED


def _describe(array: NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"


def _path(name: str | Path) -> Path:
    path = Path(name)
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
