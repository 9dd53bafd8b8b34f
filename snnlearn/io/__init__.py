"""Files: spike trains, pictures and tables, read with checks and written whole or not at all."""

from snnlearn.io.atomic import atomic_write, check_output_dir
from snnlearn.io.picture import picture_to_spikes, read_picture
from snnlearn.io.ras import read_ras, write_ras
from snnlearn.io.spikes import SpikeTrains
from snnlearn.io.tables import CurvePoint, read_learning_curve, write_learning_curve, write_spikes

__all__ = [
    "CurvePoint",
    "SpikeTrains",
    "atomic_write",
    "check_output_dir",
    "picture_to_spikes",
    "read_learning_curve",
    "read_picture",
    "read_ras",
    "write_learning_curve",
    "write_ras",
    "write_spikes",
]
