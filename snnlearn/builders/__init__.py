"""Stage *build*: networks for a data set from a list of sizes, ready to be trained, looked at and changed."""

from snnlearn.builders.initial import rates_with, weights_for_rate, weights_for_spread
from snnlearn.builders.layered import LayeredNetwork
from snnlearn.builders.networks import feed_forward, recurrent
from snnlearn.builders.neurons import NEURONS, Neuron
from snnlearn.builders.readouts import (
    READOUTS,
    FirstSpike,
    LastPotential,
    MaxPotential,
    MeanPotential,
    Readout,
    SpikeCount,
    SpikeTrain,
)
from snnlearn.builders.rules import RULES, Rule

__all__ = [
    "NEURONS",
    "READOUTS",
    "RULES",
    "FirstSpike",
    "LastPotential",
    "LayeredNetwork",
    "MaxPotential",
    "MeanPotential",
    "Neuron",
    "Readout",
    "Rule",
    "SpikeCount",
    "SpikeTrain",
    "feed_forward",
    "rates_with",
    "recurrent",
    "weights_for_rate",
    "weights_for_spread",
]
