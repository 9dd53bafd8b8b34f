"""No garbage collection while source is emitted."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def without_collection(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Have a function run without Python's collector of reference cycles.

    Loop nests and printed pieces are many small values without cycles. The collector would look through all of them
    again and again, for more than half of the time that emitting takes, and find nothing.
    """

    @wraps(function)
    def undisturbed(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        if not gc.isenabled():
            return function(*args, **kwargs)
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            gc.enable()

    return undisturbed
