"""Stage 4, *plan*: what is to be computed, in which order, reading and writing what; in no language."""

from snnlearn.codegen.plan.build import build_plan
from snnlearn.codegen.plan.checks import with_checks
from snnlearn.codegen.plan.domains import Neurons, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.parts import Accumulate, Array, Code, Constant, Input, Load, OnSpike
from snnlearn.codegen.plan.rewrites import CPU_ONLY, DEFAULT, DEFAULT_GPU, DEFAULT_UNFUSED, REWRITES, optimise
from snnlearn.codegen.plan.verify import verify_plan

__all__ = [
    "CPU_ONLY",
    "DEFAULT",
    "DEFAULT_GPU",
    "DEFAULT_UNFUSED",
    "REWRITES",
    "Accumulate",
    "Array",
    "Code",
    "Constant",
    "Input",
    "Kernel",
    "Load",
    "Neurons",
    "OnSpike",
    "Plan",
    "SpikingColumns",
    "SpikingRows",
    "Synapses",
    "build_plan",
    "optimise",
    "verify_plan",
    "with_checks",
]
