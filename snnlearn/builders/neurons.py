"""Neurons as builders take them: a declared model with its values, and the synaptic current in front of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snnlearn.attributes import frozen
from snnlearn.declare import NeuronModel, PostsynapticModel
from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.models import ALIF, IF, LIF, AdEx, CubaLIF, DeltaCurr, ExpCurr

_TAU_MS, _TAU_SYN_MS = 20.0, 5.0


@frozen
@dataclass(frozen=True)
class Neuron:
    """A neuron model with its values.

    Attributes
    ----------
    model : NeuronModel
    params : mapping of str to float
    start : mapping of str to float
        What its variables are at the beginning of each example.
    postsynaptic : PostsynapticModel
        Of the connections to it that carry spikes.
    postsynaptic_params : mapping of str to float
    """

    model: NeuronModel
    params: Mapping[str, float]
    start: Mapping[str, float]
    postsynaptic: PostsynapticModel = ExpCurr
    postsynaptic_params: Mapping[str, float] = field(default_factory=lambda: {"tau": _TAU_SYN_MS})

    def __post_init__(self) -> None:
        if not isinstance(self.model, NeuronModel):
            raise TrainingError(f"a Neuron needs a NeuronModel, not {self.model!r}")
        for what, given, known in (
            ("parameter", self.params, [p.name for p in self.model.params]),
            ("variable", self.start, [v.name for v in self.model.vars]),
        ):
            for name in given:
                if name not in known:
                    raise TrainingError(f"'{self.model.name}' has no {what} '{name}'{did_you_mean(name, known)}")
            for name in known:
                if name not in given:
                    raise TrainingError(f"Neuron: '{self.model.name}' needs a value for its {what} '{name}'")


_STILL = {"V": 0.0, "RefracTime": 0.0}
_MEMBRANE = {
    "C": _TAU_MS,
    "TauM": _TAU_MS,
    "Vrest": 0.0,
    "Vreset": 0.0,
    "Vthresh": 1.0,
    "Ioffset": 0.0,
    "TauRefrac": 0.0,
}
_WITHOUT_RESET = {name: value for name, value in _MEMBRANE.items() if name != "Vreset"}
_IF = {name: value for name, value in _MEMBRANE.items() if name not in ("TauM", "Vrest")}
_CUBA = {**_MEMBRANE, "TauSyn": _TAU_SYN_MS, "WIn": 1.0}
_AD_EX = {
    "C": 0.281, "gL": 0.03, "EL": -70.6, "VT": -50.4, "DeltaT": 2.0, "Vreset": -70.6, "Vpeak": -44.0, "TauW": 144.0,
    "a": 0.004, "b": 0.0805, "Ioffset": 0.0,
}  # fmt: skip

NEURONS: Mapping[str, Neuron] = {
    "LIF": Neuron(LIF, _MEMBRANE, _STILL),
    "IF": Neuron(IF, _IF, _STILL),
    "CubaLIF": Neuron(CubaLIF, _CUBA, {**_STILL, "I": 0.0}, DeltaCurr, {}),
    "ALIF": Neuron(ALIF, {**_WITHOUT_RESET, "TauAdapt": 200.0, "Beta": 0.2}, {**_STILL, "A": 0.0}),
    "AdEx": Neuron(AdEx, _AD_EX, {"V": -70.6, "W": 0.0}),
}
"""Neurons by the names that builders take; thresholds of 1 and time constants of 20 and 5 ms, AdEx as published."""


def find_neuron(neuron: Any) -> Neuron:
    """Return a neuron, or the one of this name.

    Raises
    ------
    TrainingError
        If there is none; names the nearest.
    """
    if isinstance(neuron, Neuron):
        return neuron
    if isinstance(neuron, NeuronModel):
        if neuron.name in NEURONS and NEURONS[neuron.name].model == neuron:
            return NEURONS[neuron.name]
        raise TrainingError(f"'{neuron.name}' comes without values: neuron=builders.Neuron(model, params, start)")
    if isinstance(neuron, str) and neuron in NEURONS:
        return NEURONS[neuron]
    suggestion = did_you_mean(str(neuron), NEURONS)
    raise TrainingError(
        f"there is no neuron {neuron!r} for builders{suggestion}; builders.Neuron(model, params, start) takes any model"
    )
