"""PyGeNN's module of compiled classes: the same classes as elsewhere here, under its names."""

from __future__ import annotations

from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    CustomUpdateVar,
    CustomUpdateVarAccess,
    DerivedParam,
    ExtraGlobalParam,
    ExtraGlobalParamRef,
    InputVar,
    Model,
    NeuronModel,
    Param,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    Var,
    VarAccess,
    VarAccessDim,
    VarAccessMode,
    VarAccessModeAttribute,
    VarInitSnippet,
    VarRef,
    WeightUpdateModel,
    get_var_access_dim,
)
from snnlearn.genn.enums import (
    ParallelismHint,
    PlogSeverity,
    SynapseMatrixConnectivity,
    SynapseMatrixType,
    SynapseMatrixWeight,
    VarLocation,
    VarLocationAttribute,
)
from snnlearn.genn.groups import (
    CurrentSource,
    CustomConnectivityUpdate,
    CustomUpdate,
    CustomUpdateBase,
    CustomUpdateWU,
    NeuronGroup,
    SynapseGroup,
)
from snnlearn.genn.numeric_value import NumericValue
from snnlearn.genn.references import (
    EGPReference,
    VarReference,
    WUVarReference,
    create_den_delay_var_ref,
    create_egp_ref,
    create_out_post_var_ref,
    create_post_var_ref,
    create_pre_var_ref,
    create_prev_spike_time_var_ref,
    create_psm_egp_ref,
    create_psm_var_ref,
    create_spike_time_var_ref,
    create_src_spike_count_var_ref,
    create_var_ref,
    create_wu_egp_ref,
    create_wu_post_var_ref,
    create_wu_pre_var_ref,
    create_wu_var_ref,
)
from snnlearn.genn.spec import ModelSpec
from snnlearn.genn.types import ResolvedType, UnresolvedType
from snnlearn.network import (
    PostsynapticInit,
    SparseConnectInit,
    ToeplitzConnectInit,
    VarInit,
    WeightUpdateInit,
)

SnippetBase = Model
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
ParamVal = InputVar

__all__ = [
    "EGP",
    "CurrentSource",
    "CurrentSourceModelBase",
    "CustomConnectivityUpdate",
    "CustomConnectivityUpdateModelBase",
    "CustomUpdate",
    "CustomUpdateBase",
    "CustomUpdateModelBase",
    "CustomUpdateVar",
    "CustomUpdateVarAccess",
    "CustomUpdateWU",
    "DerivedParam",
    "EGPRef",
    "EGPReference",
    "InitSparseConnectivitySnippetBase",
    "InitToeplitzConnectivitySnippetBase",
    "InitVarSnippetBase",
    "ModelSpec",
    "NeuronGroup",
    "NeuronModelBase",
    "NumericValue",
    "ParallelismHint",
    "Param",
    "ParamVal",
    "PlogSeverity",
    "PostsynapticInit",
    "PostsynapticModelBase",
    "ResolvedType",
    "SnippetBase",
    "SparseConnectivityInit",
    "SynapseGroup",
    "SynapseMatrixConnectivity",
    "SynapseMatrixType",
    "SynapseMatrixWeight",
    "ToeplitzConnectivityInit",
    "UnresolvedType",
    "Var",
    "VarAccess",
    "VarAccessDim",
    "VarAccessMode",
    "VarAccessModeAttribute",
    "VarInit",
    "VarLocation",
    "VarLocationAttribute",
    "VarRef",
    "VarReference",
    "WUVarReference",
    "WeightUpdateInit",
    "WeightUpdateModelBase",
    "create_den_delay_var_ref",
    "create_egp_ref",
    "create_out_post_var_ref",
    "create_post_var_ref",
    "create_pre_var_ref",
    "create_prev_spike_time_var_ref",
    "create_psm_egp_ref",
    "create_psm_var_ref",
    "create_spike_time_var_ref",
    "create_src_spike_count_var_ref",
    "create_var_ref",
    "create_wu_egp_ref",
    "create_wu_post_var_ref",
    "create_wu_pre_var_ref",
    "create_wu_var_ref",
    "get_var_access_dim",
]
