"""Mutual exclusion: one thread at a time works with a simulation, and those that wait do so in a queue."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, TypeVar

from snnlearn.errors import LifecycleError

Result = TypeVar("Result")
AnyCall = TypeVar("AnyCall", bound=Callable[..., Any])


class Exclusive:
    """What only one thread at a time may use.

    Quick methods have this form, in which nothing can come between taking the lock and the block that gives it back,
    Ctrl-C neither; all others are marked as `exclusive`::

        if self._busy:
            return self.in_turn(self.method, argument)
        with self._lock:
            self._busy = True
            try:
                ...
            finally:
                self._busy = self._has_waiter

    A lock alone is not fair: a thread that gives it back and takes it again at once is always quicker than one that has
    to wake up. So the first that waits says so, and whoever comes after it queues behind.
    """

    # Whether a quick method finds everything whole where it interrupts another one of the same thread, as a signal
    # handler or a finaliser does.
    _reentrant: ClassVar[bool] = False

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._queue = threading.RLock()  # held by the first of those that wait
        self._has_waiter = False  # whether there is one
        self._busy = False  # whether the lock is held or awaited
        self._in_parts = False  # whether its holder does something in several steps
        _living.add(self)

    def in_turn(self, call: Callable[..., Result], *args: Any) -> Result:
        """Call a function when no other thread is at work here; what it does here happens without interruption.

        Raises
        ------
        LifecycleError
            Where this interrupts, in the same thread, what must not be interrupted.
        """
        if self._mine():
            busy = self._busy
            if busy and (self._in_parts or not self._reentrant):
                raise LifecycleError(
                    "a signal handler or finaliser has come in the midst of another call to this model by the same "
                    "thread: have it leave a note, and act on that after the call"
                )
            self._busy = False
            try:
                return call(*args)
            finally:
                self._busy = busy
        with self._queue:
            had_waiter, self._has_waiter, self._busy = self._has_waiter, True, True
            try:
                with self._lock:
                    self._has_waiter = self._busy = False
                    return call(*args)
            finally:
                self._has_waiter = had_waiter

    def _mine(self) -> bool:
        """Whether this thread holds the lock."""
        try:
            threading.Condition(self._lock).notify(0)  # what the standard library asks with
        except RuntimeError:
            return False
        return True

    def _forked(self, torn: bool) -> None:
        """Come to terms with being in a fork of the process; torn: another thread was at work here when it was made."""

    def _renew_locks(self) -> None:
        """Give back what threads held that are not in this fork of their process."""
        torn = not _can_be_had(self._lock)
        if torn:
            self._lock, self._busy, self._in_parts = threading.RLock(), False, False
        if not _can_be_had(self._queue):
            self._queue, self._has_waiter = threading.RLock(), False
        self._forked(torn)


def exclusive(method: AnyCall) -> AnyCall:
    """Have one thread at a time run a method of `Exclusive`, and nothing else of the same object meanwhile."""

    @wraps(method)
    def in_exclusion(self: Exclusive, *args: Any) -> Any:
        if self._busy:
            return self.in_turn(in_exclusion, self, *args)
        with self._lock:
            in_parts, self._busy, self._in_parts = self._in_parts, True, True
            try:
                return method(self, *args)
            finally:
                self._busy, self._in_parts = self._has_waiter, in_parts

    return in_exclusion  # type: ignore[return-value]


def _can_be_had(lock: Any) -> bool:
    """Whether a lock is free or this thread's."""
    if not lock.acquire(blocking=False):
        return False
    lock.release()
    return True


def _renew_all() -> None:
    for one in list(_living):
        one._renew_locks()


_living: weakref.WeakSet[Exclusive] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
