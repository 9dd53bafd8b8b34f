"""Loop fission of neuron updates: code that blocks vectorisation gets its own loop.

Random numbers drawn until something happens, or any other loop within the code of inputs, would make the whole update
of a neuron one that goes neuron by neuron. The code before and behind it can still work on many neurons at once; a few
inputs are handed over in small arrays. Nothing is computed in another order for any neuron.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from snnlearn.codegen.plan import Kernel
from snnlearn.codegen.plan.parts import Code, Flag, Input, Load, OnSpike, Part, SavePreviousSpikeTime
from snnlearn.dialect import tree


@dataclass(frozen=True)
class Pass:
    """A part of a kernel's body that runs over all neurons of a strip before the next part does.

    Attributes
    ----------
    first, end : int
        Which parts of the body.
    loads : tuple of Load
        The local copies it needs; those that an earlier pass has written are there already.
    again : frozenset of str
        Which of these an earlier pass has stored.
    inputs : tuple of Input
    before, after : frozenset of str
        The inputs that come from an earlier pass, and that a later one needs.
    draws : bool
        Whether it draws random numbers.
    """

    first: int
    end: int
    loads: tuple[Load, ...]
    again: frozenset[str]
    inputs: tuple[Input, ...]
    before: frozenset[str]
    after: frozenset[str]
    draws: bool


def passes_of(kernel: Kernel) -> list[Pass]:
    """Return the passes of a kernel over neurons; one where there is nothing to part."""
    ranges = _ranges(kernel)
    used = [frozenset().union(*(_names(part) for part in kernel.body[a:b])) for a, b in ranges]
    known = frozenset().union(*used)
    passes = []
    for number, (first, end) in enumerate(ranges):
        earlier = frozenset().union(*used[:number])
        later = frozenset().union(*used[number + 1 :])
        last = number == len(ranges) - 1
        # What no code mentions is carried along, at the end.
        mine = [x for x in kernel.loads if x.name in used[number] or (last and x.name not in known)]
        inputs = tuple(v for v in kernel.inputs if v.name in used[number])
        names = frozenset(v.name for v in inputs)
        passes.append(
            Pass(
                first,
                end,
                tuple(mine),
                frozenset(x.name for x in mine if x.name in earlier),
                inputs,
                names & earlier,
                names & later,
                any(_draws(part) for part in kernel.body[first:end]),
            )
        )
    return passes


def _ranges(kernel: Kernel) -> list[tuple[int, int]]:
    body = kernel.body
    # From here on pieces of code share local variables.
    together = next((n for n, part in enumerate(body) if not _is_independent(part)), len(body))
    rough = [n for n, part in enumerate(body) if isinstance(part, Code) and _blocks_vectorisation(part)]
    later = any(_draws(part) for part in body[together:])
    if not rough or rough[-1] >= together or later or together == len(body):
        return [(0, len(body))]
    ends = [0, rough[0], rough[-1] + 1, len(body)]
    return [(a, b) for a, b in pairwise(ends) if a < b]


def _is_independent(part: Part) -> bool:
    return isinstance(part, SavePreviousSpikeTime) or (isinstance(part, Code) and part.scoped)


def _blocks_vectorisation(code: Code) -> bool:
    return _draws(code) or _loops(code.tree)


@tree.memoised
def _loops(node: Any) -> bool:
    return any(isinstance(n, (tree.For, tree.While)) for n in tree.walk(node))


def _codes(part: Part) -> list[Code]:
    if isinstance(part, Code):
        return [part]
    if isinstance(part, Flag):
        return [part.condition]
    return [part.condition, *part.before, *part.reset] if isinstance(part, OnSpike) else []


def _draws(part: Part) -> bool:
    return any(name.startswith("gennrand") for code in _codes(part) for name in tree.calls_in(code.tree))


def _names(part: Part) -> frozenset[str]:
    """Return the kernel's names that a part mentions."""
    names = {name for code in _codes(part) for name in code.names.values()}
    names |= {a.target for code in _codes(part) for a in code.actions.values() if hasattr(a, "target")}
    if isinstance(part, SavePreviousSpikeTime):
        names |= {part.last, part.before}
    if isinstance(part, OnSpike) and part.time is not None:
        names.add(part.time)
    return frozenset(names)
