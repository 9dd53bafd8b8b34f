"""PyGeNN's module of its CPU back end: what ``GeNNModel``'s preferences are."""

from snnlearn.genn.preferences import Preferences

__all__ = ["Preferences"]
