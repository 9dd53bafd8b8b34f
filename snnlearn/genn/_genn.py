"""PyGeNN's module of compiled classes: the same classes as elsewhere here, under its names."""

from __future__ import annotations

from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    CustomUpdateVar,
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
    VarInitSnippet,
    VarRef,
    WeightUpdateModel,
)
from snnlearn.genn.common_names import *  # noqa: F403
from snnlearn.genn.common_names import __all__ as _shared
from snnlearn.genn.numeric_value import NumericValue
from snnlearn.genn.references import EGPReference, VarReference, WUVarReference
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
    *_shared,
    "EGP",
    "CurrentSourceModelBase",
    "CustomConnectivityUpdateModelBase",
    "CustomUpdateModelBase",
    "CustomUpdateVar",
    "DerivedParam",
    "EGPRef",
    "EGPReference",
    "InitSparseConnectivitySnippetBase",
    "InitToeplitzConnectivitySnippetBase",
    "InitVarSnippetBase",
    "NeuronModelBase",
    "NumericValue",
    "Param",
    "ParamVal",
    "PostsynapticInit",
    "PostsynapticModelBase",
    "ResolvedType",
    "SnippetBase",
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
]
