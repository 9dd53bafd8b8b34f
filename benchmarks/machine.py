"""What the machine at hand can do: the sizes of its caches, and the peaks of one core, measured."""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from snnlearn.runtime import cache, find_compiler
from snnlearn.runtime.host_simulation import aligned_zeros

_LEVELS = ("L1", "L2", "L3")
_ASSUMED = {"L1": 32 << 10, "L2": 1 << 20, "L3": 16 << 20}
_REPEATS = 20  # the best counts: a peak is what nothing disturbed
_SECONDS = 0.01  # of one repeat, about

_SOURCE = r"""
#include <chrono>
#include <cstddef>
#define API extern "C" __attribute__((visibility("default")))
#if defined(__AVX512F__)
#define BYTES 64
#define CHAINS 24
#elif defined(__AVX__)
#define BYTES 32
#define CHAINS 12
#else
#define BYTES 16
#define CHAINS 12
#endif
#if defined(__clang__)
#define CONTRACT
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define CONTRACT __attribute__((optimize("fp-contract=fast")))
#define UNROLL _Pragma("GCC unroll 32")
#endif
typedef float Vector __attribute__((vector_size(BYTES)));
typedef float Loose __attribute__((vector_size(BYTES), aligned(4), may_alias));

static double since(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The chains do not wait for one another.
#define MULTIPLY_AND_ADD(rounds, out)                                    \
    Vector x[CHAINS], b = {}, c = {};                                    \
    b += out[0];                                                         \
    c += out[1];                                                         \
    UNROLL for (int n = 0; n < CHAINS; n++) { x[n] = b * float(n); }     \
    const auto start = std::chrono::steady_clock::now();                 \
    for (size_t r = 0; r < rounds; r++) {                                \
        UNROLL for (int n = 0; n < CHAINS; n++) { x[n] = x[n] * b + c; } \
    }                                                                    \
    const double seconds = since(start);                                 \
    UNROLL for (int n = 0; n < CHAINS; n++) { c += x[n]; }               \
    out[2] = c[0];                                                       \
    return seconds;

// Seconds that `rounds` multiply-adds in each lane of each chain take.
API CONTRACT double fused(size_t rounds, float *out)
{
#if defined(__clang__)
#pragma STDC FP_CONTRACT ON
#endif
    MULTIPLY_AND_ADD(rounds, out)
}

// The same with a multiplication and an addition apart, each rounded.
API double separate(size_t rounds, float *out) { MULTIPLY_AND_ADD(rounds, out) }

API unsigned flops_a_round() { return 2 * CHAINS * BYTES / sizeof(float); }
API unsigned vector_bytes() { return BYTES; }

// Seconds to read an array `rounds` times.
API double read(size_t rounds, float *data, size_t size, float *out)
{
    const Loose *x = (const Loose *)data;
    const size_t vectors = size * sizeof(float) / BYTES;
    Vector sums[8] = {};
    const auto start = std::chrono::steady_clock::now();
    for (size_t r = 0; r < rounds; r++) {
        for (size_t n = 0; n + 8 <= vectors; n += 8) {
            UNROLL for (int m = 0; m < 8; m++) { sums[m] += x[n + m]; }
        }
        __asm__ volatile("" : : : "memory"); // rounds are not to be merged
    }
    const double seconds = since(start);
    for (int m = 1; m < 8; m++) { sums[0] += sums[m]; }
    out[2] = sums[0][0];
    return seconds;
}

// Seconds to read an array and write it back, `rounds` times.
API double update(size_t rounds, float *data, size_t size, float *out)
{
    Loose *x = (Loose *)data;
    const size_t vectors = size * sizeof(float) / BYTES;
    Vector b = {};
    b += out[0];
    const auto start = std::chrono::steady_clock::now();
    for (size_t r = 0; r < rounds; r++) {
        for (size_t n = 0; n + 8 <= vectors; n += 8) {
            UNROLL for (int m = 0; m < 8; m++) { x[n + m] = x[n + m] * b; }
        }
        __asm__ volatile("" : : : "memory");
    }
    return since(start);
}

// Seconds for `rounds` looks at the clock.
API double clock_looks(size_t rounds)
{
    const auto start = std::chrono::steady_clock::now();
    for (size_t r = 0; r < rounds; r++) {
        const auto now = std::chrono::steady_clock::now();
        __asm__ volatile("" : : "m"(now));
    }
    return since(start);
}
"""


@dataclass(frozen=True)
class Machine:
    """Peaks of one core.

    Attributes
    ----------
    name : str
    vector_bytes : int
        Width of the vectors used.
    fused, separate : float
        [flop/s], single precision: multiply-adds, and multiplications and additions that round each.
    levels : tuple of str
        The caches and, last, the memory; from small to large.
    sizes : dict of str to int
        Of the caches [bytes].
    known : bool
        Whether the sizes are the machine's, not assumed.
    read, update : dict of str to float
        By level [bytes/s]: arrays that are only read, and arrays that are read and written, both ways counted.
    clock : float
        Time of one read of the clock [s].
    """

    name: str
    vector_bytes: int
    fused: float
    separate: float
    levels: tuple[str, ...]
    sizes: dict[str, int]
    known: bool
    read: dict[str, float]
    update: dict[str, float]
    clock: float

    def level_of(self, nbytes: float) -> str:
        """Return the smallest cache that holds so much, or the memory."""
        return next((level for level, size in self.sizes.items() if nbytes <= size), self.levels[-1])


def best(one: Machine, other: Machine) -> Machine:
    """Return the better of two measurements of the same machine, figure by figure."""
    return replace(
        one,
        fused=max(one.fused, other.fused),
        separate=max(one.separate, other.separate),
        read={level: max(rate, other.read[level]) for level, rate in one.read.items()},
        update={level: max(rate, other.update[level]) for level, rate in one.update.items()},
        clock=min(one.clock, other.clock),
    )


def cache_sizes() -> dict[str, int]:
    """Return the sizes of the data caches that one core sees [bytes]; empty where they are not known."""
    sizes = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            sizes[f"L{level}"] = int(size[:-1]) << {"K": 10, "M": 20, "G": 30}[size[-1]]
    return {level: sizes[level] for level in _LEVELS if level in sizes}


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def measure() -> Machine:
    """Measure the peaks of the core that this thread is on; takes about two seconds."""
    probe = _Probe()
    sizes = cache_sizes() or _ASSUMED
    places = {level: size // 2 for level, size in sizes.items()}
    if len(places) > 2:  # the last is shared with other cores, and on a virtual machine with other machines
        places["L3"] = min(sizes["L3"] // 2, 8 * sizes["L2"])
    places["memory"] = 4 * max(sizes.values())
    return Machine(
        cpu_name(),
        probe.vector_bytes,
        probe.flops("fused"),
        probe.flops("separate"),
        tuple(places),
        sizes,
        bool(cache_sizes()),
        {level: probe.bandwidth("read", nbytes, 1) for level, nbytes in places.items()},
        {level: probe.bandwidth("update", nbytes, 2) for level, nbytes in places.items()},
        probe.clock(),
    )


class _Probe:
    """The compiled kernels."""

    def __init__(self) -> None:
        self.functions = ctypes.CDLL(str(cache.build(_SOURCE, find_compiler())))
        size, pointer = ctypes.c_size_t, ctypes.c_void_p
        for name, arguments in {
            "fused": [size, pointer],
            "separate": [size, pointer],
            "read": [size, pointer, size, pointer],
            "update": [size, pointer, size, pointer],
            "clock_looks": [size],
        }.items():
            function = getattr(self.functions, name)
            function.restype, function.argtypes = ctypes.c_double, arguments
        self.vector_bytes = int(self.functions.vector_bytes())
        self.out = np.array([0.75, 0.25, 0.0], dtype=np.float32)  # everything tends to 1, and nothing to 0

    def rounds_a_second(self, name: str, *arguments: object) -> float:
        """Return the best rate of several tries."""
        function, rounds, best = getattr(self.functions, name), 1, 0.0
        while (seconds := function(rounds, *arguments)) < _SECONDS / 2:
            rounds = min(rounds * 10, int(rounds * _SECONDS / max(seconds, 1e-9)) + 1)
        for _ in range(_REPEATS):
            best = max(best, rounds / function(rounds, *arguments))
        return best

    def flops(self, name: str) -> float:
        return float(self.functions.flops_a_round()) * self.rounds_a_second(name, self.out.ctypes.data)

    def bandwidth(self, name: str, nbytes: int, ways: int) -> float:
        size = nbytes // 4
        data = aligned_zeros(size, "float32")
        data[:] = 1.0
        factor = np.array([1.0, 0.0, 0.0], dtype=np.float32)
        return ways * nbytes * self.rounds_a_second(name, data.ctypes.data, size, factor.ctypes.data)

    def clock(self) -> float:
        return 1.0 / self.rounds_a_second("clock_looks")


def describe(machine: Machine) -> list[str]:
    """Return the lines that introduce a table."""
    sizes = ", ".join(f"{level} {size >> 10} KiB" for level, size in machine.sizes.items())
    lines = [
        f"{machine.name}; vectors of {8 * machine.vector_bytes} bits; {sizes}{'' if machine.known else ' (assumed)'}",
        f"one core: {machine.fused / 1e9:.0f} Gflop/s fused, {machine.separate / 1e9:.0f} Gflop/s separate, "
        f"{1e9 * machine.clock:.0f} ns a look at the clock",
    ]
    rates = [f"{x} {machine.read[x] / 1e9:.0f} / {machine.update[x] / 1e9:.0f}" for x in machine.levels]
    return [*lines, f"GB/s read / read and written: {', '.join(rates)}"]


if __name__ == "__main__":
    print("\n".join(describe(measure())))
