"""The data set's geometry, and that the classifier learns."""

import numpy as np
import pytest

from snnlearn.userproject.yin_yang import main
from snnlearn.userproject.yin_yang_data import classify, draw, spike_times


@pytest.mark.parametrize(
    ("x", "y", "label"),
    [
        (0.25, 0.5, 2),  # the middle of the left dot
        (0.75, 0.5, 2),
        (0.25, 0.62, 0),  # around the left dot
        (0.75, 0.62, 1),  # around the right dot
        (0.5, 0.9, 0),
        (0.5, 0.1, 1),
        (0.02, 0.55, 0),
        (0.98, 0.45, 1),
    ],
)
def test_classes(x, y, label):
    assert classify(np.array([x]), np.array([y]))[0] == label


def test_yin_is_yang_turned_by_half():
    points = draw(2000, 1).xy
    labels, turned = classify(*points.T), classify(*(1.0 - points).T)
    swapped = np.array([1, 0, 2])[labels]
    # Equal but for points on a border, which a random draw does not hit.
    np.testing.assert_array_equal(turned, swapped)


def test_draws():
    points, again, other = draw(301, 5), draw(301, 5), draw(301, 6)
    np.testing.assert_array_equal(points.xy, again.xy)
    assert not np.array_equal(points.xy, other.xy)
    assert sorted(np.bincount(points.labels)) == [100, 100, 101]
    np.testing.assert_array_equal(classify(*points.xy.T), points.labels)
    assert np.hypot(*(points.xy - 0.5).T).max() <= 0.5


def test_spike_times():
    times = spike_times(np.array([[0.0, 1.0], [0.25, 0.5]]), 2.0, 22.0)
    np.testing.assert_allclose(times, [[2, 22, 22, 2, 2], [7, 12, 17, 12, 2]])


def test_learns_a_little_in_a_second(capsys):
    assert main(["--epochs", "4", "--num-train", "600", "--num-valid", "300", "--quiet"]) == 0
    accuracy = float(capsys.readouterr().out.split()[-1].rstrip("%"))
    # A linear classifier gets 64 %, and 300 patterns tell that to 2.8 % (one sigma).
    assert accuracy > 64 + 3 * 2.8


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--epochs", "0"], "epochs must be positive"),
        (["--num-train", "0"], "--num-train must be at least 20, not 0"),
        (["--num-hidden", "-1"], "--num-hidden must be at least 1, not -1"),
        (["--seed", "-4"], "--seed must be at least 1, not -4"),
        (["--seed", str(2**64)], "--seed must be at most"),
        (["--num-train", str(10**12)], "--num-train must be at most 1000000, not 1000000000000"),
        (["--epochs", "1" + 400 * "0"], "epochs must be positive and finite, not inf"),
        (["--backend", "cuda"], "backend 'cuda' is not available"),
    ],
)
def test_bad_arguments(args, message, capsys):
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("yin_yang: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_reaches_85_per_cent(seed, capsys):
    assert main(["--epochs", "10", "--seed", seed, "--quiet"]) == 0
    assert float(capsys.readouterr().out.split()[-1].rstrip("%")) >= 85.0
