"""PyGeNN's module of ``GeNNModel`` and all that makes models: what is elsewhere here, under its names."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    CustomUpdateVar,
    DerivedParam,
    ExtraGlobalParam,
    ExtraGlobalParamRef,
    NeuronModel,
    Param,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    Var,
    VarInitSnippet,
    VarRef,
    WeightUpdateModel,
)
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
from snnlearn.genn.initialise import (
    init_connectivity,
    init_postsynaptic,
    init_sparse_connectivity,
    init_toeplitz_connectivity,
    init_var,
    init_weight_update,
)
from snnlearn.genn.model import GeNNModel
from snnlearn.genn.references import EGPReference, VarReference, WUVarReference
from snnlearn.genn.spec import ModelSpec
from snnlearn.genn.types import ResolvedType, UnresolvedType
from snnlearn.network import (
    PostsynapticInit,
    SparseConnectInit,
    ToeplitzConnectInit,
    VarInit,
    WeightUpdateInit,
)

# The back ends that there are, best first; their modules have nothing that a script could use.
backend_modules: OrderedDict[str, Any] = OrderedDict(cpu=None)

NeuronModelBase = NeuronModel
WeightUpdateModelBase = WeightUpdateModel
PostsynapticModelBase = PostsynapticModel
CurrentSourceModelBase = CurrentSourceModel
CustomUpdateModelBase = CustomUpdateModel
CustomConnectivityUpdateModelBase = CustomConnectivityUpdateModel
InitVarSnippetBase = VarInitSnippet
InitSparseConnectivitySnippetBase = SparseConnectInitSnippet
InitToeplitzConnectivitySnippetBase = ToeplitzConnectInitSnippet
SparseConnectivityInit = SparseConnectInit
ToeplitzConnectivityInit = ToeplitzConnectInit
EGP = ExtraGlobalParam
EGPRef = ExtraGlobalParamRef

__all__ = [
    "EGP",
    "CurrentSourceModelBase",
    "CustomConnectivityUpdateModelBase",
    "CustomUpdateModelBase",
    "CustomUpdateVar",
    "DerivedParam",
    "EGPRef",
    "EGPReference",
    "GeNNModel",
    "InitSparseConnectivitySnippetBase",
    "InitToeplitzConnectivitySnippetBase",
    "InitVarSnippetBase",
    "ModelSpec",
    "NeuronModelBase",
    "Param",
    "PostsynapticInit",
    "PostsynapticModelBase",
    "ResolvedType",
    "SparseConnectivityInit",
    "ToeplitzConnectivityInit",
    "UnresolvedType",
    "Var",
    "VarInit",
    "VarRef",
    "VarReference",
    "WUVarReference",
    "WeightUpdateInit",
    "WeightUpdateModelBase",
    "backend_modules",
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
    "init_connectivity",
    "init_postsynaptic",
    "init_sparse_connectivity",
    "init_toeplitz_connectivity",
    "init_var",
    "init_weight_update",
]
