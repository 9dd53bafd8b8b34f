"""Training is one thread's: what another one asks for is refused, not done in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from snnlearn.errors import TrainingError

AnyCall = TypeVar("AnyCall", bound=Callable[..., Any])


class OneThread:
    """What only one thread may use until its call returns; callbacks within that call are in the same thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._user: int | None = None  # the thread whose call is under way


def one_thread(method: AnyCall) -> AnyCall:
    """Have a method of `OneThread` raise TrainingError while another thread is in one."""

    @wraps(method)
    def call(self: OneThread, *args: Any, **named: Any) -> Any:
        this, user = threading.get_ident(), self._user
        if user not in (None, this):
            raise TrainingError(
                f"{method.__name__}: another thread is training with this {type(self).__name__}; ask there, in a "
                "callback, or stop it first"
            )
        with self._lock:
            self._user = this
            try:
                return method(self, *args, **named)
            finally:
                self._user = user

    return call  # type: ignore[return-value]
