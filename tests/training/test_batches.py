"""Batches: what they train is what their examples train, and the rest of a training goes on as with single ones."""

import numpy as np
import pytest
from delta_rule import make, weights


def singly(learner, size, lr=0.1, optimiser="SGD"):
    """The weights after each update of a batch, from gradients of single examples in double precision, by SGD."""
    data, order = learner.data, np.arange(len(learner.data))
    w, found = weights(learner).astype(np.float64).reshape(4, 2), []
    for first in range(0, len(order), size):
        shown = order[first : first + size]
        x, target = data.x[shown].astype(np.float64), data.target[shown].astype(np.float64)
        gradients = [np.outer(x[i], 3 * (target[i] - x[i] @ w)) / 4 for i in range(len(shown))]
        w = w + lr * np.mean(gradients, axis=0)
        found.append(w.ravel())
    return found


@pytest.mark.parametrize("precision", ["float", "double"])
def test_a_batch_is_the_mean_of_its_examples(precision):
    """The last batch has 5 of 32 examples, and the mean is over these."""
    learner = make(37, batch_size=32, shuffle=False, precision=precision)
    learner.build()
    expected = singly(learner, 32)
    learner.fit(1, 0.1, "SGD", momentum=0.0)
    tolerance = 1e-6 if precision == "float" else 1e-14
    np.testing.assert_allclose(weights(learner), expected[-1], rtol=0, atol=tolerance)
    assert len(learner.sched.losses) == 2
