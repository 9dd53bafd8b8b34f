"""Units of time: a file says its own or is given one; none is guessed."""

from __future__ import annotations

import math

from snnlearn.errors import ExchangeError, did_you_mean

UNITS_MS = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}


def in_ms(unit: str | float, name: str) -> float:
    """Return a unit in milliseconds.

    Parameters
    ----------
    unit : {"s", "ms", "us", "ns"} or float
        A float is the length of a timestep [ms], for times that count timesteps.
    name : str
        The file, for messages.

    Raises
    ------
    ExchangeError
        If there is no such unit.
    """
    if isinstance(unit, str):
        known = "us" if unit in ("µs", "μs") else unit
        if known not in UNITS_MS:
            raise ExchangeError(
                f"{name}: {unit!r} is no unit of time{did_you_mean(unit, UNITS_MS)}; "
                f"there are {', '.join(UNITS_MS)}, and a number of milliseconds"
            )
        return UNITS_MS[known]
    if isinstance(unit, bool) or not isinstance(unit, (int, float)) or not (math.isfinite(unit) and unit > 0.0):
        raise ExchangeError(f"{name}: a unit is one of {', '.join(UNITS_MS)} or a positive number of ms, not {unit!r}")
    return float(unit)


def needed(unit: str | float | None, name: str, why: str) -> str | float:
    """Return a unit that has to be given.

    Raises
    ------
    ExchangeError
        If it is not.
    """
    if unit is None:
        raise ExchangeError(f"{name}: {why}; say it: unit='ms', or another of {', '.join(UNITS_MS)}, or ms a timestep")
    return unit
