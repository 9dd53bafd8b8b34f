"""One thread at a time is at work on a simulation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from snnlearn.errors import LifecycleError
from snnlearn.runtime.exclusive import Exclusive, exclusive


class Counter(Exclusive):
    """Counts, slowly enough for two threads to lose counts where they may both do it."""

    def __init__(self) -> None:
        super().__init__()
        self.count = self.taken = 0

    @exclusive
    def add(self, pause: float = 0.0, between: Callable[[], Any] = lambda: None) -> None:
        self.taken += 1
        count = self.count
        between()
        time.sleep(pause)
        self.count = count + 1

    def quick(self, between: Callable[[], Any] = lambda: None) -> None:
        if self._busy:
            return self.in_turn(self.quick, between)
        with self._lock:
            self._busy = True
            try:
                self.count += 1
                between()
            finally:
                self._busy = self._has_waiter


class Reentrant(Counter):
    _reentrant = True


def in_threads(*works: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
        assert not thread.is_alive(), "it waits for ever"


def test_no_count_is_lost() -> None:
    counter = Counter()
    in_threads(*[lambda: [counter.add(1e-5) for _ in range(100)]] * 4)  # type: ignore[list-item]
    assert counter.count == 400


def test_whoever_waits_is_next() -> None:
    counter, done = Counter(), threading.Event()
    between = []

    def hurry() -> None:
        while not done.is_set():
            counter.add()

    def wait() -> None:
        for _ in range(200):
            time.sleep(0.001)
            before = counter.taken
            counter.in_turn(lambda before=before: between.append(counter.taken - before))
        done.set()

    in_threads(hurry, wait)
    assert max(between) <= 2, "one that was under way, and at most one that overtook"


def test_what_is_done_in_turn_happens_together() -> None:
    counter, seen = Counter(), []

    def together() -> None:
        before = counter.count
        counter.add(1e-5)
        counter.add(1e-5)
        seen.append(counter.count - before)

    def many() -> None:
        for _ in range(50):
            counter.in_turn(together)
            counter.add()

    in_threads(many, many)
    assert seen == [2] * 100
    assert counter.count == 300


def test_what_interrupts_a_call_of_the_same_thread() -> None:
    counter = Counter()
    for call in (counter.add, counter.quick):
        arguments = (0.0, counter.add) if call == counter.add else (counter.add,)
        with pytest.raises(LifecycleError, match="a signal handler or finaliser has come in the midst"):
            call(*arguments)
    reentrant = Reentrant()
    reentrant.quick(lambda: reentrant.quick(reentrant.add))
    assert reentrant.count == 3
    with pytest.raises(LifecycleError, match="in the midst"):
        reentrant.add(0.0, reentrant.quick)  # of several steps
    for one in (counter, reentrant):
        in_threads(one.add)
        assert not one._busy, "the next one is quick again"


def test_an_error_gives_the_lock_back() -> None:
    counter = Counter()
    for call in (lambda: counter.add(0.0, lambda: 1 / 0), lambda: counter.in_turn(lambda: 1 / 0)):
        with pytest.raises(ZeroDivisionError):
            call()
        in_threads(counter.add)
