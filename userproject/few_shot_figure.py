"""The figure of the few-shot experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snnlearn.plot import save_figure
from snnlearn.userproject.few_shot_results import RATES, STEPS, Result

COLOURS = {1: "#3b6ea5", 2: "#b5402f"}
LABELS = {1: "first order, engine", 2: "second order, PyTorch"}
LAYERS = {"InputHidden": "#4c8c4a", "HiddenReadout": "#8a5ea5"}
LAYER_LABELS = {"InputHidden": "input to hidden", "HiddenReadout": "hidden to readout"}


def draw(results: Sequence[Result], path: Path) -> None:
    """Draw query errors for each kind of rates, and how the rates of synapses are distributed.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    steps = [number for number in STEPS if any(result.steps == number for result in results)]
    figure = Figure(figsize=(3.4 * len(steps) + 5.0, 3.8), layout="constrained")
    ratios = [1.0] * len(steps) + [1.3]
    *errors, rates = figure.subplots(1, len(steps) + 1, width_ratios=ratios)
    for ax, number in zip(errors, steps, strict=True):
        _draw_errors(ax, [result for result in results if result.steps == number])
        ax.set_title(f"{number} inner step{'s' if number > 1 else ''}", fontsize="medium")
    errors[0].set_ylabel("Mean squared error on queries")
    errors[0].legend(frameon=False, fontsize="small")
    _draw_rates(rates, results)
    for ax in (*errors, rates):
        ax.spines[["top", "right"]].set_visible(False)
    save_figure(figure, path)


def _draw_errors(ax: Axes, results: Sequence[Result]) -> None:
    """Draw the mean over seeds as bars, and each seed as a point."""
    orders = sorted({result.order for result in results})
    width = 0.8 / len(orders)
    for number, order in enumerate(orders):
        for place, kind in enumerate(RATES):
            each = [result.mse for result in results if (result.order, result.rates) == (order, kind)]
            at = place + (number - 0.5 * (len(orders) - 1)) * width
            if each:
                ax.bar(at, float(np.mean(each)), 0.92 * width, color=COLOURS[order], alpha=0.55)
                ax.plot([at] * len(each), each, "o", color=COLOURS[order], markersize=3.0)
        ax.bar(0.0, 0.0, color=COLOURS[order], alpha=0.55, label=LABELS[order])
    ax.set_xticks(range(len(RATES)), [f"a rate a {kind}" if kind != "one" else "one rate" for kind in RATES])
    ax.tick_params(axis="x", labelsize="small")
    highest = max(result.mse for result in results)
    if np.isfinite(highest):
        ax.set_ylim(0.0, 1.25 * highest)  # with room for the legend


def _draw_rates(ax: Axes, results: Sequence[Result]) -> None:
    """Draw the rates of synapses of the last kind of run that has such, all seeds together."""
    kinds = [(result.order, result.steps) for result in results if result.rates == "synapse"]
    ax.set(xlabel="Learnt rate", ylabel="Share of synapses")
    if not kinds:
        ax.set_title("No rates per synapse were learnt", fontsize="medium")
        return
    order, steps = kinds[0]
    chosen = [result for result in results if (result.rates, result.order, result.steps) == ("synapse", order, steps)]
    rates = {name: np.concatenate([result.learnt[name].ravel() for result in chosen]) for name in LAYERS}
    low, high = (of(np.quantile(values, q) for values in rates.values()) for of, q in ((min, 0.01), (max, 0.99)))
    bins = np.linspace(low, high, 41) if high > low else np.linspace(low - 0.5, high + 0.5, 41)
    for name, values in rates.items():
        weights = np.full(len(values), 1.0 / len(values))
        kept = np.clip(values, bins[0], bins[-1])
        ax.hist(kept, bins.tolist(), weights=weights, color=LAYERS[name], alpha=0.55, label=LAYER_LABELS[name])
        layers = [r.learnt[name] for r in results if (r.rates, r.order, r.steps) == ("layer", order, steps)]
        if layers:
            ax.axvline(float(np.mean(layers)), color=LAYERS[name], linestyle="--", linewidth=1.0)
    ax.legend(frameon=False, fontsize="small")
    ax.set_title(f"{LABELS[order]}, {steps} step{'s' if steps > 1 else ''}; dashed: a rate a layer", fontsize="medium")
