"""PyGeNN's module of its back end for AMD's GPUs: what ``GeNNModel``'s preferences are."""

from snnlearn.genn.preferences import Preferences

__all__ = ["Preferences"]
