"""What emitted code calls beside arithmetic: times of spikes, flags, messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from snnlearn.codegen.plan.history import WORD_BITS, words_of

Round = Callable[[float], float]  # to the precision of times
_NO_NEURON = 0xFFFFFFFF


def time_of(timestep: int, dt: float, as_time: Round) -> float:
    """Return when a timestep starts [ms]."""
    return as_time(timestep * dt)


def just_now(time: float, timestep: int, dt: float, as_time: Round) -> bool:
    """Whether a time is that of the timestep before."""
    return timestep > 0 and time == time_of(timestep - 1, dt, as_time)


def arrival(emitted: float, steps: int, dt: float, as_time: Round) -> float:
    """Return when a spike arrives that was emitted some timesteps before: the very number that ``t`` is then."""
    timestep = float(np.rint(emitted / dt))
    if 0.0 <= timestep < 2.0**62 and time_of(int(timestep), dt, as_time) == emitted:
        return time_of(int(timestep) + steps, dt, as_time)
    return as_time(emitted + steps * dt)


def as_index(number: float) -> int:
    """Return a number as the index of a neuron; what can be none becomes one that no population has."""
    return int(number) if -1.0 < number <= _NO_NEURON else _NO_NEURON


def flags(neurons: Iterable[int], size: int) -> Any:
    """Return words with a bit for each of ``size`` neurons: whether it is one of these."""
    marks = np.zeros(words_of(size) * WORD_BITS, np.uint8)
    marks[[*neurons]] = 1
    return np.packbits(marks, bitorder="little").view("<u4")


def played_bit(row: Sequence[int], neuron: int) -> int:
    """Return a neuron's bit of a row of flags."""
    return (row[neuron // WORD_BITS] >> (neuron % WORD_BITS)) & 1


def printf(text: str, *args: Any) -> int:
    """Print a message, as C's function."""
    shown = (
        re.sub(
            r"(%[-+ #0-9.*]*)(?:hh|h|ll|l|z|j|t)?u", r"\1d", re.sub(r"(%[-+ #0-9.*]*)(?:hh|h|ll|l|z|j|t)", r"\1", text)
        )
        % args
    )
    print(shown, end="")
    return len(shown)
