"""What a run's numbers depend on besides its arguments: versions, engine, compiler, machine, digests."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from snnlearn import __version__
from snnlearn.errors import SnnlearnError
from snnlearn.runtime import find_compiler
from snnlearn.runtime.cuda.availability import driver_version

_PACKAGES = ("matplotlib", "pycparser", "Jinja2", "pygenn", "cupy-cuda12x", "cupy-cuda13x", "torch")


def versions() -> dict[str, str]:
    """Return the versions of snnlearn, Python, NumPy and what else is installed of what may be used."""
    found = {"snnlearn": __version__, "python": platform.python_version(), "numpy": np.__version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def engine(name: str) -> dict[str, Any]:
    """Return an engine's name, and what compiles for it."""
    found: dict[str, Any] = {"name": name}
    if name.startswith("cuda"):
        return {**found, "driver": driver_version()}
    try:
        compiler = find_compiler()
    except SnnlearnError:
        return found
    return {**found, "compiler": [*compiler.command], "compiler_version": compiler.version, "flags": [*compiler.flags]}


def machine() -> dict[str, str]:
    """Return the processor, and the system."""
    return {"cpu": _processor(), "system": platform.platform(), "node": platform.node()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest_of_values(values: Any) -> str:
    """Return the SHA-256 of plain values, such as a network's fingerprint."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def peak_memory() -> int:
    """Return how many bytes this process has used at most; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
