"""What a checkpoint's network is known by: everything declared that its state does not hold, as readable values."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from snnlearn.declare import as_plain
from snnlearn.declare.optimiser import Optimiser
from snnlearn.dialect.source import Source
from snnlearn.dialect.tokens import scan
from snnlearn.errors import DialectError
from snnlearn.training.arguments import TrainedConnection

_ABSENT = object()
_DERIVED = "derived parameters"
_ACCESS = ("READ_WRITE", "READ_ONLY", "READ_ONLY_DUPLICATE")
_VARIABLES = ("vars", "pre_vars", "post_vars")


def fingerprint(
    network: Mapping[str, Any],
    updates: Collection[str],
    connections: Sequence[TrainedConnection],
    optimisers: Sequence[Optimiser],
) -> dict[str, Any]:
    """Return the fingerprint of a network and of what trains it, as a file in JSON gives it back.

    Parameters
    ----------
    network : mapping
        A model's ``description()``.
    updates : collection of str
        Names of the custom updates that optimisers have added to it: there are more of them in a learner with more
        optimisers, and `optimisers` says what they are.
    connections : sequence of TrainedConnection
    optimisers : sequence of Optimiser
    """
    added = {f"custom update '{name}'" for name in updates}
    values = {
        **{key: value for key, value in network.items() if key not in added},
        **{f"trained connection '{c.synapses.name}'": _describe_connection(c) for c in connections},
        **{f"optimiser '{rule.name}'": _describe_optimiser(rule) for rule in optimisers},
    }
    derived = network.get(_DERIVED, {})
    values[_DERIVED] = {key: value for key, value in derived.items() if key not in added}
    found: dict[str, Any] = json.loads(json.dumps(values, default=plain_number))
    return found


def _describe_connection(connection: TrainedConnection) -> dict[str, Any]:
    feedback, bounds = connection.feedback, connection.bounds
    return {
        "weight": connection.weight,
        "gradient": connection.gradient,
        "feedback": f"{feedback.name}.{connection.feedback_weight}" if feedback is not None else None,
        "bounds": [float(bound) for bound in bounds] if bounds is not None else None,
    }


def _describe_optimiser(rule: Optimiser) -> dict[str, Any]:
    fixed = {name: value for name, value in rule.params.items() if name not in rule.dynamic_params}
    # Left out where they are the defaults, so that checkpoints from before there were such fields stay readable.
    refs = {name: getattr(rule, name) for name in ("gradient_ref", "variable_ref")}
    named = {name: ref for name, ref in refs.items() if ref != getattr(Optimiser, name)}
    return {**as_plain(rule.model), "parameters": fixed, **named}


def plain_number(value: Any) -> Any:
    """Return what JSON holds instead of a number of NumPy's; for ``json.dumps(..., default=plain_number)``."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be written as JSON")


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return in words how two fingerprints differ; empty where they do not.

    Codes are compared by their words: comments, blanks and the breaks of lines make no difference. Whether variables
    may be written is not compared: what is written is in the codes, and how many values there are in the state.
    Derived parameters are named where nothing else says why they differ.
    """
    old, new = ({k: v for k, v in given.items() if k != _DERIVED} for given in (there, here))
    found = list(_compare((), old, new))
    return found or list(_compare((_DERIVED,), there.get(_DERIVED, {}), here.get(_DERIVED, {})))


def _compare(path: tuple[str, ...], there: Any, here: Any) -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in {**there, **here}:
            yield from _compare((*path, key), there.get(key, _ABSENT), here.get(key, _ABSENT))
    elif path and path[-1] in _VARIABLES and isinstance(there, list) and isinstance(here, list):
        if [_without_access(v) for v in there] != [_without_access(v) for v in here]:
            yield f"{', '.join(path)} is {there!r} there, {here!r} here"
    elif path and path[-1].endswith("_code"):
        yield from _compare_codes(path, there, here)
    elif there is _ABSENT or here is _ABSENT:
        yield f"{', '.join(path)} is {'here, not there' if there is _ABSENT else 'there, not here'}"
    elif there != here:
        yield f"{', '.join(path)} is {there!r} there, {here!r} here"


def _without_access(variable: Any) -> Any:
    """Return a variable, as `as_plain` writes it, without whether it is declared to be written."""
    return [w for w in variable.split() if w not in _ACCESS] if isinstance(variable, str) else variable


def _compare_codes(path: tuple[str, ...], there: Any, here: Any) -> Iterator[str]:
    """Name the first line that differs in a word; a code that is absent is one without lines."""
    if there == here:
        return
    old, new = (_lines("" if code is _ABSENT else str(code)) for code in (there, here))
    if [word for _, _, words in old for word in words] == [word for _, _, words in new for word in words]:
        return
    nothing: tuple[int, str, list[str]] = (0, "", [])
    for (line, before, words), (line_here, after, words_here) in zip_longest(old, new, fillvalue=nothing):
        if words != words_here:
            yield f"{', '.join(path)}, line {line_here or line}, is {before!r} there, {after!r} here"
            return


def _lines(code: str) -> list[tuple[int, str, list[str]]]:
    """Return number, text and words of each line that has words."""
    source = Source(code, "a code")
    words: dict[int, list[str]] = {}
    try:
        for token in scan(source):
            words.setdefault(source.text.count("\n", 0, token.start) + 1, []).append(token.text)
    except DialectError:  # of another version's or GeNN's own dialect
        words = {number: line.split() for number, line in enumerate(source.text.split("\n"), 1) if line.split()}
    lines = source.text.split("\n")
    return [(number, lines[number - 1].strip(), found) for number, found in words.items()]
