"""The figure of the tracking experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snnlearn.plot import save_figure
from snnlearn.userproject.tracking_network import NUM_RELEVANT, TIMESTEP_MS
from snnlearn.userproject.tracking_results import FLIP_TIMESTEPS, GRID, SeedResult

COLOURS = {"SGD": "#3b6ea5", "RMSProp": "#4c8c4a", "IDBD": "#b5402f"}
SEGMENT_S = FLIP_TIMESTEPS * TIMESTEP_MS / 1000.0


def draw(results: Sequence[SeedResult], path: Path) -> None:
    """Draw errors against rates, errors over time, and IDBD's rates over time; means and each seed.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = Figure(figsize=(13.0, 3.8), layout="constrained")
    grid, time, rates = figure.subplots(1, 3)
    _draw_grid(grid, results)
    _draw_errors(time, results)
    _draw_rates(rates, results)
    for ax in (grid, time, rates):
        ax.spines[["top", "right"]].set_visible(False)
    save_figure(figure, path)


def _draw_grid(ax: Axes, results: Sequence[SeedResult]) -> None:
    shares = np.array([result.mse / result.mse[0] for result in results])
    for name, colour in COLOURS.items():
        of = [index for index, (rule, _) in enumerate(GRID) if rule.name == name]
        lrs = [GRID[index][1] for index in of]
        # A rate at which a seed diverges has no mean, and no point.
        for number, each in enumerate(shares):
            kept = np.isfinite(each[of])
            label = None if number else name
            if name == "IDBD":
                ax.axhline(each[of[0]], color=colour, linewidth=0.8, alpha=0.5, label=label)
            else:
                points = np.array(lrs)[kept], each[of][kept]
                ax.plot(*points, "o-", color=colour, markersize=3.0, linewidth=0.8, alpha=0.5, label=label)
    ax.set(xscale="log", yscale="log", xlabel="Learning rate", ylabel="Mean squared error / target's mean square")
    ax.legend(frameon=False, fontsize="small")
    ax.set_title("Each line a seed; IDBD learns its rates", fontsize="medium")


def _draw_errors(ax: Axes, results: Sequence[SeedResult]) -> None:
    for name, colour in COLOURS.items():
        each = np.array([result.errors[:, result.best(name)] / result.mse[0] for result in results])
        times = SEGMENT_S * (0.5 + np.arange(each.shape[1]))
        ax.plot(times, each.T, color=colour, linewidth=0.6, alpha=0.4)
        ax.plot(times, each.mean(0), color=colour, linewidth=1.8, label=name)
    ax.set(yscale="log", xlabel="Time [s]", ylabel="Mean squared error / target's mean square")
    ax.legend(frameon=False, fontsize="small")
    ax.set_title("Best rate of each; mean in bold", fontsize="medium")


def _draw_rates(ax: Axes, results: Sequence[SeedResult]) -> None:
    rates = np.mean([result.rates for result in results], axis=0)
    times = SEGMENT_S * (1.0 + np.arange(len(rates)))
    for part, colour, label in (
        (rates[:, NUM_RELEVANT:], "#9a9a9a", "inputs that do not matter"),
        (rates[:, :NUM_RELEVANT], COLOURS["IDBD"], "inputs that matter"),
    ):
        ax.plot(times, part, color=colour, linewidth=0.6, alpha=0.5)
        ax.plot([], [], color=colour, label=label)
    ax.set(yscale="log", xlabel="Time [s]", ylabel="IDBD's learning rate of a synapse")
    ax.legend(frameon=False, fontsize="small")
    ax.set_title("Mean over seeds, a line for each synapse", fontsize="medium")
