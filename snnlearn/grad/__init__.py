"""Stage *derive*: learning rules from declarations, by differentiating their code.

Pure functions: what comes in are declarations, what comes out are declarations, which can be printed, compared and run
by every engine.
"""

from snnlearn.declare import Loss, Surrogate
from snnlearn.grad.derivatives import derivative

__all__ = ["Loss", "Surrogate", "derivative"]
