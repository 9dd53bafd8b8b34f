"""What a simulation has recorded: a bit for each neuron and timestep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Recording:
    """The spikes of a population in consecutive timesteps.

    Attributes
    ----------
    rows : ndarray of uint32, shape (timesteps, words)
        A bit for each neuron.
    first : int
        The first row's timestep.
    dt : float
        [ms]
    neurons : int
    """

    rows: NDArray[np.uint32]
    first: int
    dt: float
    neurons: int

    def decode(self) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Return the spikes.

        Returns
        -------
        times : ndarray of float64, shape (spikes,)
            [ms], ascending.
        ids : ndarray of int32, shape (spikes,)
            Ascending within a timestep.
        """
        words = np.ascontiguousarray(self.rows, dtype="<u4")
        spiking = np.flatnonzero(words)  # most are 0
        # Little-endian words, so that bit n of one is its neuron n.
        octets = words.ravel()[spiking].view(np.uint8).reshape(-1, 4)
        which, bit = np.nonzero(np.unpackbits(octets, axis=1, bitorder="little"))
        row, word = np.divmod(spiking, max(words.shape[1], 1))
        times = ((self.first + row.astype(np.float64)) * self.dt)[which]
        ids = (32 * word.astype(np.int32))[which] + bit.astype(np.int32)
        real = ids < self.neurons
        return (times, ids) if real.all() else (times[real], ids[real])
