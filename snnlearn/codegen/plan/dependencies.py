"""What recorded values follow from: the kernels of a timestep that have to run again to compute them again."""

from __future__ import annotations

from dataclasses import dataclass

from snnlearn.codegen.plan.kernels import Kernel, Plan

# What has been recorded, and where in it the simulation is: nothing that is computed follows from it.
_RECORDED = frozenset(
    ["recorded", "recorded_spikes", "recorder", "recording", "pre_event_recording", "post_event_recording"]
)


@dataclass(frozen=True)
class Needs:
    """What recorded values follow from.

    Attributes
    ----------
    state : tuple of str
        The arrays that they follow from and that timesteps change, in the order of the plan.
    constant : frozenset of str
        The other arrays that they follow from.
    rest : tuple of str
        The other arrays that timesteps change, recorded values too.
    """

    state: tuple[str, ...]
    constant: frozenset[str]
    rest: tuple[str, ...]


def needs_of_recorders(plan: Plan) -> Needs:
    """Return what the values that a plan's recorders copy follow from."""
    kernels: dict[str, Kernel] = {}
    waiting = [k for k in plan.step if k.recorders]
    while waiting:
        kernel = waiting.pop()
        if kernel.name not in kernels:
            kernels[kernel.name] = kernel
            waiting += [k for array in _read(kernel) for k in plan.writers.get(array, ())]
    recorded = frozenset(a.name for a in plan.arrays if a.location.space in _RECORDED)
    read = frozenset().union(*(_read(k) for k in kernels.values()))
    written = frozenset().union(*(k.writes for k in kernels.values()))
    used = read | written
    used |= {queue for queue in (plan.array(name).queue for name in used) if queue is not None}
    changed = frozenset(q.array for q in plan.queues).union(*(k.writes for k in plan.step))
    state = used & changed - recorded
    return Needs(
        tuple(a.name for a in plan.arrays if a.name in state),
        read - state - recorded,
        tuple(a.name for a in plan.arrays if a.name in changed - state),
    )


def _read(kernel: Kernel) -> frozenset[str]:
    return kernel.reads | {load.array for load in kernel.loads}
