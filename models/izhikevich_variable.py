"""Izhikevich's simple model of spiking neurons, each with parameters of its own.

The equations are those of `snnlearn.models.Izhikevich`; ``a``, ``b``, ``c`` and ``d`` are read-only variables, so that
a population may mix kinds of neurons.

Variables
---------
``V`` [mV], ``U``: recovery. ``a`` [1/ms], ``b``, ``c`` [mV], ``d``: read-only.

Source
------
Izhikevich (2003), IEEE Transactions on Neural Networks 14(6), equations 1 to 3 and the program in figure 2.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import NeuronModel, VarAccess
from snnlearn.models.izhikevich import SIM_CODE, THRESHOLD_CONDITION_CODE

IzhikevichVariable = NeuronModel(
    "IzhikevichVariable",
    vars=["V", "U", *((name, "scalar", VarAccess.READ_ONLY) for name in "abcd")],
    sim_code=SIM_CODE,
    threshold_condition_code=THRESHOLD_CONDITION_CODE,
)
