"""PyGeNN's module of built-in custom connectivity update models: each name is a function that returns it."""

from snnlearn.declare import CustomConnectivityUpdateModel
from snnlearn.genn.built_in import Makers

_makers = Makers(CustomConnectivityUpdateModel)
__getattr__ = _makers.__getitem__
__dir__ = _makers.names
