"""Stochastic gradient ascent with momentum, plain or Nesterov's.

Equations
---------
``g = gradientScale m - weightDecay variable``; ``velocity <- momentum velocity + g``;
plain ``d = velocity``, Nesterov ``d = g + momentum velocity``;
``variable <- clip(variable + lr d, wMin, wMax)``; ``m <- 0``.

``m`` is the sum, over the timesteps since the last update, of the direction in which the weight should move.
The rate multiplies the velocity after it has been summed up, as in PyTorch: a change of ``lr`` counts from the next
step on, for the momentum gathered before too. Steps grow with the gradient: nothing here makes up for its unit.
A product below 1e-38 (``gradientScale m``, ``lr d``) is taken for zero. A NaN passes through the bounds, to be seen.

Parameters
----------
``lr`` learning rate; ``momentum`` in [0, 1); ``nesterov`` 0 or 1; ``weightDecay`` (an L2 penalty, part of the
gradient); ``gradientScale``, 1 / number of timesteps summed in ``m``; ``wMin``, ``wMax``.

Variables
---------
``velocity``, 0 at first.

Source
------
Polyak (1964), USSR Computational Mathematics 4(5), eq. 9; Nesterov (1983), Doklady AN SSSR 269(3); in the form of
Sutskever, Martens, Dahl & Hinton (2013), ICML, and ``torch.optim.SGD`` with a dampening of 0.
"""

from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import COMMON_PARAMS, Optimiser

SGD = CustomUpdateModel(
    "SGD",
    params=[
        ("lr", "scalar", "[0, inf)"),
        ("momentum", "scalar", "[0, 1)"),
        ("nesterov", "scalar", "[0, 1]"),
        ("weightDecay", "scalar", "[0, inf)"),
        ("gradientScale", "scalar", "(-inf, inf)"),
        ("wMin", "scalar", "(-inf, inf)"),
        ("wMax", "scalar", "(-inf, inf)"),
    ],
    vars=["velocity"],
    var_refs=["m", "variable"],
    update_code="""
    // gradient, with the pull of the L2 penalty
    const scalar gradient = m * gradientScale - weightDecay * variable;
    velocity = momentum * velocity + gradient;
    const scalar direction = (nesterov != 0.0) ? gradient + momentum * velocity : velocity;
    // update the parameter; fmin and fmax would turn a NaN into a bound
    const scalar moved = variable + lr * direction;
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    m = 0.0;
    """,
)

SGD_OPTIMISER = Optimiser(
    "SGD",
    SGD,
    {"lr": 0.01, "momentum": 0.9, "nesterov": 0.0, **COMMON_PARAMS},
    momentum_param="momentum",
    decay_param="weightDecay",
)
"""SGD with its defaults."""
