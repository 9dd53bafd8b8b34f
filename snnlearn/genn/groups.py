"""All kinds of groups."""

from snnlearn.genn.custom_update import CustomConnectivityUpdate, CustomUpdate, CustomUpdateBase, CustomUpdateWU
from snnlearn.genn.group import Group
from snnlearn.genn.neuron_group import CurrentSource, NeuronGroup
from snnlearn.genn.synapse_group import SynapseGroup

__all__ = [
    "CurrentSource",
    "CustomConnectivityUpdate",
    "CustomUpdate",
    "CustomUpdateBase",
    "CustomUpdateWU",
    "Group",
    "NeuronGroup",
    "SynapseGroup",
]
