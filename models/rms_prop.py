"""RMSProp: each weight's step divided by the root of a running mean of its squared gradients.

Equations
---------
``g = gradientScale m - weightDecay variable``; ``root <- sqrt(beta root^2 + (1 - beta) g^2)``;
``velocity <- momentum velocity + g / (root + epsilon)``;
``variable <- clip(variable + lr velocity, wMin, wMax)``; ``m <- 0``.

``m`` is the sum, over the timesteps since the last update, of the direction in which the weight should move.
As in the lecture, the mean starts at 0 and is not corrected for that: the first step is ``lr / sqrt(1 - beta)``.

Single precision: the root of the mean square is kept instead of the mean square, and ``hypot`` forms it without
squaring in range: gradients count down to 1e-38, where their squares would vanish below 1e-19 and the weight jump.
``epsilon`` must not be 0, or a weight that never had a gradient becomes 0/0; steps do not depend on the
gradient's unit while it is far above ``epsilon``. A NaN passes through the bounds, to be seen.

Parameters
----------
``lr`` learning rate; ``momentum`` in [0, 1), 0 for the lecture's rule; ``beta`` in [0, 1), PyTorch's alpha;
``epsilon``; ``weightDecay`` (an L2 penalty, part of the gradient and so in its unit);
``gradientScale``, 1 / number of timesteps summed in ``m``; ``wMin``, ``wMax``.

Variables
---------
``root``, ``velocity``, 0 at first.

Source
------
Tieleman & Hinton (2012), Neural Networks for Machine Learning, lecture 6e, slide 29; momentum as in
``torch.optim.RMSprop``.
"""

from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import COMMON_PARAMS, NO_ZERO, Optimiser

RMSProp = CustomUpdateModel(
    "RMSProp",
    params=[
        ("lr", "scalar", "[0, inf)"),
        ("momentum", "scalar", "[0, 1)"),
        ("beta", "scalar", "[0, 1)"),
        ("epsilon", "scalar", "(0, inf)"),
        ("weightDecay", "scalar", "[0, inf)"),
        ("gradientScale", "scalar", "(-inf, inf)"),
        ("wMin", "scalar", "(-inf, inf)"),
        ("wMax", "scalar", "(-inf, inf)"),
    ],
    vars=["root", "velocity"],
    var_refs=["m", "variable"],
    update_code="""
    // gradient, with the pull of the L2 penalty, and its root mean square
    const scalar gradient = m * gradientScale - weightDecay * variable;
    root = hypot(sqrt(beta) * root, sqrt(1.0 - beta) * gradient);
    velocity = momentum * velocity + gradient / (root + epsilon);
    // update the parameter; fmin and fmax would turn a NaN into a bound
    const scalar moved = variable + lr * velocity;
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    m = 0.0;
    """,
)

RMS_PROP_OPTIMISER = Optimiser(
    "RMSProp",
    RMSProp,
    {"lr": 0.001, "momentum": 0.0, "beta": 0.9, "epsilon": NO_ZERO, **COMMON_PARAMS},
    momentum_param="momentum",
    beta_param="beta",
    decay_param="weightDecay",
)
"""RMSProp with its defaults."""
