"""A neuron that spikes at random, as a Poisson process that never emits two spikes in a timestep.

Equation
--------
The time between spikes, in timesteps, is exponential with mean ``isi = 1000 / (rate dt)``, rounded up; what rounding
takes from one interval it gives to the next, so that the mean rate is right for ``rate << 1000 / dt``.

Parameters
----------
``rate`` [Hz], not negative; a neuron of rate 0 is silent.

Variables
---------
``timeStepToSpike``: timesteps until the next spike.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

import math
from collections.abc import Mapping

from snnlearn.declare import NeuronModel


def _mean_interval(pars: Mapping[str, float], dt: float) -> float:
    # Nobody would live to see a spike that single precision could not tell from never.
    spikes = pars["rate"] * dt
    return 1000.0 / spikes if spikes > 1e-35 else math.inf


Poisson = NeuronModel(
    "Poisson",
    params=[("rate", "scalar", "[0, inf)")],
    derived_params=[("isi", _mean_interval)],
    vars=["timeStepToSpike"],
    sim_code="""
    if (timeStepToSpike <= 0.0) {
        timeStepToSpike += isi * gennrand_exponential();
    }
    timeStepToSpike -= 1.0;
    """,
    threshold_condition_code="rate > 0.0 && timeStepToSpike <= 0.0",
)
