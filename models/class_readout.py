"""A neuron that does not spike but whose potential says how likely its class is.

Equations
---------
``tauMem dV/dt = -V + Isyn``, exact for input constant over a timestep; ``p = 1 / (1 + exp(-V))``. From ``tStart``
on in a trial ``errTilda = target - p``, the gradient of the log-likelihood, and ``score`` sums up ``V``; before, both
are 0.

Parameters
----------
``tauMem``, ``tStart`` [ms].

Variables
---------
``V`` [1], of which 0 is undecided; ``target`` 1 for the class that is shown, else 0; ``errTilda``; ``score``.

Source
------
Bellec et al. (2020), Nature Communications 11, 3625, with one logistic unit for each class in place of a softmax.
"""

import numpy as np

from snnlearn.declare import NeuronModel
from snnlearn.models.spike_source_array import NOW

ClassReadout = NeuronModel(
    "ClassReadout",
    params=[("tauMem", "scalar", "(0, inf]"), "tStart"],
    derived_params=[("ExpTC", lambda pars, dt: np.exp(-dt / pars["tauMem"]))],
    vars=["V", "target", "errTilda", "score"],
    sim_code=f"""{NOW}
    V = Isyn - ExpTC * (Isyn - V);
    if (now < tStart) {{
        errTilda = 0.0;
        score = 0.0;
    }}
    else {{
        errTilda = target - 1.0 / (1.0 + exp(-V));
        score += V;
    }}
    """,
)
