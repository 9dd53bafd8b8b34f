"""Data sets of the field: read from the files that its users have, or drawn by their formulas."""

from snnlearn.datasets.heidelberg import HeidelbergDigits
from snnlearn.datasets.mnist import read_mnist
from snnlearn.datasets.nmnist import NMnist
from snnlearn.datasets.randman import randman
from snnlearn.datasets.spiking import SpikingExamples
from snnlearn.datasets.yin_yang import Points, yin_yang, yin_yang_class, yin_yang_times

__all__ = [
    "HeidelbergDigits",
    "NMnist",
    "Points",
    "SpikingExamples",
    "randman",
    "read_mnist",
    "yin_yang",
    "yin_yang_class",
    "yin_yang_times",
]
