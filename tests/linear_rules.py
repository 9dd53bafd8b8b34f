"""Networks with synapse dynamics of any code, run by any plan, in double precision: where only the order of sums
differs, results agree to some twelve digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from snnlearn import genn
from snnlearn.declare import NeuronModel, WeightUpdateModel

PARAMS = {"tau": 10.0, "slow": 1e7, "k": 3.0, "gain": 0.25}
TRACES = """
    z += (-z / tau) * dt;
    y += ((-y + z) / (2.0 * tau)) * dt;
"""

# Spikes when the clock says so: neuron i in every timestep t with (t + i) % period == 0.
CLOCK = NeuronModel(
    "Clock",
    vars=["phase", "period", "x"],
    sim_code="phase += 1.0; x = sin(0.1 * t + id);",
    threshold_condition_code="phase >= period",
    reset_code="phase = 0.0;",
)


def rule(code: str, **changes: Any) -> WeightUpdateModel:
    """Return a rule with two presynaptic traces, a postsynaptic value and three variables of each synapse."""
    parts = {
        "params": list(PARAMS),
        "vars": ["w", "e", "f", "m"],
        "pre_vars": ["z", "y", "other"],
        "post_vars": ["sig", "err"],
        "pre_spike_code": "z += 1.0;",
        "pre_dynamics_code": TRACES + "other = sin(other + 0.1);",
        "post_dynamics_code": "sig = 1.0 + 0.5 * sin(0.3 * t + id_post); err = cos(0.2 * t + 2.0 * id_post);",
        "synapse_dynamics_code": code,
    }
    return WeightUpdateModel("rule", **(parts | changes))


def describe(
    model: WeightUpdateModel,
    optimise: Sequence[str],
    *,
    sizes: tuple[int, int] = (5, 70),
    precision: str = "double",
    period: float = 50.0,
    threads: int = 1,
) -> Any:
    """Return a model with two populations and one connection, not yet built."""
    net = genn.GeNNModel(precision, "rules", threads=threads, optimise=optimise)
    net.dt, net.seed = 0.5, 3
    a, b = (
        net.add_neuron_population(
            name, n, CLOCK, {}, {"phase": np.arange(n) * 7.0 % period, "period": period, "x": 0.0}
        )
        for name, n in zip("AB", sizes, strict=True)
    )
    first = {v.name: 0.5 for v in model.vars}
    init = genn.init_weight_update(
        model, {p.name: PARAMS[p.name] for p in model.params}, first, {v.name: 0.3 for v in model.pre_vars},
        {v.name: 0.7 for v in model.post_vars},
    )  # fmt: skip
    net.add_synapse_population("S", "DENSE", a, b, init, genn.init_postsynaptic("DeltaCurr"))
    return net


def run(net: Any, stops: Sequence[int]) -> dict[str, Any]:
    """Run to the last of the stops, look at the variables at each, and return all of them."""
    net.build()
    net.load()
    at = 0
    for stop in stops:
        net.run(stop - at)
        at = stop
        values = {}
        for variable in net.synapse_populations["S"].vars.values():
            variable.pull_from_device()
            values[str(variable.location)] = np.array(variable.values)
    net.unload()
    return values
