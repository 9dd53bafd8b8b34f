"""What kernels run over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Sparse:
    """How a connection that is not all-to-all is stored: ``row_length[i]`` synapses from ``i * stride`` on.

    Attributes
    ----------
    stride : int
        How many synapses a row has room for.
    ind : str
        The array of postsynaptic neurons, one a synapse.
    row_length : str
        The array of row lengths.
    column_start, column_synapses : str or None
        Arrays that list each postsynaptic neuron's synapses, where anything needs them.
    kernel_ind : str or None
        The array of elements of the kernel, one a synapse, where synapses point into one.
    """

    stride: int
    ind: str
    row_length: str
    column_start: str | None = None
    column_synapses: str | None = None
    kernel_ind: str | None = None

    @property
    def arrays(self) -> frozenset[str]:
        """What loops over rows read."""
        return frozenset([self.ind, self.row_length])

    @property
    def column_arrays(self) -> frozenset[str]:
        """What loops over columns read."""
        return frozenset(name for name in (self.column_start, self.column_synapses) if name is not None)


@dataclass(frozen=True)
class Neurons:
    """Run once for each of ``size`` neurons."""

    size: int


@dataclass(frozen=True)
class Synapses:
    """Run once for each synapse of a connection, row by row; of an all-to-all one where ``sparse`` is None."""

    pre: int
    post: int
    sparse: Sparse | None = None


@dataclass(frozen=True)
class SpikingRows:
    """Run once for each synapse of the presynaptic neurons that have spiked, ``delay`` timesteps before the last."""

    pre: int
    post: int
    spikes: str
    count: str
    delay: int = 0
    sparse: Sparse | None = None


@dataclass(frozen=True)
class SpikingColumns:
    """Run once for each synapse of the postsynaptic neurons that have spiked, ``delay`` timesteps before the last."""

    pre: int
    post: int
    spikes: str
    count: str
    delay: int = 0
    sparse: Sparse | None = None


@dataclass(frozen=True)
class Rows:
    """Run once for each presynaptic neuron, and make or change its synapses."""

    pre: int
    post: int
    sparse: Sparse


@dataclass(frozen=True)
class Columns:
    """Run once for each postsynaptic neuron, and make its synapses."""

    pre: int
    post: int
    sparse: Sparse


@dataclass(frozen=True)
class Diagonals:
    """Run once for each of ``number`` diagonals, and make its synapses."""

    pre: int
    post: int
    number: int
    sparse: Sparse


@dataclass(frozen=True)
class Once:
    """Run once, on the host's copies."""

    pre: int
    post: int


Domain = Union[Neurons, Synapses, SpikingRows, SpikingColumns, Rows, Columns, Diagonals, Once]
SpikingDomain = (SpikingRows, SpikingColumns)
BuildDomain = (Rows, Columns, Diagonals)
