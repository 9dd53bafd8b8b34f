"""What a network is shown: a number of examples, one a trial."""

from __future__ import annotations

from typing import Any


class Data:
    """Base of data sets: override `__len__` and `present`.

    By default there is one example, and presenting it does nothing: the network's own sources, rewound by a reset
    group, show the same in every trial.
    """

    def __len__(self) -> int:
        """Return how many examples there are; a whole epoch shows each once."""
        return 1

    def present(self, model: Any, index: int) -> None:
        """Make the loaded model's sources show example ``index`` in the trial that is about to start."""
