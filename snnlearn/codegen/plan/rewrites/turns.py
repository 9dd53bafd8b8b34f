"""Turns: the copies of a batch go through a block of timesteps one after the other.

What one copy changes in a timestep stays in the caches next to the core, where what all of them change does not. Its
synapse dynamics can be deferred, too: the kept past is that of the copy at work. No bit changes by that; a GPU, which
has all copies at work at once, has no use for it.
"""

from __future__ import annotations

from dataclasses import replace

from snnlearn.codegen.plan.kernels import Plan


def turns(plan: Plan) -> Plan:
    """Return the plan with copies that take turns, where there are such and they can."""
    return replace(plan, turns=plan.batch_size > 1 and _are_apart(plan))


def _are_apart(plan: Plan) -> bool:
    """Return whether in no timestep a copy sees what another has written."""
    written = (plan.array(name) for name in plan.writers)
    # Of a size known at run time: rows of recordings, where each copy has places of its own, and arrays of code.
    own = all(array.batched or array.size is None for array in written)
    return own and all(kernel.batched and not kernel.written_arrays for kernel in plan.step)
