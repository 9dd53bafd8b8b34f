"""Whether a GPU can be used here, and what to do where it cannot."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from importlib import metadata
from typing import Any

from snnlearn.errors import CompilerNotFoundError
from snnlearn.runtime.cuda.nvrtc import find_nvrtc, nvrtc_wheel, other_cuda

_OLDEST, _NEWEST = 12, 13  # versions of CUDA that there is an extra for
_PACKAGES = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")
_INSUFFICIENT_DRIVER, _NO_DEVICE = 35, 100  # errors of CUDA


def why_not_cuda(index: int = 0) -> str | None:
    """Return why a GPU cannot be used, and what to do, in one line; None where it can.

    Parameters
    ----------
    index : int
        0 for the first that CUDA sees.
    """
    driver = driver_version()
    if driver is None:
        return "no NVIDIA driver is installed; nvidia.com/drivers has it, as have most Linux distributions"
    if driver // 1000 < _OLDEST:
        return f"the NVIDIA driver is for CUDA {_spell(driver)}; update it to one for CUDA {_OLDEST} or newer"
    install = f'pip install "snnlearn[cuda{min(driver // 1000, _NEWEST)}]"'
    packages = [name for name in _PACKAGES if _installed(name)]
    again = f"pip uninstall {' '.join(packages) or 'cupy'}, then {install}"
    if len(packages) > 1:
        return f"{' and '.join(packages)} are installed and overwrite each other; {again}"
    if importlib.util.find_spec("cupy") is None:
        return f"an NVIDIA driver is here but CuPy is not; {install}"
    try:
        cuda = importlib.import_module("cupy.cuda")
    except Exception as error:  # CuPy wraps what goes wrong in many lines, the last of which says it
        lines = [line.strip() for line in str(error).splitlines() if line.strip(" =")]
        return f"CuPy cannot be imported ({lines[-1] if lines else type(error).__name__}); {again}"
    return _why_no_device(cuda.runtime, driver, index) or _why_no_compiler(driver, install)


def driver_version() -> int | None:
    """Return which version of CUDA the driver is for, as CUDA spells it (12040), or None where there is no driver."""
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        version = ctypes.c_int()
        return version.value or None if library.cuDriverGetVersion(ctypes.byref(version)) == 0 else None
    except (OSError, AttributeError):
        return None


def _why_no_device(runtime: Any, driver: int, index: int) -> str | None:
    try:
        number = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        built = runtime.runtimeGetVersion() // 1000
        if error.status == _INSUFFICIENT_DRIVER:
            other = f", or {other_cuda(built, driver // 1000)}" if driver // 1000 < built else ""
            return f"the NVIDIA driver is for CUDA {_spell(driver)} and CuPy for CUDA {built}; update the driver{other}"
        if error.status != _NO_DEVICE:
            return f"CUDA does not start: {error}; nvidia-smi may tell more"
        number = 0
    if number == 0:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        if visible is None:
            return "the NVIDIA driver finds no GPU; nvidia-smi lists those that it knows"
        return f"no GPU is visible: CUDA_VISIBLE_DEVICES is '{visible}'; unset it"
    if index >= number:
        there = "'cuda:0'" if number == 1 else f"'cuda:0' to 'cuda:{number - 1}'"
        return f"there is no GPU {index}; take {there}"
    return None


def _why_no_compiler(driver: int, install: str) -> str | None:
    try:
        major, minor = find_nvrtc().version
    except CompilerNotFoundError:
        return f"NVRTC, which compiles CUDA code, is not installed; {install}"
    if major > driver // 1000:
        return (
            f"NVRTC is for CUDA {major}.{minor} and the NVIDIA driver for CUDA {_spell(driver)}, which cannot run "
            f"what it makes; update the driver, or pip uninstall {nvrtc_wheel(major)}, then {install}"
        )
    return None


def _installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _spell(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
