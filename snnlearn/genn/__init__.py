"""The embedded engine under PyGeNN 5.4's names: a PyGeNN script runs after one changed import.

``install_as_pygenn()`` goes further: it registers this module as ``pygenn``, for scripts and libraries that import it.
Names, defaults and meaning are PyGeNN's; what is ours besides: ``GeNNModel.run``, ``GeNNModel.source`` and the
preferences listed in `snnlearn.genn.preferences`.
"""

from __future__ import annotations

import sys

from snnlearn.declare import VarAccess, VarAccessMode
from snnlearn.errors import LifecycleError
from snnlearn.genn import types
from snnlearn.genn.create import (
    create_custom_update_model,
    create_neuron_model,
    create_postsynaptic_model,
    create_var_init_snippet,
    create_weight_update_model,
)
from snnlearn.genn.groups import CustomUpdate, NeuronGroup, SynapseGroup, SynapseMatrixType
from snnlearn.genn.initialise import init_postsynaptic, init_var, init_weight_update
from snnlearn.genn.model import GeNNModel
from snnlearn.genn.references import (
    create_psm_var_ref,
    create_var_ref,
    create_wu_post_var_ref,
    create_wu_pre_var_ref,
    create_wu_var_ref,
)


def install_as_pygenn() -> None:
    """Make ``import pygenn`` give this module, in this process, from now on.

    Raises
    ------
    LifecycleError
        If another ``pygenn`` has been imported already: its classes would mix with ours.
    """
    present = sys.modules.get("pygenn")
    if present is not None and present is not sys.modules[__name__]:
        raise LifecycleError("the real pygenn has been imported already; call install_as_pygenn() before that")
    sys.modules["pygenn"] = sys.modules[__name__]


__all__ = [
    "CustomUpdate",
    "GeNNModel",
    "NeuronGroup",
    "SynapseGroup",
    "SynapseMatrixType",
    "VarAccess",
    "VarAccessMode",
    "create_custom_update_model",
    "create_neuron_model",
    "create_postsynaptic_model",
    "create_psm_var_ref",
    "create_var_init_snippet",
    "create_var_ref",
    "create_weight_update_model",
    "create_wu_post_var_ref",
    "create_wu_pre_var_ref",
    "create_wu_var_ref",
    "init_postsynaptic",
    "init_var",
    "init_weight_update",
    "install_as_pygenn",
    "types",
]
