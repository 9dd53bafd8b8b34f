"""Ctrl-C, held for a moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# signal.signal itself is Python code, in which another signal's handler may raise before anything is set.
set_handler: Any = getattr(signal.signal, "__wrapped__", signal.signal)


def uninterrupted(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Hold Ctrl-C until a function returns: launches that are half enqueued cannot be taken back.

    Handlers that ask `put_off` are held too. Those of other signals run, and may raise: `finally` gives Ctrl-C back
    then. A ``with`` block would not, as a handler can raise where its `__exit__` begins.
    """

    @wraps(function)
    def holding(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        global _waiting
        before = signal.getsignal(signal.SIGINT)
        # Only the main thread is ever interrupted; a handler that is not a function cannot be called later.
        if not callable(before) or threading.current_thread() is not threading.main_thread():
            return function(*args, **kwargs)
        held: list[tuple[int, FrameType | None]] = []
        call: Any = before
        number = int(signal.SIGINT)
        waiting: list[int] = []
        hold, outer = _into(held), _waiting
        try:
            set_handler(number, hold)
            _waiting = waiting
            return function(*args, **kwargs)
        finally:
            _waiting = outer
            try:
                set_handler(number, call)
            except BaseException:  # of a handler that was due: signals are handled before this one's handler is changed
                set_handler(number, call)
                raise
            if held:
                call(*held[0])
            for other in waiting[:1]:
                again = signal.getsignal(other)
                if callable(again):
                    again(other, None)

    return holding


_waiting: list[int] | None = None  # the signals that have been put off, while they are


def put_off(number: int) -> bool:
    """Return whether the handler of a signal, which would raise, is to return: it is called again when it may."""
    if _waiting is None:
        return False
    _waiting.append(number)
    return True


def _into(held: list[tuple[int, FrameType | None]]) -> Callable[[int, FrameType | None], None]:
    """Return a handler that notes the signal."""

    def hold(number: int, frame: FrameType | None) -> None:
        held.append((number, frame))

    return hold
