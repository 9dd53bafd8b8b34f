"""What the figures of a GPU mean: arithmetic and tables; nothing here needs a GPU."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan.rewrites.defer import DEPTH

BLOCK = DEPTH  # timesteps that deferred kernels work off in one go
_STATE_BYTES = 3 * 4  # of a plastic synapse: e, lambda and m, in single precision
_WEIGHT_BYTES = 4

Spikes = tuple[NDArray[np.float64], NDArray[np.int32]]


@dataclass(frozen=True)
class Layers:
    """Numbers of neurons."""

    inputs: int
    hidden: int
    outputs: int

    @property
    def plastic(self) -> int:
        """How many synapses learn."""
        return self.hidden * (self.inputs + self.outputs)

    @property
    def feedback(self) -> int:
        """How many synapses bring the error back."""
        return self.hidden * self.outputs


def deferred_bytes(layers: Layers, timesteps: int, block: int = BLOCK) -> int:
    """Return what an ideal deferred pass moves: the state of each plastic synapse, read and written once a block."""
    return 2 * _STATE_BYTES * layers.plastic * math.ceil(timesteps / block)


def feedback_bytes(layers: Layers, timesteps: int) -> int:
    """Return what cannot be deferred: the weight of each synapse of the feedback, read once a timestep."""
    return _WEIGHT_BYTES * layers.feedback * timesteps


def against_ideal(layers: Layers, timesteps: int, copy_bytes_per_s: float, seconds: float) -> dict[str, float]:
    """Return how long the memory traffic of an ideal trial takes, and how many times that a trial took.

    Parameters
    ----------
    layers : Layers
    timesteps : int
    copy_bytes_per_s : float
        What a copy within the device's memory reads and writes in a second, both counted.
    seconds : float
        What a trial took.
    """
    deferred = deferred_bytes(layers, timesteps)
    feedback = feedback_bytes(layers, timesteps)
    return {
        "deferred_bytes": deferred,
        "deferred_s": deferred / copy_bytes_per_s,
        "times_deferred": seconds * copy_bytes_per_s / deferred,
        "feedback_bytes": feedback,
        "feedback_s": feedback / copy_bytes_per_s,
        "times_both": seconds * copy_bytes_per_s / (deferred + feedback),
    }


def share_of_equal(one: Spikes, other: Spikes, dt: float) -> float:
    """Return how many spikes are in both of two recordings, as a share of the longer one; 1 where both are empty."""
    here, there = (set(zip(np.rint(t / dt).astype(int).tolist(), ids.tolist(), strict=True)) for t, ids in (one, other))
    longest = max(len(here), len(there))
    return len(here & there) / longest if longest else 1.0


# ---- tables ----


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; all columns but the first are aligned to the right."""
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def report(result: Mapping[str, Any]) -> str:
    """Return all that was measured as text; parts that are missing or failed are left out or named."""
    titled = {
        "card": ("The card", _card),
        "start": ("From nothing to a loaded model", _start),
        "trials": ("A trial of the demo", _trials),
        "same_seed": ("The same seed on the CPU, before the first update", _same_seed),
        "large": ("Ten times the layers", _large),
        "profile": ("Kernels, launched one by one", _profile),
    }
    parts = []
    for name, (title, text) in titled.items():
        found = result.get(name)
        if found is not None:
            parts.append(f"## {title}\n\n" + (f"failed: {found['error']}" if "error" in found else text(found)))
    parts.append("## What it must show\n\n" + _table_of_bounds(result))
    return "\n\n".join(parts)


def _card(card: Mapping[str, Any]) -> str:
    return "\n".join(f"- {key}: {_short(value)}" for key, value in card.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _start(start: Mapping[str, Any]) -> str:
    rows = [(name, *(f"{start[name][key]:.2f}" for key in ("build_s", "load_s", "ready_s"))) for name in start]
    return table(["cache of compiled models", "build [s]", "load [s]", "whole process [s]"], rows)


def _trials(trials: Mapping[str, Any]) -> str:
    rows = []
    for name, one in trials["engines"].items():
        if "error" in one:
            rows.append((name, f"failed: {one['error']}", "", "", ""))
            continue
        seconds, step = one["s_per_trial"], 1e6 / trials["timesteps"]
        median = statistics.median(seconds)
        times = [f"{1e3 * s:.1f}" for s in (median, min(seconds), max(seconds))]
        rows.append((name, *times, f"{step * median:.2f}"))
    chosen = [f"\n{name}: {one['chosen']}" for name, one in trials["engines"].items() if one.get("chosen")]
    return "\n".join([table(["engine", "ms a trial: median", "min", "max", "us a timestep"], rows), *chosen])


def _same_seed(found: Mapping[str, Any]) -> str:
    rows = []
    for name, one in found.items():
        if "error" in one:
            rows.append((name, f"failed: {one['error']}", *[""] * len(_layers(found))))
            continue
        weights = "equal" if all(one["weights_equal"].values()) else "differ"
        rows.append((name, weights, *(f"{100 * one['spikes'][layer]['share']:.3f}" for layer in one["spikes"])))
    return table(["strategy", "initial weights", *(f"equal spikes of {layer} [%]" for layer in _layers(found))], rows)


def _layers(found: Mapping[str, Any]) -> list[str]:
    return next((list(one["spikes"]) for one in found.values() if "spikes" in one), [])


def _large(large: Mapping[str, Any]) -> str:
    lines = [f"{'-'.join(f'{n:,}' for n in large['layers'])} neurons, {large['plastic']:,} plastic synapses\n"]
    lines.append(_trials(large))
    ideal = large.get("ideal")
    if ideal:
        lines.append(
            f"\nIdeal deferred pass: {ideal['deferred_bytes'] / 1e9:.1f} GB a trial, "
            f"{1e3 * ideal['deferred_s']:.1f} ms at the speed of a copy; the best median is "
            f"{ideal['times_deferred']:.2f} times that. Weights of the feedback, which every timestep reads: "
            f"{ideal['feedback_bytes'] / 1e9:.1f} GB, {1e3 * ideal['feedback_s']:.1f} ms if memory has to bring them; "
            f"{ideal['times_both']:.2f} times both."
        )
    return "\n".join(lines)


def _profile(profile: Mapping[str, Any]) -> str:
    tables = []
    for name, one in profile.items():
        if "error" in one:
            tables.append(f"{name}: failed: {one['error']}")
            continue
        timers = sorted(one["s_per_trial"].items(), key=lambda item: -item[1])
        total = sum(seconds for _, seconds in timers)
        rows = [
            (timer, f"{1e3 * s:.2f}", f"{1e6 * s / one['timesteps']:.3f}", f"{100 * s / total:.0f}")
            for timer, s in timers
            if s > 0
        ]
        tables.append(table([f"{name}: timer", "ms a trial", "us a timestep", "share [%]"], rows))
    return "\n\n".join(tables)


# ---- bounds ----


@dataclass(frozen=True)
class Bound:
    """Something that is to be shown, and the figure for it, if there is one."""

    what: str
    measured: float | None
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def bounds(result: Mapping[str, Any]) -> list[Bound]:
    """Return what the CUDA engine is to show on a GPU of the H200's class, with what was measured."""
    persistent = _get(result, "trials", "engines", "persistent", "s_per_trial")
    median = statistics.median(persistent) if persistent else None
    timesteps = _get(result, "trials", "timesteps")
    same = [one for one in result.get("same_seed", {}).values() if _get(one, "spikes")]
    shares = [layer["share"] for one in same for layer in one["spikes"].values()]
    weights = [equal for one in same for equal in one["weights_equal"].values()]
    cold, warm = (_get(result, "start", kind) for kind in ("empty", "warm"))
    return [
        Bound("a trial, persistent kernel", None if median is None else 1e3 * median, 100.0, "ms"),
        Bound("the same, goal", None if median is None else 1e3 * median, 50.0, "ms"),
        Bound("a timestep, persistent kernel", None if median is None else 1e6 * median / timesteps, 5.3, "us"),
        Bound("cold compile", None if cold is None else cold["build_s"], 5.0, "s"),
        Bound("warm start", None if warm is None else warm["build_s"] + warm["load_s"], 1.0, "s"),
        Bound("initial weights equal", 100.0 * min(weights) if weights else None, 100.0, "%", at_least=True),
        Bound("spikes equal", 100.0 * min(shares) if shares else None, 99.9, "%", at_least=True),
        Bound("large, times the ideal pass", _get(result, "large", "ideal", "times_deferred"), 2.0, ""),
    ]


def _get(found: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def _table_of_bounds(result: Mapping[str, Any]) -> str:
    rows = []
    for bound in bounds(result):
        measured = "not measured" if bound.measured is None else f"{bound.measured:.4g} {bound.unit}".strip()
        sign = "≥" if bound.at_least else "≤"
        met = {None: "", True: "yes", False: "NO"}[bound.met]
        rows.append((bound.what, measured, f"{sign} {bound.limit:g} {bound.unit}".strip(), met))
    return table(["what", "measured", "bound", "met"], rows)
