"""The tapes of a model's populations: what is on them, and whether it is still true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from snnlearn.errors import GradientError, LifecycleError
from snnlearn.genn.checkpoints import Checkpoints
from snnlearn.genn.recording import Recording
from snnlearn.grad.reverse import Reversal
from snnlearn.grad.tape import RecordedTape
from snnlearn.network import Record


@dataclass(frozen=True)
class TapesStand:
    """What the host knows of tapes; what is on them are recordings.

    Attributes
    ----------
    freed, passes : int
    cut : bool
    changed : str
        As in `Tapes`.
    on : bool
        Whether they record.
    """

    freed: int
    passes: int
    cut: bool
    changed: str
    on: bool


@dataclass(frozen=True, eq=False)
class TapeState:
    """What tapes hold.

    Attributes
    ----------
    pending : int
        How many timesteps the window has.
    cut : bool
        Whether nothing is known of what came before it.
    timesteps : list of int
        Those that are held, oldest first: of the window, and of before.
    arrays : dict of str to ndarray of shape (timesteps, batch, neurons)
        By population and variable.
    """

    pending: int
    cut: bool
    timesteps: list[int]
    arrays: Mapping[str, NDArray[Any]]


class Tapes:
    """The tapes of all populations that record.

    With the window they hold the timesteps before, whose spikes may arrive within it.

    Parameters
    ----------
    model : GeNNModel
        Not built: the populations are given models that record.
    reversals : mapping of str to Reversal
        By population.
    constants : mapping of str to float
        Parameters of surrogate and losses, by name.
    window, before : int
        The longest window, and how many timesteps before it are kept.
    checkpoint : int
        Record this many timesteps only, and compute those before again from checkpoints; 0 records all.
    """

    def __init__(
        self,
        model: Any,
        reversals: Mapping[str, Reversal],
        constants: Mapping[str, float],
        window: int,
        before: int,
        checkpoint: int = 0,
    ) -> None:
        self.window, self.before = window, before
        self._rows = (checkpoint or window) + before
        self._checkpoints: Checkpoints | None = None
        if checkpoint:  # which a model may have already: before anything is changed
            self._checkpoints = model.keep_checkpoints(timesteps=window, every=checkpoint, overlap=before)
        groups = {name: self._adopt(model, name, r, constants) for name, r in reversals.items()}
        self.recordings: dict[str, Recording] = {
            name: model._record(groups[name], _record(r, self._rows)) for name, r in reversals.items()
        }
        self._first = next(iter(self.recordings.values()))
        self._freed, self._passes = 0, 0
        self._cut = True  # whether nothing is known of what came before the window
        self._changed = ""  # what was written since the window began
        self._on = True

    def _adopt(self, model: Any, name: str, reversal: Reversal, constants: Mapping[str, float]) -> Any:
        """Give a population the model that records; returns the population."""
        group, tape = model._by_key[name], reversal.tape
        assert isinstance(tape, RecordedTape)
        known = reversal.values(group.spec.params, constants)
        params = {p.name: known[p.name] for p in reversal.forward.params}
        if tape.tracks:
            new = [v.name for v in reversal.forward.vars if v.name not in group.spec.vars]
            group._become(reversal.forward, params, dict.fromkeys(new, 0))
            for other, variables in reversal.witnesses.items():
                model._by_key[other]._witness(variables)
        return group

    # ---- what is on them ----

    @property
    def pending(self) -> int:
        """How many timesteps the window has."""
        return self._first.written - self._freed

    @property
    def nbytes(self) -> int:
        """How many bytes they take, with checkpoints once the model is loaded."""
        snapshots = self._checkpoints.nbytes if self._checkpoints is not None else 0
        return snapshots + sum(recording.nbytes for recording in self.recordings.values())

    @property
    def earlier(self) -> int:
        """How many timesteps before the window are to be gone through."""
        return 0 if self._cut else self.before

    def check(self) -> int:
        """Return how many timesteps the window has.

        Raises
        ------
        LifecycleError
            Where it has none, more than there is room for, or what it depends on was written.
        """
        timesteps = self.pending
        if timesteps == 0:
            if self._passes:
                raise LifecycleError(
                    "the tape is freed by backward(): run the model first, or call backward(retain_tape=True) to go "
                    "back through the same timesteps a second time"
                )
            raise LifecycleError("there is nothing on the tape: run the model before backward()")
        if timesteps > self.window:
            raise LifecycleError(
                f"{timesteps} timesteps were run, but the tape holds {self.window}: call backward() more often, or "
                f"give differentiate(..., window={timesteps})"
            )
        if self._changed:
            raise LifecycleError(
                f"{self._changed} after the run and before backward(), which needs what it was: call backward() first"
            )
        return timesteps

    def blocks(self, timesteps: int) -> Iterator[int]:
        """Have the tapes hold the window, the newest part first; yields how many timesteps they hold of it."""
        if self._checkpoints is None:
            yield timesteps
            return
        for block in self._checkpoints.backwards(keep=True):  # until the window ends here too
            yield block.timesteps

    def note_write(self, what: str) -> None:
        """Note that something which the window depends on is written."""
        if not self._changed and self.pending and self._first.enabled:
            self._changed = what

    def free(self) -> None:
        """Begin a new window."""
        self._begin(self._first.written, self._passes + 1, cut=False)

    def forget(self) -> None:
        """Begin a new window before which nothing is known."""
        self._begin(self._first.written, self._passes, cut=True)

    def follow(self, rows: int) -> None:
        """Begin a window behind so many timesteps, whose rows are the first ones already; there is nothing else."""
        for recording in self.recordings.values():
            recording.follow(rows)
        self._begin(rows, 0, cut=False)

    def restart(self) -> None:
        """Begin as after loading."""
        self._begin(0, 0, cut=True)

    def _begin(self, freed: int, passes: int, *, cut: bool) -> None:
        self._freed, self._passes, self._cut, self._changed = freed, passes, cut, ""
        if self._checkpoints is not None:
            self._checkpoints.begin()

    def detach(self) -> None:
        """Begin a new window, for which what came before is given: spikes on their way count, what sent them not."""
        self._begin(self._first.written, self._passes, cut=self._cut and not self.pending)

    # ---- checkpoints of a training: rows as arrays of the host, which files hold ----

    def state(self) -> TapeState | None:
        """Return what is on them of the window, and before it; None where they are computed again."""
        if self._checkpoints is not None:
            return None
        pending, number = self.pending, self.pending + self.earlier + 1  # a pass looks at the timestep before, too
        timesteps: list[int] = []
        arrays: dict[str, NDArray[Any]] = {}
        for name, recording in self.recordings.items():
            timesteps, rows = recording._newest(number)
            arrays |= {f"{name}.{variable}": values for variable, values in rows.items()}
        return TapeState(pending, self._cut, timesteps, arrays)

    def made_of(self, pending: int, cut: bool, timesteps: list[int], arrays: Mapping[str, NDArray[Any]]) -> TapeState:
        """Return a state from its parts; GradientError unless it is one of these tapes."""
        state = TapeState(pending, cut, timesteps, arrays)
        number = len(state.timesteps)
        fits = 0 <= state.pending <= number <= self._rows
        recorded = {name: recording._columns for name, recording in self.recordings.items()}
        wanted = {f"{name}.{variable}" for name, columns in recorded.items() for variable in columns}
        fits = fits and set(state.arrays) == wanted
        for name, recording in self.recordings.items():
            batch = int(recording.population._model.batch_size)
            shape = number, batch, recording.population.spec.size
            for variable, column in recorded[name].items() if fits else ():
                rows = state.arrays[f"{name}.{variable}"]
                fits = fits and rows.shape == shape and rows.dtype == column.dtype
        if not fits:
            raise GradientError("the tape is not one of this program")
        return state

    def set_state(self, state: TapeState) -> None:
        """Put back what `state` gave; the model's state and timestep have been put back."""
        for name, recording in self.recordings.items():
            rows = {variable: state.arrays[f"{name}.{variable}"] for variable in recording._columns}
            recording._put_back(state.timesteps, rows)
        self._begin(len(state.timesteps) - state.pending, 0, cut=state.cut)

    def enable(self, on: bool) -> None:
        """Record, or not."""
        self._on = on
        for recording in self.recordings.values():
            recording.enabled = on

    # ---- extracted states: the simulation puts the rows back, here is what the host knows of them ----

    @property
    def stand(self) -> TapesStand:
        """What the host knows of them."""
        return TapesStand(self._freed, self._passes, self._cut, self._changed, self._on)

    def put_back(self, stand: TapesStand) -> None:
        """Know what was known, now that recordings are what they were; they record as they do now."""
        self._freed, self._passes, self._cut, self._changed = stand.freed, stand.passes, stand.cut, stand.changed
        self.enable(self._on)
        if stand.on != self._on:
            self.forget()

    @property
    def needed(self) -> dict[tuple[str, int], int]:
        """How many of the newest timesteps a pass needs of each recording, by population and number of the record."""
        number = self.pending + self.earlier + 1  # a pass looks at the timestep before, too
        return {(r.population._key, r._number): number for r in self.recordings.values()}


def _record(reversal: Reversal, timesteps: int) -> Record:
    """Return what is recorded of a population."""
    assert isinstance(reversal.tape, RecordedTape)
    return Record(tuple(reversal.tape.tracks), reversal.tape.records_spikes, timesteps, only=True)
