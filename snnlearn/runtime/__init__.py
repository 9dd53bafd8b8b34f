"""Stages 6 and 7, *compile* and *run*: source text becomes a loaded simulation with its arrays."""

from snnlearn.runtime.compiler import Compiler, find_compiler
from snnlearn.runtime.simulation import Simulation

__all__ = ["Compiler", "Simulation", "find_compiler"]
