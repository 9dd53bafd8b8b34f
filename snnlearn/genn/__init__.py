"""The embedded engine under PyGeNN 5.4's names: a PyGeNN script runs after one changed import.

``install_as_pygenn()`` goes further: it registers this module as ``pygenn``, for scripts and libraries that import it.
Names, defaults and meaning are PyGeNN's; what is ours besides: ``GeNNModel.run``, ``GeNNModel.source``,
``device_array`` of variables, recordings of variables and what plays them, ``with_backend`` and the preferences listed
in `snnlearn.genn.preferences`.
"""

from __future__ import annotations

import importlib
import sys
from functools import partial
from types import ModuleType

from snnlearn.errors import LifecycleError
from snnlearn.genn import common_names, types
from snnlearn.genn.accessors import offer_accessors
from snnlearn.genn.checkpoints import Checkpoints
from snnlearn.genn.common_names import *  # noqa: F403
from snnlearn.genn.create import (
    create_current_source_model,
    create_neuron_model,
    create_postsynaptic_model,
    create_weight_update_model,
)
from snnlearn.genn.create_snippets import (
    create_sparse_connect_init_snippet,
    create_toeplitz_connect_init_snippet,
    create_var_init_snippet,
)
from snnlearn.genn.create_updates import create_custom_connectivity_update_model, create_custom_update_model
from snnlearn.genn.importing import announce_version, missing_names, refuse_obsolete_names
from snnlearn.genn.initialise import (
    init_postsynaptic,
    init_sparse_connectivity,
    init_toeplitz_connectivity,
    init_var,
    init_weight_update,
)
from snnlearn.genn.model import GeNNModel
from snnlearn.genn.playback import Playback
from snnlearn.genn.recording import RecordedVariable, Recording, RecordingStream
from snnlearn.runtime.engines import split_name

__version__ = "5.4.0"  # of the PyGeNN that this stands in for

SUBMODULES = (
    "_genn",
    "_runtime",
    "cuda_backend",
    "current_source_models",
    "custom_connectivity_update_models",
    "custom_update_models",
    "genn_groups",
    "genn_model",
    "hip_backend",
    "init_sparse_connectivity_snippets",
    "init_toeplitz_connectivity_snippets",
    "init_var_snippets",
    "model_preprocessor",
    "neuron_models",
    "postsynaptic_models",
    "single_threaded_cpu_backend",
    "types",
    "weight_update_models",
)
offer_accessors()
for _name in SUBMODULES:
    importlib.import_module(f"{__name__}.{_name}")

refuse_obsolete_names()
__getattr__ = missing_names("pygenn", lambda: dir(sys.modules[__name__]))


def install_as_pygenn(backend: str | None = None) -> None:
    """Make ``import pygenn`` and ``import pygenn.genn_model``, … give these modules, in this process, from now on.

    ``importlib.metadata.version("pygenn")`` says which version of PyGeNN that is.

    Parameters
    ----------
    backend : str, optional
        What models run on that name no back end: ``"cuda"``, ``"cuda:1"``; by default the CPU.

    Raises
    ------
    BackendError
        If there is no such back end.
    LifecycleError
        If another ``pygenn`` has been imported already: its classes would mix with ours.
    """
    present = sys.modules.get("pygenn")
    if present is not None and present is not sys.modules[__name__]:
        raise LifecycleError("the real pygenn has been imported already; call install_as_pygenn() before that")
    if backend is not None:
        split_name(backend)
        GeNNModel.default_backend = backend
    announce_version(__version__)
    sys.modules["pygenn"] = sys.modules[__name__]
    for name in SUBMODULES:
        sys.modules[f"pygenn.{name}"] = sys.modules[f"{__name__}.{name}"]


def with_backend(backend: str) -> ModuleType:
    """Return a module like this whose models run on a certain back end, unless they are made with another.

    Parameters
    ----------
    backend : str
        As `GeNNModel` takes it: ``"cpu"``, ``"cuda"``, ``"cuda:1"``.

    Raises
    ------
    BackendError
        If there is no such back end.
    """
    split_name(backend)
    module = ModuleType(f"{__name__}:{backend}", __doc__)
    module.__dict__.update({key: value for key, value in globals().items() if not key.startswith("__")})
    module.__dict__["GeNNModel"] = type(
        "GeNNModel", (GeNNModel,), {"default_backend": backend, "__doc__": GeNNModel.__doc__}
    )
    module.__dict__["__getattr__"] = __getattr__
    module.__dict__["install_as_pygenn"] = partial(install_as_pygenn, backend)
    return module


__all__ = [
    "Checkpoints",
    "GeNNModel",
    "Playback",
    "RecordedVariable",
    "Recording",
    "RecordingStream",
    "create_current_source_model",
    "create_custom_connectivity_update_model",
    "create_custom_update_model",
    "create_neuron_model",
    "create_postsynaptic_model",
    "create_sparse_connect_init_snippet",
    "create_toeplitz_connect_init_snippet",
    "create_var_init_snippet",
    "create_weight_update_model",
    "init_postsynaptic",
    "init_sparse_connectivity",
    "init_toeplitz_connectivity",
    "init_var",
    "init_weight_update",
    "install_as_pygenn",
    "types",
    "with_backend",
]
__all__ += common_names.__all__
