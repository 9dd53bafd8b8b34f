"""Networks as PyTorch modules: exact and differentiable to any order, or fast. It needs the extra ``torch``."""

from importlib.util import find_spec

from snnlearn.errors import MissingTorchError

if find_spec("torch") is None:
    raise MissingTorchError(
        "snnlearn.torch needs PyTorch, which is not installed: pip install 'snnlearn[torch]', in a checkout "
        "pip install '.[torch]'"
    )

from snnlearn.runtime.torch.module import Outputs, SpikingModule, State
from snnlearn.torch.convert import to_module
from snnlearn.torch.engine_module import EngineModule

__all__ = ["EngineModule", "Outputs", "SpikingModule", "State", "to_module"]
