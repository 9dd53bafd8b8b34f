"""PyGeNN's obsolete names: they work, and say which ones took their place."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Value = TypeVar("Value")


def deprecated(instead: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Mark a function as obsolete: calling it warns and says what to use instead."""

    def mark(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @functools.wraps(function)
        def warn_and_call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            warnings.warn(f"{function.__name__} is deprecated: use {instead}", FutureWarning, stacklevel=2)
            return function(*args, **kwargs)

        return warn_and_call

    return mark


def renamed(now: str, value: Value | None, before: str, old_value: Value | None) -> Value | None:
    """Return an argument's value, which may have been given under its former name; that warns."""
    if old_value is None:
        return value
    warnings.warn(f"the argument '{before}' is called '{now}' now", FutureWarning, stacklevel=4)
    return old_value
