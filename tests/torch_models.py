"""Models that run on the torch engine, for the engine table and for tests of what is emitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snnlearn.errors import TorchError
from snnlearn.genn import GeNNModel

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
torch.set_num_threads(1)

from torch_engine import TorchEngine  # noqa: E402


class TorchModel(GeNNModel):
    """A model that is built for the torch engine, whatever back end it names."""

    def __init__(self, precision: str = "float", name: str = "case", **preferences: Any) -> None:
        super().__init__(precision, name, **{"optimise": (), **preferences})

    def build(self, *args: Any, **kwargs: Any) -> None:
        self._need_unbuilt("build")
        self._make(TorchEngine())


class WhereItCan(TorchModel):
    """One whose test is skipped where there is something that the torch engine refuses."""

    def build(self, *args: Any, **kwargs: Any) -> None:
        self._or_skip(super().build, *args, **kwargs)

    def load(self, *args: Any, **kwargs: Any) -> None:
        self._or_skip(super().load, *args, **kwargs)

    def custom_update(self, name: str) -> None:
        self._or_skip(super().custom_update, name)

    def step_time(self) -> None:
        self._or_skip(super().step_time)

    def run(self, num_timesteps: int) -> None:
        self._or_skip(super().run, num_timesteps)

    @staticmethod
    def _or_skip(function: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except TorchError as error:
            pytest.skip(str(error))
