"""Learning to learn: states that can be taken and put back, ends of gradients, and two loops of training in one."""

from snnlearn.meta.state import State, extract_state, recover_state

__all__ = ["State", "extract_state", "recover_state"]
