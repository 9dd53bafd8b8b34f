"""N-MNIST: handwritten digits seen by an event camera (Orchard et al. 2015)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from snnlearn.datasets.spiking import SpikingExamples
from snnlearn.errors import ExchangeError
from snnlearn.exchange import from_events
from snnlearn.io import SpikeTrains

SENSOR = (34, 34, 2)  # width, height, polarities
_EVENT = 5  # bytes: x, y, and polarity and time in 24 bits


class NMnist(SpikingExamples):
    """A folder of N-MNIST, ``Train`` or ``Test``, with a folder of ``.bin`` files for each digit.

    Parameters
    ----------
    folder : path-like
        The folder, unpacked.

    Attributes
    ----------
    num_neurons : int
        2312: a neuron for each of 34 by 34 pixels and two polarities, as `snnlearn.exchange.from_events` counts them.
    labels : ndarray of int64, shape (num_examples,)
        The digit of each example, digit by digit, in the order of the files' names.
    paths : list of pathlib.Path
        The file of each.

    Raises
    ------
    ExchangeError
        If there is no such folder, or a file is not as its format says.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        root = Path(folder)
        self.paths = [path for digit in range(10) for path in sorted((root / str(digit)).glob("*.bin"))]
        if not self.paths:
            raise ExchangeError(
                f"{root}: there is no file such as {root / '0' / '00002.bin'}; is this N-MNIST's folder Train?"
            )
        labels = np.array([int(path.parent.name) for path in self.paths], np.int64)
        super().__init__(SENSOR[0] * SENSOR[1] * SENSOR[2], labels)

    def _spikes(self, index: int) -> SpikeTrains:
        path = self.paths[index]
        try:
            data = np.frombuffer(path.read_bytes(), np.uint8)
        except OSError as error:
            raise ExchangeError(f"{path}: the file cannot be read: {error.strerror or error}") from error
        if data.size % _EVENT or not data.size:
            raise ExchangeError(f"{path}: an event has {_EVENT} bytes, and the file {data.size}")
        x, y, high, middle, low = data.reshape(-1, _EVENT).T.astype(np.int64)
        events = np.zeros(x.size, [("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])
        events["x"], events["y"], events["p"] = x, y, high >> 7
        events["t"] = (high & 0x7F) << 16 | middle << 8 | low
        return from_events(events, SENSOR, "us")
