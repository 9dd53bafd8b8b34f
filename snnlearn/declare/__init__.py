"""Stage 1, *declare*: models as frozen values that validate themselves, knowing nothing of any engine."""

from snnlearn.declare.access import (
    CustomUpdateVarAccess,
    VarAccess,
    VarAccessDim,
    VarAccessMode,
    VarAccessModeAttribute,
    get_var_access_dim,
)
from snnlearn.declare.fields import (
    ArrayPart,
    CustomUpdateVar,
    DerivedParam,
    ExtraGlobalParam,
    ExtraGlobalParamRef,
    InputVar,
    Param,
    Var,
    VarRef,
)
from snnlearn.declare.gradients import Loss, Surrogate
from snnlearn.declare.interval import Interval
from snnlearn.declare.models import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    Model,
    NeuronModel,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.declare.plain import as_plain
from snnlearn.declare.types import Precision, ValueType, element_type, value_type

__all__ = [
    "ArrayPart",
    "CurrentSourceModel",
    "CustomConnectivityUpdateModel",
    "CustomUpdateModel",
    "CustomUpdateVar",
    "CustomUpdateVarAccess",
    "DerivedParam",
    "ExtraGlobalParam",
    "ExtraGlobalParamRef",
    "InputVar",
    "Interval",
    "Loss",
    "Model",
    "NeuronModel",
    "Param",
    "PostsynapticModel",
    "Precision",
    "SparseConnectInitSnippet",
    "Surrogate",
    "ToeplitzConnectInitSnippet",
    "ValueType",
    "Var",
    "VarAccess",
    "VarAccessDim",
    "VarAccessMode",
    "VarAccessModeAttribute",
    "VarInitSnippet",
    "VarRef",
    "WeightUpdateModel",
    "as_plain",
    "element_type",
    "get_var_access_dim",
    "value_type",
]
