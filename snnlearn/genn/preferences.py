"""What may be given to ``GeNNModel`` beside its named arguments."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from snnlearn.attributes import frozen
from snnlearn.codegen.plan import CPU_ONLY, DEFAULT, REWRITES
from snnlearn.errors import PreferenceError, did_you_mean
from snnlearn.genn import obsolete
from snnlearn.runtime.cuda.strategies import STRATEGIES
from snnlearn.runtime.engines import CpuEngine, Options, default_rewrites
from snnlearn.spelling import misspelt

_log = logging.getLogger("snnlearn")

# Preferences of GeNN's own back ends: accepted, so that scripts run as they are, and without meaning here.
_GENNS_NAMES = """optimize_code debug_code genn_log_level code_gen_log_level code_generator_log_level
    transpiler_log_level
    runtime_log_level backend_log_level show_ptx_info generate_line_info generateLineInfo enable_nvtx
    device_select_method manual_device_id block_size_select_method manual_block_sizes constant_cache_overhead
    enable_nccl_reductions"""
_OF_GENN = frozenset(_GENNS_NAMES.split())


@frozen
@dataclass(frozen=True)
class Preferences:
    """How the embedded engine builds and runs a model.

    Parameters
    ----------
    threads : int, optional
        How many threads share the work; by default ``$SNNLEARN_THREADS``, else the cores this process may use.
        Results do not depend on it. More than there are cores is allowed, and slower. On the CPU only.
    flush_denormals : bool
        Take numbers too small for full precision for zero: several times faster, and the default. False follows
        IEEE 754 to the letter, for comparisons. The back end ``"reference"`` flushes those of single precision alone.
    optimise : sequence of str
        Names from `snnlearn.codegen.plan.REWRITES`; () runs the kernels as they stand in the models.
    portable : bool, optional
        Compile for any CPU of the architecture, rather than for the one at hand: slower, and the compiled model may be
        moved. By default ``$SNNLEARN_PORTABLE``, 0 or 1, else False. On the CPU only.
    strategy : {"auto", "loop", "graph", "persistent"}
        On a GPU only, the launch strategy of timesteps: kernel by kernel, as CUDA graphs, or by one persistent kernel;
        see `snnlearn.runtime.cuda.strategies`. ``"auto"`` goes by the network's size.
    checked : bool, optional
        Look at what code could do harm with before it is done: indices into arrays and kernels, divisions and shifts of
        integers. What is out of range raises NetworkError, with the line and a caret. Slower; of valid code the results
        are the same. By default ``$SNNLEARN_CHECKED``, 0 or 1, else False.
    device_select_method, manual_device_id : optional
        PyGeNN's: on a GPU, which one of several, by number. As in PyGeNN that is for the method ``MANUAL``, which may
        be left out here; with any other method, and where the back end's name has a number, they have no effect.

    Raises
    ------
    PreferenceError
        For a value out of range.
    """

    threads: int | None = None
    flush_denormals: bool = True
    optimise: Sequence[str] = DEFAULT
    portable: bool | None = None
    strategy: str = "auto"
    checked: bool | None = None
    device_select_method: Any = None
    manual_device_id: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "threads", _check_threads(self.threads))
        if not isinstance(self.flush_denormals, bool):
            raise PreferenceError(f"flush_denormals must be True or False, not {self.flush_denormals!r}")
        object.__setattr__(self, "portable", _check_switch("portable", self.portable))
        object.__setattr__(self, "checked", _check_switch("checked", self.checked))
        if self.optimise is DEFAULT:
            object.__setattr__(self, "optimise", CpuEngine.default_rewrites(bool(self.portable)))
        if not isinstance(self.strategy, str) or self.strategy not in STRATEGIES:
            raise PreferenceError(f"unknown strategy {self.strategy!r}{did_you_mean(str(self.strategy), STRATEGIES)}")
        number = self.manual_device_id
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            raise PreferenceError(f"manual_device_id must be an integer of at least 0, not {number!r}")
        if isinstance(self.optimise, str) or not isinstance(self.optimise, Iterable):
            raise PreferenceError(f"optimise must be a sequence of names, not {self.optimise!r}")
        object.__setattr__(self, "optimise", tuple(self.optimise))
        for name in self.optimise:
            if name not in REWRITES:
                raise PreferenceError(f"unknown optimisation {name!r}{did_you_mean(str(name), REWRITES)}")

    @property
    def options(self) -> Options:
        """What of it is the engines' business."""
        return Options(self.threads or 1, self.flush_denormals, bool(self.portable), self.strategy)

    @property
    def device(self) -> int | None:
        """Which GPU was asked for, if any was."""
        method = self.device_select_method
        manual = method is None or getattr(method, "name", method) == "MANUAL"
        return self.manual_device_id if manual else None

    def rewrites(self, backend: str) -> tuple[str, ...]:
        """Return the names of the rewrites that plans for a back end go through."""
        portable = bool(self.portable)
        by_default = self.optimise is CpuEngine.default_rewrites(portable)
        if by_default:
            return default_rewrites(backend, portable)
        return tuple(name for name in self.optimise if backend == CpuEngine.name or name not in CPU_ONLY)


def all_names() -> frozenset[str]:
    """Return the names of all preferences that are accepted."""
    return frozenset(f.name for f in fields(Preferences)) | _OF_GENN


def our_names() -> frozenset[str]:
    """Return the names of preferences that GeNN does not have."""
    return frozenset(f.name for f in fields(Preferences)) - _OF_GENN


def read_preferences(given: Mapping[str, Any], settings: Collection[str] = ()) -> Preferences:
    """Return our preferences out of all that was given; those of GeNN's back ends are passed over.

    Parameters
    ----------
    given : mapping of str to value
    settings : collection of str
        Names that are assigned to the model instead.

    Raises
    ------
    PreferenceError
        For an unknown name or a bad value.
    """
    ours = {f.name for f in fields(Preferences)}
    for name in given.keys() - ours:
        if name not in _OF_GENN:
            text = obsolete.explain(name, obsolete.PREFERENCES)
            setting = None if text else misspelt(name, settings)
            if setting is not None:
                text = f"assign it to the model, model.{setting} = {given[name]!r}"
            hint = f": {text}" if text else did_you_mean(name, ours | _OF_GENN)
            raise PreferenceError(f"unknown preference '{name}'{hint}")
        _log.debug("the preference '%s' means nothing to the embedded engine", name)
    return Preferences(**{name: value for name, value in given.items() if name in ours})


def _check_threads(threads: Any) -> int:
    what = "threads"
    if threads is None:
        text = os.environ.get("SNNLEARN_THREADS", "")
        if not text:
            return _available_cores()
        what = "the environment variable SNNLEARN_THREADS"
        threads = int(text) if text.strip().isdecimal() else text
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
        raise PreferenceError(f"{what} must be an integer from 1 to 1024, not {threads!r}")
    cores = _available_cores()
    if threads > cores:
        _log.warning("%s: %d, on %d core%s: more threads than cores are slower", what, threads, cores, "s"[: cores - 1])
    return threads


def _check_switch(name: str, given: Any) -> bool:
    if given is None:
        variable = f"SNNLEARN_{name.upper()}"
        text = os.environ.get(variable, "").strip()
        if text not in ("", "0", "1"):
            raise PreferenceError(f"the environment variable {variable} must be 0 or 1, not {text[:40]!r}")
        return text == "1"
    if not isinstance(given, bool):
        raise PreferenceError(f"{name} must be True or False, not {given!r}")
    return given


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
