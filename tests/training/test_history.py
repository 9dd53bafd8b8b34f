"""The record of a training, its way into a checkpoint and back, and its figures."""

import json
import math

import numpy as np
import pytest

from snnlearn.errors import OutputError, TrainingError
from snnlearn.training.decay import DecayType
from snnlearn.training.history import History
from snnlearn.training.phases import TrainingPhase

PHASES = [
    (TrainingPhase(1, "SGD", (0.1, 0.5), DecayType.LINEAR, (0.9, 0.5), DecayType.LINEAR), 4),
    (TrainingPhase(1, "RMaxProp", 0.2, wds=0.01), 2),
    (TrainingPhase(1, "Adam", ([0.1, 0.3], 0.2), (DecayType.POLYNOMIAL, 2), beta=0.99, wds=[0.0, 0.5]), 3),
]


def record(phases, num_connections=2, loss=lambda k: 1.0 / (1 + k)):
    history = History(num_connections)
    for phase, n in phases:
        history.begin_phase(phase)
        for i in range(n):
            history.record(phase.lr_at(i, n), phase.momentum_at(i, n), loss(len(history)))
    return history


def long(decay, lr, n=60, loss=lambda k: 1.0 / (1 + k)):
    return record([(TrainingPhase(1, "SGD", lr, decay), n)], loss=loss)


def test_series_have_a_row_an_iteration():
    history = record(PHASES)
    assert len(history) == 9
    assert history.lrs.shape == history.momenta.shape == (9, 2)
    np.testing.assert_allclose(history.lrs[:5, 0], [0.1, 0.2, 0.3, 0.4, 0.2])
    np.testing.assert_allclose(history.lrs[6], [0.1, 0.3])
    np.testing.assert_allclose(history.momenta[:, 1], [0.9, 0.8, 0.7, 0.6, math.nan, math.nan, 0.9, 0.9, 0.9])
    np.testing.assert_array_equal(history.losses, 1.0 / np.arange(1, 10))
    np.testing.assert_array_equal(history.phase_starts, [0, 4, 6])


def test_the_last_rates_of_an_optimiser():
    history = record([*PHASES, (TrainingPhase(1, "SGD", 0.05), 2)])
    assert history.last_lr("SGD") == (0.05, 0.05)
    assert history.last_lr("RMaxProp") == (0.2, 0.2)
    assert history.last_lr("RMSProp") is None
    history.begin_phase(TrainingPhase(1, "RMaxProp", 0.9))  # without an iteration so far
    assert history.last_lr("RMaxProp") == (0.2, 0.2)


def test_phases_say_what_held_in_them():
    phases = record(PHASES).phases
    assert [phase.text for phase in phases] == [
        "SGD",
        "RMaxProp, beta 0.9835, weight decay 0.01",
        "Adam, beta 0.99, weight decay 0/0.5",
    ]
    assert [phase.decay for phase in phases] == ["linear", "no", "polynomial, power 2"]


def test_an_empty_history_has_empty_series():
    history = History(3)
    assert history.lrs.shape == history.momenta.shape == (0, 3)
    assert history.losses.shape == history.phase_starts.shape == (0,)


def test_no_momentum_is_nan():
    history = History(2)
    history.begin_phase(TrainingPhase(1))
    history.record(0.1, None, 1.0)
    assert np.isnan(history.momenta).all()


def test_a_history_goes_through_json():
    history = record(PHASES, loss=lambda k: [1.0, math.inf, math.nan][k % 3])
    back = History.from_dict(json.loads(json.dumps(history.to_dict())))
    assert back.phases == history.phases
    for name in ("lrs", "momenta", "losses", "phase_starts"):
        np.testing.assert_array_equal(getattr(back, name), getattr(history, name))
    back.record(0.1, 0.2, 0.3)
    assert (len(back), len(history)) == (10, 9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"losses": None}, "no history of a training: TypeError"),
        ({"losses": [1.0]}, "no history of a training: its series differ in length"),
        ({"lrs": [[0.1, 0.2, 0.3]]}, r"lr has shape \(3,\) for 2 trained connections"),
        ({"phases": [{"begin": 0}]}, "no history of a training: ArgumentError: .*begin"),
    ],
)
def test_what_is_no_history(change, message):
    with pytest.raises(TrainingError, match=message):
        History.from_dict({**record(PHASES).to_dict(), **change})
    with pytest.raises(TrainingError, match="no history of a training: KeyError"):
        History.from_dict({})


def test_recording_errors():
    with pytest.raises(TrainingError, match="num_connections must be positive, not 0"):
        History(0)
    history = History(2)
    with pytest.raises(TrainingError, match="begin_phase must come before the first iteration"):
        history.record(0.1, 0.9, 1.0)
    history.begin_phase(PHASES[0][0])
    with pytest.raises(TrainingError, match=r"momentum has shape \(3,\) for 2 trained connections"):
        history.record(0.1, [0.1, 0.2, 0.3], 1.0)
    assert len(history) == 0
    assert history.lrs.shape == (0, 2)


# ---- figures ----


def test_plot_lr_draws_the_highest_rate_and_the_momentum():
    history = record(PHASES)
    rates, momenta = history.plot_lr().axes
    np.testing.assert_allclose(rates.lines[0].get_ydata(), history.lrs.max(axis=1))
    np.testing.assert_allclose(momenta.lines[0].get_ydata(), history.momenta.max(axis=1))
    assert rates.get_ylabel() == "Learning rate, highest of 2"
    for ax in (rates, momenta):
        assert [(line.get_xdata()[0], line.get_linestyle()) for line in ax.lines[1:]] == [(3.5, "--"), (5.5, "--")]


def test_plot_lr_names_the_optimisers():
    history = record(PHASES)
    assert [text.get_text() for text in history.plot_lr().axes[0].texts] == [phase.text for phase in history.phases]
    assert not history.plot_lr(show_text=False).axes[0].texts


def test_plot_lr_says_once_what_has_no_room_twice():
    short, other = TrainingPhase(1, "SGD"), TrainingPhase(1, "Adam")
    axes = record([(short, 1), (short, 1), (other, 1), (short, 97), (short, 100)]).plot_lr().axes[0]
    assert [text.get_text() for text in axes.texts] == ["SGD", "Adam, beta 0.999", "SGD", "SGD"]
    places = [text.get_position()[0] for text in axes.texts]
    assert np.all(np.diff(places) > 0.04)


def test_plot_lr_leaves_the_momentum_out():
    assert len(record(PHASES).plot_lr(show_moms=False).axes) == 1
    assert len(record([PHASES[1]]).plot_lr().axes) == 1


@pytest.mark.parametrize(
    ("decay", "lr", "linear", "scale"),
    [
        (DecayType.EXPONENTIAL, (1e-5, 10.0), None, "log"),
        (DecayType.LINEAR, (1e-3, 0.1), None, "linear"),
        (DecayType.EXPONENTIAL, (1e-5, 10.0), True, "linear"),
        (DecayType.LINEAR, (1e-3, 0.1), False, "log"),
    ],
)
def test_plot_chooses_its_axis(decay, lr, linear, scale):
    history = long(decay, lr)
    (ax,) = history.plot(linear=linear).axes
    assert ax.get_xscale() == scale
    np.testing.assert_allclose(ax.lines[0].get_xdata(), history.lrs[:, 0])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), history.losses)


def test_plot_leaves_out_what_it_is_told_to_and_what_has_no_place():
    history = long(DecayType.LINEAR, (0.0, 0.6), loss=lambda k: math.inf if k == 30 else 1.0)
    drawn = history.plot(skip_start=10, skip_end=20).axes[0].lines[0].get_xdata()
    np.testing.assert_allclose(drawn, [0.01 * k for k in range(10, 40) if k != 30])
    assert len(history.plot(linear=False).axes[0].lines[0].get_xdata()) == 58


@pytest.mark.parametrize("skips", [(30, 30), (-1, 0), (0, 60)])
def test_plot_needs_something_to_draw(skips):
    with pytest.raises(TrainingError, match="leave nothing of 60 iterations to draw"):
        long(DecayType.LINEAR, (0.0, 1.0)).plot(skip_start=skips[0], skip_end=skips[1])


def test_an_empty_history_cannot_be_drawn():
    for draw in (History(1).plot, History(1).plot_lr):
        with pytest.raises(TrainingError, match="nothing has been recorded yet: train first"):
            draw()


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_figures_are_saved(tmp_path, suffix):
    history = record(PHASES)
    for name, draw in (("lr", history.plot_lr), ("loss", history.plot)):
        path = tmp_path / f"{name}.{suffix}"
        draw(path=path)
        assert path.stat().st_size > 1000
    with pytest.raises(OutputError, match=r"must end in \.png, \.pdf or \.svg"):
        history.plot(path=tmp_path / "loss.gif")
