"""PyGeNN's module of built-in neuron models: each name is a function that returns it."""

from snnlearn.declare import NeuronModel
from snnlearn.genn.built_in import Makers

_makers = Makers(NeuronModel)
__getattr__ = _makers.__getitem__
__dir__ = _makers.names
