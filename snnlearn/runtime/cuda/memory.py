"""Whether a network fits on a GPU."""

from __future__ import annotations

from collections.abc import Mapping

from snnlearn.errors import NetworkError

_FEW = 5  # groups that a message lists


def check_memory(needed: Mapping[str, int], free: int, device: str) -> None:
    """Raise NetworkError if a network does not fit on a device.

    Parameters
    ----------
    needed : mapping of str to int
        How many bytes each group takes.
    free : int
        How many the device has.
    device : str
        Its name.
    """
    total = sum(needed.values())
    if total <= free:
        return
    largest = sorted(needed, key=lambda group: -needed[group])
    groups = [f"'{group}' {needed[group]:,}" for group in largest[:_FEW]]
    if len(largest) > _FEW:
        groups.append(f"{len(largest) - _FEW} more {sum(needed[group] for group in largest[_FEW:]):,}")
    raise NetworkError(
        f"the network is too big for {device}: it takes {total:,} bytes and {free:,} are free; by group: "
        f"{', '.join(groups)}; make the largest smaller, or take backend 'cpu'"
    )
