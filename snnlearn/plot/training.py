"""Figures of a training: the recorded spikes, the target behind them, and the learning curve.

Matplotlib is imported inside the functions, because its import takes longer than that of the rest of snnlearn. Figures
are made without pyplot, so that they need no display; only :func:`show_figure` and :func:`has_display` use
it.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from snnlearn.errors import OutputError, TrainingError, did_you_mean
from snnlearn.io.atomic import atomic_write
from snnlearn.io.spikes import SpikeTrains
from snnlearn.io.tables import CurvePoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

__all__ = [
    "FORMATS",
    "check_matplotlib",
    "figure_format",
    "has_display",
    "plot_target",
    "plot_training",
    "save_figure",
    "show_figure",
]

FORMATS = ("png", "pdf", "svg")
# What Matplotlib writes of the time unless it is told not to.
_METADATA: dict[str, dict[str, None]] = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
_DPI = 150
_MAX_COLUMNS = 12  # more cannot be told apart, and hundreds of axes take minutes to lay out
_STEPS = (1, 2, 5, 10)
_COLOURS = {"Input": "#3b6ea5", "Hidden": "#4c8c4a", "Output": "#b5402f"}
_TARGET_COLOUR = "#c4c4c4"

Spikes = tuple[ArrayLike, ArrayLike]


def plot_training(
    trials: Sequence[int],
    input_spikes: Sequence[Spikes],
    hidden_spikes: Sequence[Spikes],
    output_spikes: Sequence[Spikes],
    target: SpikeTrains,
    curve: Sequence[CurvePoint],
    trial_s: float,
) -> Figure:
    """Draw the spikes of the recorded trials, a column each, and the learning curve under them.

    Parameters
    ----------
    trials : sequence of int
        Indices of the recorded trials, counted from 0; may be empty. Of more than 12 trials only 12 are
        drawn, spread evenly from the first to the last, and the figure says so.
    input_spikes, hidden_spikes, output_spikes : sequence of (times, ids)
        For each recorded trial the spike times [ms] since the start of that trial, shape (num_spikes,), and
        the neuron of each spike from 0, shape (num_spikes,).
    target : SpikeTrains
        What the output is to do in every trial; grey, behind the output.
    curve : sequence of CurvePoint
        The learning curve; may be empty.
    trial_s : float
        Length of a trial [s]; trial number ``i`` is drawn from ``i * trial_s`` on.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that belongs to no window; see :func:`save_figure` and :func:`show_figure`.

    Raises
    ------
    TrainingError
        If there are not as many recordings as trials.
    """
    from matplotlib.figure import Figure

    layers = {"Input": input_spikes, "Hidden": hidden_spikes, "Output": output_spikes}
    for name, recordings in layers.items():
        if len(recordings) != len(trials):
            raise TrainingError(f"{name.lower()}_spikes has {len(recordings)} items for {len(trials)} trials")
    chosen = _spread(len(trials), _MAX_COLUMNS)
    columns = len(chosen)
    width = max(8.0, 1.2 + 4.2 * min(columns, 7))
    figure = Figure(figsize=(width, 10.5 if columns else 4.0), layout="constrained")
    heights = [1.0, 1.0, 1.7, 1.0] if columns else [1.0]
    grid = figure.add_gridspec(len(heights), max(columns, 1), height_ratios=heights)
    if columns:
        shown = {name: [recordings[index] for index in chosen] for name, recordings in layers.items()}
        _plot_rasters(figure, grid, [trials[index] for index in chosen], shown, target, trial_s)
    if columns < len(trials):
        figure.suptitle(f"{columns} of {len(trials)} recorded trials", fontsize="medium", color="grey")
    _plot_curve(figure.add_subplot(grid[len(heights) - 1, :], label="Curve"), curve)
    return figure


def plot_target(target: SpikeTrains, duration_ms: float) -> Figure:
    """Draw a target as a raster plot.

    Parameters
    ----------
    target : SpikeTrains
        The spikes.
    duration_ms : float
        Length of a trial [ms].

    Returns
    -------
    matplotlib.figure.Figure
        A figure that belongs to no window.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.8), layout="constrained")
    ax = figure.add_subplot(label="Target")
    _scatter(ax, (target.times, target.ids), 0.0, _COLOURS["Output"], "target")
    ax.set(xlim=(0.0, duration_ms / 1000.0), ylim=(-2.0, target.num_neurons + 1.0))
    ax.set(xlabel="Time [s]", ylabel="Neuron", title=f"{target.num_spikes:,} spikes")
    return figure


def figure_format(path: str | os.PathLike[str]) -> str:
    """Return the format of a figure's file name: ``"png"``, ``"pdf"`` or ``"svg"``.

    Parameters
    ----------
    path : path-like
        The file name; nothing is opened.

    Raises
    ------
    OutputError
        If the suffix is another; a program can call this before hours of work end in it.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        had = f"not .{suffix}{did_you_mean(suffix, FORMATS)}" if suffix else "but it has no suffix"
        raise OutputError(f"cannot write {path}: a figure's name must end in .png, .pdf or .svg, {had}")
    return suffix


def check_matplotlib() -> None:
    """Raise if figures cannot be drawn, before a long training.

    Raises
    ------
    OutputError
        If Matplotlib cannot be imported: with ``MPLBACKEND`` set to what is none, for one.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except (ImportError, ValueError) as error:
        raise OutputError(f"figures cannot be drawn, because Matplotlib cannot be imported: {error}") from error


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file, whole or not at all; the same figure gives the same bytes, in every run.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.
    path : path-like
        The file; its suffix, .png, .pdf or .svg, says the format.

    Raises
    ------
    OutputError
        If the suffix is another or the file cannot be written.
    """
    from matplotlib import rc_context

    kind = figure_format(path)
    # Else the elements of an SVG have random names.
    with atomic_write(path, "wb") as file, rc_context({"svg.hashsalt": "snnlearn"}):
        figure.savefig(file, format=kind, dpi=_DPI, metadata=_METADATA[kind])


def has_display() -> bool:
    """Return whether Matplotlib can open a window here.

    On Linux that takes a display (``DISPLAY`` or ``WAYLAND_DISPLAY``), everywhere a back end with windows
    whose toolkit can be imported. A back end chosen by ``MPLBACKEND`` or Matplotlib's settings is taken at
    its word: if that is one without windows, or if it does not work, no other is tried. The back end found
    becomes the current one.
    """
    if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        return False
    import matplotlib
    from matplotlib.backends.registry import BackendFilter, backend_registry

    # The variable is read here as well, because Matplotlib looks at it only once, when it is imported.
    name = os.environ.get("MPLBACKEND") or matplotlib.get_backend()
    windowed = backend_registry.list_builtin(BackendFilter.INTERACTIVE)  # type: ignore[no-untyped-call]
    if name.lower() not in windowed:
        return False
    try:
        import matplotlib.pyplot as plt

        plt.switch_backend(name)
    except (ImportError, ValueError, RuntimeError):
        return False
    return True


def show_figure(figure: Figure) -> None:
    """Show a figure in a window and wait until the user closes it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to show.

    Raises
    ------
    OutputError
        If no window can be opened here.
    """
    if not has_display():
        raise OutputError("there is no display to show the figure on; save it as .png, .pdf or .svg instead")
    import matplotlib.pyplot as plt

    # pyplot makes windows only for figures it creates; this lets it "create" the one that exists.
    plt.figure(FigureClass=lambda *_args, **_kwargs: figure)  # type: ignore[arg-type]
    plt.show()


def _spread(count: int, limit: int) -> list[int]:
    """Return all indices below `count`, or `limit` of them from the first to the last, evenly spread."""
    if count <= limit:
        return list(range(count))
    return [round(step * (count - 1) / (limit - 1)) for step in range(limit)]


def _plot_rasters(
    figure: Figure,
    grid: GridSpec,
    trials: Sequence[int],
    layers: Mapping[str, Sequence[Spikes]],
    target: SpikeTrains,
    trial_s: float,
) -> None:
    axes: dict[tuple[int, int], Axes] = {}
    for row, (name, recordings) in enumerate(layers.items()):
        for column, trial in enumerate(trials):
            ax = figure.add_subplot(
                grid[row, column], sharex=axes.get((0, column)), sharey=axes.get((row, 0)), label=name
            )
            axes[row, column] = ax
            if name == "Output":
                _scatter(ax, (target.times, target.ids), trial * trial_s, _TARGET_COLOUR, "target")
            _scatter(ax, recordings[column], trial * trial_s, _COLOURS[name], name.lower())
            _label_raster(ax, name, trial, first_column=column == 0)
            ax.set_xlim(trial * trial_s, (trial + 1) * trial_s)
    axes[len(layers) - 1, 0].set_ylim(-2.0, target.num_neurons + 1.0)


def _scatter(ax: Axes, spikes: Spikes, start_s: float, colour: str, label: str) -> None:
    times, ids = spikes
    # Rasterised, because a PDF or SVG with every spike as a shape of its own is huge and slow to look at.
    ax.scatter(
        start_s + np.asarray(times, dtype=np.float64) / 1000.0,
        ids,
        s=2,
        color=colour,
        edgecolors="none",
        rasterized=True,
        label=label,
    )


def _label_raster(ax: Axes, name: str, trial: int, first_column: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=_STEPS))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=_STEPS, integer=True))
    ax.tick_params(labelbottom=name == "Output", labelleft=first_column)
    # Far into a training the ticks would else be written as small numbers plus one large offset.
    ax.ticklabel_format(axis="x", useOffset=False)
    if name == "Input":
        ax.set_title(f"Trial {trial}")
    if name == "Output":
        ax.set_xlabel("Time [s]")
    if first_column:
        ax.set_ylabel(f"{name} neuron")
    if first_column and name == "Output":
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, markerscale=4,
                  borderaxespad=0.1, handletextpad=0.1, fontsize="small")  # fmt: skip


def _plot_curve(ax: Axes, curve: Sequence[CurvePoint]) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.set(xlabel="Trials completed", ylabel="Error [% of silence]")
    ax.xaxis.set_major_locator(MaxNLocator(steps=_STEPS, integer=True, min_n_ticks=1))
    ax.spines[["top", "right"]].set_visible(False)
    if not curve:
        ax.set(xticks=[], yticks=[])
        text = ax.text(0.5, 0.5, "no trial completed yet", color="grey", ha="center", va="center")
        text.set_transform(ax.transAxes)
        return
    trials = [point.trial for point in curve]
    shares = [100.0 * point.error_of_silent for point in curve]
    # A line through a single point is invisible.
    marker = "o" if len(curve) < 25 else None
    ax.plot(trials, shares, color="#222222", linewidth=1.4, marker=marker, markersize=3)
    # Steps alone: at the end of a linear course to 0 the rate halves too.
    held = [before.r0 == now.r0 for before, now in pairwise(curve)]
    steps = zip([True, *held], pairwise(curve), strict=False)
    drops = [now.trial for level, (before, now) in steps if level and now.r0 <= 0.5 * before.r0]
    for number, trial in enumerate(drops):
        label = "learning rate r0 drops" if number == 0 else None
        ax.axvline(trial, color="grey", linestyle="--", linewidth=0.9, label=label)
    if drops:
        ax.legend(loc="upper right", frameon=False, fontsize="small")
    finite = [share for share in shares if math.isfinite(share)]
    ax.set_ylim(0.0, 1.08 * max([*finite, 1.0]))
    ax.margins(x=0.01)
