"""States of models and learners: taken, kept on the device, and put back to the last bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from snnlearn.errors import ArgumentError, StateError
from snnlearn.genn import GeNNModel
from snnlearn.genn.arrays import Variable
from snnlearn.genn.extracted import ModelState, check, extract, recover, variables_by_place
from snnlearn.training import Learner

_WAYS = ("copy", "reference")


@dataclass(frozen=True, eq=False, repr=False)
class State:
    """All that the future of a model, or of a learner, depends on; `extract_state` takes it.

    Attributes
    ----------
    by : {"copy", "reference"}
        Whether it has copies of the arrays, or the arrays themselves.
    network : ModelState
        Arrays on the device, and where the model's host side was.
    progress : mapping or None
        What a learner knew besides.
    """

    by: str
    network: ModelState
    progress: Mapping[str, Any] | None

    def __repr__(self) -> str:
        whose = "a model" if self.progress is None else "a learner"
        return f"State(of {whose}, by={self.by!r}, timestep={self.timestep}, nbytes={self.nbytes})"

    @property
    def timestep(self) -> int:
        """The number of the model's next timestep."""
        return self.network.kept.timestep

    @property
    def nbytes(self) -> int:
        """How many bytes of the device the copies take."""
        return self.network.nbytes


def extract_state(target: Learner | GeNNModel, by: str = "copy") -> State:
    """Take the state of a model, or of a learner with its model, without a way over the host.

    It holds variables (weights, optimisers' own), spikes and events on their way, times of spikes, dynamic parameters,
    connectivity, counters of random numbers, the timestep, recorded rows, checkpoints, and what a program has on its
    tape and has summed up; of a learner also counters, curves and measures. Extra global parameters that only the host
    writes are the caller's, as are arrays that are played; so are host copies (``view``). Work that the engine puts off
    is done first.

    Parameters
    ----------
    target : Learner or GeNNModel
        Loaded.
    by : {"copy", "reference"}
        ``"reference"`` copies nothing: such a state can be put back as long as nothing has overwritten it, which
        `recover_state` notices.

    Returns
    -------
    State

    Raises
    ------
    LifecycleError
        Before ``load``; while checkpoints compute blocks again.
    NetworkError
        Where there is no memory for the copies.
    ArgumentError
        For something else to take a state of, and another ``by``.
    """
    if by not in _WAYS:
        raise ArgumentError(f'by is "copy" or "reference", not {by!r}')
    model = _model_of(target)
    progress = target.progress() if isinstance(target, Learner) else None  # which reads what is noted on the device
    return State(by, extract(model, by == "copy"), progress)


def recover_state(target: Learner | GeNNModel, state: State, keep: Iterable[Variable] = ()) -> None:
    """Put a state back: what runs then is what ran after `extract_state`, to the last bit.

    Parameters
    ----------
    target : Learner or GeNNModel
        Which the state was taken of, or one of the same network in the same memory.
    state : State
        Can be put back any number of times.
    keep : sequence of Variable
        Variables that stay as they are, such as rates that are learnt across episodes.

    Raises
    ------
    StateError
        For a state of another network or training, saying which variable differs, and for one that was taken by
        reference and has been overwritten, saying which variable, and by what. Nothing is changed then.
    TrainingError
        Within a fit of the learner.
    LifecycleError
        Before ``load``; while checkpoints compute blocks again.
    ArgumentError
        For something else than a state, and for variables to keep that are none of the model's.
    """
    if not isinstance(state, State):
        raise ArgumentError(f"recover_state puts back what extract_state took, not {state!r}")
    model, learner = _model_of(target), target if isinstance(target, Learner) else None
    kept = variables_by_place(model, keep)
    if (state.progress is None) != (learner is None):
        there, here = ("a model", "a learner") if state.progress is None else ("a learner", "a model")
        raise StateError(f"the state is that of {there}, and this is {here}: extract and recover the same of the two")
    check(model, state.network, kept)
    if learner is not None and state.progress is not None:
        _check_training(state.progress, learner.progress())
        learner.set_progress(state.progress)
    recover(model, state.network, kept)


def _check_training(there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    for key, value in here["setup"].items():
        if there["setup"].get(key) != value:
            raise StateError(
                f"the state is of another training: {key} is {there['setup'].get(key)} there, {value} here"
            )


def _model_of(target: Any) -> GeNNModel:
    model = target.model if isinstance(target, Learner) else target
    if isinstance(model, GeNNModel):
        return model
    raise ArgumentError(
        f"a state is that of a Learner or of a GeNNModel of snnlearn.genn, not of {type(model).__name__}; on another "
        "engine learner.save(name) writes one, and for a module of PyTorch's torchopt.extract_state_dict takes one"
    )
