"""What recorded values follow from: the state with which the timesteps that made them can be run again."""

from __future__ import annotations

from dataclasses import dataclass

from snnlearn.codegen.plan.domains import Neurons
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.parts import Code, Flag, OnSpike
from snnlearn.dialect import tree

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
        The arrays that they follow from and that timesteps change, or, of neurons, custom updates; in the order of the
        plan. What custom updates alone change of synapses would make snapshots large.
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
    reads: dict[str, frozenset[str]] = {}  # of the kernels that have to run, by name
    waiting = [k for k in plan.step if k.recorders]
    while waiting:
        kernel = waiting.pop()
        if kernel.name not in reads:
            reads[kernel.name] = needed_by(kernel, plan)
            waiting += [k for array in reads[kernel.name] for k in plan.writers.get(array, ())]
    recorded = frozenset(a.name for a in plan.arrays if a.location.space in _RECORDED)
    read = frozenset().union(*reads.values()) - recorded
    # What is written to goes to a queue's newest slot, read or not.
    used = read.union(*(k.writes for k in plan.step if k.name in reads))
    read |= {queue for queue in (plan.array(name).queue for name in used) if queue is not None}
    changed = frozenset(q.array for q in plan.queues).union(*(k.writes for k in plan.step), _updated(plan))
    return Needs(
        tuple(a.name for a in plan.arrays if a.name in read & changed),
        read - changed,
        tuple(a.name for a in plan.arrays if a.name in changed - read),
    )


def _updated(plan: Plan) -> frozenset[str]:
    """Return the arrays of neurons that custom updates write."""
    kernels = [k for group in plan.custom_updates.values() for k in group if isinstance(k, Kernel)]
    written = frozenset().union(*(k.writes for k in kernels if isinstance(k.domain, Neurons)))
    return frozenset(name for name in written if plan.array(name).location.space == "own")


def needed_by(kernel: Kernel, plan: Plan) -> frozenset[str]:
    """Return the arrays whose values a kernel needs as they were before: all that it reads, but for those it replaces.

    An element that code assigns to before anything reads it is replaced, and so is one whose value is a played row.
    """
    added_to = {a.target for a in kernel.accumulations}
    reads = kernel.reads | {load.array for load in kernel.loads if load.how != "row"} | added_to
    if not isinstance(kernel.domain, Neurons):
        return reads  # others do not run for all elements in each timestep
    assigned = _Assignments(kernel).assigned
    replaced = {
        load.array
        for load in kernel.loads
        if load.store and load.index == "neuron" and (load.played or load.name in assigned)
        if plan.array(load.array).slots == 1
    }
    return reads - (replaced - {*kernel.arrays, *kernel.past} - added_to)


class _Assignments:
    """Finds the local copies that a kernel's body assigns to, whatever happens, before anything reads them."""

    def __init__(self, kernel: Kernel) -> None:
        self.assigned: set[str] = set()
        self._read: set[str] = set()
        for part in kernel.body:
            if isinstance(part, Code):
                self._code(part)
            elif isinstance(part, (Flag, OnSpike)):
                self._code(part.condition)
            else:
                self._read |= {part.last, part.before} - self.assigned
            if isinstance(part, OnSpike):
                for code in (*part.before, *part.reset):
                    self._reads(code.tree, code)
                self._read |= {part.time or ""} - self.assigned

    def _code(self, code: Code) -> None:
        if isinstance(code.tree, tree.Block):
            self._block(code.tree, code)
        else:
            self._reads(code.tree, code)

    def _block(self, block: tree.Block, code: Code) -> None:
        for statement in block.statements:
            value = statement.value if isinstance(statement, tree.Evaluate) else None
            if isinstance(statement, tree.Block):
                self._block(statement, code)
            elif isinstance(value, tree.Assign) and value.op == "=" and isinstance(value.target, tree.Name):
                self._reads(value.value, code)
                target = code.names.get(value.target.id)
                if target is not None and target not in self._read:
                    self.assigned.add(target)
            else:
                self._reads(statement, code)

    def _reads(self, node: tree.Node, code: Code) -> None:
        """Take all names in a piece of code for read, also those that it may assign to."""
        names = {code.names.get(name, "") for name in tree.names_in(node)}
        names |= {getattr(action, "target", "") for action in code.actions.values()}
        self._read |= names - self.assigned
