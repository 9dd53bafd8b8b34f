"""PyGeNN's module of built-in current source models: each name is a function that returns it."""

from snnlearn.declare import CurrentSourceModel
from snnlearn.genn.built_in import Makers

_makers = Makers(CurrentSourceModel)
__getattr__ = _makers.__getitem__
__dir__ = _makers.names
