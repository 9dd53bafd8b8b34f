"""PyGeNN's module of groups: the same classes as `snnlearn.genn.groups`, under its names."""

from snnlearn.genn.groups import (
    CurrentSource,
    CustomConnectivityUpdate,
    CustomUpdate,
    CustomUpdateWU,
    Group,
    NeuronGroup,
    SynapseGroup,
)

GroupMixin = Group
NeuronGroupMixin = NeuronGroup
SynapseGroupMixin = SynapseGroup
CurrentSourceMixin = CurrentSource
CustomUpdateMixin = CustomUpdate
CustomUpdateWUMixin = CustomUpdateWU
CustomConnectivityUpdateMixin = CustomConnectivityUpdate

__all__ = [
    "CurrentSourceMixin",
    "CustomConnectivityUpdateMixin",
    "CustomUpdateMixin",
    "CustomUpdateWUMixin",
    "GroupMixin",
    "NeuronGroupMixin",
    "SynapseGroupMixin",
]
