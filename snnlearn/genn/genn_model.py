"""PyGeNN's module of ``GeNNModel`` and all that makes models: what is elsewhere here, under its names."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from functools import cache
from types import ModuleType
from typing import Any

from snnlearn.genn import (
    cuda_backend,
    current_source_models,
    custom_connectivity_update_models,
    custom_update_models,
    init_sparse_connectivity_snippets,
    init_toeplitz_connectivity_snippets,
    init_var_snippets,
    neuron_models,
    postsynaptic_models,
    single_threaded_cpu_backend,
    types,
    weight_update_models,
)
from snnlearn.genn._genn import *  # noqa: F403
from snnlearn.genn._genn import __all__ as _classes
from snnlearn.genn._runtime import Runtime
from snnlearn.genn.create import (
    create_current_source_model,
    create_neuron_model,
    create_postsynaptic_model,
    create_weight_update_model,
)
from snnlearn.genn.create_snippets import (
    create_cksf_class,
    create_cmlf_class,
    create_dpf_class,
    create_sparse_connect_init_snippet,
    create_toeplitz_connect_init_snippet,
    create_var_init_snippet,
)
from snnlearn.genn.create_updates import create_custom_connectivity_update_model, create_custom_update_model
from snnlearn.genn.genn_groups import (
    CurrentSourceMixin,
    CustomConnectivityUpdateMixin,
    CustomUpdateMixin,
    CustomUpdateWUMixin,
    NeuronGroupMixin,
    SynapseGroupMixin,
)
from snnlearn.genn.importing import missing_names
from snnlearn.genn.initialise import (
    init_connectivity,
    init_postsynaptic,
    init_sparse_connectivity,
    init_toeplitz_connectivity,
    init_var,
    init_weight_update,
)
from snnlearn.genn.model import GeNNModel
from snnlearn.runtime.cuda.availability import why_not_cuda

# Python asks a package alone about names that it does not have, for `from pygenn.genn_model import ...`.
__path__: list[str] = []


class _BackEnds(OrderedDict[str, ModuleType]):
    """The back ends by name; ``single_threaded_cpu`` is another name of the first."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name == "single_threaded_cpu"

    def __missing__(self, name: str) -> ModuleType:
        if name != "single_threaded_cpu":
            raise KeyError(name)
        return self["cpu"]


@cache
def _back_ends() -> _BackEnds:
    """Return the back ends that can be used here; whether a GPU can be takes a while to find out."""
    found = _BackEnds(cpu=single_threaded_cpu_backend)
    if why_not_cuda() is None:
        found["cuda"] = cuda_backend
    return found


def cpu_count(logical: bool = True) -> int:
    """Return how many CPU cores there are, as psutil's function of this name does; programs replace it in PyGeNN."""
    return os.cpu_count() or 1


backend_modules: OrderedDict[str, ModuleType]  # made when first asked for
_missing = missing_names("pygenn.genn_model", lambda: dir(sys.modules[__name__]))


def __getattr__(name: str) -> Any:
    return _back_ends() if name == "backend_modules" else _missing(name)


__all__ = [
    *_classes,
    "CurrentSourceMixin",
    "CustomConnectivityUpdateMixin",
    "CustomUpdateMixin",
    "CustomUpdateWUMixin",
    "GeNNModel",
    "NeuronGroupMixin",
    "Runtime",
    "SynapseGroupMixin",
    "backend_modules",
    "cpu_count",
    "create_cksf_class",
    "create_cmlf_class",
    "create_current_source_model",
    "create_custom_connectivity_update_model",
    "create_custom_update_model",
    "create_dpf_class",
    "create_neuron_model",
    "create_postsynaptic_model",
    "create_sparse_connect_init_snippet",
    "create_toeplitz_connect_init_snippet",
    "create_var_init_snippet",
    "create_weight_update_model",
    "current_source_models",
    "custom_connectivity_update_models",
    "custom_update_models",
    "init_connectivity",
    "init_postsynaptic",
    "init_sparse_connectivity",
    "init_sparse_connectivity_snippets",
    "init_toeplitz_connectivity",
    "init_toeplitz_connectivity_snippets",
    "init_var",
    "init_var_snippets",
    "init_weight_update",
    "neuron_models",
    "postsynaptic_models",
    "types",
    "weight_update_models",
]
