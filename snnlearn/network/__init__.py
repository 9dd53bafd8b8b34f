"""Stage 3, *describe*: models with sizes, values and connections become a checked network."""

from snnlearn.network.connectivity import (
    MATRIX_TYPES,
    Connections,
    Connectivity,
    SparseConnectInit,
    ToeplitzConnectInit,
)
from snnlearn.network.description import description
from snnlearn.network.history import Play, Record
from snnlearn.network.network import Network
from snnlearn.network.neurons import CurrentSource, NeuronPopulation
from snnlearn.network.references import ArrayReference, Location, Reference, WeightReference
from snnlearn.network.synapses import PostsynapticInit, SynapsePopulation, WeightUpdateInit
from snnlearn.network.updates import CustomConnectivityUpdate, CustomUpdate
from snnlearn.network.values import VarInit, check_param, derive_params
from snnlearn.network.variables import Variable

__all__ = [
    "MATRIX_TYPES",
    "ArrayReference",
    "Connections",
    "Connectivity",
    "CurrentSource",
    "CustomConnectivityUpdate",
    "CustomUpdate",
    "Location",
    "Network",
    "NeuronPopulation",
    "Play",
    "PostsynapticInit",
    "Record",
    "Reference",
    "SparseConnectInit",
    "SynapsePopulation",
    "ToeplitzConnectInit",
    "VarInit",
    "Variable",
    "WeightReference",
    "WeightUpdateInit",
    "check_param",
    "derive_params",
    "description",
]
