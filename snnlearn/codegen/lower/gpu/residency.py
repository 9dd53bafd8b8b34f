"""What of the neurons' state can stay with the block that updates them, through all timesteps of a launch.

A variable that the timestep's other kernels have no business with need not go through the memory that all blocks
share: the block that updates a population has it in its own, which answers sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snnlearn.codegen.lower.gpu.threads import fits_one_block
from snnlearn.codegen.plan import Kernel, Plan

_ALIGNMENT = 16  # bytes


@dataclass(frozen=True)
class ResidentArrays:
    """The arrays of one kernel that a block can keep.

    Attributes
    ----------
    places : mapping of str to int
        The byte at which each starts.
    nbytes : int
        How many bytes they take together.
    """

    places: Mapping[str, int]
    nbytes: int


def resident_arrays(plan: Plan, room: int) -> dict[str, ResidentArrays]:
    """Return the arrays that blocks can keep, by kernel.

    Parameters
    ----------
    plan : Plan
    room : int
        How many bytes a block has for them; a kernel whose variables need more has none.
    """
    readers: dict[str, set[str]] = {}
    for kernel in plan.step:
        for name in _reads(kernel):
            readers.setdefault(name, set()).add(kernel.name)
    found = {kernel.name: _resident_arrays(kernel, plan, readers) for kernel in plan.step if fits_one_block(kernel)}
    return {name: r for name, r in found.items() if r.places and r.nbytes <= room}


def _resident_arrays(kernel: Kernel, plan: Plan, readers: Mapping[str, set[str]]) -> ResidentArrays:
    itself = {kernel.name}
    places: dict[str, int] = {}
    end = 0
    for load in kernel.loads:
        array = plan.array(load.array)
        alike = load.index == "neuron" and load.how == "replace" and array.slots == 1 and array.size is not None
        written = any(k is not kernel for k in plan.writers.get(load.array, ()))
        read = not readers.get(load.array, itself) <= itself
        mine = not written and (load.array not in kernel.writes or not read)
        if alike and mine and load.array not in places and load.array not in kernel.arrays:
            assert array.size is not None
            places[load.array] = end
            width = {"double": 8, "int64_t": 8, "uint64_t": 8}.get(array.type.ctype_for(plan.precision), 4)
            end += -(-array.size * width // _ALIGNMENT) * _ALIGNMENT
    return ResidentArrays(places, end)


def _reads(kernel: Kernel) -> frozenset[str]:
    buffers = kernel.deferral.buffers if kernel.deferral is not None else ()
    return kernel.reads | {b.array for b in buffers}
