"""PyGeNN's module of built-in weight update models: each name is a function that returns it."""

from snnlearn.declare import WeightUpdateModel
from snnlearn.genn.built_in import Makers

_makers = Makers(WeightUpdateModel)
__getattr__ = _makers.__getitem__
__dir__ = _makers.names
