"""Python's collector of reference cycles, held off for a moment."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Make many objects that stay, none of them in cycles: to look through them for cycles again and again takes time.

    Where another thread or an outer block holds the collector off too, the first to end lets it go on.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
