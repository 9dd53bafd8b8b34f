"""What a caller says of a file beside its name."""

from __future__ import annotations

import os
from dataclasses import dataclass

from snnlearn.errors import ExchangeError


@dataclass(frozen=True)
class Asked:
    """Arguments of `read` and `write`, which mean the same for each format; None is what was not said."""

    num_neurons: int | None = None
    unit: str | float | None = None
    first_id: int | None = None
    population: str | None = None
    sensor_size: tuple[int, ...] | None = None

    def without_unit(self, path: str | os.PathLike[str], why: str) -> None:
        """Refuse a unit where the format has one.

        Raises
        ------
        ExchangeError
        """
        if self.unit is not None:
            raise ExchangeError(f"{os.fspath(path)}: there is no unit to choose: {why}")
