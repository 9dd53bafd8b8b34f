"""PyGeNN's module of built-in snippets for initial values: each name is a function that returns it."""

from snnlearn.declare import VarInitSnippet
from snnlearn.genn.built_in import Makers

_makers = Makers(VarInitSnippet)
__getattr__ = _makers.__getitem__
__dir__ = _makers.names
