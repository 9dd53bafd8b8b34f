"""The part of ``GeNNModel`` that records variables and plays what was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.genn.adding import AddsGroups
from snnlearn.genn.arguments import checked_arguments
from snnlearn.genn.checkpoints import Checkpoints
from snnlearn.genn.groups import NeuronGroup, SynapseGroup
from snnlearn.genn.playback import Playback
from snnlearn.genn.recorded_elements import chosen, number_of, places
from snnlearn.genn.recording import RecordedVariable, Recording
from snnlearn.network import Play, Record
from snnlearn.network.checks import check_size
from snnlearn.network.history import Elements


class KeepsRecordings(AddsGroups):
    """A model whose variables can be recorded and played."""

    _checkpoints: Checkpoints | None = None

    @checked_arguments
    def record(
        self,
        population: NeuronGroup | SynapseGroup,
        variables: Iterable[str] | str = (),
        timesteps: int = 1,
        every: int = 1,
        spikes: bool = False,
        start: int | None = None,
        neurons: Any = None,
        synapses: Any = None,
    ) -> Recording:
        """Record variables of neurons or synapses: in each timestep, what it leaves them as. Before ``build``.

        Parameters
        ----------
        population : NeuronGroup or SynapseGroup
            A population, or a connection.
        variables : iterable of str, or str
            Their names.
        timesteps : int
            How many timesteps are held: the newest.
        every : int
            Record every n-th of them only.
        spikes : bool
            Whether to record too which neurons spike.
        start : int, optional
            Record ``timesteps`` timesteps from this one on, and stop.
        neurons, synapses : slice, array of int or of bool, or int, optional
            Whose values: a row holds them in this order. By default those of all neurons, or all synapses. Synapses
            count in the order of the variable's ``values``; of sparse connectivity, whose synapses are known after
            ``load``, it needs indices, or a slice with an end. Synapses that the engine would put off run in each
            timestep where their variables are recorded.

        Returns
        -------
        Recording

        Raises
        ------
        NetworkError
            For a population of another model, an unknown variable, one that is recorded already, and neurons or
            synapses that are not there; from ``load``, for more memory than there is.
        LifecycleError
            After ``build``.
        """
        self._need_unbuilt("what is recorded")
        if isinstance(population, SynapseGroup):
            self._check_ours("a recording", population, SynapseGroup, "synapse population")
        else:
            self._check_ours("a recording", population, NeuronGroup, "neuron population")
        owner = f"the recording of '{population.name}'"
        names = (variables,) if isinstance(variables, str) else tuple(variables)
        length, step = check_size(owner, "timesteps", timesteps), check_size(owner, "every", every)
        if step >= 2**32:
            raise NetworkError(f"{owner}: every must be below 2**32, not {every}")
        first = None if start is None else check_size(owner, "start", start, 0)
        elements = _elements(owner, population, neurons, synapses)
        if elements is not None and spikes:
            raise NetworkError(f"{owner}: spikes are recorded of all neurons; leave neurons= out, or spikes=True")
        return self._record(population, Record(names, bool(spikes), length, step, elements=elements), first)

    def _record(self, population: NeuronGroup | SynapseGroup, record: Record, start: int | None = None) -> Recording:
        """Add a recording to a population's description."""
        population._change(records=(*population.spec.records, record))
        recording = Recording(population, len(population.spec.records) - 1, start, places)
        population._kept.append(recording)
        return recording

    @checked_arguments
    def play(
        self,
        population: NeuronGroup,
        variable: str,
        source: RecordedVariable | ArrayLike,
        reverse: bool = False,
        lag: int = 0,
    ) -> Playback:
        """Have a variable play what was recorded: a row is its value in each timestep. Before ``build``.

        The neurons' code sees the row. What else refers to the variable sees, as with any variable, what the last
        update of its neuron has left: the row of that timestep.

        Parameters
        ----------
        population : NeuronGroup
        variable : str
            The model declares it ``READ_ONLY_DUPLICATE``; without copies of a batch, ``READ_ONLY`` will do.
        source : RecordedVariable or array of shape (timesteps, batch, neurons) or (timesteps, neurons)
            ``recording["V"]`` or ``recording.spikes``, of this model or another one on the same engine and device: its
            rows are played where they are, without a copy, after ``rewind()``. An array is played from ``load`` on,
            from its first row, or in reverse from its last.
        reverse : bool
            Whether to play rows from the newest to the oldest.
        lag : int
            How many timesteps to be ahead, in this direction.

        Returns
        -------
        Playback

        Raises
        ------
        NetworkError
            For a population of another model, an unknown variable, one with another access, one that plays something
            already, and a source of another size or type.
        LifecycleError
            After ``build``.
        """
        self._need_unbuilt("what is played")
        self._check_ours("a playback", population, NeuronGroup, "neuron population")
        owner = f"a playback to '{population.name}.{variable}'"
        playback = Playback(population, variable, source, bool(reverse), check_size(owner, "lag", lag, 0))
        if playback.source is not None:
            self._check_source(owner, playback)
        return self._play(playback)

    def _play(self, playback: Playback, only: bool = False) -> Playback:
        """Add a playback to its population's description."""
        bits = playback.source is not None and playback.source.name is None
        play = Play(playback.variable, playback.type, playback.every, playback.reverse, bits, only)
        playback.population._change(plays=(*playback.population.spec.plays, play))
        playback.population._kept.append(playback)
        return playback

    @checked_arguments
    def keep_checkpoints(self, timesteps: int, every: int = 64, overlap: int = 0) -> Checkpoints:
        """Keep snapshots of what recorded variables follow from, to compute blocks of timesteps again. Before ``load``.

        All recordings of the model need room for ``every + overlap`` timesteps.

        Parameters
        ----------
        timesteps : int
            How many there is room for, from `Checkpoints.begin` on.
        every : int
            How many timesteps a block has. A multiple of 64 goes well with work that the engine puts off.
        overlap : int
            How many rows from before a block are to be there with it.

        Returns
        -------
        Checkpoints

        Raises
        ------
        NetworkError
            For what is no such number; from ``load``, for recordings without that room, code that changes an extra
            global parameter, and too little memory.
        LifecycleError
            After ``load``, and where there are checkpoints already.
        """
        if self._simulation is not None:
            raise LifecycleError("the model is loaded: checkpoints can be asked for before that")
        if self._checkpoints is not None:
            raise LifecycleError("the model keeps checkpoints already")
        numbers = [
            check_size("checkpoints", name, number, least)
            for name, number, least in (("timesteps", timesteps, 1), ("every", every, 1), ("overlap", overlap, 0))
        ]
        self._checkpoints = Checkpoints(self, *numbers)
        return self._checkpoints

    def _load_checkpoints(self) -> None:
        if self._checkpoints is None:
            return
        records = [n.spec.records for n in self.neuron_populations.values()]
        records += [s.spec.records for s in self.synapse_populations.values()]
        if not any(records):
            raise NetworkError("the model keeps checkpoints, and nothing is recorded: call record() before build()")
        self._checkpoints._load()

    def _check_source(self, owner: str, playback: Playback) -> None:
        assert playback.source is not None
        there, here = playback.source.recording, playback.population
        if there._width != here.spec.size:
            raise NetworkError(
                f"{owner}: it has {here.spec.size} neurons, and what was recorded of '{there.population.name}' "
                f"{there._width}"
            )
        known: dict[str, Any] = {v.name: v for v in here.spec.model.vars}
        to = playback._own_type
        if playback.variable in known and not np.can_cast(playback.source.dtype, np.dtype(to.dtype), "safe"):
            raise NetworkError(
                f"{owner}: the variable is of type '{to.name}', which has no place for all values of type "
                f"'{playback.type.name}'"
            )


def _elements(owner: str, group: NeuronGroup | SynapseGroup, neurons: Any, synapses: Any) -> Elements | None:
    """Return whose values a recording holds; None for all neurons."""
    of_synapses = isinstance(group, SynapseGroup)
    given, what, other = (synapses, "synapses", neurons) if of_synapses else (neurons, "neurons", synapses)
    if other is not None:
        raise NetworkError(f"{owner}: it is of {what}: give {what}=...")
    if given is None and not of_synapses:
        return None
    number = number_of(group)
    if given is None and number is None:
        raise NetworkError(
            f"{owner}: how many synapses there are is known only once the model is loaded: give synapses=..."
        )
    return chosen(owner, what, slice(None) if given is None else given, number)
