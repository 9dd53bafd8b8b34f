"""Builders: networks of layers from a list of sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from snnlearn import genn
from snnlearn.builders.layered import INPUT, OUTPUT, LayeredNetwork, check_sizes, rates_of, unit_of
from snnlearn.builders.neurons import Neuron, find_neuron
from snnlearn.builders.readouts import Readout, find_readout
from snnlearn.builders.rules import Rule, find_rule
from snnlearn.calling import named
from snnlearn.errors import TrainingError
from snnlearn.training import ArrayData

_RECURRENT_SHARE = 0.1  # of the input's variance


def feed_forward(
    sizes: Sequence[int],
    data: ArrayData,
    *,
    neuron: Neuron | str = "LIF",
    rule: Rule | str = "bptt",
    readout: Readout | str | None = None,
    dt: float = 1.0,
    batch_size: int = 32,
    rate: float = 20.0,
    seed: int = 1,
) -> LayeredNetwork:
    """Describe a network of layers, each connected to the next by dense connections.

    Weights are drawn around 0, with the standard deviation that makes neurons spike at ``rate`` for these data
    (`snnlearn.builders.weights_for_rate`): nothing is to be tuned.

    Parameters
    ----------
    sizes : sequence of int
        Of the input, the hidden layers and the output: ``[64, 100, 10]``.
    data : ArrayData
        To train with: the input population and the first weights fit it.
    neuron : Neuron or str
        Of the hidden layers: ``"LIF"``, ``"IF"``, ``"CubaLIF"``, ``"ALIF"``, ``"AdEx"``, or any model with its values.
    rule : Rule or str
        Where gradients come from: ``"bptt"`` or ``"eventprop"``.
    readout : Readout or str
        Of the output: ``"max"``, ``"mean"`` or ``"last"`` potential, ``"count"``, ``"first_spike"``, ``"spike_train"``.
        By default the maximum potential for ``"bptt"`` and the mean for ``"eventprop"``.
    dt : float
        Of a timestep [ms].
    batch_size : int
        Examples at once.
    rate : float
        Of hidden neurons at first [Hz].
    seed : int
        Of the weights, and of the order of examples.

    Raises
    ------
    TrainingError
        For sizes that do not fit the data, unknown neurons, rules and readouts, numbers that are none, and data whose
        inputs are silent.
    """
    return _build(sizes, data, False, neuron, rule, readout, dt, batch_size, rate, seed)


def recurrent(
    sizes: Sequence[int],
    data: ArrayData,
    *,
    neuron: Neuron | str = "LIF",
    rule: Rule | str = "bptt",
    readout: Readout | str | None = None,
    dt: float = 1.0,
    batch_size: int = 32,
    rate: float = 20.0,
    seed: int = 1,
) -> LayeredNetwork:
    """Describe a network of layers, whose hidden layers are also connected to themselves.

    The arguments are those of `feed_forward`. Recurrent input is a tenth of the variance of all input at first.
    """
    return _build(sizes, data, True, neuron, rule, readout, dt, batch_size, rate, seed)


feed_forward, recurrent = named(feed_forward), named(recurrent)


def _build(
    sizes: Any,
    data: Any,
    recurrently: bool,
    neuron: Any,
    rule: Any,
    readout: Any,
    dt: float,
    batch_size: int,
    rate: float,
    seed: int,
) -> LayeredNetwork:
    if not isinstance(data, ArrayData):
        raise TrainingError(f"data must be ArrayData(X, y, encode=...), not {type(data).__name__}")
    numbers = check_sizes(sizes, data)
    _check_numbers(dt, batch_size, rate, seed, data.duration)
    hidden = find_neuron(neuron)
    if readout is None:
        readout = "mean" if rule == "eventprop" or getattr(rule, "method", "") == "eventprop" else "max"
    last = find_readout(readout)
    chosen = find_rule(rule, last)
    model = genn.GeNNModel("float", "layers", threads=1)
    model.dt, model.seed, model.batch_size = dt, seed, batch_size
    network = LayeredNetwork(model, hidden, last, chosen, data, data.duration)
    source = data.encoded.source
    network.add_layer(INPUT, Neuron(source, {}, {v.name: 0.0 for v in source.vars}), numbers[0])
    levels, before = data.levels(), INPUT
    for place, size in enumerate(numbers[1:-1], 1):
        name = "Hidden" if len(numbers) == 3 else f"Hidden{place}"
        network.add_layer(name, hidden, size)
        unit = unit_of(network, before, name, hidden, levels, rate)
        share = 1.0 - _RECURRENT_SHARE if recurrently else 1.0
        network.connect(before, name, hidden, (0.0, math.sqrt(share) * unit), unit)
        levels, before = rates_of(network, before, name, hidden, levels, unit), name
        if recurrently:
            unit = unit_of(network, name, name, hidden, levels, rate)
            network.connect(name, name, hidden, (0.0, math.sqrt(_RECURRENT_SHARE) * unit), unit)
    output = last.layer(hidden, dt, data.duration)
    network.add_layer(OUTPUT, output, numbers[-1])
    unit = unit_of(network, before, OUTPUT, output, levels, rate)
    network.connect(before, OUTPUT, output, last.first_weights(unit, numbers[-2]), unit)
    return network


def _check_numbers(dt: Any, batch_size: Any, rate: Any, seed: Any, duration: float) -> None:
    for name, value in (("dt", dt), ("rate", rate)):
        fine = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not (fine and 0 < value < math.inf):
            raise TrainingError(f"{name} must be finite and above 0, not {value!r}")
    if dt > duration:
        raise TrainingError(f"dt is {dt:g} ms, and an example takes {duration:g} ms")
    for name, value, least in (("batch_size", batch_size, 1), ("seed", seed, 1)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise TrainingError(f"{name} must be a whole number, {least} at least, not {value!r}")
