"""PyGeNN's enumerations of how connections are stored, where variables live and what back ends are told."""

from __future__ import annotations

import enum
from typing import Any

from snnlearn.errors import UnknownAttributeError, did_you_mean
from snnlearn.genn import obsolete


class SynapseMatrixConnectivity(enum.IntFlag):
    """Which neurons a connection connects, and how that is stored."""

    DENSE = 1 << 0
    BITMASK = 1 << 1
    SPARSE = 1 << 2
    PROCEDURAL = 1 << 3
    TOEPLITZ = 1 << 4


class SynapseMatrixWeight(enum.IntFlag):
    """How the variables of synapses are stored."""

    INDIVIDUAL = 1 << 6
    PROCEDURAL = 1 << 7
    KERNEL = 1 << 8


_C, _W = SynapseMatrixConnectivity, SynapseMatrixWeight


class _MatrixTypes(enum.EnumMeta):
    """Says what became of a matrix type of GeNN 4."""

    def __getattr__(cls, name: str) -> Any:
        members: dict[str, Any] = cls.__dict__.get("_member_map_", {})
        if name in members:  # up to Python 3.11 members are found here
            return members[name]
        if name.startswith("_"):
            raise AttributeError(name)
        text = obsolete.explain(name, obsolete.MATRIX_TYPES)
        hint = f": {text}" if text else did_you_mean(name, members)
        raise UnknownAttributeError(f"there is no SynapseMatrixType {name}{hint}")


class SynapseMatrixType(enum.IntEnum, metaclass=_MatrixTypes):
    """How a connection is stored; ``matrix_type & SynapseMatrixConnectivity.SPARSE`` asks for one side of it."""

    DENSE = _C.DENSE | _W.INDIVIDUAL
    DENSE_PROCEDURALG = _C.DENSE | _W.PROCEDURAL
    BITMASK = _C.BITMASK | _W.INDIVIDUAL
    SPARSE = _C.SPARSE | _W.INDIVIDUAL
    PROCEDURAL = _C.PROCEDURAL | _W.PROCEDURAL
    PROCEDURAL_KERNELG = _C.PROCEDURAL | _W.KERNEL
    TOEPLITZ = _C.TOEPLITZ | _W.KERNEL


class VarLocationAttribute(enum.IntFlag):
    """What a location is made of."""

    HOST = 1 << 0
    DEVICE = 1 << 1
    ZERO_COPY = 1 << 2


_L = VarLocationAttribute


class VarLocation(enum.IntEnum):
    """Where a variable lives; one that lives on the device alone has no host copy to look at."""

    DEVICE = _L.DEVICE
    HOST_DEVICE = _L.HOST | _L.DEVICE
    HOST_DEVICE_ZERO_COPY = _L.HOST | _L.DEVICE | _L.ZERO_COPY


class ParallelismHint(enum.IntEnum):
    """How GeNN's GPU back ends share out the work of a connection; without effect here."""

    POSTSYNAPTIC = 0
    PRESYNAPTIC = 1
    WORD_PACKED_BITMASK = 2


class PlogSeverity(enum.IntEnum):
    """How much GeNN's logs say; without effect here, where Python's ``logging`` decides."""

    NONE = 0
    FATAL = 1
    ERROR = 2
    WARNING = 3
    INFO = 4
    DEBUG = 5
    VERBOSE = 6
