"""Declared models in PyGeNN's form, once each. Import this module only where ``import pygenn`` works."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pygenn
from pygenn._genn import VarRef as PyGeNNVarRef

from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    CustomUpdateVarAccess,
    Model,
    NeuronModel,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    VarAccess,
    VarAccessMode,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.errors import BackendError
from snnlearn.models import ALL, find
from snnlearn.pygenn_hypot import without_hypot

_CREATE: dict[type[Model], Callable[..., Any]] = {
    NeuronModel: pygenn.create_neuron_model,
    WeightUpdateModel: pygenn.create_weight_update_model,
    PostsynapticModel: pygenn.create_postsynaptic_model,
    CurrentSourceModel: pygenn.create_current_source_model,
    CustomUpdateModel: pygenn.create_custom_update_model,
    CustomConnectivityUpdateModel: pygenn.create_custom_connectivity_update_model,
    VarInitSnippet: pygenn.create_var_init_snippet,
    SparseConnectInitSnippet: pygenn.create_sparse_connect_init_snippet,
    ToeplitzConnectInitSnippet: pygenn.create_toeplitz_connect_init_snippet,
}
_FUNCTIONS = ("calc_max_row_len_func", "calc_max_col_len_func", "calc_kernel_size_func")


def convert(model: Any) -> Any:
    """Return PyGeNN's form of a declaration; names and PyGeNN's own models stay as they are."""
    return _create(model) if isinstance(model, Model) else model


def by_name(kind: type[Model], built_in: Any, model: Any) -> Any:
    """Return PyGeNN's form of a model given as a declaration or by name, given PyGeNN's module of the kind."""
    if isinstance(model, str) and not hasattr(built_in, model):
        return convert(find(kind, model))
    return convert(model)


@lru_cache(maxsize=256)
def _create(model: Model) -> Any:
    if isinstance(model, SparseConnectInitSnippet) and model.host_init_func is not None:
        return _built_in(model)
    given: dict[str, Any] = {}
    for attribute, field in model.named_fields():
        given.setdefault(attribute, []).append(_as_tuple(field))
    for name in _FUNCTIONS:
        if getattr(model, name, None) is not None:
            given[name] = getattr(model, name)
    if isinstance(model, NeuronModel):
        given["auto_refractory_required"] = model.auto_refractory_required
    # PyGeNN 5.4's function for current sources fails if it is given these.
    refs = given.pop("neuron_var_refs", []) if isinstance(model, CurrentSourceModel) else []
    codes = {attribute: without_hypot(code) for attribute, code in model.codes().items()}
    created = _CREATE[type(model)](model.name, **given, **codes)
    if refs:
        type(created).get_neuron_var_refs = lambda self: [PyGeNNVarRef(*ref) for ref in refs]
    return created


def _built_in(model: SparseConnectInitSnippet) -> Any:
    """Return GeNN's own snippet of that name, for one that makes arrays on the host."""
    if model not in ALL or not hasattr(pygenn.init_sparse_connectivity_snippets, model.name):
        raise BackendError(f"'{model.name}' makes arrays with host_init_func, which PyGeNN cannot")
    return getattr(pygenn.init_sparse_connectivity_snippets, model.name)()


def _as_tuple(field: Any) -> tuple[Any, ...]:
    if hasattr(field, "func"):
        return field.name, field.func, field.type
    if hasattr(field, "init"):
        return field.name, field.type, field.init
    for ours in (VarAccess, VarAccessMode, CustomUpdateVarAccess):
        if isinstance(getattr(field, "access", None), ours):
            return field.name, field.type, getattr(getattr(pygenn, ours.__name__), field.access.name)
    return field.name, field.type
