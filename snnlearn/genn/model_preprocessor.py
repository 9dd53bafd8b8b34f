"""PyGeNN's module of arrays: the same classes as `snnlearn.genn.arrays`, under its names."""

from snnlearn.genn._genn import (
    NumericValue,
    ResolvedType,
    SynapseMatrixConnectivity,
    SynapseMatrixWeight,
    UnresolvedType,
    VarInit,
)
from snnlearn.genn.arrays import Array, ExtraGlobalParameter, SynapseVariable, Variable

ArrayBase = Array
VariableBase = Variable

__all__ = [
    "Array",
    "ArrayBase",
    "ExtraGlobalParameter",
    "NumericValue",
    "ResolvedType",
    "SynapseMatrixConnectivity",
    "SynapseMatrixWeight",
    "SynapseVariable",
    "UnresolvedType",
    "VarInit",
    "Variable",
    "VariableBase",
]
