"""The real GeNN, through PyGeNN, under the names of `snnlearn.genn`: declared models become PyGeNN's, once each.

Import this module only where ``import pygenn`` works. Everything is PyGeNN's own but for five things: models may be
given as snnlearn declarations, or by names of our library that GeNN has no model of; the preferences of the embedded
engine are accepted and have no effect; ``GeNNModel.run(n)`` steps n times; back ends may be called ``"cpu"``,
``"cuda"`` and ``"hip"``; and without a path, ``build`` works in a temporary folder.
"""

from __future__ import annotations

import shutil
import tempfile
import types
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
import pygenn

from snnlearn import models
from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    Model,
    NeuronModel,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.errors import BackendError, NetworkError
from snnlearn.genn.preferences import our_names
from snnlearn.network.values import check_param, check_together
from snnlearn.pygenn_description import description, given_to, noted
from snnlearn.pygenn_models import by_name

_OUR_PREFERENCES = our_names()
_NO_HISTORY = (
    "GeNN neither records variables nor plays them: take the back end 'cpu' or 'cuda' of the embedded engine, or have "
    "code write to an extra global parameter, log[step * num_neurons + id]"
)
_SHORT_NAMES = {"cpu": "single_threaded_cpu"}
_KINDS = (
    "neuron_populations",
    "synapse_populations",
    "current_sources",
    "custom_updates",
    "custom_connectivity_updates",
)
# By name, so that a type checker finds what `snnlearn.training.engine.EngineApi` asks for.
create_var_ref, create_wu_var_ref = pygenn.create_var_ref, pygenn.create_wu_var_ref


def __getattr__(name: str) -> Any:
    # What is not below is PyGeNN's as it stands: references, enumerations, `create_*`.
    return getattr(pygenn, name)


class GeNNModel(pygenn.GeNNModel):  # type: ignore[misc]
    """PyGeNN's model; see there, and `snnlearn.genn.GeNNModel` for the parameters.

    Attributes
    ----------
    initialisers : dict of str to (dict, dict, dict)
        By synapse population what its weight update, postsynaptic model and connectivity were made from.

    Raises
    ------
    BackendError
        For a back end that GeNN was not built with.
    """

    default_backend: str | None = None

    def __init__(
        self,
        precision: str = "float",
        model_name: str = "GeNNModel",
        backend: str | None = None,
        time_precision: str | None = None,
        **preferences: Any,
    ) -> None:
        theirs = {name: value for name, value in preferences.items() if name not in _OUR_PREFERENCES}
        name = genn_name(backend or self.default_backend)
        super().__init__(precision, model_name, backend=name, time_precision=time_precision, **theirs)
        self.initialisers: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {}
        self._states_set = 0

    @property
    def scalar_precision(self) -> str:
        """What `snnlearn.genn.GeNNModel` calls ``precision``: ``"float"`` or ``"double"``."""
        return "double" if self.precision == pygenn.types.Double else "float"

    @property
    def scalar_time_precision(self) -> str:
        """The precision of times: ``"float"`` or ``"double"``."""
        return "double" if self.time_precision == pygenn.types.Double else "float"

    def add_neuron_population(
        self, pop_name: str, num_neurons: int, neuron: Any, params: Any = None, vars: Any = None
    ) -> Any:
        """Add neurons; the model may be a declaration."""
        _check_params(f"neuron population '{pop_name}'", NeuronModel, neuron, params)
        neuron = by_name(NeuronModel, pygenn.neuron_models, neuron)
        return super().add_neuron_population(pop_name, num_neurons, neuron, _plain(params), _plain(vars))

    def add_synapse_population(
        self,
        pop_name: str,
        matrix_type: Any,
        source: Any,
        target: Any,
        weight_update_init: Any,
        postsynaptic_init: Any,
        connectivity_init: Any = None,
    ) -> Any:
        """Add a connection."""
        inits = weight_update_init, postsynaptic_init, connectivity_init
        added = super().add_synapse_population(pop_name, matrix_type, source, target, *inits)
        self.initialisers[pop_name] = given_to(inits[0]), given_to(inits[1]), given_to(inits[2])
        return added

    def description(self) -> dict[str, Any]:
        """Return what the model declares, as dicts, lists, strings and numbers."""
        return description(self)

    def add_current_source(
        self,
        cs_name: str,
        current_source_model: Any,
        pop: Any,
        params: Any = None,
        vars: Any = None,
        var_refs: Any = None,
    ) -> Any:
        """Add a current source; the model may be a declaration."""
        _check_params(f"current source '{cs_name}'", CurrentSourceModel, current_source_model, params)
        model = by_name(CurrentSourceModel, pygenn.current_source_models, current_source_model)
        return super().add_current_source(cs_name, model, pop, _plain(params), _plain(vars), _plain(var_refs))

    def add_custom_update(
        self,
        cu_name: str,
        group_name: str,
        custom_update_model: Any,
        params: Any = None,
        vars: Any = None,
        var_refs: Any = None,
        egp_refs: Any = None,
    ) -> Any:
        """Add a custom update; the model may be a declaration."""
        _check_params(f"custom update '{cu_name}'", CustomUpdateModel, custom_update_model, params)
        model = by_name(CustomUpdateModel, pygenn.custom_update_models, custom_update_model)
        rest = [_plain(given) for given in (params, vars, var_refs, egp_refs)]
        return super().add_custom_update(cu_name, group_name, model, *rest)

    def add_custom_connectivity_update(
        self, cu_name: str, group_name: str, syn_group: Any, custom_conn_update_model: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Add a custom connectivity update; the model may be a declaration."""
        built_in = pygenn.custom_connectivity_update_models
        model = by_name(CustomConnectivityUpdateModel, built_in, custom_conn_update_model)
        rest = [_plain(given) for given in args]
        named = {name: _plain(given) for name, given in kwargs.items()}
        return super().add_custom_connectivity_update(cu_name, group_name, syn_group, model, *rest, **named)

    def build(self, path_to_model: str | None = None, *args: Any, **kwargs: Any) -> None:
        """Build; by default in a folder of its own, which goes when the model goes."""
        if path_to_model is None:
            path_to_model = tempfile.mkdtemp(prefix="snnlearn-genn-")
            weakref.finalize(self, shutil.rmtree, path_to_model, ignore_errors=True)
        super().build(path_to_model, *args, **kwargs)

    def run(self, num_timesteps: int) -> None:
        """Run many timesteps."""
        if num_timesteps < 0:
            raise NetworkError(f"cannot run {num_timesteps} timesteps")
        for _ in range(num_timesteps):
            self.step_time()

    def record(self, *_: Any, **__: Any) -> NoReturn:
        """Raise BackendError: GeNN records spikes and events alone."""
        raise BackendError(_NO_HISTORY)

    play = keep_checkpoints = record

    def state(self) -> dict[str, Any]:
        """Return copies of all variables and summed inputs on the device; spikes in flight are not among them."""
        found = {}
        for name, array in self._state_arrays():
            array.pull_from_device()
            found[name] = array._view.copy()
        return found

    def check_whole(self) -> None:
        """Nothing is ever given up in the midst of a timestep."""

    def check_state(self, state: Mapping[str, Any]) -> None:
        """Look for nothing more: these are the arrays whose shapes the host knows."""

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self._states_set += 1
        for name, array in self._state_arrays():
            array._view[...] = state[name]
            array.push_to_device()

    @property
    def states_set(self) -> int:
        """How often a state has been put back."""
        return self._states_set

    def _state_arrays(self) -> Iterator[tuple[str, Any]]:
        """Yield all arrays that the host can see, those of sparse connectivity with their gaps."""
        seen: set[str] = set()
        for kind in _KINDS:
            for group in getattr(self, kind).values():
                # Names are unique among the groups of one kind.
                key = f"{group.name}_{kind}" if group.name in seen else group.name
                seen.add(key)
                for space in ("vars", "pre_vars", "post_vars", "psm_vars"):
                    for name, array in getattr(group, space, {}).items():
                        if array._view is not None:
                            yield f"{key}.{space}.{name}", array
                if getattr(group, "out_post", None) is not None:
                    yield f"{key}.out_post", group.out_post


def genn_name(backend: str | None) -> str | None:
    """Return GeNN's name of one of its back ends.

    Raises
    ------
    BackendError
        If GeNN was built without it; says what with.
    """
    name = _SHORT_NAMES.get(backend, backend) if backend is not None else None
    built = list(pygenn.genn_model.backend_modules)
    if name is not None and name not in built:
        raise BackendError(f"this GeNN was built without the back end '{backend}'; it has {', '.join(built)}")
    return name


def with_backend(backend: str) -> types.ModuleType:
    """Return a module like this whose models run on a certain back end of GeNN's.

    Raises
    ------
    BackendError
        If GeNN was built without it.
    """
    name = genn_name(backend)
    module = types.ModuleType(f"{__name__}:{backend}", __doc__)
    module.__dict__.update({key: value for key, value in globals().items() if not key.startswith("__")})
    module.__dict__["__getattr__"] = __getattr__
    module.__dict__["GeNNModel"] = type(
        "GeNNModel", (GeNNModel,), {"default_backend": name, "__doc__": GeNNModel.__doc__}
    )
    return module


def init_var(snippet: Any, params: Any = None) -> Any:
    """Return PyGeNN's ``init_var``; the snippet may be a declaration."""
    _check_params("initialiser", VarInitSnippet, snippet, params)
    return pygenn.init_var(by_name(VarInitSnippet, pygenn.init_var_snippets, snippet), _plain(params))


def init_sparse_connectivity(snippet: Any, params: Any = None) -> Any:
    """Return PyGeNN's ``init_sparse_connectivity``; the snippet may be a declaration."""
    _check_params("connectivity", SparseConnectInitSnippet, snippet, params)
    built_in = pygenn.init_sparse_connectivity_snippets
    made = pygenn.init_sparse_connectivity(by_name(SparseConnectInitSnippet, built_in, snippet), _plain(params))
    return noted(made, _plain(params), _name_of(snippet))


def init_toeplitz_connectivity(init_toeplitz_connect_snippet: Any, params: Any = None) -> Any:
    """Return PyGeNN's ``init_toeplitz_connectivity``; the snippet may be a declaration."""
    built_in = pygenn.init_toeplitz_connectivity_snippets
    snippet = by_name(ToeplitzConnectInitSnippet, built_in, init_toeplitz_connect_snippet)
    made = pygenn.init_toeplitz_connectivity(snippet, _plain(params))
    return noted(made, _plain(params), _name_of(init_toeplitz_connect_snippet))


def init_weight_update(snippet: Any, *args: Any, **kwargs: Any) -> Any:
    """Return PyGeNN's ``init_weight_update``; the model may be a declaration."""
    _check_params("weight update", WeightUpdateModel, snippet, args[0] if args else kwargs.get("params"))
    model = by_name(WeightUpdateModel, pygenn.weight_update_models, snippet)
    rest, named = [_plain(given) for given in args], {name: _plain(given) for name, given in kwargs.items()}
    return noted(pygenn.init_weight_update(model, *rest, **named), rest[0] if rest else named.get("params", {}))


def init_postsynaptic(snippet: Any, params: Any = None, vars: Any = None, var_refs: Any = None) -> Any:
    """Return PyGeNN's ``init_postsynaptic``; the model may be a declaration."""
    _check_params("postsynaptic", PostsynapticModel, snippet, params)
    model = by_name(PostsynapticModel, pygenn.postsynaptic_models, snippet)
    return noted(pygenn.init_postsynaptic(model, _plain(params), _plain(vars), _plain(var_refs)), _plain(params))


def _name_of(snippet: Any) -> Any:
    """Return the name of a snippet given as a declaration or by name."""
    return getattr(snippet, "name", snippet)


def _check_params(owner: str, kind: type[Model], model: Any, params: Mapping[str, Any] | None) -> None:
    """Raise NetworkError for a parameter that is not in the interval which our declaration of the model has."""
    declared = next((m for m in models.ALL if isinstance(m, kind) and m.name == model), model)
    for param in declared.params if isinstance(declared, Model) else ():
        if param.within is not None and param.name in (params or {}):
            check_param(param, (params or {})[param.name], f"{owner} ('{declared.name}')", "double")
    if isinstance(declared, Model) and {param.name for param in declared.params} == set(params or {}):
        check_together(declared, params or {}, f"{owner} '{declared.name}'")


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return values by name as PyGeNN takes them: none for None, and Python's numbers for NumPy's."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in (values or {}).items()}
