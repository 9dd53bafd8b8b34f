"""The output neuron of SuperSpike: leaky integrate-and-fire that compares its spikes with a target train.

Equations
---------
Membrane as in `SuperSpikeHidden`. With the mismatch ``x = target spike - own spike`` of a timestep, NaN where V is,
``errRise <- errRise exp(-dt/tauRise) + x``, ``errDecay <- errDecay exp(-dt/tauDecay) + x``,
``errTilda = (errDecay - errRise) normFactor``: the error filtered with a double exponential of peak 1.
``avgSqrErr <- avgSqrErr exp(-dt/tauAvgErr) + errTilda^2 dt / 1000``: its running square, which the learning
curve reports.

Parameters
----------
``C`` [nF], ``tauMem`` [ms], ``Vrest``, ``Vthresh`` [mV], ``tauRefrac``, ``tauRise``, ``tauDecay``,
``tauAvgErr`` [ms].

Variables
---------
``V`` [mV]; ``refracTime`` [ms]; ``errRise``, ``errDecay``, ``errTilda``; ``avgSqrErr`` [s];
``startSpike``, ``endSpike``: the neuron's part of ``spikeTimes`` [ms], its target.

Source
------
Zenke & Ganguli (2018), Neural Computation 30(6), neuron model and van Rossum cost; as implemented for
GeNN (superspike_demo).
"""

import numpy as np

from snnlearn.declare import ArrayPart, NeuronModel, VarAccess
from snnlearn.models.spike_source_array import NOW, has_come
from snnlearn.models.superspike_hidden import SuperSpikeHidden


def _peak_time(pars):
    """Time [ms] at which the double exponential peaks."""
    rise, decay = pars["tauRise"], pars["tauDecay"]
    return ((decay * rise) / (decay - rise)) * np.log(decay / rise)


def _norm_factor(pars, dt):
    """What makes the peak of the double exponential 1."""
    peak = _peak_time(pars)
    return 1.0 / (-np.exp(-peak / pars["tauRise"]) + np.exp(-peak / pars["tauDecay"]))


SuperSpikeOutput = NeuronModel(
    "SuperSpikeOutput",
    params=[*SuperSpikeHidden.params, *((name, "scalar", "(0, inf]") for name in ("tauRise", "tauDecay", "tauAvgErr"))],
    derived_params=[
        *SuperSpikeHidden.derived_params,
        ("normFactor", _norm_factor),
        ("tRiseMult", lambda pars, dt: np.exp(-dt / pars["tauRise"])),
        ("tDecayMult", lambda pars, dt: np.exp(-dt / pars["tauDecay"])),
        ("mulAvgErr", lambda pars, dt: np.exp(-dt / pars["tauAvgErr"])),
    ],
    vars=[
        "V",
        "refracTime",
        "errRise",
        "errTilda",
        "avgSqrErr",
        "errDecay",
        ("startSpike", "unsigned int"),
        ("endSpike", "unsigned int", VarAccess.READ_ONLY),
    ],
    extra_global_params=[("spikeTimes", "timepoint*")],
    array_parts=[ArrayPart("spikeTimes", "startSpike", "endSpike")],
    sim_code=f"""{NOW}
    // membrane potential
    if (refracTime == tauRefrac) {{
        V = Vrest;
    }}
    if (refracTime <= 0.0) {{
        const scalar alpha = (Isyn * Rmembrane) + Vrest;
        V = alpha - (ExpTC * (alpha - V));
    }}
    else {{
        refracTime -= dt;
    }}
    // error
    scalar sPred = 0.0;
    if ({has_come("spikeTimes", "startSpike", "endSpike")}) {{
        startSpike++;
        sPred = 1.0;
    }}
    const scalar sReal = (refracTime <= 0.0 && V >= Vthresh) ? 1.0 : 0.0;
    const scalar mismatch = sPred - sReal + 0.0 * V;  // NaN where V is: comparisons would take that for silence
    errRise = (errRise * tRiseMult) + mismatch;
    errDecay = (errDecay * tDecayMult) + mismatch;
    errTilda = (errDecay - errRise) * normFactor;
    // running average of the squared error
    const scalar temp = errTilda * errTilda * dt * 0.001;
    avgSqrErr *= mulAvgErr;
    avgSqrErr += temp;
    """,
    threshold_condition_code="refracTime <= 0.0 && V >= Vthresh",
    reset_code="refracTime = tauRefrac;",
)
