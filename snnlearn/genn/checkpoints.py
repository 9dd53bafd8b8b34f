"""Checkpoints as a user sees them: recordings of many timesteps, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from snnlearn.attributes import CheckedAttributes
from snnlearn.errors import LifecycleError
from snnlearn.runtime import Simulation
from snnlearn.runtime.checkpoints import Block
from snnlearn.runtime.checkpoints import Checkpoints as Snapshots


class LoadedModel(Protocol):
    """A model, as its checkpoints see it."""

    def _loaded_simulation(self) -> Simulation:
        """Return the simulation; raise LifecycleError where there is none."""


class Checkpoints(CheckedAttributes):
    """Snapshots of what recorded variables follow from; made by ``GeNNModel.keep_checkpoints``.

    Recordings of a model with checkpoints need room for a block of timesteps only. `backwards` computes block after
    block again, the newest first, for a reader that needs them in this order.

    Attributes
    ----------
    timesteps : int
        How many there is room for.
    every : int
        How many a block has.
    overlap : int
        How many rows from before a block there are with it.
    """

    timesteps: int
    every: int
    overlap: int

    def __init__(self, model: LoadedModel, timesteps: int, every: int, overlap: int) -> None:
        self.timesteps, self.every, self.overlap = timesteps, every, overlap
        self._model = model

    def begin(self) -> None:
        """Begin with the next timestep; what was kept before goes.

        Raises
        ------
        LifecycleError
            Before ``load``; within `backwards`.
        """
        self._simulation().in_turn(self._snapshots().begin)

    def backwards(self, keep: bool = False) -> Iterator[Block]:
        """Compute the timesteps since `begin` again, a block at a time, the newest first.

        While a block is at hand recordings hold its timesteps and ``overlap`` rows before it, bit for bit what they
        were. The model cannot run otherwise until the last block has been; then, or when the loop ends in another way,
        everything is as it was before, and ``begin`` begins anew.

        Parameters
        ----------
        keep : bool
            Keep the snapshots: the same timesteps can be computed again, and others can be added to them.

        Yields
        ------
        Block
            ``first``, its first timestep, and how many ``timesteps`` it has.

        Raises
        ------
        LifecycleError
            Before ``load``; where nothing has run since `begin`, or more than there is room for; where something that
            recorded variables follow from has been changed within that time by anything but timesteps: the text names
            it. Changes to ``device_array`` are not noticed.
        """
        simulation, snapshots = self._simulation(), self._snapshots()
        simulation.in_turn(snapshots.open)
        try:
            for number in reversed(range(snapshots.blocks)):
                yield simulation.in_turn(snapshots.compute, number)
        finally:
            if not simulation.closed:
                simulation.in_turn(snapshots.close, keep)

    @property
    def nbytes(self) -> int:
        """How many bytes the snapshots take; LifecycleError before ``load``."""
        return self._snapshots().nbytes

    def _simulation(self) -> Simulation:
        return self._model._loaded_simulation()

    def _snapshots(self) -> Snapshots:
        found = self._simulation().checkpoints
        if found is None:
            raise LifecycleError("the model was loaded before its checkpoints were asked for")
        return found

    def _load(self) -> None:
        self._simulation().keep_checkpoints(self.timesteps, self.every, self.overlap)
