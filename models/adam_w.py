"""AdamW: Adam whose weight decay shrinks the weight itself instead of entering the gradient.

Equations
---------
`Adam`'s with ``g = gradientScale m``, from ``variable (1 - lr weightDecay)`` instead of ``variable``.

The decay neither passes through the means nor is scaled by them: it is the same share of every weight, whatever the
gradient's unit.

Parameters, variables and single precision
------------------------------------------
As in `Adam`, but for ``weightDecay``: the share of the weight that goes with each update, per unit of ``lr``.

Source
------
Loshchilov & Hutter (2019), Decoupled weight decay regularization, ICLR, algorithm 2, where the decay is multiplied
by the schedule alone; here by all of ``lr``, as in ``torch.optim.AdamW``.
"""

from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import COMMON_PARAMS, NO_ZERO, Optimiser
from snnlearn.models.adam import ADAM_STEP, Adam

AdamW = CustomUpdateModel(
    "AdamW",
    params=Adam.params,
    vars=Adam.vars,
    var_refs=Adam.var_refs,
    update_code="""
    // gradient, and apart from it the decay
    const scalar gradient = m * gradientScale;
    const scalar decayed = variable - lr * weightDecay * variable;
    """
    + ADAM_STEP,
)

ADAM_W_OPTIMISER = Optimiser(
    "AdamW",
    AdamW,
    {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": NO_ZERO, **COMMON_PARAMS},
    momentum_param="beta1",
    beta_param="beta2",
    decay_param="weightDecay",
)
"""AdamW with its defaults."""
