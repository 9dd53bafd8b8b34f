"""PyGeNN's obsolete names: they work, and say which ones took their place."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def deprecated(instead: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Mark a function as obsolete: calling it warns and says what to use instead."""

    def mark(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @functools.wraps(function)
        def warn_and_call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            warnings.warn(f"{function.__name__} is deprecated: use {instead}", FutureWarning, stacklevel=2)
            return function(*args, **kwargs)

        return warn_and_call

    return mark
