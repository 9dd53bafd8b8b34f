"""PyGeNN's module of loaded models: what runs one here, and its arrays, under its names."""

from snnlearn.genn.arrays import Array
from snnlearn.runtime import Simulation

ArrayBase = Array
Runtime = Simulation

__all__ = ["ArrayBase", "Runtime"]
