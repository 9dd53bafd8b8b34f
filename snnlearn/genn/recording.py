"""Recordings of variables as a user sees them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from snnlearn.attributes import CheckedAttributes
from snnlearn.codegen.plan.history import words_of
from snnlearn.declare import ValueType, value_type
from snnlearn.errors import LifecycleError, NetworkError, did_you_mean
from snnlearn.io.rows import TIMES, row_file
from snnlearn.network import Location, Record
from snnlearn.network.checks import check_size
from snnlearn.network.history import Elements
from snnlearn.runtime import Simulation
from snnlearn.runtime.recorder_state import RecorderState
from snnlearn.runtime.row_stream import RowStream

Result = TypeVar("Result")


Places = Callable[[str, Any, Elements], NDArray[np.uint32]]


class Recorded(Protocol):
    """A neuron population, or a connection, as its recordings see it."""

    spec: Any
    _kept: list[Any]

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def _key(self) -> str: ...

    @property
    def _loaded(self) -> bool: ...

    @property
    def _model(self) -> Any: ...

    def _simulation(self) -> Simulation:
        """Return the simulation; raise LifecycleError where there is none."""

    def _change(self, **changes: Any) -> None: ...


class Recording(CheckedAttributes):
    """What is recorded of the variables of neurons or synapses; made by ``GeNNModel.record``.

    A row holds the values of all neurons, or of those that were chosen, as a timestep has left them. The newest rows
    are held, for as many timesteps as were asked for. The recording counts the timesteps that it records itself: an
    assignment to the model's ``timestep`` changes no row. ``recording["V"]`` is what is recorded of a variable.

    Attributes
    ----------
    population : NeuronGroup or SynapseGroup
    """

    population: Recorded

    def __init__(self, population: Recorded, number: int, start: int | None, places: Places) -> None:
        self.population, self._places = population, places
        self._number = number
        self._start, self._enabled = start, True
        self._state: RecorderState | None = None

    # ---- what is recorded ----

    @property
    def _record(self) -> Record:
        record: Record = self.population.spec.records[self._number]
        return record

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables that are recorded."""
        return self._record.variables

    @property
    def every(self) -> int:
        """Every how many timesteps a row is recorded."""
        return self._record.every

    @property
    def timesteps(self) -> int:
        """How many timesteps are held; can be assigned until the model is loaded."""
        return self._record.timesteps

    @timesteps.setter
    def timesteps(self, timesteps: int) -> None:
        if self.population._loaded:
            raise LifecycleError(f"the recording of '{self.population.name}': timesteps can be changed before load")
        number = check_size(f"the recording of '{self.population.name}'", "timesteps", timesteps)
        records = list(self.population.spec.records)
        records[self._number] = replace(self._record, timesteps=number)
        self.population._change(records=tuple(records))

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        each = self._width * sum(self[name].dtype.itemsize for name in self.variables)
        each += 4 * words_of(self._width) if self._record.spikes else 0
        return (self._record.rows + 1) * each * int(self.population._model.batch_size)

    @property
    def _width(self) -> int:
        """How many neurons or synapses a row is of."""
        elements = self._record.elements
        return len(elements) if elements is not None else int(self.population.spec.size)

    @property
    def elements(self) -> NDArray[np.int64]:
        """The neurons or synapses that a row is of, in its order, shape (elements,)."""
        elements = self._record.elements
        return np.arange(self._width) if elements is None else np.array(elements, np.int64)

    def __getitem__(self, name: str) -> RecordedVariable:
        if name not in self.variables:
            hint = "; its spikes are `recording.spikes`" if name == "spikes" else did_you_mean(name, self.variables)
            raise NetworkError(f"the recording of '{self.population.name}' has no variable '{name}'{hint}")
        return RecordedVariable(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    @property
    def spikes(self) -> RecordedVariable:
        """Whether each neuron spiked: 1 or 0.

        Raises
        ------
        NetworkError
            If spikes are not part of it.
        """
        if not self._record.spikes:
            raise NetworkError(f"the recording of '{self.population.name}' has no spikes: record(..., spikes=True)")
        return RecordedVariable(self, None)

    # ---- when ----

    @property
    def start(self) -> int | None:
        """The first timestep to record, where recording stops when all rows are full; None where it never stops.

        Assigning forgets all rows.
        """
        return self._start

    @start.setter
    def start(self, start: int | None) -> None:
        self._start = None if start is None else check_size("a recording", "start", start, 0)
        if self._state is not None:
            self._change(lambda state: state.restart(self._start))

    @property
    def enabled(self) -> bool:
        """Whether timesteps are recorded; while it is False they take no longer than without a recording."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = bool(enabled)
        if self._state is not None:
            self._change(lambda state: setattr(state, "enabled", self._enabled))

    def clear(self) -> None:
        """Forget all rows, and begin anew.

        Raises
        ------
        LifecycleError
            Before ``load``.
        """
        self._change(lambda state: state.restart(self._start))

    def follow(self, timesteps: int) -> None:
        """Begin anew behind so many timesteps, whose rows have been put into memory, the oldest first.

        Raises
        ------
        LifecycleError
            Before ``load``.
        """
        self._change(lambda state: state.follow(timesteps))

    @property
    def written(self) -> int:
        """How many timesteps have been recorded since ``load`` or `clear`, or since `start` was assigned."""
        return self._change(lambda state: state.written)

    # ---- files ----

    def stream(self, path: str | os.PathLike[str]) -> RecordingStream:
        """Copy each row from now on to a file, before newer ones take its place: as the rows fill, and at the end.

        Parameters
        ----------
        path : path-like
            ``.npy``, or ``.h5`` with the extra ``hdf5``. A file that is there is replaced. Of several variables
            ``trial.npy`` becomes ``trial.V.npy`` and its like; the times of rows [ms] are in ``trial.times.npy``, or in
            the data set ``times``. Spikes are called ``spikes``.

        Returns
        -------
        RecordingStream
            Ends with its ``close()``, with a ``with`` block, or with ``unload``.

        Raises
        ------
        LifecycleError
            Before ``load``, and while there is a stream.
        OutputError
            For another format, and a file that cannot be written; from ``run``, where rows cannot.
        MissingLibraryError
            For HDF5, where h5py is not installed.
        """
        state, tracks = self._change(lambda state: state), {name: self[name] for name in self.variables}
        if state.stream is not None:
            raise LifecycleError(
                f"the recording of '{self.population.name}' is streamed already: close that stream first"
            )
        tracks |= {"spikes": self.spikes} if self._record.spikes else {}
        shape = (0, int(self.population._model.batch_size), self._width)
        empty = {name: np.zeros(shape, track.dtype) for name, track in tracks.items()}
        file = row_file(path, {**empty, TIMES: np.zeros(0)})
        at = {name: track._at for name, track in tracks.items()}
        dt = float(self.population._model.dt)
        self._change(lambda state: setattr(state, "stream", RowStream(state, file, at, dt)))
        return RecordingStream(self)

    # ---- rows ----

    @property
    def values(self) -> NDArray[Any]:
        """All rows of the one variable that is recorded, or of spikes; see `RecordedVariable.values`.

        Raises
        ------
        NetworkError
            Where several are recorded: ``recording["V"].values`` says which.
        """
        tracks = [*self.variables, *(["spikes"] if self._record.spikes else [])]
        if len(tracks) > 1:
            raise NetworkError(
                f"the recording of '{self.population.name}' is of {', '.join(tracks)}: "
                f"recording[{tracks[0]!r}].values are those of one"
            )
        return (self[tracks[0]] if self.variables else self.spikes).values

    @property
    def times(self) -> NDArray[np.float64]:
        """The times of the rows [ms], shape (rows,): those at which their timesteps began; raises as ``values``."""
        dt = float(self.population._model.dt)
        return dt * np.array(self._change(lambda state: [*state.timesteps(self._full(state))][:: self.every]), float)

    def _full(self, state: RecorderState) -> range:
        """Return the timesteps that are held, counted from the first; LifecycleError unless all rows are full."""
        counts, record = state.held, state.record
        if -(-len(counts) // record.every) < record.rows:
            raise LifecycleError(
                f"the recording of '{self.population.name}' holds {record.timesteps} timesteps and only "
                f"{len(counts)} have been recorded: it can be read once it is full; last(n) gives the newest rows"
            )
        return counts

    def _change(self, do: Callable[[RecorderState], Result]) -> Result:
        """Do something to its state, or read it, at one definite timestep."""
        simulation = self.population._simulation()
        assert self._state is not None
        return simulation.in_turn(do, self._state)

    @property
    def _columns(self) -> dict[str, RecordedVariable]:
        """All that is recorded; spikes by a name that no variable has."""
        found = {name: self[name] for name in self}
        return found | ({"(spikes)": self.spikes} if self._record.spikes else {})

    def _newest(self, number: int) -> tuple[list[int], dict[str, NDArray[Any]]]:
        """Return which timesteps the newest rows are, and copies of them by variable, shape (rows, batch, neurons)."""

        def read(state: RecorderState) -> tuple[list[int], dict[str, NDArray[Any]]]:
            counts = state.held[len(state.held) - min(number, len(state.held)) :]
            return [*state.timesteps(counts)], {name: state.rows(v._at, counts) for name, v in self._columns.items()}

        return self._change(read)

    def _put_back(self, timesteps: list[int], rows: Mapping[str, NDArray[Any]]) -> None:
        """Hold these rows, as if the timesteps before the next one had recorded them."""

        def write(state: RecorderState) -> None:
            for name, variable in self._columns.items():
                state.write_rows(variable._at, rows[name])
            state.continue_after(timesteps)

        self._change(write)

    def _load(self) -> None:
        simulation, elements = self.population._simulation(), self._record.elements
        history = simulation.history
        assert history is not None
        if elements is not None:
            found = self._places(f"the recording of '{self.population.name}'", self.population, elements)
            simulation.write(Location(self.population._key, "recorder_index", str(self._number)), found)
        self._state = history.recorders[self.population._key, self._number]
        self._state.restart(self._start)
        self._state.enabled = self._enabled

    def _note_state(self) -> None:
        """Be told that its state has been put back."""
        if self._state is not None:
            self._start, self._enabled = self._state.stand.start, self._state.enabled

    def _unload(self) -> None:
        self._state = None


class RecordingStream:
    """A file that a recording's rows go to; made by `Recording.stream`."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def close(self) -> None:
        """Write the rows that are not in the file yet, and end; again does nothing."""
        self._recording._change(lambda state: state.end_stream())

    def __enter__(self) -> RecordingStream:
        return self

    def __exit__(self, *_: object) -> None:
        if self._recording._state is not None:
            self.close()


class RecordedVariable:
    """What is recorded of one variable, or of spikes.

    Attributes
    ----------
    recording : Recording
    name : str or None
        None for spikes.
    """

    def __init__(self, recording: Recording, name: str | None) -> None:
        self.recording, self.name = recording, name

    @property
    def values(self) -> NDArray[Any]:
        """A copy of all rows, oldest first, shape (rows, batch, neurons), of the variable's type; uint8 for spikes.

        Synapses are in the place of neurons where it is theirs.

        Raises
        ------
        LifecycleError
            Before ``load``, and before all rows are full.
        """
        recording = self.recording
        return recording._change(lambda state: state.rows(self._at, recording._full(state)))

    def last(self, rows: int) -> NDArray[Any]:
        """Return a copy of the newest rows, oldest first.

        Parameters
        ----------
        rows : int

        Returns
        -------
        ndarray, shape (rows, batch, neurons)

        Raises
        ------
        LifecycleError
            Before ``load``, and where fewer rows are held.
        """
        whose = f"the recording of '{self.recording.population.name}'"
        number, every = check_size(whose, "the number of rows", rows, 0), self.recording.every

        def read(state: RecorderState) -> NDArray[Any]:
            held = -(-len(state.held) // every)
            if number > held:
                raise LifecycleError(f"{whose} holds {held} rows, not {number}")
            counts = state.held
            return state.rows(self._at, counts[(held - number) * every :])

        return self.recording._change(read)

    @property
    def memory(self) -> Any:
        """The rows where they are on the device, without a copy: NumPy's array on the CPU, CuPy's on a GPU.

        Row ``n % rows`` holds the n-th timestep since `Recording.clear`, until a later one is written over it; behind
        the last row is one of zeros. Shape (rows + 1, batch, neurons); for spikes (rows + 1, batch, words) of uint32, a
        bit for each neuron, the lowest first.

        Raises
        ------
        LifecycleError
            Before ``load``.
        """
        population = self.recording.population
        simulation = population._simulation()
        found = simulation.in_turn(simulation.memory, simulation.name_of(self._at))
        return found.reshape(self.recording._record.rows + 1, int(population._model.batch_size), -1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its values."""
        found: np.dtype[Any] = np.dtype(self._type.dtype)
        return found

    @property
    def _type(self) -> ValueType:
        if self.name is None:
            return value_type("uint8_t")
        spec = self.recording.population.spec
        model = spec.model if spec.recorded_space == "own" else spec.weight_update.model
        declared = next(v for v in model.vars if v.name == self.name)
        return value_type(value_type(declared.type).ctype_for(spec.precision))

    @property
    def _at(self) -> Location:
        key = self.recording.population._key
        if self.name is None:
            return Location(key, "recorded_spikes", str(self.recording._number))
        return self.recording._record.rows_at(key, self.recording._number, self.name)
