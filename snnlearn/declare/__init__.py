"""Stage 1, *declare*: models as frozen values that validate themselves, knowing nothing of any engine."""

from snnlearn.declare.fields import (
    DerivedParam,
    ExtraGlobalParam,
    InputVar,
    Param,
    Var,
    VarAccess,
    VarAccessMode,
    VarRef,
)
from snnlearn.declare.models import (
    CustomUpdateModel,
    Model,
    NeuronModel,
    PostsynapticModel,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.declare.types import Precision, ValueType, element_type, value_type

__all__ = [
    "CustomUpdateModel",
    "DerivedParam",
    "ExtraGlobalParam",
    "InputVar",
    "Model",
    "NeuronModel",
    "Param",
    "PostsynapticModel",
    "Precision",
    "ValueType",
    "Var",
    "VarAccess",
    "VarAccessMode",
    "VarInitSnippet",
    "VarRef",
    "WeightUpdateModel",
    "element_type",
    "value_type",
]
