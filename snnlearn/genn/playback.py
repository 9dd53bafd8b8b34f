"""Variables that play a recording, as a user sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.attributes import CheckedAttributes
from snnlearn.declare import ValueType, value_type
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.genn.recording import Recorded, RecordedVariable
from snnlearn.network.checks import check_size
from snnlearn.network.values import as_numbers
from snnlearn.runtime.player_state import PlayerState, Rows
from snnlearn.runtime.recorder_state import RecorderState


class Playback(CheckedAttributes):
    """A variable whose value in each timestep is a row of a recording, or of an array; made by ``GeNNModel.play``.

    Attributes
    ----------
    population : NeuronGroup
    variable : str
        Its name.
    source : RecordedVariable or None
        What it plays; None for an array.
    reverse : bool
        Whether the rows are played from the newest to the oldest.
    lag : int
        How many timesteps it is ahead of what has no lag, in its own direction.
    """

    population: Recorded
    variable: str
    source: RecordedVariable | None
    reverse: bool
    lag: int

    def __init__(
        self,
        population: Recorded,
        variable: str,
        source: RecordedVariable | ArrayLike,
        reverse: bool,
        lag: int,
    ) -> None:
        self.population, self.variable, self.reverse, self.lag = population, variable, reverse, lag
        self.source = source if isinstance(source, RecordedVariable) else None
        self._values = None if isinstance(source, RecordedVariable) else self._checked(source)
        self._state: PlayerState | None = None

    @property
    def every(self) -> int:
        """How many timesteps a row lasts."""
        return 1 if self.source is None else self.source.recording.every

    @property
    def type(self) -> ValueType:
        """The type of the rows' values."""
        return self._own_type if self.source is None else self.source._type

    @property
    def _own_type(self) -> ValueType:
        spec = self.population.spec
        declared = next((v.type for v in spec.model.vars if v.name == self.variable), "scalar")
        return value_type(value_type(declared).ctype_for(spec.precision))

    @property
    def _whose(self) -> str:
        return f"'{self.population.name}.{self.variable}'"

    # ---- rows ----

    @property
    def values(self) -> NDArray[Any]:
        """The array that it plays, shape (timesteps, batch, neurons); can be assigned, and is then rewound.

        Raises
        ------
        LifecycleError
            Where it plays a recording.
        NetworkError
            For another shape, and values that the variable's type cannot hold.
        """
        if self._values is None:
            raise LifecycleError(f"{self._whose} plays a recording; read the values of that")
        return np.array(self._values)

    @values.setter
    def values(self, values: ArrayLike) -> None:
        if self._values is None:
            raise LifecycleError(f"{self._whose} plays a recording, not an array; use another variable for that")
        self._values = self._checked(values)
        if self._state is not None:
            self._take_values()

    def rewind(self, skip: int = 0, beyond: int = 0) -> None:
        """Play from the oldest row that is held on, or, in reverse, from the newest, beginning with the next timestep.

        Parameters
        ----------
        skip : int
            How many timesteps further on to begin.
        beyond : int
            How many timesteps may be played behind the last that is held. All behind it are 0, those too that a lag
            reaches.

        Raises
        ------
        LifecycleError
            Before both models are loaded; where nothing has been recorded.
        NetworkError
            Where the two models run on different engines or devices, or have batches of different sizes.
        """
        simulation = self.population._simulation()
        owner = f"the playback to {self._whose}"
        first, more = check_size(owner, "skip", skip, 0), check_size(owner, "beyond", beyond, 0)
        assert self._state is not None
        if self.source is None:
            assert self._values is not None
            rows = Rows(len(self._values), range(len(self._values)))
        else:
            rows = self._take(self.source)
        simulation.in_turn(self._state.rewind, rows, first, self.lag, more)

    def fill(self, timesteps: int, write: Callable[[Any], object], beyond: int = 0) -> None:
        """Play rows that a function writes where they are on the device, beginning with the next timestep.

        Parameters
        ----------
        timesteps : int
        write : callable
            It is given an array of shape (timesteps, batch, neurons), NumPy's on the CPU, CuPy's on a GPU, and sets all
            of it. `values` does not see what it writes.
        beyond : int
            How many timesteps, all 0, may be played behind them.

        Raises
        ------
        LifecycleError
            Before ``load``; where it plays a recording.
        """
        if self._values is None:
            raise LifecycleError(f"{self._whose} plays a recording, not an array; use another variable for that")
        simulation, state = self.population._simulation(), self._state
        owner = f"the playback to {self._whose}"
        number, more = check_size(owner, "timesteps", timesteps, 0), check_size(owner, "beyond", beyond, 0)
        assert state is not None
        width = int(self.population._model.batch_size) * self.population.spec.size
        room = simulation.in_turn(state.room, number, width, self._own_type.dtype)
        memory = room.reshape(-1, int(self.population._model.batch_size), self.population.spec.size)
        write(memory[:number])
        rows = Rows(len(memory) - 1, range(number))
        simulation.in_turn(state.rewind, rows, 0, self.lag, more)

    @property
    def left(self) -> int:
        """How many timesteps can be played from now on.

        Raises
        ------
        LifecycleError
            Before ``load``.
        """
        simulation = self.population._simulation()
        assert self._state is not None
        return int(simulation.in_turn(lambda state: state.left, self._state))

    # ---- helpers ----

    def _take(self, source: RecordedVariable) -> Rows:
        """Have the rows be those of the recording, and return which there are."""
        mine, theirs = self.population._model, source.recording.population._model
        if mine._place != theirs._place:
            raise NetworkError(
                f"{self._whose} is on {mine._place} and what it plays on {theirs._place}: give play() the recording's "
                "values, an array"
            )
        if mine.batch_size != theirs.batch_size:
            raise NetworkError(
                f"{self._whose} has {mine.batch_size} copies and what it plays {theirs.batch_size}: the models need "
                "batches of one size"
            )
        state = self._state
        assert state is not None

        def rows_of(recorder: RecorderState) -> Rows:
            state.take(recorder, source._at)
            return Rows(recorder.record.rows, recorder.held)

        rows = source.recording._change(rows_of)
        if not rows.counts:
            raise LifecycleError(f"{self._whose} cannot play: nothing has been recorded yet")
        return rows

    def _checked(self, given: ArrayLike) -> NDArray[Any]:
        """Return an array of shape (timesteps, batch, neurons)."""
        size, batch = self.population.spec.size, int(self.population._model.batch_size)
        what = f"what is played to {self._whose}"
        values = as_numbers(given, np.dtype(self._own_type.dtype), self._own_type.name, what)
        timesteps = values.shape[0] if values.ndim else 0
        if values.ndim == 2 and values.shape[1] == size:
            values = np.broadcast_to(values[:, None, :], (timesteps, batch, size))
        if values.shape != (timesteps, batch, size) or not timesteps:
            raise NetworkError(
                f"{what} must have shape (timesteps, {batch}, {size}) or (timesteps, {size}), not {values.shape}"
            )
        return np.array(values)

    def _take_values(self) -> None:
        assert self._state is not None
        assert self._values is not None
        values = self._checked(self._values)  # the size of the batch may have been set since
        self.population._simulation().in_turn(self._state.take_values, values)
        self.rewind()

    def _load(self) -> None:
        history = self.population._simulation().history
        assert history is not None
        self._state = history.players[self.population._key, self.variable]
        if self._values is not None:
            self._take_values()
        # What it plays itself, a model has to record first.
        self._state.may_wait = (
            self.source is not None and self.source.recording.population._model is self.population._model
        )

    def _unload(self) -> None:
        self._state = None
