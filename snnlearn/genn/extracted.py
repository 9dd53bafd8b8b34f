"""The state of a loaded model, taken and put back: `snnlearn.meta` shows it to users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType, ref

from snnlearn.errors import ArgumentError, StateError
from snnlearn.genn.arrays import Variable
from snnlearn.genn.model import GeNNModel
from snnlearn.genn.recording import Recording
from snnlearn.network import Location
from snnlearn.runtime import Simulation, kept
from snnlearn.runtime.kept import Kept


@dataclass(frozen=True, eq=False)
class ModelState:
    """All that the future of a loaded model depends on, on its device.

    Attributes
    ----------
    place : str
        The memory that it is in.
    simulation : reference to Simulation
        Which it was taken of.
    kept : Kept
    programs : tuple
        What each program's host side knows.
    """

    place: str
    simulation: ReferenceType[Simulation]
    kept: Kept
    programs: tuple[Any, ...]

    @property
    def nbytes(self) -> int:
        """How many bytes of the device its copies take."""
        rows = [values for recorder in self.kept.recorders.values() for _, _, values in recorder.rows]
        copies = [copy for copy in self.kept.copies.values() if hasattr(copy, "nbytes")]  # tensors are shared
        snapshots = [self.kept.checkpoints.snapshots] if self.kept.checkpoints is not None else []
        return sum(int(values.nbytes) for values in [*copies, *rows, *snapshots])


def extract(model: GeNNModel, copy: bool) -> ModelState:
    """Return the state of a model; see `snnlearn.meta.extract_state`."""
    simulation = model._loaded_simulation()

    def take() -> ModelState:
        newest = {key: number for program in model._programs for key, number in program._needed().items()}
        found = kept.keep(simulation, copy, newest)
        programs = tuple(program._stand() for program in model._programs)
        return ModelState(model._place, ref(simulation), found, programs)

    return simulation.in_turn(take)


def check(model: GeNNModel, state: ModelState, keep: Mapping[Location, Variable]) -> None:
    """Raise StateError unless the state can be put back."""
    simulation = model._loaded_simulation()
    if state.place != model._place:
        raise StateError(
            f"the state is in the memory of '{state.place}', and the model on '{model._place}': "
            "model.set_state(other.state()) goes by way of the host"
        )
    if state.kept.watch is not None and state.simulation() is not simulation:
        raise StateError(
            "the state was taken by reference, and its model is another one or has been unloaded since: take it with "
            'by="copy"'
        )
    kept.check(simulation, state.kept, keep.keys())
    if len(state.programs) != len(model._programs):
        raise StateError("the state is of another network: one of the two is differentiated, and the other is not")


def recover(model: GeNNModel, state: ModelState, keep: Mapping[Location, Variable]) -> None:
    """Put a state back that `check` has found to fit; see `snnlearn.meta.recover_state`."""
    simulation = model._loaded_simulation()
    simulation.in_turn(_put_back, model, simulation, state, keep)


def _put_back(model: GeNNModel, simulation: Simulation, state: ModelState, keep: Mapping[Location, Variable]) -> None:
    kept.put_back(simulation, state.kept, keep.keys())
    model._states_set += 1
    for neurons in model.neuron_populations.values():
        neurons._note_state()
        for one in neurons._kept:
            if isinstance(one, Recording):
                one._note_state()
    for program, stand in zip(model._programs, state.programs, strict=True):
        program._put_back(stand)
    for variable in keep.values():
        if variable._program is not None:
            variable._program._note_push(variable)  # a window that is on the tape was run with other values


def variables_by_place(model: GeNNModel, given: Any) -> dict[Location, Variable]:
    """Return variables that are to stay as they are, by where they are.

    Raises
    ------
    ArgumentError
        For anything but variables of the model.
    """
    if isinstance(given, (str, Variable)) or not isinstance(given, Iterable):
        raise ArgumentError(f"keep is a sequence of variables, such as [connection.vars['g']], not {given!r}")
    found = {}
    for variable in given:
        if not isinstance(variable, Variable):
            raise ArgumentError(f"keep takes variables, such as connection.vars['g'], not {variable!r}")
        if model._by_key.get(variable.location.group) is not variable.group:
            raise ArgumentError(f"keep: {variable.location} is no variable of this model")
        found[variable.location] = variable
    return found
