"""The meta-gradient of `MetaSGD`: in which directions rates and initial weights should move, to first order.

Equations
---------
``g = gradientScale m``; ``rateGradient <- rateGradient + path g``; ``weightGradient <- weightGradient + g``;
``path <- 0``; ``m <- 0``.

``m`` is the direction in which the adapted weight should move for the outer loss to fall, summed up after the inner
steps. They moved the weight by ``alpha path``, so that the outer loss's derivative with respect to ``alpha`` is
``-path g``: minus the product of the inner and the outer gradient. What is left out is the inner gradients' own
dependence on ``alpha`` and on the initial weight (the second derivatives), and that weights stay at a bound. Both sums
are directions of descent, as ``m`` is of a weight: any optimiser of the library takes ``rateGradient`` for its gradient
and `MetaSGD`'s ``alpha`` for its variable, and clears it. With `SGD` that is ``alpha <- alpha + lr path g``. They add
up over a batch of tasks.

Parameters
----------
``gradientScale``, by which ``m`` is multiplied: 1 / number of tasks times timesteps summed in it.

Variables
---------
``rateGradient``, ``weightGradient``, 0 at first; ``path`` (reference), of `MetaSGD`.

Source
------
Li et al. (2017), Meta-SGD, arXiv:1707.09835, algorithm 1; without second derivatives as in Finn, Abbeel & Levine
(2017), Model-agnostic meta-learning, ICML, section 5.2.
"""

from snnlearn.declare import CustomUpdateModel

MetaSGDGradient = CustomUpdateModel(
    "MetaSGDGradient",
    params=[("gradientScale", "scalar", "(-inf, inf)")],
    vars=["rateGradient", "weightGradient"],
    var_refs=["m", "path"],
    update_code="""
    const scalar gradient = m * gradientScale;
    rateGradient += path * gradient;
    weightGradient += gradient;
    path = 0.0;
    m = 0.0;
    """,
)
