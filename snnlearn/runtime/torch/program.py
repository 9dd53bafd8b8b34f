"""Emitted Python as functions that run."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType
from typing import Any


@lru_cache(maxsize=64)
def load_source(source: str) -> Any:
    """Return a module of emitted source."""
    module = ModuleType("snnlearn_emitted")
    exec(compile(source, "<emitted by snnlearn>", "exec"), vars(module))
    return module
