"""PyGeNN's module of built-in postsynaptic models: each name is a function that returns it."""

from snnlearn.declare import PostsynapticModel
from snnlearn.genn.built_in import Makers

_makers = Makers(PostsynapticModel)
__getattr__ = _makers.__getitem__
__dir__ = _makers.names
