"""Which engine runs a program: by name, or the best that works here."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from snnlearn.calling import named_arguments
from snnlearn.errors import BackendError, CompilerNotFoundError, did_you_mean
from snnlearn.runtime import find_compiler
from snnlearn.runtime.cuda.availability import driver_version, why_not_cuda

__all__ = [
    "NAMES",
    "Backend",
    "choose_backend",
]


@named_arguments
@dataclass(frozen=True)
class Backend:
    """An available engine.

    Attributes
    ----------
    name : str
    why : str
        Why it was taken.
    module : module
        Its PyGeNN-shaped API: ``GeNNModel``, ``create_var_ref``, ``init_var``, …
    """

    name: str
    why: str
    module: ModuleType


NAMES = ("auto", "cpu", "cuda", "genn", "genn:cpu", "genn:cuda", "genn:hip")
_A_GPU = re.compile(r"cuda:[0-9]+")


def choose_backend(name: str = "auto") -> Backend:
    """Return the engine of this name.

    ``"cpu"`` is the embedded engine, ``"cuda"`` the same on the first GPU, ``"cuda:1"`` on the second, and so on;
    ``"genn"`` is the real GeNN with the best back end that it was built with, and ``"genn:cpu"``, ``"genn:cuda"`` and
    ``"genn:hip"`` GeNN with that one.
    ``"auto"`` takes GeNN where that has a GPU to run on, else the embedded engine: on a GPU where that works, and on
    the CPU, where it is faster than GeNN.

    Raises
    ------
    BackendError
        For an unknown name, or an engine that cannot be used; says which can, and what the other lacks.
    """
    if name not in NAMES and not _A_GPU.fullmatch(name):
        near = "; GPUs are named by their numbers, as in 'cuda:1'" if name[:4] == "cuda" else did_you_mean(name, NAMES)
        raise BackendError(f"unknown backend '{name}'{near}; {_available()}")
    if name == "auto":
        return _best()
    missing = _what_is_missing(name)
    if missing:
        raise BackendError(f"backend '{name}' is not available: {missing}; {_available()}")
    if name == "cpu":
        return Backend(name, "asked for", _load("snnlearn.genn"))
    if name.startswith("cuda"):
        return Backend(name, "asked for", _load("snnlearn.genn").with_backend(name))
    engine = _load("snnlearn.pygenn_engine")
    _, _, theirs = name.partition(":")
    return Backend(name, "asked for", engine.with_backend(theirs) if theirs else engine)


def _best() -> Backend:
    if _genn_has_gpu():
        return Backend("genn", "PyGeNN is installed and has a GPU", _load("snnlearn.pygenn_engine"))
    lacks = why_not_cuda()
    if lacks is None:
        return Backend("cuda", "a GPU and CuPy are here", _load("snnlearn.genn").with_backend("cuda"))
    # Where nothing speaks of a GPU, there is nothing to put right.
    reason = f": {lacks}" if driver_version() is not None else ""
    return Backend("cpu", f"no GPU engine works here{reason}", _load("snnlearn.genn"))


def _available() -> str:
    working = [name for name in NAMES[1:] if _what_is_missing(name) is None]
    return f"available here: {', '.join(working) or 'none'}"


def _load(module: str) -> Any:
    return importlib.import_module(module)


def _what_is_missing(name: str) -> str | None:
    """Return what would make an engine work, or None where it works."""
    if name.startswith("cuda"):
        return why_not_cuda(int(name.partition(":")[2] or 0))
    if name.startswith("genn"):
        return _what_genn_lacks(name.partition(":")[2])
    try:
        find_compiler()
    except CompilerNotFoundError as error:
        return str(error)
    return None


def _what_genn_lacks(backend: str) -> str | None:
    if not _has_pygenn():
        return "PyGeNN is not installed; its README, github.com/genn-team/genn, says how to"
    built = importlib.import_module("pygenn").genn_model.backend_modules
    theirs = {"": next(iter(built)), "cpu": "single_threaded_cpu"}.get(backend, backend)
    return None if theirs in built else f"this GeNN was built without it, for {', '.join(built)}"


def _has_pygenn() -> bool:
    ours = sys.modules.get("snnlearn.genn")
    if ours is not None and sys.modules.get("pygenn") is ours:
        return False  # `install_as_pygenn` has put the embedded engine there
    return importlib.util.find_spec("pygenn") is not None


def _genn_has_gpu() -> bool:
    if not _has_pygenn():
        return False
    model = importlib.import_module("pygenn").genn_model
    return any(name in model.backend_modules for name in ("cuda", "hip"))
