"""Stochastic gradient ascent whose rates go up where successive gradients agree, a rate for each synapse.

Equations
---------
``g = gradientScale m - weightDecay variable``; ``alpha <- alpha + hyperRate g before``; ``before <- lr g``;
``variable <- clip(variable + lr alpha g, wMin, wMax)``; ``m <- 0``.

``m`` is the sum, over the timesteps since the last update, of the direction in which the weight should move. The last
step moved the weight by ``alpha before``, so that the derivative of this update's loss with respect to ``alpha`` is
``-g before``, the hypergradient. With ``lr`` = 1 these are the paper's equations, with the product of each synapse's
own gradients where the paper, which learns one rate for all, has their scalar product. Otherwise ``lr`` is the rate
that all synapses begin with, and ``alpha`` the factor that is learnt on top of it, so that a schedule of ``lr`` moves
all rates alike. ``alpha`` may become negative, as in the paper. A NaN passes through the bounds, to be seen.

Parameters
----------
``lr`` the rate at first; ``hyperRate``, the rate of ``alpha``, in units of 1 / (lr g^2): it depends on the gradient's
unit; ``weightDecay`` (an L2 penalty, part of the gradient); ``gradientScale``, 1 / number of timesteps summed in ``m``;
``wMin``, ``wMax``.

Variables
---------
``alpha``, 1 at first; ``before``, 0 at first: the last step, divided by ``alpha``.

Source
------
Baydin, Cornish, Martínez Rubio, Schmidt & Wood (2018), Online learning rate adaptation with hypergradient descent,
ICLR, algorithm 4 (SGD-HD).
"""

from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import COMMON_PARAMS, Optimiser

HypergradientSGD = CustomUpdateModel(
    "HypergradientSGD",
    params=[
        ("lr", "scalar", "[0, inf)"),
        ("hyperRate", "scalar", "[0, inf)"),
        ("weightDecay", "scalar", "[0, inf)"),
        ("gradientScale", "scalar", "(-inf, inf)"),
        ("wMin", "scalar", "(-inf, inf)"),
        ("wMax", "scalar", "(-inf, inf)"),
    ],
    vars=["alpha", "before"],
    var_refs=["m", "variable"],
    update_code="""
    // gradient, with the pull of the L2 penalty; the rate follows from how it agrees with the one before
    const scalar gradient = m * gradientScale - weightDecay * variable;
    alpha += hyperRate * gradient * before;
    before = lr * gradient;
    // update the parameter; fmin and fmax would turn a NaN into a bound
    const scalar moved = variable + alpha * before;
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    m = 0.0;
    """,
)

HYPERGRADIENT_SGD_OPTIMISER = Optimiser(
    "HypergradientSGD",
    HypergradientSGD,
    {"lr": 0.01, "hyperRate": 0.1, **COMMON_PARAMS},
    decay_param="weightDecay",
    rate_var="alpha",
    initial={"alpha": 1.0},
)
"""Hypergradient descent with its defaults."""
