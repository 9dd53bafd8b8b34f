"""PyGeNN's module of its CUDA back end: what ``GeNNModel``'s preferences may be given."""

from __future__ import annotations

import enum

from snnlearn.genn.preferences import Preferences


class DeviceSelect(enum.IntEnum):
    """How a GPU is chosen: here the first one, unless ``MANUAL`` and ``manual_device_id`` say which."""

    OPTIMAL = 0
    MOST_MEMORY = 1
    MANUAL = 2


class BlockSizeSelect(enum.IntEnum):
    """How GeNN chooses the sizes of blocks of threads; without effect here."""

    OCCUPANCY = 0
    MANUAL = 1


__all__ = ["BlockSizeSelect", "DeviceSelect", "Preferences"]
