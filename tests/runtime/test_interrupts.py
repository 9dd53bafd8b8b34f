"""Ctrl-C, held until a function returns."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from snnlearn.cli import Interrupted
from snnlearn.runs import Interruption
from snnlearn.runtime.interrupts import uninterrupted


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Python's own answer to Ctrl-C, also where the tests run in the background, which ignores it."""
    before = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGALRM)]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before:
        signal.signal(number, handler)


def test_ctrl_c_waits_for_the_end_of_what_must_be_whole() -> None:
    done = []

    @uninterrupted
    def inner() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        done.append(1)

    @uninterrupted
    def outer() -> None:
        inner()
        done.append(2)

    with pytest.raises(KeyboardInterrupt):
        outer()
    assert done == [1, 2]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("soon", [True, False])
def test_what_ends_a_training_waits_too(number: int, soon: bool) -> None:
    """Where the trial's end is waited for, it is the alarm that ends it."""
    done = []

    @uninterrupted
    def inner() -> None:
        signal.raise_signal(number)
        if soon:
            time.sleep(0.3)
        done.append(1)

    @uninterrupted
    def outer() -> None:
        inner()
        done.append(2)

    with pytest.raises(Interrupted) as caught, Interruption() as interruption:  # noqa: PT012
        if soon:
            interruption.expect_trial(0.0)
        outer()
        time.sleep(1.0)  # where SIGINT was held, the alarm comes in this
        done.append(3)
    assert (done, caught.value.number) == ([1, 2], number)


def test_a_result_and_an_error_pass() -> None:
    assert uninterrupted(lambda a, *, b: a + b)(1, b=2) == 3
    with pytest.raises(ZeroDivisionError):
        uninterrupted(lambda: 1 / 0)()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_changes_no_handler() -> None:
    found = []
    thread = threading.Thread(target=uninterrupted(lambda: found.append(signal.getsignal(signal.SIGINT))))
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_what_is_no_function_stays(handler: signal.Handlers) -> None:
    signal.signal(signal.SIGINT, handler)
    assert uninterrupted(lambda: signal.getsignal(signal.SIGINT))() is handler


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the operating system knows no interval timers")
def test_a_handler_that_raises_anywhere_gives_ctrl_c_back() -> None:
    class Alarm(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Alarm

    @uninterrupted
    def inner() -> None:
        pass

    @uninterrupted
    def outer() -> None:
        inner()

    signal.signal(signal.SIGALRM, interrupt)
    numbers = random.Random(1)
    for _ in range(1000):
        with pytest.raises(Alarm):  # noqa: PT012
            signal.setitimer(signal.ITIMER_REAL, numbers.uniform(1e-4, 6e-4))
            while True:
                outer()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
