"""Deferral: synapse dynamics that nobody waits for run later, for many timesteps at once.

Where a connection's synapse dynamics send nothing (no ``addToPost``, no ``addToPre``) and no other kernel of the
timestep touches the variables they write, only the per-neuron variables they read need to be kept; the
synapses' own state can then pass through all kept timesteps in one go, in the cache next to the core, instead of
through memory in each. The deferred block runs when the kept past is full, behind the timesteps that follow; it is done
before anything could see the difference: a custom update, an access from the host.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from snnlearn.codegen.plan.deferral import Deferral, DoubleBuffer
from snnlearn.codegen.plan.domains import Synapses
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.names import Names, label
from snnlearn.codegen.plan.parts import Array
from snnlearn.network import Location

DEPTH = 64  # timesteps; the kept past of a tile of 64 neurons and two variables fills half an L1 cache
BLOCKS = 2  # of the kept past: one fills up while the kernels work on the other


def defer(plan: Plan) -> Plan:
    """Return the plan with all synapse dynamics deferred that can be."""
    names = Names(plan.arrays_by_name)
    kept: list[Array] = []
    step, at_once = [], {}
    for kernel in plan.step:
        if why_not(kernel, plan) is None:
            buffers = []
            for name in _changing_vectors(kernel, plan):
                array = plan.array(name)
                assert array.size is not None
                at = Location(array.location.group, "history", f"{kernel.name}.{label(name)}")
                stride = row_stride(array.size)
                kept.append(Array(names.unique(f"{label(name)}_kept"), at, array.type, stride * DEPTH * BLOCKS))
                buffers.append(DoubleBuffer(name, kept[-1].name, stride))
            if plan.turns:
                at_once[kernel.name] = replace(kernel, name=f"now_{kernel.name}")
            kernel = replace(kernel, deferral=Deferral(DEPTH, tuple(buffers)))
        step.append(kernel)
    return replace(plan, step=tuple(step), arrays=(*plan.arrays, *kept), at_once=at_once)


def row_stride(size: int) -> int:
    """Return the distance of rows of this size: a multiple of 16, so that they start alike; not of 64.

    Rows a multiple of 256 bytes apart would share few sets of the L1 cache and drive each other out of it: a tile's
    columns of 64 rows, which the kernel walks through again and again, would not stay there.
    """
    stride = -(-size // 16) * 16
    return stride + 16 if stride % 64 == 0 else stride


def why_not(kernel: Kernel, plan: Plan) -> str | None:
    """Return why a kernel of the timestep cannot be deferred, or None where it can."""
    if not isinstance(kernel.domain, Synapses):
        return "runs over neurons or spikes, not over all synapses"
    if kernel.accumulations:
        return "sends input in every timestep"
    if kernel.domain.sparse is not None:
        return "runs over sparse connectivity"
    if plan.batch_size > 1 and not plan.turns:
        return "runs for every copy of a batch"
    if kernel.past or any(load.delay or load.arrives_after for load in kernel.loads):
        return "looks back in time"
    if kernel.written_arrays or any(load.index == "kernel" for load in kernel.loads):
        return "changes what synapses share"
    writes = kernel.writes
    kept = {*kernel.arrays, *(x.array for x in kernel.loads if x.index in ("synapse", "only"))}
    for other in _others(kernel, plan, writes | kept):
        touched = writes & (other.reads | other.writes)
        if touched:
            return f"{other.name} needs {label(min(touched))} in every timestep"
        changed = other.writes & kept
        if changed:
            return f"{other.name} changes {label(min(changed))} in every timestep"
    return None


def _others(kernel: Kernel, plan: Plan, arrays: Iterable[str]) -> list[Kernel]:
    """Return the other kernels of a timestep that use one of these arrays, in order."""
    users = {k.name: k for name in arrays for k in plan.users.get(name, ()) if k.name != kernel.name}
    return sorted(users.values(), key=lambda k: plan.places[k.name])


def _changing_vectors(kernel: Kernel, plan: Plan) -> list[str]:
    """Return the per-neuron arrays that a kernel reads and the timestep changes."""
    names = [load.array for load in kernel.loads if load.index in ("pre", "post")]
    return [name for name in dict.fromkeys(names) if name in plan.writers]
