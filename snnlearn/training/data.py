"""What a network is shown: a number of examples, one a trial or a batch of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Data:
    """Base of data sets: override `__len__`, and `present` or, for a learner with ``batch_size``, `present_batch`.

    By default there is one example, and presenting it does nothing: the network's own sources, rewound by a reset
    group, show the same in every trial.
    """

    def __len__(self) -> int:
        """Return how many examples there are; a whole epoch shows each once."""
        return 1

    def present(self, model: Any, index: int) -> None:
        """Make the loaded model's sources show example ``index`` in the trial that is about to start."""

    def present_batch(self, model: Any, indices: NDArray[np.int64]) -> None:
        """Make the loaded model's sources show a batch of examples in the trial that is about to start.

        Parameters
        ----------
        model : GeNNModel
        indices : ndarray of int64, shape (batch_size,)
            The example of each copy. Always whole: where fewer are left, the rest are examples of the batch once more,
            which count for nothing.
        """
