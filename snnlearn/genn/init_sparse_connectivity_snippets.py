"""PyGeNN's module of built-in snippets for sparse connectivity: each name is a function that returns it."""

from snnlearn.declare import SparseConnectInitSnippet
from snnlearn.genn.built_in import Makers

_makers = Makers(SparseConnectInitSnippet)
__getattr__ = _makers.__getitem__
__dir__ = _makers.names
