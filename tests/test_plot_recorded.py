"""Figures of what has been recorded: what is in them, into whose axes they go, and what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from snnlearn import plot
from snnlearn.errors import ArgumentError, OutputError

TIMES = 0.5 * np.arange(4)
VALUES = np.arange(24.0).reshape(4, 2, 3)


def test_traces_are_a_line_for_each_neuron() -> None:
    own = Figure().add_subplot()
    ax = plot.traces(TIMES, VALUES, copy=1, labels=[7, 1, 3], offset=100.0, ax=own)
    assert ax is own
    for n, line in enumerate(ax.lines):
        np.testing.assert_array_equal(line.get_xdata(), TIMES)
        np.testing.assert_array_equal(line.get_ydata(), VALUES[:, 1, n] + 100.0 * n)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["7", "1", "3"]
    assert len(plot.traces(TIMES, VALUES[:, 0, 0]).lines) == 1


def test_a_raster_has_a_mark_for_each_spike() -> None:
    spikes = np.zeros((4, 2, 3), np.uint8)
    spikes[[1, 3, 3], [0, 0, 1], [2, 0, 1]] = 1
    ax = plot.raster(TIMES, spikes)
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), [[0.5, 2], [1.5, 0]])
    assert ax.get_ylim() == (-0.5, 2.5)
    of_pairs = plot.raster([0.5, 1.5], [2, 0])
    np.testing.assert_array_equal(of_pairs.collections[0].get_offsets(), ax.collections[0].get_offsets())
    plot.raster([], [])


def test_weights_are_white_at_0() -> None:
    w = np.array([[1.0, -4.0, np.nan], [0.0, 2.0, 3.0]])
    image = plot.weights(w).images[0]
    np.testing.assert_array_equal(image.get_array(), np.ma.masked_invalid(w))
    assert image.get_clim() == (-4.0, 4.0)
    np.testing.assert_array_equal(plot.weights(w.ravel(), shape=(2, 3)).images[0].get_array(), image.get_array())
    assert plot.weights(np.zeros((2, 2))).images[0].get_clim() == (-1.0, 1.0)


def test_receptive_fields_lie_side_by_side() -> None:
    w = np.arange(12.0).reshape(4, 3)
    shown = plot.receptive_fields(w, (2, 2), columns=2).images[0].get_array().filled(np.nan)
    assert shown.shape == (5, 5)
    for n, (top, left) in enumerate([(0, 0), (0, 3), (3, 0)]):
        np.testing.assert_array_equal(shown[top : top + 2, left : left + 2], w[:, n].reshape(2, 2))
    assert np.isnan(shown[2]).all()
    assert np.isnan(shown[3:, 3:]).all()


def test_an_animation_has_a_picture_for_each_frame(tmp_path: Path) -> None:
    limits: list[Any] = []
    figure = Figure(figsize=(2.0, 1.5))
    ax = figure.add_subplot()

    def draw(ax: Any, frame: Any) -> None:
        plot.weights(frame, ax=ax)
        limits.append((ax.images[0].get_clim(), len(ax.images), len(figure.axes)))

    found = plot.animation(tmp_path / "learning.gif", [np.full((2, 2), w) for w in (1.0, 2.0)], draw, ax=ax)
    assert limits == [((-1.0, 1.0), 1, 2), ((-2.0, 2.0), 1, 2)], "what the frame before has drawn is gone"
    with Image.open(found) as picture:
        assert (picture.n_frames, picture.size) == (2, (200, 150))
    assert [path.name for path in tmp_path.iterdir()] == ["learning.gif"]


def test_frames_of_weights_have_the_same_colours(tmp_path: Path) -> None:
    ax = Figure(figsize=(2.0, 1.5)).add_subplot()
    plot.animation(tmp_path / "learning.gif", np.array([[[4.0]], [[1.0]]]), ax=ax)
    assert ax.images[0].get_clim() == (-4.0, 4.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.traces(TIMES[1:], VALUES), "there are 3 times for 4 rows of values"),
        (lambda: plot.traces(VALUES, VALUES), "times has the shape"),
        (lambda: plot.traces(TIMES, VALUES, copy=2), "there is no copy 2 of a batch of 2"),
        (lambda: plot.traces(TIMES, VALUES, labels=[1]), "labels has 1 names for 3 neurons"),
        (lambda: plot.traces(TIMES, np.zeros((4, 1, 1, 1))), r"values have the shape \(4, 1, 1, 1\)"),
        (lambda: plot.raster(TIMES, [1, 2]), "there are 4 times for 2 rows of spikes"),
        (lambda: plot.weights(np.zeros(6)), r"weights have the shape \(6,\)"),
        (lambda: plot.weights(np.zeros(6), shape=(2, 2)), r"\(2, 2\) is needed"),
        (lambda: plot.weights(np.zeros((0, 3))), r"there are no weights to draw: their shape is \(0, 3\)"),
        (lambda: plot.weights([], shape=(0, 3)), "there are no weights to draw"),
        (lambda: plot.traces(TIMES, VALUES, ax=3), "ax is a matplotlib.axes.Axes, as plt.subplots.* gives, not int"),
        (lambda: plot.receptive_fields(np.zeros((4, 3)), (3, 2)), "has 6 places for 4 neurons"),
        (lambda: plot.receptive_fields(np.zeros((4, 3)), (2, 2), columns=0), "columns must be"),
        (lambda: plot.animation("nothing.gif", []), "there are no frames"),
    ],
)
def test_what_does_not_fit(call: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=message):
        call()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("learning.avi", "as .gif or .mp4"),
        ("learning.mp4", "needs the program ffmpeg"),
        ("no/x.gif", "cannot be written"),
    ],
)
def test_files_that_cannot_be(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matplotlib.animation.writers.is_available", lambda name: name == "pillow")
    with pytest.raises(OutputError, match=message):
        plot.animation(tmp_path / name, [np.ones((2, 2))], ax=Figure(figsize=(1.0, 1.0)).add_subplot())
