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
        # Little-endian words, so that bit n of a row is neuron n.
        octets = np.ascontiguousarray(self.rows, dtype="<u4").view(np.uint8)
        bits = np.unpackbits(octets, axis=1, bitorder="little")[:, : self.neurons]
        row, ids = np.nonzero(bits)
        return (self.first + row.astype(np.float64)) * self.dt, ids.astype(np.int32)
