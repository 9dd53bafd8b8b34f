"""Which neurons a connection connects, and how its synapses' variables are stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union

import numpy as np
from numpy.typing import NDArray

from snnlearn.attributes import frozen
from snnlearn.declare import SparseConnectInitSnippet, ToeplitzConnectInitSnippet
from snnlearn.dialect import check_model
from snnlearn.dialect.library import RANDOM
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.checks import check_model_kind, check_size, no_values
from snnlearn.network.values import check_params

Result = TypeVar("Result")
Structure = Literal["DENSE", "SPARSE", "BITMASK", "PROCEDURAL", "TOEPLITZ"]
Weights = Literal["INDIVIDUAL", "PROCEDURAL", "KERNEL"]

MATRIX_TYPES: dict[str, tuple[Structure, Weights]] = {
    "DENSE": ("DENSE", "INDIVIDUAL"),
    "DENSE_PROCEDURALG": ("DENSE", "PROCEDURAL"),
    "BITMASK": ("BITMASK", "INDIVIDUAL"),
    "SPARSE": ("SPARSE", "INDIVIDUAL"),
    "PROCEDURAL": ("PROCEDURAL", "PROCEDURAL"),
    "PROCEDURAL_KERNELG": ("PROCEDURAL", "KERNEL"),
    "TOEPLITZ": ("TOEPLITZ", "KERNEL"),
}


@frozen
@dataclass(frozen=True, eq=False)
class SparseConnectInit:
    """A snippet that makes sparse connectivity, with its parameters."""

    snippet: SparseConnectInitSnippet
    params: Mapping[str, float] = no_values()

    def __post_init__(self) -> None:
        check_model_kind("connectivity", self.snippet, SparseConnectInitSnippet)
        owner = f"connectivity '{self.snippet.name}'"
        object.__setattr__(self, "params", check_params(self.snippet, self.params, owner))

    @property
    def makes_connections(self) -> bool:
        """Whether it connects anything; where not, connections must be given."""
        return bool(self.snippet.row_build_code.strip() or self.snippet.col_build_code.strip())


@frozen
@dataclass(frozen=True, eq=False)
class ToeplitzConnectInit:
    """A snippet that makes the connectivity of a convolution, with its parameters."""

    snippet: ToeplitzConnectInitSnippet
    params: Mapping[str, float] = no_values()

    def __post_init__(self) -> None:
        check_model_kind("connectivity", self.snippet, ToeplitzConnectInitSnippet)
        owner = f"connectivity '{self.snippet.name}'"
        object.__setattr__(self, "params", check_params(self.snippet, self.params, owner))


ConnectInit = Union[SparseConnectInit, ToeplitzConnectInit]


@dataclass(frozen=True, eq=False)
class Connections:
    """Explicit pairs of connected neurons, in the user's order.

    Attributes
    ----------
    pre, post : ndarray of int64, shape (synapses,)
    """

    pre: NDArray[np.int64]
    post: NDArray[np.int64]

    @staticmethod
    def checked(pre: Any, post: Any, num_pre: int, num_post: int, owner: str) -> Connections:
        """Return connections of indices within range; a pair may be connected more than once.

        Raises
        ------
        NetworkError
            For indices that are no integers or out of range, and arrays of different length.
        """
        ends = []
        for what, given, size in [("presynaptic", pre, num_pre), ("postsynaptic", post, num_post)]:
            try:
                indices = np.asarray(given)
                numbers = indices.dtype.kind in "iu" or not indices.size
            except (TypeError, ValueError, OverflowError):  # rows of different length, memory of a GPU
                numbers = False
            if not numbers or indices.ndim != 1 or np.ma.is_masked(given):
                raise NetworkError(f"{owner}: {what} indices must be an array of integers with one dimension")
            bad = (indices < 0) | (indices >= size)
            if bad.any():
                at = int(bad.argmax())
                raise NetworkError(
                    f"{owner}: {what} index {indices[at]} (number {at}) is out of range: there are {size} neurons"
                )
            ends.append(indices.astype(np.int64))
        if ends[0].size != ends[1].size:
            raise NetworkError(f"{owner}: {ends[0].size} presynaptic but {ends[1].size} postsynaptic indices")
        return Connections(*ends)

    @property
    def order(self) -> NDArray[np.int64]:
        """What sorts them by presynaptic, then postsynaptic neuron."""
        return np.lexsort((self.post, self.pre))

    def lengths(self, num_pre: int) -> NDArray[np.uint32]:
        """Return how many synapses each presynaptic neuron has."""
        return np.bincount(self.pre, minlength=num_pre).astype(np.uint32)


@dataclass(frozen=True, eq=False)
class Connectivity:
    """How a connection is structured and stored.

    Parameters
    ----------
    matrix_type : str
        A key of `MATRIX_TYPES`.
    init : SparseConnectInit or ToeplitzConnectInit, optional
        Needed unless dense, or sparse with connections that are given.
    connections : Connections, optional
    max_connections : int, optional
        How many synapses a row has room for; else what ``init`` or ``connections`` need.
    longest_drawn : int
        How many synapses the longest row has, where chance or an array made it longer than ``init`` expects of rows.
    narrow : bool
        Whether indices of postsynaptic neurons are stored in as few bytes as will do.
    """

    matrix_type: str = "DENSE"
    init: ConnectInit | None = None
    connections: Connections | None = None
    max_connections: int | None = None
    longest_drawn: int = 0
    narrow: bool = False

    def __post_init__(self) -> None:
        if self.matrix_type not in MATRIX_TYPES:
            near = did_you_mean(str(self.matrix_type), MATRIX_TYPES)
            raise NetworkError(f"unknown matrix type {self.matrix_type!r}{near}")
        wanted = ToeplitzConnectInit if self.structure == "TOEPLITZ" else SparseConnectInit
        if self.init is not None and not isinstance(self.init, wanted):
            raise NetworkError(
                f"{self.matrix_type} connectivity is initialised by a {wanted.__name__}, not {type(self.init).__name__}"
            )
        if self.init is None and self.structure in ("PROCEDURAL", "TOEPLITZ"):
            raise NetworkError(f"{self.matrix_type} connectivity needs an initialiser")
        if self.max_connections is not None:
            check_size("connectivity", "max_connections", self.max_connections)
        if self.weights == "KERNEL" and not self.kernel_shape:
            raise NetworkError(f"{self.matrix_type} connectivity needs an initialiser with a kernel")

    @property
    def structure(self) -> Structure:
        """Which neurons are connected."""
        return MATRIX_TYPES[self.matrix_type][0]

    @property
    def weights(self) -> Weights:
        """How the synapses' variables are stored."""
        return MATRIX_TYPES[self.matrix_type][1]

    @property
    def dense(self) -> bool:
        """Whether all pairs are connected."""
        return self.structure == "DENSE"

    def index_type(self, num_post: int) -> str:
        """Return the type of stored indices of postsynaptic neurons."""
        if not self.narrow or num_post > 1 << 16:
            return "unsigned int"
        return "uint8_t" if num_post <= 1 << 8 else "uint16_t"

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """The shape of the kernel that synapses point into; empty where there is none."""
        if self.init is None or self.init.snippet.calc_kernel_size_func is None:
            return ()
        snippet, params = self.init.snippet, dict(self.init.params)
        calculate = self.init.snippet.calc_kernel_size_func
        return _guarded(snippet.name, "calc_kernel_size_func", lambda: tuple(int(size) for size in calculate(params)))

    @property
    def kernel_size(self) -> int:
        """How many elements the kernel has."""
        return math.prod(self.kernel_shape) if self.kernel_shape else 0

    def row_stride(self, num_pre: int, num_post: int) -> int:
        """Return how many synapses a row has room for."""
        if self.dense:
            return num_post
        if self.max_connections is not None:
            return self.max_connections
        if self.connections is not None:
            return max(1, int(self.connections.lengths(num_pre).max(initial=1)))
        return max(self._most(num_pre, num_post), self.longest_drawn)

    @property
    def estimated(self) -> bool:
        """Whether the room for a row is an estimate: chance decides how many synapses it has, or an array does.

        The function that says how many there are at most knows of neither.
        """
        if self.init is None or self.connections is not None or self.max_connections is not None:
            return False
        calls = (call for code in check_model(self.init.snippet).snippets.values() for call in code.calls)
        return bool(self.init.snippet.extra_global_params) or any(call in RANDOM for call in calls)

    def _most(self, num_pre: int, num_post: int) -> int:
        snippet = self.init.snippet if self.init is not None else None
        if self.init is None or snippet is None or snippet.calc_max_row_len_func is None:
            return num_post
        calculate, params = snippet.calc_max_row_len_func, dict(self.init.params)
        length = _guarded(snippet.name, "calc_max_row_len_func", lambda: int(calculate(num_pre, num_post, params)))
        return max(1, length)

    def diagonals(self, num_pre: int, num_post: int) -> int:
        """Return how many diagonals Toeplitz connectivity has."""
        return self._most(num_pre, num_post)


def _guarded(snippet: str, function: str, calculate: Callable[[], Result]) -> Result:
    """Return what a user's function gives; NetworkError where it fails."""
    try:
        return calculate()
    except Exception as error:
        raise NetworkError(f"connectivity '{snippet}': {function} fails: {type(error).__name__}: {error}") from error
