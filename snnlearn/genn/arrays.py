"""Variables and other arrays as a user sees them: a host copy, and the way to and from the device."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.attributes import CheckedAttributes, Named
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.genn import obsolete
from snnlearn.genn.deprecated import deprecated
from snnlearn.genn.differentiable import Differentiable
from snnlearn.genn.protocols import Connection, GradientProgram, GroupOfArrays, GroupOfSynapses
from snnlearn.network import Location, VarInit
from snnlearn.network.values import as_numbers
from snnlearn.runtime import Simulation

_BOOLEAN = frozenset(["bool", "bool*", "bool *"])


_ABSENT = {"value": "did you mean 'values' or 'view'?"} | obsolete.explain_all(obsolete.ARRAY)
_UNRECORDED = dict.fromkeys(
    ["recording_enabled", "spike_recording_enabled"],
    "variables of neurons are recorded by `model.record(population, name, timesteps)`, spikes where the population has "
    "`spike_recording_enabled`",
)


def _nowhere() -> None:
    """Return the simulation of an array that is in none."""


class Array(CheckedAttributes, explained=_ABSENT | _UNRECORDED, refused=_UNRECORDED):
    """What all arrays share.

    A value changes sides only by `push_to_device` and `pull_from_device`.

    Attributes
    ----------
    location : Location
    type : str
        The elements' type, as the model declares it.
    """

    location: Location
    type: str
    group: GroupOfArrays
    _array: NDArray[Any] | None  # flat, as on the device
    _view: NDArray[Any] | None  # the same memory in the user's shape
    _name: str  # what the simulation knows it by
    _device: Callable[[], Simulation | None]
    _program: GradientProgram | None  # which is told before the device's memory is written

    def __init__(self, location: Location, group: GroupOfArrays, type_name: str) -> None:
        # All at once, past the check of names: a network has many arrays.
        vars(self).update(
            location=location, type=type_name, group=group, _array=None, _view=None, _name="", _device=_nowhere,
            _program=None,
        )  # fmt: skip

    @property
    def view(self) -> NDArray[Any]:
        """The host copy itself. Changes reach the device with `push_to_device`.

        It can be assigned to as a whole, as `ValueArray.values` can; what is written *into* it NumPy makes fit.

        Raises
        ------
        LifecycleError
            Before ``load`` and after ``unload``, and for what lives on the device alone.
        """
        return self._loaded()

    @view.setter
    def view(self, values: ArrayLike) -> None:
        # For `variable.view[:] += x`, which assigns the view to itself.
        if values is not self._view:
            self._assign(values)

    @property
    def device_array(self) -> Any:
        """The device's array itself, without a copy, in the host copy's shape: NumPy's on the CPU, CuPy's on a GPU.

        Changes to it take effect at once. Work that the engine puts off is done when this attribute is read, and not
        when an array that it gave before is looked at: after running, read the attribute again. Nothing keeps a thread
        that works on it apart from one that runs the model. Nothing notices a change through it either: a gradient's
        tape and checkpoints take it for none, so write between ``backward`` and ``run``. It is valid until ``unload``.
        ``np.from_dlpack``, ``torch.from_dlpack`` and their like take it as it is. The values of SPARSE connectivity are
        stored with gaps: ``max_connections`` for each presynaptic neuron.

        Raises
        ------
        LifecycleError
            Before ``load`` and after ``unload``, and for what is never stored.
        """
        simulation = self._simulation()
        if not (self.group._stored(self.location) and simulation.has(self.location)):
            raise LifecycleError(self._why_absent())
        flat = simulation.device_array(self.location)
        return flat.reshape(self._shape(simulation, flat.size))

    def set_array(self, array: Any, view_shape: tuple[int, ...] | None = None, delay_group: object = None) -> None:
        """Use memory of the caller's as the host copy, from now until ``unload``; nothing is copied.

        Parameters
        ----------
        array : ndarray or object with ``host_view``, a buffer
            Contiguous, writable, of the host copy's type and size.
        view_shape : tuple of int, optional
            PyGeNN's; if given, the host copy's shape.
        delay_group : optional
            PyGeNN's, and without effect: a variable knows its delays.

        Raises
        ------
        NetworkError
            For other memory.
        LifecycleError
            Before ``load`` and after ``unload``, and for what lives on the device alone.
        """
        here = self._loaded()
        buffer = getattr(array, "host_view", None)
        memory = np.asarray(array) if buffer is None else np.frombuffer(buffer, here.dtype)
        if memory.dtype != here.dtype or memory.size != here.size or tuple(view_shape or here.shape) != here.shape:
            raise NetworkError(
                f"{self.location}: the host copy is {here.dtype} of shape {here.shape}, not {memory.dtype} of shape "
                f"{view_shape or memory.shape}"
            )
        if not (memory.flags.c_contiguous and memory.flags.writeable):
            raise NetworkError(f"{self.location}: the host copy must be contiguous and writable")
        self._array = memory.reshape(-1)
        self._view = self._array.reshape(here.shape)
        simulation = self._simulation()
        self._share(simulation, simulation.host_locations)

    def push_to_device(self) -> None:
        """Copy from host to device.

        Raises
        ------
        NetworkError
            For the one thing that a view can have been given and its type does not hold: a ``bool`` of other bits.
        """
        simulation, here = self._device(), self._array
        if simulation is None or here is None:
            here, simulation = self._loaded(), self._simulation()  # one of which raises
        if self.type in _BOOLEAN:
            self._check_bits(self._loaded())
        if self._program is not None:
            self._program._note_push(self)
        simulation.push(self._name, here)

    def pull_from_device(self) -> None:
        """Copy from device to host."""
        simulation, here = self._device(), self._array
        if simulation is None or here is None:
            here, simulation = self._loaded(), self._simulation()  # one of which raises
        simulation.pull(self._name, here)

    def _simulation(self) -> Simulation:
        return self.group._simulation()

    def _loaded(self) -> NDArray[Any]:
        if self._view is None:
            if not self.group._loaded:
                raise LifecycleError(f"{self.location} has no values until the model is loaded")
            raise LifecycleError(self._why_absent())
        return self._view

    def _why_absent(self) -> str:
        return f"{self.location} lives on the device alone; give it the location HOST_DEVICE before build"

    def _check_bits(self, here: NDArray[Any]) -> None:
        bits = here.view(np.uint8)
        if bits.max(initial=0) > 1:
            self._fitting(bits)

    def _fitting(self, values: ArrayLike) -> NDArray[Any]:
        """Return what is assigned as an array of the host copy's type, of any shape."""
        return as_numbers(values, self._loaded().dtype, self.type.rstrip("* "), self.location)

    def _assign(self, values: ArrayLike) -> None:
        here = self._loaded()
        ready = type(values) is np.ndarray and values.dtype is here.dtype
        array: NDArray[Any] = values if ready else self._fitting(values)  # type: ignore[assignment]
        if array.shape not in ((), here.shape):
            try:
                array = np.broadcast_to(array, here.shape)
            except ValueError:
                raise NetworkError(
                    f"{self.location} has shape {here.shape}; got values of shape {array.shape}"
                ) from None
        here[...] = array

    def _shape(self, simulation: Simulation, size: int) -> tuple[int, ...]:
        """Return the shape of the host copy, which has as many elements."""
        return (size,)

    def _load(self) -> None:
        simulation = self._simulation()
        self._name, self._device = simulation.name_of(self.location), ref(simulation)
        self._array = simulation.copy(self.location)
        self._view = self._array.reshape(self._shape(simulation, self._array.size))

    def _share(self, simulation: Simulation, wanted: Container[Location]) -> None:
        """Let host code of connectivity updates work on the host copy, where that is wanted."""
        if self._array is not None and self.location in wanted:
            simulation.set_host_array(self.location, self._array)

    def _unload(self) -> None:
        self._view, self._array, self._device = None, None, _nowhere


class StateArray(Array):
    """What the simulation keeps beside the models' variables: summed input, times of spikes."""

    def __init__(self, location: Location, group: GroupOfArrays, type_name: str, always_batch: bool = False) -> None:
        super().__init__(location, group, type_name)
        self._always_batch = always_batch

    def _load(self) -> None:
        if self.location in self._simulation().network.variables:  # else nothing asks for it
            super()._load()

    def _shape(self, simulation: Simulation, size: int) -> tuple[int, ...]:
        shape = shape_of(simulation, self.location)
        return (1, *shape) if self._always_batch and simulation.network.batch_size == 1 else shape


class ValueArray(Array):
    """An array whose values can be read and assigned as a whole."""

    @property
    def name(self) -> str:
        """Its name in the model."""
        return self.location.name

    @property
    def values(self) -> NDArray[Any]:
        """A copy of the host copy; assigning replaces what the host copy holds.

        Raises
        ------
        NetworkError
            For another shape, or values that the type cannot hold.
        """
        copy: NDArray[Any] = self.view.copy()
        return copy

    @values.setter
    def values(self, values: ArrayLike) -> None:
        self._assign(values)


class ExtraGlobalParameter(ValueArray):
    """An array of any length, shared by a population."""

    def __init__(
        self, location: Location, group: GroupOfArrays, type_name: str, set_spec: Callable[[str, ArrayLike], None]
    ) -> None:
        super().__init__(location, group, type_name)
        self._set_spec = set_spec

    def set_init_values(self, init_values: ArrayLike) -> None:
        """Give the array that the simulation starts with.

        Parameters
        ----------
        init_values : array_like, one dimension

        Raises
        ------
        NetworkError
            For another shape, or values that the type cannot hold.
        LifecycleError
            Once the model is loaded.
        """
        if self._view is not None:
            raise LifecycleError(f"{self.location}: the model is loaded; change `view` and push it to the device")
        self._set_spec(self.name, init_values)

    def _why_absent(self) -> str:
        return f"{self.location} was given no values before load"

    @property
    def init_values(self) -> NDArray[Any] | None:
        """The array that the simulation starts with, if it was given; set it with `set_init_values`."""
        return self.group._given(self.location)

    @deprecated("set_init_values")
    def set_values(self, values: ArrayLike) -> None:
        """Do what `set_init_values` does."""
        self.set_init_values(values)


class Variable(Differentiable, ValueArray):
    """A variable: one value for each neuron, for each copy of a batch, for each timestep that is kept.

    Attributes
    ----------
    extra_global_params : dict of str to ExtraGlobalParameter
        Those of the snippet that makes its initial values.
    """

    extra_global_params: Mapping[str, ExtraGlobalParameter]

    def __init__(self, location: Location, group: GroupOfArrays, type_name: str) -> None:
        super().__init__(location, group, type_name)
        self._list_arrays()

    def _list_arrays(self) -> None:
        init = self.group._initial(self.location)
        egps = init.snippet.extra_global_params if isinstance(init, VarInit) else ()
        arrays = {
            e.name: ExtraGlobalParameter(
                Location(self.location.group, "init_egp", f"{self.location.space}.{self.name}.{e.name}"),
                self.group,
                e.type,
                self._set_array(e.name),
            )
            for e in egps
        }
        owner = f"what initialises {self.location}"
        self.extra_global_params = Named(arrays, "extra global parameter", owner, "call its set_init_values")

    def _set_array(self, name: str) -> Callable[[str, ArrayLike], None]:
        return lambda _, values: self.group._set_initial_array(self.location, name, values)

    @property
    def init_values(self) -> NDArray[Any] | None:
        """The array of values that the simulation starts with, if one was given; set it with `set_init_values`."""
        initial = self.group._initial(self.location)
        return np.asarray(initial) if self.init_required else None

    @property
    def init_required(self) -> bool:
        """Whether the values that the simulation starts with were given as an array."""
        return is_array(self.group._initial(self.location))

    @property
    def current_view(self) -> NDArray[Any]:
        """The part of `view` that the last timestep wrote."""
        simulation = self._simulation()
        variable = simulation.network.variables[self.location]
        if variable.queue is None:
            return self.view
        slot: int = simulation.newest_slot(variable.queue)
        return self.view[..., slot, :]

    @property
    def current_values(self) -> NDArray[Any]:
        """A copy of `current_view`."""
        copy: NDArray[Any] = self.current_view.copy()
        return copy

    def set_init_values(self, init_values: Any) -> None:
        """Give the values that the simulation starts with: a number, an array or ``init_var(...)``.

        Raises
        ------
        NetworkError
            For another shape, or values that the type cannot hold.
        LifecycleError
            Once the model is loaded; once it is built, unless one array takes the place of another.
        """
        if self._view is not None:
            raise LifecycleError(f"{self.location}: the model is loaded; change `view` and push it to the device")
        self.group._set_initial(self.location, init_values)
        self._list_arrays()

    @deprecated("set_init_values")
    def set_values(self, values: Any) -> None:
        """Do what `set_init_values` does."""
        self.set_init_values(values)

    def _shape(self, simulation: Simulation, size: int) -> tuple[int, ...]:
        return shape_of(simulation, self.location)


class SynapseVariable(Variable):
    """A variable of synapses: row-major, one value for each synapse or kernel element, for each copy of a batch."""

    group: GroupOfSynapses

    @property
    def view(self) -> NDArray[Any]:
        """The host copy itself.

        Raises
        ------
        LifecycleError
            Before ``load`` and after ``unload``.
        NetworkError
            For sparse connectivity, where synapses are not stored one after the other: see `values`.
        """
        if self._padded:
            raise NetworkError(
                f"{self.location}: the values of SPARSE connectivity are stored with gaps; use `values` instead of view"
            )
        return self._loaded()

    @view.setter
    def view(self, values: ArrayLike) -> None:
        if values is not self._view:
            self._assign(values)

    @property
    def values(self) -> NDArray[Any]:
        """A copy of the host copy, without gaps: by presynaptic neuron; assigning replaces what the host copy holds."""
        here = self._loaded()
        copy: NDArray[Any] = here[..., self._synapses()] if self._padded else here.copy()
        return copy

    @values.setter
    def values(self, values: ArrayLike) -> None:
        if not self._padded:
            self._assign(values)
            return
        here, mask, array = self._loaded(), self._synapses(), self._fitting(values)
        number = int(mask.sum())
        if array.shape not in ((), (number,), (*here.shape[:-1], number)):
            raise NetworkError(f"{self.location} has {number} synapses; got values of shape {array.shape}")
        here[..., mask] = array

    @property
    def current_view(self) -> NDArray[Any]:
        """The same as `view`: the past of synapses is not kept."""
        return self.view

    @property
    def current_values(self) -> NDArray[Any]:
        """The same as `values`: the past of synapses is not kept."""
        return self.values

    @property
    def _padded(self) -> bool:
        return bool(self._connection.spec.connectivity.structure == "SPARSE")

    @property
    def _connection(self) -> Connection:
        return self.group.synapse_group

    def _synapses(self) -> NDArray[np.bool_]:
        """Return which elements belong to a synapse; the others are the gaps at the ends of rows."""
        if self._loaded().shape[-1] == 1:
            return np.ones(1, dtype=np.bool_)
        return self._connection._occupied().ravel()

    def _why_absent(self) -> str:
        if self._connection.spec.connectivity.weights == "PROCEDURAL":
            return f"{self.location} is made anew with each spike and never stored"
        return super()._why_absent()


def is_array(value: Any) -> bool:
    """Whether what a variable starts with is an array, rather than a number, an initialiser or nothing."""
    return not isinstance(value, VarInit) and value is not None and np.ndim(value) > 0


def shape_of(simulation: Simulation, at: Location) -> tuple[int, ...]:
    """Return a variable's shape: copies of the batch, where it has them; timesteps kept, where it is; values."""
    network = simulation.network
    variable = network.variables[at]
    copies = (network.batch_size,) if variable.batched and network.batch_size > 1 else ()
    kept = (variable.slots,) if variable.slots > 1 else ()
    return (*copies, *kept, variable.size)
