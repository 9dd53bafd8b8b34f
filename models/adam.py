"""Adam: a running mean of the gradient, divided by the root of a running mean of its square.

Equations
---------
``g = gradientScale m - weightDecay variable``;
``mean <- beta1 mean + (1 - beta1) g``; ``meanWeight <- beta1 meanWeight + (1 - beta1)``;
``root <- sqrt(beta2 root^2 + (1 - beta2) g^2)``; ``rootWeight <- beta2 rootWeight + (1 - beta2)``;
``variable <- clip(variable + lr (mean / meanWeight) / (root / sqrt(rootWeight) + epsilon), wMin, wMax)``;
``m <- 0``.

``m`` is the sum, over the timesteps since the last update, of the direction in which the weight should move.
``meanWeight`` and ``rootWeight`` are the weights that the gradients seen so far have in the two means. With constant
betas they are the paper's ``1 - beta1^t`` and ``1 - beta2^t``; unlike those they stay right when a schedule changes
the betas, and need no count of steps.

Single precision: the root of the mean square is kept instead of the mean square, and ``hypot`` forms it without
squaring in range: gradients count down to 1e-38, where their squares would vanish below 1e-19 and the weight jump.
``epsilon`` must not be 0, or a weight that never had a gradient becomes 0/0; steps do not depend on the
gradient's unit while it is far above ``epsilon``. The paper's 1e-8 is for gradients of order 1: SuperSpike's are far
smaller and would hardly move a weight. A NaN passes through the bounds, to be seen.

Parameters
----------
``lr`` learning rate (about the largest step, in units of the weight); ``beta1``, ``beta2`` in [0, 1); ``epsilon``;
``weightDecay`` (an L2 penalty, part of the gradient and so in its unit);
``gradientScale``, 1 / number of timesteps summed in ``m``; ``wMin``, ``wMax``.

Variables
---------
``mean``, ``meanWeight``, ``root``, ``rootWeight``, 0 at first.

Source
------
Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 1; L2 penalty as in
``torch.optim.Adam``.
"""

from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import COMMON_PARAMS, NO_ZERO, Optimiser

# What Adam and AdamW share: all that follows once there is a `gradient`.
ADAM_STEP = """
    // means of the gradient and, as a root, of its square; and the weight of what they have seen
    mean = beta1 * mean + (1.0 - beta1) * gradient;
    meanWeight = beta1 * meanWeight + (1.0 - beta1);
    root = hypot(sqrt(beta2) * root, sqrt(1.0 - beta2) * gradient);
    rootWeight = beta2 * rootWeight + (1.0 - beta2);
    // update the parameter; fmin and fmax would turn a NaN into a bound
    const scalar direction = (mean / meanWeight) / (root / sqrt(rootWeight) + epsilon);
    const scalar moved = decayed + lr * direction;
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    m = 0.0;
    """

Adam = CustomUpdateModel(
    "Adam",
    params=[
        ("lr", "scalar", "[0, inf)"),
        ("beta1", "scalar", "[0, 1)"),
        ("beta2", "scalar", "[0, 1)"),
        ("epsilon", "scalar", "(0, inf)"),
        ("weightDecay", "scalar", "[0, inf)"),
        ("gradientScale", "scalar", "(-inf, inf)"),
        ("wMin", "scalar", "(-inf, inf)"),
        ("wMax", "scalar", "(-inf, inf)"),
    ],
    vars=["mean", "meanWeight", "root", "rootWeight"],
    var_refs=["m", "variable"],
    update_code="""
    // gradient, with the pull of the L2 penalty
    const scalar gradient = m * gradientScale - weightDecay * variable;
    const scalar decayed = variable;
    """
    + ADAM_STEP,
)

ADAM_OPTIMISER = Optimiser(
    "Adam",
    Adam,
    {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": NO_ZERO, **COMMON_PARAMS},
    momentum_param="beta1",
    beta_param="beta2",
    decay_param="weightDecay",
)
"""Adam with its defaults."""
