"""Stages 6 and 7, *compile* and *run*, on a GPU."""

from __future__ import annotations

import importlib

from snnlearn.errors import BackendError
from snnlearn.runtime.cuda.availability import why_not_cuda
from snnlearn.runtime.cuda.device import Device


def open_device(index: int = 0) -> Device:
    """Return one of this machine's GPUs.

    Parameters
    ----------
    index : int
        CUDA's number of it.

    Raises
    ------
    BackendError
        If it cannot be used; says what would make it work.
    """
    missing = why_not_cuda(index)
    if missing:
        raise BackendError(f"backend 'cuda:{index}' is not available: {missing}")
    # Only here is CuPy needed, which not every installation has.
    device: Device = importlib.import_module("snnlearn.runtime.cuda.cupy_device").CupyDevice(index)
    return device
