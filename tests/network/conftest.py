"""A small network, and shorthand for its parts."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn.declare import CustomUpdateModel, NeuronModel, PostsynapticModel, VarAccessMode, WeightUpdateModel
from snnlearn.network import (
    CustomUpdate,
    Location,
    Network,
    NeuronPopulation,
    PostsynapticInit,
    Reference,
    SynapsePopulation,
    WeightReference,
    WeightUpdateInit,
)

RO = VarAccessMode.READ_ONLY
NEURON: Any = NeuronModel(
    "Cell",
    params=["tau", ("count", "int")],
    derived_params=[("decay", lambda params, dt: 1.0 - dt / params["tau"])],
    vars=["V", ("n", "unsigned int")],
    additional_input_vars=["I2"],
    extra_global_params=[("table", "scalar*")],
    sim_code="V = decay * V + Isyn + I2 + table[n] + count;",
)
WEIGHT: Any = WeightUpdateModel(
    "Weight",
    params=["gain"],
    vars=["w", ("k", "int")],
    pre_vars=["r"],
    post_vars=["s"],
    pre_neuron_var_refs=[("Vpre", "scalar", RO)],
    post_neuron_var_refs=[("Vpost", "scalar", RO)],
    pre_spike_syn_code="addToPost(gain * w * r * s * k + Vpre + Vpost);",
)
CURRENT: Any = PostsynapticModel(
    "Current",
    params=["scale"],
    vars=["x"],
    neuron_var_refs=["V"],
    sim_code="x = scale * inSyn; injectCurrent(x + V);",
)
SUM: Any = CustomUpdateModel(
    "Sum",
    vars=["total"],
    var_refs=["one", "other"],
    update_code="total += one + other;",
)


class Parts:
    """Makes groups that fit together; keyword arguments change them."""

    def neurons(self, name: str = "A", size: Any = 3, **changes: Any) -> NeuronPopulation:
        given: dict[str, Any] = {"params": {"tau": 10.0, "count": 2}, "vars": {"V": 0.0, "n": 1}}
        return NeuronPopulation(name, size, NEURON, **(given | changes))

    def weight(self, source: str = "A", target: str = "B", **changes: Any) -> WeightUpdateInit:
        given: dict[str, Any] = {
            "params": {"gain": 1.0},
            "vars": {"w": 0.5, "k": 2},
            "pre_vars": {"r": 0.0},
            "post_vars": {"s": 0.0},
            "pre_var_refs": {"Vpre": self.ref(source)},
            "post_var_refs": {"Vpost": self.ref(target)},
        }
        return WeightUpdateInit(WEIGHT, **(given | changes))

    def current(self, target: str = "B", **changes: Any) -> PostsynapticInit:
        given: dict[str, Any] = {"params": {"scale": 1.0}, "vars": {"x": 0.0}, "var_refs": {"V": self.ref(target)}}
        return PostsynapticInit(CURRENT, **(given | changes))

    def synapses(self, name: str = "AB", source: str = "A", target: str = "B", **changes: Any) -> SynapsePopulation:
        given: dict[str, Any] = {
            "weight_update": self.weight(source, target),
            "postsynaptic": self.current(target),
        }
        return SynapsePopulation(name, source, target, **(given | changes))

    def ref(self, group: str, name: str = "V") -> Reference:
        return Reference(Location(group, "own", name))

    def wu_ref(self, group: str, name: str = "w", back: str | None = None) -> WeightReference:
        transpose = Location(back, "synapse", name) if back else None
        return WeightReference(Location(group, "synapse", name), transpose)

    def update(self, name: str = "U", **changes: Any) -> CustomUpdate:
        given: dict[str, Any] = {
            "group_name": "G",
            "model": SUM,
            "vars": {"total": 0.0},
            "var_refs": {"one": self.wu_ref("AB"), "other": self.wu_ref("AB")},
        }
        return CustomUpdate(name, **(given | changes))

    def network(self, *updates: CustomUpdate, **changes: Any) -> Network:
        a, b = self.neurons("A", 3), self.neurons("B", 2)
        forward, back = self.synapses("AB", "A", "B"), self.synapses("BA", "B", "A")
        given: dict[str, Any] = {
            "name": "net",
            "dt": 0.1,
            "precision": "float",
            "neurons": {"A": a, "B": b},
            "synapses": {"AB": forward, "BA": back},
            "custom_updates": {u.name: u for u in updates},
        }
        return Network(**(given | changes))


@pytest.fixture
def parts() -> Parts:
    return Parts()
