"""The real GeNN, through PyGeNN, under the names of `snnlearn.genn`: declared models become PyGeNN's, once each.

Import this module only where ``import pygenn`` works. Everything is PyGeNN's own but for three things: models may be
given as snnlearn declarations, the preferences of the embedded engine are accepted and have no effect, and
``GeNNModel.run(n)`` steps n times.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pygenn
from pygenn import (
    create_psm_var_ref,
    create_var_ref,
    create_wu_post_var_ref,
    create_wu_pre_var_ref,
    create_wu_var_ref,
)

from snnlearn.declare import (
    CustomUpdateModel,
    Model,
    NeuronModel,
    PostsynapticModel,
    VarAccess,
    VarAccessMode,
    VarInitSnippet,
    WeightUpdateModel,
)

__all__ = [
    "GeNNModel",
    "create_psm_var_ref",
    "create_var_ref",
    "create_wu_post_var_ref",
    "create_wu_pre_var_ref",
    "create_wu_var_ref",
    "init_postsynaptic",
    "init_var",
    "init_weight_update",
]

_OUR_PREFERENCES = frozenset(["threads", "flush_denormals", "optimise"])


class GeNNModel(pygenn.GeNNModel):  # type: ignore[misc]
    """PyGeNN's model; see there, and `snnlearn.genn.GeNNModel` for the parameters."""

    def __init__(
        self, precision: str = "float", model_name: str = "GeNNModel", backend: str | None = None, **preferences: Any
    ) -> None:
        theirs = {name: value for name, value in preferences.items() if name not in _OUR_PREFERENCES}
        super().__init__(precision, model_name, backend=backend, **theirs)

    def add_neuron_population(self, pop_name: str, num_neurons: int, neuron: Any, *args: Any, **kwargs: Any) -> Any:
        """Add neurons; the model may be a declaration."""
        return super().add_neuron_population(pop_name, num_neurons, _convert(neuron), *args, **kwargs)

    def add_custom_update(
        self, cu_name: str, group_name: str, custom_update_model: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Add a custom update; the model may be a declaration."""
        return super().add_custom_update(cu_name, group_name, _convert(custom_update_model), *args, **kwargs)

    def build(self, path_to_model: str | None = None, *args: Any, **kwargs: Any) -> None:
        """Build; by default in a folder of its own, which goes when the model goes."""
        if path_to_model is None:
            path_to_model = tempfile.mkdtemp(prefix="snnlearn-genn-")
            weakref.finalize(self, shutil.rmtree, path_to_model, ignore_errors=True)
        super().build(path_to_model, *args, **kwargs)

    def run(self, num_timesteps: int) -> None:
        """Run many timesteps."""
        for _ in range(num_timesteps):
            self.step_time()

    def state(self) -> dict[str, Any]:
        """Return copies of all variables and summed inputs on the device; spikes in flight are not among them."""
        found = {}
        for name, array in self._state_arrays():
            array.pull_from_device()
            found[name] = array.view.copy()
        return found

    def set_state(self, state: dict[str, Any]) -> None:
        """Put back what `state` gave."""
        for name, array in self._state_arrays():
            array.view[...] = state[name]
            array.push_to_device()

    def _state_arrays(self) -> Iterator[tuple[str, Any]]:
        groups = (self.neuron_populations, self.synapse_populations, self.custom_updates)
        for group in (group for groups_of_kind in groups for group in groups_of_kind.values()):
            for space in ("vars", "pre_vars", "post_vars", "psm_vars"):
                for name, array in getattr(group, space, {}).items():
                    yield f"{group.name}.{space}.{name}", array
            if hasattr(group, "out_post"):
                yield f"{group.name}.out_post", group.out_post


def init_var(snippet: Any, *args: Any, **kwargs: Any) -> Any:
    """Return PyGeNN's ``init_var``; the snippet may be a declaration."""
    return pygenn.init_var(_convert(snippet), *args, **kwargs)


def init_weight_update(snippet: Any, *args: Any, **kwargs: Any) -> Any:
    """Return PyGeNN's ``init_weight_update``; the model may be a declaration."""
    return pygenn.init_weight_update(_convert(snippet), *args, **kwargs)


def init_postsynaptic(snippet: Any, *args: Any, **kwargs: Any) -> Any:
    """Return PyGeNN's ``init_postsynaptic``; the model may be a declaration."""
    return pygenn.init_postsynaptic(_convert(snippet), *args, **kwargs)


_CREATE = {
    NeuronModel: pygenn.create_neuron_model,
    WeightUpdateModel: pygenn.create_weight_update_model,
    PostsynapticModel: pygenn.create_postsynaptic_model,
    CustomUpdateModel: pygenn.create_custom_update_model,
    VarInitSnippet: pygenn.create_var_init_snippet,
}


def _convert(model: Any) -> Any:
    """Return PyGeNN's form of a declaration; what is none (a name, a model of PyGeNN's) stays as it is."""
    return _create(model) if isinstance(model, Model) else model


@lru_cache(maxsize=256)
def _create(model: Model) -> Any:
    fields: dict[str, list[tuple[Any, ...]]] = {}
    for attribute, field in model.named_fields():
        fields.setdefault(attribute, []).append(_as_tuple(model, field))
    return _CREATE[type(model)](model.name, **fields, **model.codes())


def _as_tuple(model: Model, field: Any) -> tuple[Any, ...]:
    if hasattr(field, "func"):
        return field.name, field.func, field.type
    if hasattr(field, "init"):
        return field.name, field.type, field.init
    if isinstance(getattr(field, "access", None), VarAccess):
        kind = pygenn.CustomUpdateVarAccess if isinstance(model, CustomUpdateModel) else pygenn.VarAccess
        return field.name, field.type, getattr(kind, field.access.name)
    if isinstance(getattr(field, "access", None), VarAccessMode):
        return field.name, field.type, getattr(pygenn.VarAccessMode, field.access.name)
    return field.name, field.type
