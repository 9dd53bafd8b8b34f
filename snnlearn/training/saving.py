"""What a learner's checkpoint is made of, and how one takes effect: all is checked before anything changes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from snnlearn.errors import CheckpointError, NetworkError, SnnlearnError, TrainingError, TrainingWarning
from snnlearn.training.arguments import TrainedConnection
from snnlearn.training.checkpoint import Checkpoint
from snnlearn.training.engine import GradientApi, ModelApi, TapeApi
from snnlearn.training.progress import check_counters
from snnlearn.training.runner import TrialRunner
from snnlearn.training.session import Session, SessionState
from snnlearn.training.trained_network import TrainedNetwork


class Saved(Protocol):
    """A learner, as far as its checkpoints go."""

    model: ModelApi
    connections: tuple[TrainedConnection, ...]
    runner: TrialRunner
    trial_timesteps: int
    update_timesteps: int


class Saving:
    """Takes and puts back the state of a training.

    Parameters
    ----------
    learner : Learner
    session : Session
    network : TrainedNetwork
    update_offset : int
    gradient : Program, optional
    """

    def __init__(
        self,
        learner: Saved,
        session: Session,
        network: TrainedNetwork,
        update_offset: int,
        gradient: GradientApi | None,
    ) -> None:
        self._learner, self._session, self._network = learner, session, network
        self._update_offset, self._gradient = update_offset, gradient
        self._known_by: dict[str, Any] | None = None

    @property
    def _tape(self) -> TapeApi | None:
        return self._gradient.tape if self._gradient is not None else None

    # ---- taking ----

    def checkpoint(self) -> Checkpoint:
        """Return the state, with what its network is known by."""
        if not self._network.built:
            raise TrainingError("there is nothing to save: the network is not built yet")
        self._learner.model.check_whole()
        if self._tape is not None and self._tape.state() is None:
            self.end_window()
        taken = self.snapshot()
        return replace(taken, progress={**taken.progress, "fingerprint": self.fingerprint()})

    def fingerprint(self) -> dict[str, Any]:
        """Return what the network is known by, which no longer changes once it is built."""
        if self._known_by is not None:
            return self._known_by
        found = self._network.fingerprint(self._network.optimisers)
        if self._network.built:
            self._known_by = found
        return found

    def snapshot(self) -> Checkpoint:
        """Return the state of this training, for this process."""
        progress = self.progress()
        tape = self._tape.state() if self._tape is not None else None
        if tape is None:
            return Checkpoint(self._learner.model.state(), progress)
        progress["tape"] = {"pending": tape.pending, "cut": tape.cut, "timesteps": tape.timesteps}
        return Checkpoint(self._learner.model.state(), progress, tape.arrays)

    def progress(self) -> dict[str, Any]:
        """Return what training knows beside its network."""
        return {
            "setup": self._setup(),
            "optimisers": self._network.optimisers,
            "timestep": self._learner.model.timestep,
            **self._session.state().to_dict(),
        }

    def end_window(self) -> None:
        """Have the gradient of what was run since the last update with the model's variables, where states keep it."""
        if self._gradient is None:
            return
        if self._gradient.pending:
            self._gradient.backward()
        self._gradient.forget()  # spikes on their way too, which no state has

    def _setup(self) -> dict[str, Any]:
        """Return what must be the same where training goes on."""
        settings, learner = self._session.settings, self._learner
        return {
            "trial_timesteps": learner.trial_timesteps,
            "update_timesteps": learner.update_timesteps,
            "update_offset": self._update_offset,
            "shuffle": settings.shuffle,
            "seed": settings.seed,
            "measures": [measure.name for measure in settings.measures],
        }

    # ---- putting back ----

    def load(self, checkpoint: Checkpoint, build: Callable[[Sequence[str]], None], force: bool) -> None:
        """Put the state of a checkpoint back, checked; see `Learner.load`."""
        checkpoint.check_setup(self._setup())
        if not force:
            checkpoint.check_fingerprint(self._network.fingerprint(checkpoint.progress["optimisers"]))
        SessionState.from_dict(checkpoint.progress)
        self._check_counters(checkpoint)
        build(checkpoint.progress["optimisers"])
        present = self._learner.model.state()
        checkpoint = checkpoint.fitted_to(present)
        checkpoint.check_fits(present)
        try:
            self._learner.model.check_state(checkpoint.arrays)
            self.restore(checkpoint)
        except NetworkError as error:
            raise CheckpointError(str(error)) from None
        missing = checkpoint.not_finite()
        if missing:
            warnings.warn(f"the checkpoint holds NaN: {'; '.join(missing[:6])}", TrainingWarning, stacklevel=4)

    def _check_counters(self, checkpoint: Checkpoint) -> None:
        learner, measures = self._learner, self._session.settings.measures
        check_counters(
            checkpoint.progress,
            learner.trial_timesteps,
            lambda timestep: max((timestep - self._update_offset) // learner.update_timesteps, 0),
            len(measures),
            len(learner.connections),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put back what `snapshot` gave."""
        # All that can fail comes before the first change: `set_state` looks at all values first.
        state = SessionState.from_dict(checkpoint.progress)
        tape = self._tape_of(checkpoint)
        self._learner.model.set_state(checkpoint.arrays)
        self._learner.model.timestep = checkpoint.progress["timestep"]
        if self._gradient is not None:
            self._gradient.forget()
        if self._tape is not None and tape is not None:
            self._tape.set_state(tape)
        self.put_back(state)

    def put_back(self, state: SessionState) -> None:
        """Be where a session was; the rates of optimisers are set anew."""
        self._session.settle()
        self._network.forget_rates()
        self._session.set_state(state)

    def _tape_of(self, checkpoint: Checkpoint) -> Any:
        """Return the tape of a checkpoint, checked; None where it has none."""
        found = checkpoint.progress.get("tape")
        if found is None or self._tape is None:
            return None
        try:
            pending, cut, timesteps = found["pending"], found["cut"], found["timesteps"]
            if type(pending) is not int or type(cut) is not bool or not all(type(t) is int for t in timesteps):
                raise TypeError("the tape's numbers are none")
            if any(not 0 <= t < 1 << 62 for t in timesteps):
                raise TypeError("a timestep of the tape is none")
            return self._tape.made_of(pending, cut, timesteps, checkpoint.tape)
        except (KeyError, TypeError, SnnlearnError) as error:
            raise CheckpointError(f"this is no state of a training: {error}") from None

    # ---- weights alone ----

    def load_weights(self, checkpoint: Checkpoint, build: Callable[[Sequence[str]], None]) -> None:
        """Take the trained weights of a checkpoint, and nothing else."""
        wanted = []
        for c in self._learner.connections:
            wanted.append((c.synapses, c.weight))
            if c.feedback is not None:
                wanted.append((c.feedback, c.feedback_weight))
        build([])
        state = dict(self._learner.model.state())
        for group, name in wanted:
            key = f"{group.name}.synapse.{name}"
            if key not in checkpoint.arrays or key not in state:
                raise TrainingError(f"the checkpoint has no weights '{key}'; it has: {_weights(checkpoint)}")
            there, here = checkpoint.arrays[key], state[key]
            if (there.size, there.dtype) != (here.size, here.dtype):
                sizes = f"{there.size} of {there.dtype} there, {here.size} of {here.dtype} here"
                raise TrainingError(f"the weights '{key}' do not fit: {sizes}")
            if not np.isfinite(there).all():
                raise CheckpointError(f"the weights '{key}' of the checkpoint are not all finite")
            for part in (f"{group.name}.ind", f"{group.name}.row_length"):
                if part in state and not np.array_equal(state[part], checkpoint.arrays.get(part, ())):
                    raise TrainingError(f"the weights '{key}' are those of other synapses")
            state[key] = there
        self._learner.model.set_state(state)
        if self._gradient is not None:
            self._gradient.forget()


def _weights(checkpoint: Checkpoint) -> str:
    return ", ".join(key for key in checkpoint.arrays if ".synapse." in key)[:200]
