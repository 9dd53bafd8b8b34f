"""The figures of a training's history, in the manner of `snnlearn.plot`: without pyplot, so without a display."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snnlearn.plot import save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOUR = "#222222"
_MOMENTUM_COLOUR = "#3b6ea5"
_PHASE_COLOUR = "#b5402f"
_LETTER_IN = 0.075  # inches that a letter of small text takes
_TEXT_WIDTH = 0.045  # of the axis: what an upright line of text takes


def figure_of_schedule(
    lrs: NDArray[np.float64],
    momenta: NDArray[np.float64] | None,
    starts: Sequence[int],
    texts: Sequence[str] | None,
    path: str | os.PathLike[str] | None,
) -> Figure:
    """Draw learning rates and momenta over iterations, with a dashed line where a phase begins.

    Parameters
    ----------
    lrs, momenta : ndarray of float64, shape (iterations, connections)
        The highest of each iteration is drawn; no momentum for None and for NaN.
    starts : sequence of int
        The first iteration of each phase.
    texts : sequence of str, optional
        What to write over the beginning of each phase.
    path : path-like, optional
        Where to save the figure.
    """
    from matplotlib.figure import Figure

    moms = momenta is not None and bool(np.isfinite(momenta).any())
    above = max(map(len, texts)) * _LETTER_IN if texts is not None else 0.0
    figure = Figure(figsize=(11.0 if moms else 6.5, 4.0 + above), layout="constrained")
    axes = figure.subplots(1, 2 if moms else 1, squeeze=False)[0]
    of = f", highest of {lrs.shape[1]}" if np.ptp(lrs, axis=1).any() else ""
    _plot_series(axes[0], lrs.max(axis=1), _COLOUR, f"Learning rate{of}")
    if momenta is not None and moms:
        _plot_series(axes[1], momenta.max(axis=1), _MOMENTUM_COLOUR, "Momentum")
    for ax in axes:
        for start in starts[1:]:
            # Half an iteration early: between the last point of one phase and the first of the next.
            ax.axvline(start - 0.5, color=_PHASE_COLOUR, linestyle="--", linewidth=0.9)
    if texts is not None:
        _write_phases(axes[0], starts, texts, len(lrs))
    if path is not None:
        save_figure(figure, path)
    return figure


def figure_of_losses(
    rates: NDArray[np.float64], losses: NDArray[np.float64], linear: bool, path: str | os.PathLike[str] | None
) -> Figure:
    """Draw losses against learning rates, both of shape (iterations,), on a linear or logarithmic axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4.0), layout="constrained")
    ax = figure.add_subplot(label="Losses")
    drawn = np.isfinite(losses) & (linear | (rates > 0.0))
    marker = "o" if drawn.sum() < 25 else None
    ax.plot(rates[drawn], losses[drawn], color=_COLOUR, linewidth=1.4, marker=marker, markersize=3)
    ax.set_xscale("linear" if linear else "log")
    ax.set(xlabel="Learning rate", ylabel="Loss")
    ax.spines[["top", "right"]].set_visible(False)
    if path is not None:
        save_figure(figure, path)
    return figure


def figure_of_rates(
    rates: Mapping[str, NDArray[np.float64]],
    firsts: Mapping[str, float],
    path: str | os.PathLike[str] | None,
) -> Figure:
    """Draw how learnt rates are distributed, a panel for each connection.

    Parameters
    ----------
    rates : mapping of str to ndarray of float64
        Of the synapses of each connection.
    firsts : mapping of str to float
        What they were at first: a dashed line.
    path : path-like, optional
        Where to save the figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.0 + 4.5 * len(rates), 3.6), layout="constrained")
    panels = figure.subplots(1, len(rates), squeeze=False)[0]
    for ax, (name, values) in zip(panels, rates.items(), strict=True):
        _plot_rates(ax, values[np.isfinite(values)].ravel(), firsts[name])
        ax.set_title(name, fontsize="medium")
    panels[0].set_ylabel("Synapses")
    if path is not None:
        save_figure(figure, path)
    return figure


def _plot_rates(ax: Axes, values: NDArray[np.float64], first: float) -> None:
    """Draw a histogram; its axis is logarithmic where all rates are positive and far apart."""
    logarithmic = values.size > 0 and values.min() > 0.0 and values.max() > 10.0 * values.min()
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    if not high > low:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    bins = np.geomspace(low, high, 41) if logarithmic else np.linspace(low, high, 41)
    ax.hist(values, bins=bins.tolist(), color=_COLOUR)
    ax.axvline(first, color=_PHASE_COLOUR, linestyle="--", linewidth=0.9)
    ax.set(xscale="log" if logarithmic else "linear", yscale="symlog", xlabel="Learning rate of a synapse")
    ax.set_ylim(bottom=0.0)
    ax.spines[["top", "right"]].set_visible(False)


def _plot_series(ax: Axes, values: np.ndarray, colour: str, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    marker = "o" if len(values) < 25 else None
    ax.plot(np.arange(len(values)), values, color=colour, linewidth=1.4, marker=marker, markersize=3)
    ax.set(xlabel="Iteration", ylabel=label)
    ax.xaxis.set_major_locator(MaxNLocator(steps=(1, 2, 5, 10), integer=True))
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.02)


def _write_phases(ax: Axes, starts: Sequence[int], texts: Sequence[str], length: int) -> None:
    """Write each phase's text upright over its beginning, above the axis, where no curve can be."""
    left, right = ax.get_xlim()
    free, before = 0.0, None
    for words, begin, end in zip(texts, starts, [*starts[1:], length], strict=True):
        start, stop = ((x - 0.5 - left) / (right - left) for x in (begin, end))
        # Where there is no room, what has been said before is left out, and a change moves to the right.
        if words == before and (start < free or stop - start < _TEXT_WIDTH):
            continue
        at = max(start, free)
        text = ax.text(at, 1.01, words, rotation=90, ha="center", va="bottom", fontsize="small")
        text.set(transform=ax.transAxes, color=_PHASE_COLOUR)
        free, before = at + _TEXT_WIDTH, words
