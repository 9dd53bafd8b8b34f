"""The library that runs the threads of all programs, as Python functions."""

from __future__ import annotations

import ctypes
import threading
from functools import cache

from cuda_on_host import compiling

LOCK = threading.Lock()  # it runs one launch at a time
_ADDRESS, _WORD = ctypes.c_void_p, ctypes.c_uint
_LAUNCH = [_ADDRESS, _ADDRESS, _WORD, _WORD, ctypes.POINTER(ctypes.c_uint64), ctypes.c_int, ctypes.c_size_t]
_SIGNATURES = {
    "snn_host_attach": (None, [_ADDRESS]),
    "snn_host_launch": (ctypes.c_char_p, [*_LAUNCH, ctypes.c_int, _WORD, ctypes.c_double]),
    "snn_host_fill": (None, [_ADDRESS, ctypes.c_size_t]),
    "snn_host_damaged": (ctypes.c_long, [_ADDRESS, ctypes.c_long]),
    "snn_host_size": (ctypes.c_long, [_ADDRESS]),
}


@cache
def scheduler() -> ctypes.CDLL:
    """Return the library, loaded once in a process."""
    library = ctypes.CDLL(str(compiling.scheduler()))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
