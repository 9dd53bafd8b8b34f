"""Stages 6 and 7, *compile* and *run*: source text becomes a loaded simulation with its arrays."""

from snnlearn.runtime.compiler import Compiler, find_compiler
from snnlearn.runtime.cpu_simulation import CpuSimulation
from snnlearn.runtime.recording import Recording
from snnlearn.runtime.simulation import Simulation

__all__ = ["Compiler", "CpuSimulation", "Recording", "Simulation", "find_compiler"]
