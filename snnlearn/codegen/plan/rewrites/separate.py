"""Separation: synapse dynamics that send in a block of their own, and do something else, become two kernels.

What the block sends is needed at once; the rest may then be deferred. A block in braces shares no local variables with
the rest, and is separated only where it reads nothing that the rest changes, so that no bit depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from snnlearn.codegen.plan.domains import Synapses
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.parts import Code
from snnlearn.codegen.plan.rewrites.defer import why_not
from snnlearn.dialect import tree


def separate(plan: Plan) -> Plan:
    """Return the plan with kernels in two parts where that lets one be deferred."""
    for kernel in plan.step:
        parts = _parts(kernel)
        if parts is not None:
            step = [k for one in plan.step for k in (parts if one is kernel else (one,))]
            changed = replace(plan, step=tuple(step))
            if why_not(parts[1], changed) is None:
                plan = changed
    return plan


def _parts(kernel: Kernel) -> tuple[Kernel, Kernel] | None:
    """Return what a kernel sends and the rest of it, as two kernels; None where it has no such parts."""
    if not isinstance(kernel.domain, Synapses) or not kernel.accumulations or len(kernel.body) != 1:
        return None
    (code,) = kernel.body
    if not isinstance(code, Code) or not isinstance(code.tree, tree.Block) or kernel.stream is not None or kernel.past:
        return None
    sending = [s for s in code.tree.statements if _calls(s) & code.actions.keys()]
    rest = [s for s in code.tree.statements if s not in sending]
    if not sending or not rest or not all(isinstance(s, tree.Block) for s in sending):
        return None
    if _changed(rest) & tree.names_in(tuple(sending)) or _changed(sending) & code.names.keys():
        return None
    sends = _only(kernel, code, sending)
    sends = replace(sends, name=f"{kernel.name}_send", title=f"{kernel.title}, what it sends")
    return sends, _only(kernel, code, rest)


def _only(kernel: Kernel, code: Code, statements: Sequence[tree.Statement]) -> Kernel:
    """Return the kernel with some of its statements alone."""
    calls = frozenset().union(*map(_calls, statements))
    mentioned, written = tree.names_in(tuple(statements)), _changed(statements)
    names = {own: there for own, there in code.names.items() if own in mentioned}
    stored = {there for own, there in names.items() if own in written}
    used = {*names.values()}
    body = replace(
        code,
        tree=replace(code.tree, statements=tuple(statements)),  # type: ignore[arg-type]
        names=names,
        actions={call: action for call, action in code.actions.items() if call in calls},
    )
    return replace(
        kernel,
        constants=tuple(c for c in kernel.constants if c.name in used),
        loads=tuple(replace(x, store=x.store and x.name in stored) for x in kernel.loads if x.name in used),
        body=(body,),
        arrays=tuple(a for a in kernel.arrays if a in used),
        uses=kernel.uses & used,
    )


def _calls(statement: tree.Statement) -> frozenset[str]:
    return frozenset(n.function for n in tree.walk(statement) if isinstance(n, tree.Call))


def _changed(statements: Sequence[tree.Statement]) -> frozenset[str]:
    """Return the names that statements assign to."""
    found = set()
    for statement in statements:
        for n in tree.walk(statement):
            if isinstance(n, (tree.Assign, tree.Step)):
                found.add(n.target.array if isinstance(n.target, tree.Index) else n.target.id)
    return frozenset(found)
