"""Incremental delta-bar-delta: each synapse's rate is learnt on line, from how its gradients agree with its past steps.

Equations
---------
``g = gradientScale m - weightDecay variable``; ``beta <- max(beta + clip(theta g h / errorScale, -2, 2), -10)``;
``alpha = lr exp(beta)``; ``h <- h [1 - alpha g^2 / errorScale]+ + alpha g``;
``variable <- clip(variable + alpha g, wMin, wMax)``; ``m <- 0``, with ``[x]+ = max(x, 0)``.

``m`` is the sum, over the timesteps since the last update, of the direction in which the weight should move. ``h`` is
the derivative of the weight with respect to its log rate ``beta``, and ``g h`` the descent of the loss with it: a trace
of past steps, which fades as fast as later steps correct them.

The paper's unit is linear, with an input x and an error delta: ``g = delta x``, and the trace fades by ``alpha x^2``,
where x^2 is the curvature of the loss. An update sees the gradient only, and takes ``g^2 / errorScale`` for the
curvature (the squared gradient of a likelihood, whose mean is Fisher's information). With ``errorScale`` at the mean of
delta^2 its mean is x^2, and ``theta / errorScale`` is the paper's theta. That makes ``theta`` a number without a unit:
above 1, rates grow in leaps and may diverge; 0.01 to 0.1 is usual.

The limits of ``beta`` and its changes are the paper's. At a bound of the weight ``h`` is 0, for no rate moves it. Rates
have no upper limit: where many inputs are active together, their rates must stay low, and ``theta`` with them. A NaN
passes through the bounds, to be seen.

Parameters
----------
``lr`` the rate at first; ``theta``, how fast log rates change; ``errorScale``, the mean square of the error, in the
unit of ``g`` times the weight's; ``weightDecay`` (an L2 penalty, part of the gradient); ``gradientScale``, 1 / number
of timesteps summed in ``m``; ``wMin``, ``wMax``.

Variables
---------
``beta``, ``h``, 0 at first: ``beta`` is the logarithm of the rate's factor on ``lr``, so that a schedule of ``lr``
moves all rates alike.

Source
------
Sutton (1992), Adapting bias by gradient descent: an incremental version of delta-bar-delta, AAAI, figure 2.
"""

from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import COMMON_PARAMS, Optimiser

IDBD = CustomUpdateModel(
    "IDBD",
    params=[
        ("lr", "scalar", "[0, inf)"),
        ("theta", "scalar", "[0, inf)"),
        ("errorScale", "scalar", "(0, inf)"),
        ("weightDecay", "scalar", "[0, inf)"),
        ("gradientScale", "scalar", "(-inf, inf)"),
        ("wMin", "scalar", "(-inf, inf)"),
        ("wMax", "scalar", "(-inf, inf)"),
    ],
    vars=["beta", "h"],
    var_refs=["m", "variable"],
    update_code="""
    // gradient, with the pull of the L2 penalty
    const scalar gradient = m * gradientScale - weightDecay * variable;
    const scalar scaled = gradient / errorScale;
    // log rate
    const scalar change = theta * scaled * h;
    beta += (change > 2.0) ? 2.0 : ((change < -2.0) ? -2.0 : change);
    beta = (beta < -10.0) ? -10.0 : beta;
    const scalar alpha = lr * exp(beta);
    // what the log rate has done to the parameter so far
    const scalar step = alpha * gradient;
    const scalar kept = 1.0 - step * scaled;
    h = ((kept < 0.0) ? 0.0 : kept) * h + step;
    // update the parameter; fmin and fmax would turn a NaN into a bound, at which no rate has done anything
    const scalar moved = variable + step;
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    h = (moved > wMax || moved < wMin) ? 0.0 : h;
    m = 0.0;
    """,
)

IDBD_OPTIMISER = Optimiser(
    "IDBD",
    IDBD,
    {"lr": 0.01, "theta": 0.05, "errorScale": 1.0, **COMMON_PARAMS},
    decay_param="weightDecay",
    rate_var="beta",
    log_rate=True,
)
"""IDBD with its defaults."""
