"""The meaning of code strings, for tests: one is printed as the reference engine prints it, and run by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from snnlearn.codegen.plan import Code
from snnlearn.codegen.plan.names import Names
from snnlearn.codegen.reference.code import INDENT, CodePrinter
from snnlearn.dialect import Snippet, tree
from snnlearn.dialect.library import MATHS
from snnlearn.runtime.reference import numbers

_SUMS = frozenset(["addToPost", "addToPre", "injectCurrent"])


def run_snippet(
    snippet: Snippet,
    values: Mapping[str, Any],
    arrays: Mapping[str, Any] | None = None,
    random: Mapping[str, Iterator[float]] | None = None,
    synapses: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Run a checked code string on plain numbers, of which all floating types are of double precision.

    Parameters
    ----------
    snippet : Snippet
    values : mapping of str to number
        A value for every declared name that the snippet reads.
    arrays : mapping of str to sequence
        The extra global parameters it indexes, and the past of the variables that it reads with a delay, newest
        first. Assignments change them.
    random : mapping of str to iterator
        What ``gennrand_uniform()`` and the like give, call by call.
    synapses : sequence of dict
        What ``for_each_synapse`` goes through: the values that its body sees besides. Assignments change them.

    Returns
    -------
    dict
        The values afterwards: those given, as changed, with the local variables of the outermost level (so
        that the result can be given to the code that runs next in the same place); for each action called the sum
        of what it was given (``addToPost``, …), or else the list of its arguments, call by call (``addSynapse``, …,
        ``printf``); and, if the snippet is an expression, its value as ``"return"``, a key that no model can declare.
    """
    called = [name for name in snippet.calls if name not in MATHS and not name.startswith("gennrand")]
    found = dict(values)
    found |= {name: 0.0 if name in _SUMS or name.startswith("atomic_add_") else [] for name in called}
    of_synapse = frozenset().union(*synapses)
    every = dict.fromkeys([*found, *sorted(snippet.names), *sorted(of_synapse)])
    given = {name: f"given_{number}" for number, name in enumerate(every)}
    printer = _Alone(of_synapse, given)
    names = {name: name for name in every} | {f"{name}[]": name for name in snippet.delayed}
    code = Code("code", snippet.tree, names, scoped=False)
    if isinstance(snippet.tree, tree.Block):
        lines = printer.lines(code)
    else:
        lines = [f"found['return'] = {printer.value(code)}"]
    begin = [f"{given[name]} = found[{name!r}]" for name in found]
    source = "\n".join(f"{INDENT}{line}" for line in [*begin, *lines, "return locals()"])
    scope = {**vars(numbers), "single": float, "random": _Random(random or {})}
    exec(f"def run(found, arrays, synapses):\n{source}", scope)
    with np.errstate(all="ignore"):
        after = scope["run"](found, arrays or {}, synapses)
    places = given | dict(printer.outermost)
    return found | {name: after[place] for name, place in places.items() if place in after}


class _Alone(CodePrinter):
    """Prints code whose names stand for numbers that are given."""

    def __init__(self, of_synapse: frozenset[str], given: Mapping[str, str]) -> None:
        super().__init__("double", Names(given.values()), {})
        self._of_synapse, self._given = of_synapse, given

    def variable(self, target: str) -> str:
        return f"synapse[{target!r}]" if target in self._of_synapse else self._given[target]

    def array(self, target: str) -> str:
        return f"arrays[{target!r}]"

    def past(self, array: str, delay: str) -> str:
        return f"arrays[{array!r}][{delay}]"

    def each_synapse(self, s: tree.ForEachSynapse) -> str:
        return "for synapse in synapses:"

    def action(self, e: tree.Call, *, statement: bool) -> str:
        local, args = self._given[e.function], [self.expression(a) for a in e.args]
        if e.function in _SUMS or e.function.startswith("atomic_add_"):
            return f"{local} += {args[0]}" if statement else f"({local} := {local} + {args[0]})"
        return f"({local}.append(({''.join(f'{a}, ' for a in args)})), 0)[-1]"


class _Random:
    """Gives the numbers that a test has chosen."""

    def __init__(self, numbers: Mapping[str, Iterator[float]]) -> None:
        self._numbers = numbers

    def __getattr__(self, name: str) -> Any:
        function = "gennrand" if name == "word" else f"gennrand_{name}"
        return lambda *args: next(self._numbers[function])
