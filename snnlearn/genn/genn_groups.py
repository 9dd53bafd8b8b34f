"""PyGeNN's module of groups: the same classes as `snnlearn.genn.groups`, under its names."""

from snnlearn.genn._genn import (
    CurrentSource,
    CustomConnectivityUpdate,
    CustomUpdate,
    CustomUpdateWU,
    NeuronGroup,
    NumericValue,
    SynapseGroup,
    SynapseMatrixConnectivity,
    SynapseMatrixWeight,
    VarAccessDim,
    VarLocation,
    VarLocationAttribute,
    get_var_access_dim,
)
from snnlearn.genn.groups import Group
from snnlearn.genn.model_preprocessor import Array, ExtraGlobalParameter, SynapseVariable, Variable

GroupMixin = Group
NeuronGroupMixin = NeuronGroup
SynapseGroupMixin = SynapseGroup
CurrentSourceMixin = CurrentSource
CustomUpdateMixin = CustomUpdate
CustomUpdateWUMixin = CustomUpdateWU
CustomConnectivityUpdateMixin = CustomConnectivityUpdate

__all__ = [
    "Array",
    "CurrentSource",
    "CurrentSourceMixin",
    "CustomConnectivityUpdate",
    "CustomConnectivityUpdateMixin",
    "CustomUpdate",
    "CustomUpdateMixin",
    "CustomUpdateWU",
    "CustomUpdateWUMixin",
    "ExtraGlobalParameter",
    "Group",
    "GroupMixin",
    "NeuronGroup",
    "NeuronGroupMixin",
    "NumericValue",
    "SynapseGroup",
    "SynapseGroupMixin",
    "SynapseMatrixConnectivity",
    "SynapseMatrixWeight",
    "SynapseVariable",
    "VarAccessDim",
    "VarLocation",
    "VarLocationAttribute",
    "Variable",
    "get_var_access_dim",
]
