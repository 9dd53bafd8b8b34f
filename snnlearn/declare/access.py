"""What code may do to a variable, and along which dimensions it has values of its own; GeNN's flags and numbers."""

from __future__ import annotations

import enum


class VarAccessModeAttribute(enum.IntFlag):
    """What an access mode is made of."""

    READ_ONLY = 1 << 0
    READ_WRITE = 1 << 1
    REDUCE = 1 << 2
    SUM = 1 << 3
    MAX = 1 << 4
    BROADCAST = 1 << 5


class VarAccessDim(enum.IntFlag):
    """Along which dimensions a variable has separate values."""

    ELEMENT = 1 << 6
    BATCH = 1 << 7


_A, _D = VarAccessModeAttribute, VarAccessDim
ALL_DIMS = _D.ELEMENT | _D.BATCH


class VarAccessMode(enum.IntEnum):
    """What a model's code may do to a variable that it refers to."""

    READ_WRITE = _A.READ_WRITE
    READ_ONLY = _A.READ_ONLY
    BROADCAST = _A.BROADCAST
    REDUCE_SUM = _A.REDUCE | _A.SUM
    REDUCE_MAX = _A.REDUCE | _A.MAX


class VarAccess(enum.IntEnum):
    """What a model's code may do to its own variable, and which dimensions that has."""

    READ_WRITE = VarAccessMode.READ_WRITE | _D.ELEMENT | _D.BATCH
    READ_ONLY = VarAccessMode.READ_ONLY | _D.ELEMENT
    READ_ONLY_DUPLICATE = VarAccessMode.READ_ONLY | _D.ELEMENT | _D.BATCH
    READ_ONLY_SHARED_NEURON = VarAccessMode.READ_ONLY | _D.BATCH


class CustomUpdateVarAccess(enum.IntEnum):
    """What a custom update may do to its own variable, and which of the update's dimensions that lacks."""

    READ_WRITE = VarAccessMode.READ_WRITE
    READ_ONLY = VarAccessMode.READ_ONLY
    BROADCAST_DELAY = VarAccessMode.BROADCAST
    READ_ONLY_SHARED = VarAccessMode.READ_ONLY | _D.BATCH
    READ_ONLY_SHARED_NEURON = VarAccessMode.READ_ONLY | _D.ELEMENT
    REDUCE_BATCH_SUM = VarAccessMode.REDUCE_SUM | _D.BATCH
    REDUCE_BATCH_MAX = VarAccessMode.REDUCE_MAX | _D.BATCH
    REDUCE_NEURON_SUM = VarAccessMode.REDUCE_SUM | _D.ELEMENT
    REDUCE_NEURON_MAX = VarAccessMode.REDUCE_MAX | _D.ELEMENT


def get_var_access_dim(access: VarAccess | CustomUpdateVarAccess, dims: VarAccessDim = ALL_DIMS) -> VarAccessDim:
    """Return the dimensions of a variable.

    Parameters
    ----------
    access : VarAccess or CustomUpdateVarAccess
    dims : VarAccessDim
        Those of the custom update, where the variable is one of its own.
    """
    if isinstance(access, CustomUpdateVarAccess):
        return VarAccessDim(dims & ~(access & ALL_DIMS))
    return VarAccessDim(access & ALL_DIMS)
