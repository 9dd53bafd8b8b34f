"""Learning to learn: states that are taken and put back, ends of gradients, and two loops of training in one."""

from snnlearn.meta.bilevel import BiLevel, Round
from snnlearn.meta.gradient import stop_gradient
from snnlearn.meta.state import State, extract_state, recover_state

__all__ = ["BiLevel", "Round", "State", "extract_state", "recover_state", "stop_gradient"]
