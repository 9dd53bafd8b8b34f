"""What groups need of the model that they are in, and arrays of the group that they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn import network as net
from snnlearn.genn.enums import VarLocation
from snnlearn.network import Location
from snnlearn.runtime import Simulation


class ModelOfGroups(Protocol):
    """A model, as its groups see it."""

    @property
    def default_var_location(self) -> VarLocation:
        """Where variables live."""

    @property
    def default_sparse_connectivity_location(self) -> VarLocation:
        """Where it lives which neurons are connected."""

    @property
    def default_narrow_sparse_ind_enabled(self) -> bool:
        """Whether indices of postsynaptic neurons are narrow."""

    @property
    def _built(self) -> bool: ...

    @property
    def _loaded(self) -> bool: ...

    @property
    def _simulation(self) -> Simulation | None: ...

    def _loaded_simulation(self) -> Simulation:
        """Return the simulation; raise LifecycleError where there is none."""

    def _changes_connectivity_of(self, connection: object) -> bool:
        """Whether a custom connectivity update is over a connection."""

    def _note_no_effect(self, what: str) -> None: ...

    def _note_param(self, at: Location, value: float) -> None: ...


class GroupOfArrays(Protocol):
    """A group, as its arrays see it."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def _key(self) -> str:
        """What the network calls it."""

    @property
    def _loaded(self) -> bool: ...

    def _simulation(self) -> Simulation:
        """Return the simulation; raise LifecycleError where there is none."""

    def _stored(self, at: Location) -> bool:
        """Whether the simulation keeps such an array."""

    def _given(self, at: Location) -> NDArray[Any] | None:
        """Return the values that an extra global parameter has been given."""

    def _initial(self, at: Location) -> Any:
        """Return what a variable starts with."""

    def _set_initial(self, at: Location, value: Any) -> None: ...

    def _set_initial_array(self, at: Location, name: str, values: ArrayLike) -> None:
        """Give an extra global parameter of the snippet that makes a variable's initial values."""


class GroupOfParts(GroupOfArrays, Protocol):
    """Neurons that have parts of arrays, as these arrays see them."""

    def _note_pushed(self, at: Location, values: NDArray[Any]) -> None: ...


class Connection(Protocol):
    """A connection, as variables of its synapses see it."""

    @property
    def spec(self) -> net.SynapsePopulation:
        """The checked description."""

    def _occupied(self) -> NDArray[np.bool_]:
        """Return which elements of each row are synapses."""


class GroupOfSynapses(GroupOfArrays, Protocol):
    """A group with variables of synapses, as these see it."""

    @property
    def synapse_group(self) -> Connection:
        """The connection whose synapses they are."""


class GradientProgram(Protocol):
    """What differentiates a model, as the model and its variables see it."""

    def requires_grad(self, what: Any) -> bool:
        """Whether it differentiates with respect to a variable."""

    def grad(self, what: Any) -> NDArray[Any] | None:
        """Return the gradient with respect to a variable."""

    def retain_grad(self, variable: Any) -> None:
        """Keep the adjoint of a variable of neurons in each timestep."""

    def register_hook(self, what: Any, hook: Callable[[NDArray[Any]], Any]) -> Callable[[], None]:
        """Have a function called with each gradient."""

    def _prepare(self) -> None: ...

    def _begin(self) -> None: ...

    def _end(self) -> None: ...

    @property
    def pending(self) -> int:
        """How many timesteps await a pass back."""

    def backward(self) -> None:
        """Go back through them, and add to the gradients."""

    def detach(self) -> None:
        """Take what has run for given."""

    def _stand(self) -> Any: ...

    def _put_back(self, stand: Any) -> None: ...

    def _needed(self) -> dict[tuple[str, int], int]: ...

    def _note_update(self, group: str) -> None: ...

    def _note_state(self) -> None: ...

    def _note_push(self, variable: Any) -> None: ...

    def _note_param(self, at: Location) -> None: ...
