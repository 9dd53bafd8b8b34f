"""Meta-SGD's inner step: gradient ascent at a learnt rate for each synapse.

Equations
---------
``g = gradientScale m - weightDecay variable``; ``path <- path + lr g``;
``variable <- clip(variable + lr alpha g, wMin, wMax)``; ``m <- 0``.

``m`` is the sum, over the timesteps since the last update, of the direction in which the weight should move. With
``lr`` = 1, ``alpha`` is the paper's; otherwise ``lr`` is the rate that all synapses begin with, and ``alpha`` the
factor that is learnt on top of it, so that a schedule of ``lr`` moves all rates alike. ``alpha`` may become negative,
as in the paper. An update leaves it as it is: `MetaSGDGradient` finds from ``path`` in which direction it should move,
and any optimiser moves it there. A NaN passes through the bounds, to be seen.

This is not TorchOpt's ``MetaSGD``, which is plain gradient descent that PyTorch can differentiate, with one rate that
is not learnt.

Parameters
----------
``lr`` the rate that ``alpha`` multiplies; ``weightDecay`` (an L2 penalty, part of the gradient); ``gradientScale``,
1 / number of timesteps summed in ``m``; ``wMin``, ``wMax``.

Variables
---------
``alpha``, 1 at first; ``path``, 0 at first: the steps since the last meta-update, each divided by ``alpha``.

Source
------
Li, Zhou, Chen & Li (2017), Meta-SGD: learning to learn quickly for few-shot learning, arXiv:1707.09835, eq. 3.
"""

from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import COMMON_PARAMS, Optimiser

MetaSGD = CustomUpdateModel(
    "MetaSGD",
    params=[
        ("lr", "scalar", "[0, inf)"),
        ("weightDecay", "scalar", "[0, inf)"),
        ("gradientScale", "scalar", "(-inf, inf)"),
        ("wMin", "scalar", "(-inf, inf)"),
        ("wMax", "scalar", "(-inf, inf)"),
    ],
    vars=["alpha", "path"],
    var_refs=["m", "variable"],
    update_code="""
    // gradient, with the pull of the L2 penalty
    const scalar gradient = m * gradientScale - weightDecay * variable;
    const scalar scaled = lr * gradient;
    path += scaled;
    // update the parameter; fmin and fmax would turn a NaN into a bound
    const scalar moved = variable + alpha * scaled;
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    m = 0.0;
    """,
)

META_SGD_OPTIMISER = Optimiser(
    "MetaSGD",
    MetaSGD,
    {"lr": 0.01, **COMMON_PARAMS},
    decay_param="weightDecay",
    rate_var="alpha",
    initial={"alpha": 1.0},
)
"""Meta-SGD's inner step with its defaults."""
