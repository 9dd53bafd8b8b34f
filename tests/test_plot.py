"""Figures of a training, with and without a display."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from snnlearn import plot
from snnlearn.errors import OutputError, TrainingError
from snnlearn.io import CurvePoint, SpikeTrains

TARGET = SpikeTrains.from_spikes([10.0, 500.0, 900.0], [0, 1, 19], 20)
CURVE = [CurvePoint(1, 2.0, 9.0, 1.1), CurvePoint(2, 2.0, 8.0, 0.9), CurvePoint(3, 1.0, 4.0, 0.5)]
SPIKES = (np.array([100.0, 400.0], dtype=np.float32), np.array([3, 4], dtype=np.int32))


def draw(trials, curve=CURVE):
    recordings = [SPIKES] * len(trials)
    return plot.plot_training(trials, recordings, recordings, recordings, TARGET, curve, 2.0)


def axes_of(figure, label):
    return [ax for ax in figure.axes if ax.get_label() == label]


@pytest.mark.parametrize("trials", [[], [0], [0, 7], [1, 2, 3]])
def test_one_column_a_trial_and_one_curve(tmp_path, trials):
    figure = draw(trials)
    for name in ("Input", "Hidden", "Output"):
        assert len(axes_of(figure, name)) == len(trials)
    assert len(axes_of(figure, "Curve")) == 1
    plot.save_figure(figure, tmp_path / "figure.png")


def test_spikes_are_where_they_belong():
    figure = draw([0, 7])
    for name in ("Input", "Hidden"):
        (points,) = axes_of(figure, name)[1].collections
        # 7 trials of 2 s, then 0.1 s and 0.4 s.
        np.testing.assert_allclose(points.get_offsets(), [[14.1, 3.0], [14.4, 4.0]], rtol=1e-12)
    target, output = axes_of(figure, "Output")[1].collections
    np.testing.assert_allclose(target.get_offsets(), [[14.01, 0.0], [14.5, 1.0], [14.9, 19.0]], rtol=1e-12)
    np.testing.assert_allclose(output.get_offsets(), [[14.1, 3.0], [14.4, 4.0]], rtol=1e-12)
    assert target.get_facecolor().tolist() != output.get_facecolor().tolist()
    assert axes_of(figure, "Output")[1].get_xlim() == (14.0, 16.0)


def test_axes_are_shared_by_column_and_row():
    figure = draw([0, 7])
    top, other = axes_of(figure, "Input")
    below, _ = axes_of(figure, "Output")
    assert top.get_shared_x_axes().joined(top, below)
    assert not top.get_shared_x_axes().joined(top, other)
    assert top.get_shared_y_axes().joined(top, other)
    assert not top.get_shared_y_axes().joined(top, below)


def test_curve_is_in_percent_and_marks_where_r0_drops():
    (ax,) = axes_of(draw([]), "Curve")
    curve, drop = ax.lines
    np.testing.assert_array_equal(curve.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(curve.get_ydata(), [110.0, 90.0, 50.0], rtol=1e-12)
    assert (list(drop.get_xdata()), drop.get_linestyle()) == ([3, 3], "--")
    assert ax.get_ylim()[0] == 0.0


def test_a_course_to_0_has_no_steps():
    falling = [replace(point, r0=rate) for point, rate in zip(CURVE, (1.0, 0.5, 0.0), strict=True)]
    (ax,) = axes_of(draw([], [replace(CURVE[0], r0=1.5), *(replace(p, trial=p.trial + 1) for p in falling)]), "Curve")
    (curve,) = ax.lines
    assert len(curve.get_xdata()) == 4


@pytest.mark.parametrize("number", [1, 2, 3])
def test_trials_are_counted_in_whole_numbers(number):
    (ax,) = axes_of(draw([], CURVE[:number]), "Curve")
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1.0, 2.0, 3.0][:number]


def test_empty_curve_says_so(tmp_path):
    figure = draw([0], curve=[])
    (ax,) = axes_of(figure, "Curve")
    assert not ax.lines
    assert ax.texts[0].get_text() == "no trial completed yet"
    plot.save_figure(figure, tmp_path / "figure.png")


def test_curve_of_a_training_that_diverged(tmp_path):
    curve = [CurvePoint(1, 1.0, 1.0, 1.0), CurvePoint(2, 1.0, np.inf, np.inf), CurvePoint(3, 1.0, np.nan, np.nan)]
    figure = draw([], curve)
    assert axes_of(figure, "Curve")[0].get_ylim() == pytest.approx((0.0, 108.0))
    plot.save_figure(figure, tmp_path / "figure.png")


def test_layers_without_spikes(tmp_path):
    nothing = [([], [])]
    figure = plot.plot_training([0], nothing, nothing, nothing, TARGET, [], 2.0)
    plot.save_figure(figure, tmp_path / "figure.png")


def test_width_grows_and_is_bounded():
    widths = [draw([0] * columns).get_figwidth() for columns in (1, 2, 4, 9)]
    assert widths == sorted(widths)
    assert widths[0] < widths[2] <= widths[3] < 40.0


def test_many_trials_are_thinned_out_and_the_figure_says_so():
    figure = draw(list(range(100)))
    titles = [ax.get_title() for ax in axes_of(figure, "Input")]
    assert (len(titles), titles[0], titles[1], titles[-1]) == (12, "Trial 0", "Trial 9", "Trial 99")
    assert figure.get_suptitle() == "12 of 100 recorded trials"
    assert draw([0]).get_suptitle() == ""


def test_each_trial_needs_its_recordings():
    with pytest.raises(TrainingError, match="hidden_spikes has 0 items for 1 trials"):
        plot.plot_training([0], [SPIKES], [], [SPIKES], TARGET, [], 2.0)


def test_target_figure():
    (ax,) = plot.plot_target(TARGET, 1000.0).axes
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[0.01, 0], [0.5, 1], [0.9, 19]], rtol=1e-12)
    assert ax.get_xlim() == (0.0, 1.0)
    assert ax.get_title() == "3 spikes"


@pytest.mark.parametrize(
    ("name", "magic"), [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF"), ("a.svg", b"<?xml")], ids=["png", "pdf", "svg"]
)
def test_saves_by_suffix(tmp_path, name, magic):
    plot.save_figure(draw([0]), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)


@pytest.mark.parametrize("kind", plot.FORMATS)
def test_the_same_figure_gives_the_same_bytes(tmp_path, monkeypatch, kind):
    for number in (1, 2):
        # What Matplotlib takes for the time of day.
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(number * 100_000_000))
        plot.save_figure(draw([0, 7]), tmp_path / f"{number}.{kind}")
    assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes()


SAVE = """
import sys
from snnlearn import plot
from snnlearn.io import SpikeTrains

target = SpikeTrains.from_spikes([10.0, 500.0], [0, 1], 2)
for kind in plot.FORMATS:
    plot.save_figure(plot.plot_target(target, 1000.0), f"{sys.argv[1]}.{kind}")
"""


def test_the_same_bytes_come_from_another_process(tmp_path):
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", SAVE, tmp_path / seed], env=environment, timeout=60, check=True)
    for kind in plot.FORMATS:
        assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes()


@pytest.mark.parametrize(
    ("name", "tail"),
    [("a.pgn", r"not \.pgn; did you mean 'png'\?"), ("a.jpg", r"not \.jpg"), ("a", "but it has no suffix")],
)
def test_other_suffixes_name_the_three(tmp_path, name, tail):
    with pytest.raises(OutputError, match=rf"{name}: a figure's name must end in .png, .pdf or .svg, {tail}"):
        plot.save_figure(Figure(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_back_end_that_is_none_is_found_before_the_work():
    code = "from snnlearn.plot import check_matplotlib; check_matplotlib()"
    for name, status in (("agg", 0), ("nonsense", 1)):
        environment = {**os.environ, "MPLBACKEND": name}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == status
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "snnlearn.errors.OutputError: figures cannot be drawn, because Matplotlib cannot be imported: "
    )
    assert "'nonsense'" in last


def test_failed_drawing_leaves_nothing(tmp_path, monkeypatch):
    def fail(file, **_options):
        file.write(b"half")
        raise OSError("the disk is full")

    figure = Figure()
    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OutputError, match=r"figure\.png: the disk is full"):
        plot.save_figure(figure, tmp_path / "figure.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"MPLBACKEND": "qtagg"}, False),
        ({"DISPLAY": ":0", "MPLBACKEND": "agg"}, False),
        ({"WAYLAND_DISPLAY": "w", "MPLBACKEND": "PDF"}, False),
        ({"DISPLAY": ":0", "MPLBACKEND": "tkagg"}, True),
    ],
)
def test_display(monkeypatch, environment, expected):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("matplotlib.pyplot.switch_backend", lambda _name: None)
    assert plot.has_display() is expected


def test_toolkit_that_does_not_import_is_no_display(monkeypatch):
    def fail(_name):
        raise ImportError("no toolkit")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("MPLBACKEND", "tkagg")
    monkeypatch.setattr("matplotlib.pyplot.switch_backend", fail)
    assert plot.has_display() is False


def test_show_needs_a_display(monkeypatch):
    monkeypatch.setattr("snnlearn.plot.training.has_display", lambda: False)
    with pytest.raises(OutputError, match="there is no display to show the figure on; save it as"):
        plot.show_figure(Figure())


def test_show_puts_the_figure_itself_into_a_window(monkeypatch):
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr("snnlearn.plot.training.has_display", lambda: True)
    monkeypatch.setattr(plt, "show", lambda: shown.extend(plt.figure(number) for number in plt.get_fignums()))
    plt.switch_backend("agg")
    plt.close("all")
    figure = draw([0])
    plot.show_figure(figure)
    assert len(shown) == 1
    assert shown[0] is figure
    plt.close("all")


def test_importing_stays_cheap():
    code = "import sys, snnlearn.plot, snnlearn.command; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
