"""PyGeNN's module of built-in snippets for connectivity of convolutions: each name is a function that returns it."""

from snnlearn.declare import ToeplitzConnectInitSnippet
from snnlearn.genn.built_in import Makers

_makers = Makers(ToeplitzConnectInitSnippet)
__getattr__ = _makers.__getitem__
__dir__ = _makers.names
