"""Models that run on the torch engine, for the engine table and for tests of what is emitted."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn.errors import TorchError
from snnlearn.genn import GeNNModel

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
torch.set_num_threads(1)

from snnlearn.runtime.torch.engine import TorchEngine  # noqa: E402


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
        try:
            super().build(*args, **kwargs)
        except TorchError as error:
            pytest.skip(str(error))

    def load(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().load(*args, **kwargs)
        except TorchError as error:
            pytest.skip(str(error))

    def custom_update(self, name: str) -> None:
        try:
            super().custom_update(name)
        except TorchError as error:
            pytest.skip(str(error))
