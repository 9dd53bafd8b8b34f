"""Denormals flushed to zero in this process's main thread, for engines that leave them on."""

from __future__ import annotations

import ctypes

from snnlearn.runtime import cache, find_compiler

_SOURCE = """
#include <immintrin.h>
extern "C" __attribute__((visibility("default"))) void flush_denormals() { _mm_setcsr(_mm_getcsr() | 0x8040); }
"""


def flush_denormals() -> None:
    """Have this thread take numbers too small for full precision for zero, from now on."""
    ctypes.CDLL(str(cache.build(_SOURCE, find_compiler()))).flush_denormals()
