"""Functions that say which argument is meant, where a name is not theirs, and what became of GeNN 4's."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from snnlearn.errors import ArgumentError, did_you_mean
from snnlearn.genn import obsolete

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def checked_arguments(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Have a function raise ArgumentError for an argument that it does not take; the text names the nearest."""
    names = frozenset(inspect.signature(function).parameters)

    @functools.wraps(function)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if not names.issuperset(kwargs) or len(args) > len(names):
            raise ArgumentError(_problem(function, names, args, kwargs))
        return function(*args, **kwargs)

    return call


def _problem(function: Callable[..., Any], names: frozenset[str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    of = function.__name__
    unknown = [name for name in kwargs if name not in names]
    if unknown:
        name = unknown[0]
        text = obsolete.explain(name, obsolete.ARGUMENTS)
        return f"{of} takes no argument '{name}'" + (f": {text}" if text else did_you_mean(name, names))
    own = "self" in names
    text = f"{of} takes {len(names) - own} arguments, not {len(args) - own}"
    if of != "add_synapse_population":
        return text
    matrix = obsolete.explain(str(args[2]), obsolete.MATRIX_TYPES)
    return f"{text}: {obsolete.SYNAPSES} ({obsolete.GUIDE})" + (f"; the matrix type: {matrix}" if matrix else "")
