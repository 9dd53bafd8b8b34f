"""Stage *derive*: learning rules from declarations, by differentiating their code.

Pure functions: what comes in are declarations, what comes out are declarations, which can be printed, compared and run
by every engine. ``differentiate`` does it for a model under construction; it belongs to `snnlearn.genn`.
"""

import importlib
from typing import Any

from snnlearn.declare import Loss, Surrogate
from snnlearn.grad.adjoint import Adjoint, adjoint
from snnlearn.grad.credit import FeedbackLoss
from snnlearn.grad.derivatives import derivative
from snnlearn.grad.end_losses import CrossEntropy, EndLoss, SquaredError
from snnlearn.grad.eventprop import eventprop
from snnlearn.grad.first_spikes import FirstSpikeLoss
from snnlearn.grad.forward import EligibilityRule, eligibility
from snnlearn.grad.methods import NetworkRules, network_rules

_LATER = {  # of stages to the right of this one
    "ForwardProgram": "snnlearn.genn.forward_program",
    "Program": "snnlearn.genn.program",
    "differentiate": "snnlearn.genn.differentiate",
}

__all__ = [
    "Adjoint",
    "CrossEntropy",
    "EligibilityRule",
    "EndLoss",
    "FeedbackLoss",
    "FirstSpikeLoss",
    "ForwardProgram",
    "Loss",
    "NetworkRules",
    "Program",
    "SquaredError",
    "Surrogate",
    "adjoint",
    "derivative",
    "differentiate",
    "eligibility",
    "eventprop",
    "network_rules",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
