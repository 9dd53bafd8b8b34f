"""Stage 3, *describe*: models with sizes, values and connections become a checked network."""

from snnlearn.network.groups import (
    CustomUpdate,
    NeuronPopulation,
    PostsynapticInit,
    SynapsePopulation,
    WeightUpdateInit,
)
from snnlearn.network.network import Network, Variable
from snnlearn.network.references import Location, Reference, WeightReference
from snnlearn.network.values import VarInit, derive_params

__all__ = [
    "CustomUpdate",
    "Location",
    "Network",
    "NeuronPopulation",
    "PostsynapticInit",
    "Reference",
    "SynapsePopulation",
    "VarInit",
    "Variable",
    "WeightReference",
    "WeightUpdateInit",
    "derive_params",
]
