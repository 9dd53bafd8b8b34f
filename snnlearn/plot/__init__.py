"""Figures: of a training, and of what has been recorded."""

from snnlearn.plot.animated import animation
from snnlearn.plot.recorded import raster, receptive_fields, traces, weights
from snnlearn.plot.training import (
    FORMATS,
    check_matplotlib,
    figure_format,
    has_display,
    plot_target,
    plot_training,
    save_figure,
    show_figure,
)

__all__ = [
    "FORMATS",
    "animation",
    "check_matplotlib",
    "figure_format",
    "has_display",
    "plot_target",
    "plot_training",
    "raster",
    "receptive_fields",
    "save_figure",
    "show_figure",
    "traces",
    "weights",
]
