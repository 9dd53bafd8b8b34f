"""The data set's geometry."""

import numpy as np
import pytest

from snnlearn.datasets import yin_yang, yin_yang_class, yin_yang_times


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
    assert yin_yang_class(np.array([x]), np.array([y]))[0] == label


def test_yin_is_yang_turned_by_half():
    points = yin_yang(2000, 1).xy
    labels, turned = yin_yang_class(*points.T), yin_yang_class(*(1.0 - points).T)
    swapped = np.array([1, 0, 2])[labels]
    # Equal but for points on a border, which a random draw does not hit.
    np.testing.assert_array_equal(turned, swapped)


def test_draws():
    points, again, other = yin_yang(301, 5), yin_yang(301, 5), yin_yang(301, 6)
    np.testing.assert_array_equal(points.xy, again.xy)
    assert not np.array_equal(points.xy, other.xy)
    assert sorted(np.bincount(points.labels)) == [100, 100, 101]
    np.testing.assert_array_equal(yin_yang_class(*points.xy.T), points.labels)
    assert np.hypot(*(points.xy - 0.5).T).max() <= 0.5


def test_spike_times():
    times = yin_yang_times(np.array([[0.0, 1.0], [0.25, 0.5]]), 2.0, 22.0)
    np.testing.assert_allclose(times, [[2, 22, 22, 2, 2], [7, 12, 17, 12, 2]])
