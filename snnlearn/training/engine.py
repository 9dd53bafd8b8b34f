"""What training asks of an engine: the part of PyGeNN's API that it uses, as protocols.

`snnlearn.genn` and `snnlearn.pygenn_engine` are such engines. References are each engine's own objects, which training
only hands on, and groups are taken by the engine that made them: both are `Any` here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from numpy.typing import ArrayLike, NDArray

from snnlearn.declare import CustomUpdateModel


class VariableApi(Protocol):
    """A variable, with a copy on the host and one on the device."""

    @property
    def view(self) -> NDArray[Any]:
        """The host's copy, to be written to."""

    @property
    def current_values(self) -> NDArray[Any]:
        """The host's values of the newest timestep, without gaps."""

    @property
    def values(self) -> NDArray[Any]:
        """A copy of the host's values, without gaps; can be assigned."""

    @values.setter
    def values(self, values: ArrayLike, /) -> None: ...

    def push_to_device(self) -> None:
        """Copy from the host."""

    def pull_from_device(self) -> None:
        """Copy to the host; waits for the device."""


class NeuronGroupApi(Protocol):
    """A neuron population."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def num_neurons(self) -> int:
        """How many neurons it has."""

    @property
    def spike_recording_data(self) -> Sequence[tuple[NDArray[Any], NDArray[Any]]]:
        """Times [ms] and ids of the spikes that were recorded, for each copy of a batch."""


class SynapseGroupApi(Protocol):
    """A synapse population."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def vars(self) -> Mapping[str, VariableApi]:
        """Its weight update's variables."""

    @property
    def wu_initialiser(self) -> Any:
        """Its weight update, whose ``snippet`` is the model."""


class CustomUpdateApi(Protocol):
    """A custom update."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def vars(self) -> Mapping[str, VariableApi]:
        """Its own variables."""

    def set_param_dynamic(self, param_name: str, /) -> None:
        """Let a parameter be changed once the model is loaded; before it is built."""

    def set_dynamic_param_value(self, name: str, value: float, /) -> None:
        """Change such a parameter."""


class SteppedModelApi(Protocol):
    """A loaded model, as far as trials go; where it has ``run(n)`` that is used instead of ``step_time``."""

    @property
    def timestep(self) -> int:
        """The number of the next timestep."""

    @timestep.setter
    def timestep(self, timestep: int, /) -> None: ...

    def step_time(self) -> None:
        """Run one timestep."""

    def custom_update(self, name: str, /) -> None:
        """Run a group of custom updates."""

    def pull_recording_buffers_from_device(self) -> None:
        """Copy what was recorded to the host."""


class ModelApi(SteppedModelApi, Protocol):
    """A model that is trained: described, built, loaded and run."""

    @property
    def precision(self) -> object:
        """The type ``scalar``: ``"float"`` or ``"double"``, unless there is a ``scalar_precision``, which is then."""

    @property
    def batch_size(self) -> int:
        """How many copies of the model run at once."""

    @batch_size.setter
    def batch_size(self, size: int, /) -> None: ...

    def add_custom_update(
        self,
        cu_name: str,
        group_name: str,
        custom_update_model: CustomUpdateModel,
        params: Mapping[str, float],
        vars: Mapping[str, Any],
        var_refs: Mapping[str, Any],
        /,
    ) -> CustomUpdateApi:
        """Add an operation on variables, to be run by ``custom_update(group_name)``."""

    def build(self) -> None:
        """Compile."""

    def load(self, *, num_recording_timesteps: int | None) -> None:
        """Put the model into memory."""

    def run(self, num_timesteps: int, /) -> None:
        """Run many timesteps."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that the future depends on."""

    def set_state(self, state: Mapping[str, NDArray[Any]], /) -> None:
        """Put back what `state` gave."""

    def check_whole(self) -> None:
        """Raise NetworkError where a timestep was given up in its midst."""

    def check_state(self, state: Mapping[str, NDArray[Any]], /) -> None:
        """Raise NetworkError for a state that cannot be put back."""

    @property
    def states_set(self) -> int:
        """How often a state has been put back."""

    def description(self) -> dict[str, Any]:
        """Return what the model declares, as dicts, lists, strings and numbers."""


class TapeApi(Protocol):
    """What a gradient remembers of the timesteps that it is to go back through."""

    def state(self) -> Any:
        """Return it: ``pending``, ``cut``, ``timesteps`` and ``arrays``; None where it is computed again."""

    def made_of(self, pending: int, cut: bool, timesteps: list[int], arrays: Mapping[str, NDArray[Any]], /) -> Any:
        """Return what `state` gave from its parts, checked."""

    def set_state(self, state: Any, /) -> None:
        """Put it back."""


class GradientApi(Protocol):
    """What finds gradients by a pass back through what was run; `snnlearn.grad.Program`."""

    @property
    def pending(self) -> int:
        """How many timesteps were run since the last pass."""

    def backward(self) -> None:
        """Go back through them, and add to the gradients."""

    def weigh_copies(self, weights: ArrayLike | None, /) -> None:
        """Count the loss of each copy of a batch this many times; None for once."""

    def set_aside(self) -> AbstractContextManager[None]:
        """Run something else, after which the model is as it was before."""

    def forget(self) -> None:
        """Take no more account of what was run."""

    @property
    def tape(self) -> TapeApi | None:
        """What is known of the timesteps since the last pass; None where gradients are summed up as the model runs."""


class EngineApi(Protocol):
    """The module of an engine."""

    def create_var_ref(self, group: Any, var_name: str, /) -> Any:
        """Refer to a variable of neurons or of a custom update over neurons."""

    def create_wu_var_ref(
        self, sg: Any, var_name: str, transpose_sg: Any = ..., transpose_var_name: str = ..., /
    ) -> Any:
        """Refer to a variable of synapses, and perhaps to one of a connection that is to follow, transposed."""
