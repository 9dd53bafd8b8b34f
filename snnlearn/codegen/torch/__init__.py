"""A plan as Python over PyTorch's tensors: slow, exact and differentiable to any order."""

from snnlearn.codegen.torch.expressions import Options
from snnlearn.codegen.torch.program import emit_group, emit_initial, emit_step
from snnlearn.codegen.torch.surrogate import SurrogateValues

__all__ = ["Options", "SurrogateValues", "emit_group", "emit_initial", "emit_step"]
