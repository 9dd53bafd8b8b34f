"""What the system tells about this machine's CPU."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


@lru_cache(maxsize=1)
def processor() -> str:
    """Return what tells CPUs apart that differ in their instructions: code is compiled for the one at hand.

    Several machines may share a cache. One whose CPU cannot be told is only like itself.
    """
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.node()}"
    wanted = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.split(":")[0].strip() in wanted}))


@lru_cache(maxsize=1)
def has_fused_multiply_add() -> bool:
    """Whether this machine's CPU has the instruction (as far as can be told: not on every operating system)."""
    if platform.machine().lower() in ("aarch64", "arm64"):
        return True
    flags = next((line for line in processor().splitlines() if line.startswith("flags")), "")
    return "fma" in flags.split()
