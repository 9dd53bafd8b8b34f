"""What all groups share: a checked description, arrays by name, dynamic parameters, locations."""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar, Union
from weakref import ReferenceType, ref

from numpy.typing import ArrayLike, NDArray

from snnlearn import network as net
from snnlearn.attributes import CheckedAttributes, Named
from snnlearn.declare import Model
from snnlearn.dialect import check_model
from snnlearn.errors import LifecycleError, ModelWarning, NetworkError, did_you_mean
from snnlearn.genn import obsolete
from snnlearn.genn.arrays import Array, ExtraGlobalParameter, Variable, is_array
from snnlearn.genn.deprecated import deprecated
from snnlearn.genn.enums import VarLocation, VarLocationAttribute
from snnlearn.genn.numeric_value import NumericValue
from snnlearn.genn.protocols import ModelOfGroups
from snnlearn.network import Location, VarInit
from snnlearn.network.checked_values import replaced
from snnlearn.network.checks import changed, check_egps
from snnlearn.network.references import MemorySpace, Space, VariableSpace
from snnlearn.runtime import Recording, Simulation

AnySpec = Union[
    net.NeuronPopulation, net.SynapsePopulation, net.CurrentSource, net.CustomUpdate, net.CustomConnectivityUpdate
]
Spec = TypeVar("Spec", bound=AnySpec)

# Where groups and their descriptions keep the variables of a place.
VARIABLES_IN: dict[str, str] = {
    "own": "vars",
    "synapse": "vars",
    "pre": "pre_vars",
    "post": "post_vars",
    "psm": "psm_vars",
}
_ARRAYS_OF: dict[str, str] = {
    "egp": "extra_global_params",
    "psm_egp": "postsynaptic_extra_global_params",
    "connect_egp": "connectivity_extra_global_params",
}


class Group(
    CheckedAttributes, Generic[Spec], explained=obsolete.explain_all(obsolete.GROUP), refused=obsolete.SETTABLE
):
    """What all groups share.

    Attributes
    ----------
    name : str
    spec : a group of `snnlearn.network`
        The checked description; replaced as a whole by every change.
    vars : dict of str to Variable
    extra_global_params : dict of str to ExtraGlobalParameter
    """

    name: str
    spec: Spec
    vars: Named[Variable]
    extra_global_params: Named[ExtraGlobalParameter]

    def __init__(self, model: ModelOfGroups, spec: Spec, declared: Model) -> None:
        self._owner: ReferenceType[ModelOfGroups] = ref(model)
        self._declared = declared
        self._locations: dict[Location, VarLocation] = {}
        self._default_location = model.default_var_location
        self.spec = spec
        self.name = self._key = spec.name
        self.vars = self._variables((), "own")
        self.extra_global_params = self._egps(declared, "egp")

    @property
    def model(self) -> Model:
        """The declared model."""
        return self._declared

    @property
    def _model(self) -> ModelOfGroups:
        """The model that it is in; a group does not keep it alive."""
        model = self._owner()
        if model is None:
            raise LifecycleError(f"the model of '{self.name}' is gone: keep the GeNNModel for as long as its groups")
        return model

    # ---- life ----

    @property
    def _loaded(self) -> bool:
        return self._model._loaded

    def _recorded(self) -> Iterable[Location]:
        """Yield what is recorded of it."""
        return ()

    def _keep_recording(self, at: Location, recording: list[Recording]) -> None:
        """Keep what was pulled."""

    def _check_connections(self) -> None:
        """Raise LifecycleError where connections are missing."""

    def _simulation(self) -> Simulation:
        model = self._owner()  # this comes before each copy from or to the device: without a property or a call
        simulation = model._simulation if model is not None else None
        return simulation if simulation is not None else self._model._loaded_simulation()

    def _arrays(self) -> Iterable[Array]:
        """Yield all arrays that have a host copy while the model is loaded, if they live on the host at all."""
        yield from self.vars.values()
        yield from self.extra_global_params.values()

    def _init_arrays(self) -> Iterable[ExtraGlobalParameter]:
        """Yield the extra global parameters of snippets that make initial values."""
        for array in self._arrays():
            if isinstance(array, Variable):
                yield from array.extra_global_params.values()

    def _load(self) -> None:
        for array in (*self._arrays(), *self._init_arrays()):
            given = not isinstance(array, ExtraGlobalParameter) or self._has_values(array)
            on_host = self._location(array.location) & VarLocationAttribute.HOST
            if given and on_host and self._stored(array.location):
                array._load()

    def _unload(self) -> None:
        for array in (*self._arrays(), *self._init_arrays()):
            array._unload()

    def _stored(self, at: Location) -> bool:
        """Whether the simulation keeps such an array."""
        return True

    # ---- the description ----

    def _change(self, **changes: Any) -> None:
        """Replace parts of the description; checked as a whole at once."""
        spec = changed(self.spec, **changes)
        self._check_attached(spec)
        self.spec = spec

    def _check_attached(self, spec: Spec) -> None:
        """Raise NetworkError unless a description fits the groups that this one is attached to."""

    def _need_unbuilt(self, what: str) -> None:
        if self._model._built:
            raise LifecycleError(f"'{self.name}': {what} can only be changed before the model is built")

    def _initial(self, at: Location) -> Any:
        """Return what a variable starts with."""
        values: Mapping[str, Any] = getattr(self.spec, VARIABLES_IN[at.space])
        return values[at.name]

    def _set_initial(self, at: Location, value: Any) -> None:
        """Replace what a variable starts with."""
        if self._model._built and not (is_array(self._initial(at)) and is_array(value)):
            raise LifecycleError(
                f"{at}: the model is built; from now until load, only an array can take the place of another"
            )
        self._put_initial(at, value)

    def _set_initial_array(self, at: Location, name: str, values: ArrayLike) -> None:
        """Give an extra global parameter of the snippet that makes a variable's initial values."""
        init: VarInit = self._initial(at)
        arrays = check_egps(f"initialiser of {at}", init.snippet, {name: values}, self.spec.precision)
        self._put_initial(at, replace(init, extra_global_params={**init.extra_global_params, **arrays}))

    def _put_initial(self, at: Location, value: Any) -> None:
        attribute = VARIABLES_IN[at.space]
        self._change(**{attribute: replaced(getattr(self.spec, attribute), at.name, value)})

    def _egps(self, model: Model, space: MemorySpace) -> Named[ExtraGlobalParameter]:
        attribute = _ARRAYS_OF[space]

        def set_spec(name: str, values: ArrayLike) -> None:
            self._change(**{attribute: replaced(getattr(self.spec, attribute), name, values)})

        egps = {
            e.name: ExtraGlobalParameter(Location(self._key, space, e.name), self, e.type, set_spec)
            for e in model.extra_global_params
        }
        return Named(egps, "extra global parameter", f"'{self.name}'", "assign to its `view` or call set_init_values")

    def _variables(
        self, declared: Iterable[Any], space: VariableSpace, kind: type[Variable] = Variable
    ) -> Named[Variable]:
        variables = {v.name: kind(Location(self._key, space, v.name), self, v.type) for v in declared}
        return Named(variables, "variable", f"'{self.name}'", "assign to its `values` or call set_init_values")

    def _check_arrays(self, referred: Container[Location]) -> None:
        """Raise LifecycleError for an initialiser's array without values; warn of any other that code reads.

        Parameters
        ----------
        referred : container of Location
            The arrays that updates refer to.
        """
        for array in (*self._arrays(), *self._init_arrays()):
            if (
                isinstance(array, ExtraGlobalParameter)
                and self._is_read(array, referred)
                and not self._has_values(array)
            ):
                *of, name = array.name.split(".")
                whose = f" of what initialises '{of[1]}'" if of else ""
                text = f"'{self.name}' has no values for the extra global parameter '{name}'{whose}"
                if array.location.space in ("init_egp", "connect_egp"):
                    raise LifecycleError(f"{text}; call set_init_values(...) of it before load()")
                warnings.warn(
                    f"{text}: it is empty, and code that reads it reads beyond its end; call set_init_values(...) of "
                    "it before load()",
                    ModelWarning,
                    stacklevel=3,
                )

    def _is_read(self, array: ExtraGlobalParameter, referred: Container[Location]) -> bool:
        """Whether any code mentions an array: of the model that declares it, or of an update that refers to it."""
        at = array.location
        model = self._model_of(at)
        return check_model(model).uses(at.name.split(".")[-1]) or at in referred

    def _model_of(self, at: Location) -> Model:
        """Return the model or snippet that declares an extra global parameter."""
        if at.space != "init_egp":
            return self._declared
        init: VarInit = self._initial(_variable_of(at))
        return init.snippet

    def _has_values(self, array: ExtraGlobalParameter) -> bool:
        """Whether an array has been given values, or something will make them."""
        return self._given(array.location) is not None

    def _given(self, at: Location) -> NDArray[Any] | None:
        """Return the values that an extra global parameter has been given."""
        arrays: Mapping[str, NDArray[Any]]
        if at.space != "init_egp":
            arrays = getattr(self.spec, _ARRAYS_OF[at.space])
            return arrays.get(at.name)
        arrays = self._initial(_variable_of(at)).extra_global_params
        return arrays.get(at.name.split(".")[-1])

    # ---- dynamic parameters ----

    def _set_dynamic(self, space: Space, dynamic: frozenset[str], model: Model, name: str, value: float) -> None:
        known = {p.name: p for p in model.params}
        if name not in dynamic:
            hint = did_you_mean(name, known) if name not in known else "; call set_param_dynamic before build"
            raise NetworkError(f"'{self.name}' has no dynamic parameter '{name}'{hint}")
        number = net.check_param(known[name], value, f"'{self.name}'", self.spec.precision)
        at = Location(self._key, space, name)
        self._model._note_param(at, number)
        self._simulation().set_dynamic_param(at, number)

    def _switch_dynamic(self, attribute: str, name: str, on: bool) -> None:
        self._need_unbuilt("which parameters are dynamic")
        names: frozenset[str] = getattr(self.spec, attribute)
        self._change(**{attribute: names | {name} if on else names - {name}})

    # ---- locations ----

    def _location(self, at: Location) -> VarLocation:
        return self._locations.get(at, VarLocation.HOST_DEVICE if at.space.endswith("egp") else self._default_location)

    def _set_location(self, at: Location, location: VarLocation) -> None:
        self._need_unbuilt("the location of variables")
        try:
            self._locations[at] = VarLocation(location)
        except ValueError:
            raise NetworkError(f"{at}: {location!r} is no VarLocation") from None

    def _place(self, space: VariableSpace, name: str) -> Location:
        known: Mapping[str, Variable] = getattr(self, VARIABLES_IN[space])
        if name not in known:
            raise NetworkError(f"'{self.name}' has no variable '{name}'{did_you_mean(name, known)}")
        return Location(self._key, space, name)

    # ---- obsolete ----

    @deprecated("vars[name].pull_from_device()")
    def pull_var_from_device(self, var_name: str) -> None:
        """Copy a variable from device to host."""
        self.vars[var_name].pull_from_device()

    @deprecated("vars[name].push_to_device()")
    def push_var_to_device(self, var_name: str) -> None:
        """Copy a variable from host to device."""
        self.vars[var_name].push_to_device()

    @deprecated("extra_global_params[name].pull_from_device()")
    def pull_extra_global_param_from_device(self, egp_name: str) -> None:
        """Copy an extra global parameter from device to host."""
        self.extra_global_params[egp_name].pull_from_device()

    @deprecated("extra_global_params[name].push_to_device()")
    def push_extra_global_param_to_device(self, egp_name: str) -> None:
        """Copy an extra global parameter from host to device."""
        self.extra_global_params[egp_name].push_to_device()


OneModelSpec = TypeVar(
    "OneModelSpec", net.NeuronPopulation, net.CurrentSource, net.CustomUpdate, net.CustomConnectivityUpdate
)


class GroupOfOneModel(Group[OneModelSpec]):
    """A group of one model, whose parameters may be dynamic and whose variables have locations."""

    _space: VariableSpace = "own"

    @property
    def params(self) -> Mapping[str, float]:
        """The parameters' values, by name."""
        values = {name: NumericValue(value) for name, value in self.spec.params.items()}
        return Named(values, "parameter", f"'{self.name}'", "make it dynamic and call set_dynamic_param_value")

    def set_param_dynamic(self, param_name: str, dynamic: bool = True) -> None:
        """Let a parameter be changed while the simulation runs; before ``build``."""
        self._switch_dynamic("dynamic_params", param_name, dynamic)

    def set_dynamic_param_value(self, name: str, value: float) -> None:
        """Change a dynamic parameter, from the next timestep or update on. Derived parameters do not follow.

        Raises
        ------
        NetworkError
            If there is no such dynamic parameter, or the value is no number that it can have.
        LifecycleError
            Before ``load``.
        """
        self._set_dynamic("param", self.spec.dynamic_params, self._declared, name, value)

    def get_var_location(self, var_name: str) -> VarLocation:
        """Return where a variable lives."""
        return self._location(self._place(self._space, var_name))

    def set_var_location(self, var_name: str, location: VarLocation) -> None:
        """Say where a variable lives; before ``build``."""
        self._set_location(self._place(self._space, var_name), location)


def _variable_of(at: Location) -> Location:
    """Return the variable that an extra global parameter helps to initialise."""
    space, variable, _ = at.name.split(".")
    return Location(at.group, _SPACES[space], variable)


_SPACES: dict[str, VariableSpace] = {"own": "own", "synapse": "synapse", "pre": "pre", "post": "post", "psm": "psm"}
