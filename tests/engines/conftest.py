"""Every case here runs on each engine of one table; an engine that this machine lacks would be left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from snnlearn.genn import GeNNModel


@dataclass(frozen=True)
class Engine:
    """A way to make models that must all mean the same."""

    name: str
    preferences: dict[str, Any] = field(default_factory=dict)
    exact: bool = True  # to the last bit of the plain plan; otherwise quotients by constants may differ

    def model(self, name: str = "case", precision: str = "float", dt: float = 1.0, **preferences: Any) -> GeNNModel:
        model = GeNNModel(precision, name, backend="cpu", **{**self.preferences, **preferences})
        model.dt = dt
        model.seed = 1
        return model


ENGINES = [
    Engine("cpu-plain", {"optimise": (), "threads": 1}),  # the reference for the others, kept for ever
    Engine("cpu", {"threads": 1}, exact=False),
    Engine("cpu-2-threads", {"threads": 2}, exact=False),
]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.fixture(scope="session")
def engines() -> list[Engine]:
    return ENGINES


@pytest.fixture
def start() -> Iterator[Callable[..., GeNNModel]]:
    """Build and load a model; it is unloaded after the test."""
    loaded = []

    def build_and_load(model: GeNNModel, recording: int | None = None) -> GeNNModel:
        model.build()
        model.load(num_recording_timesteps=recording)
        loaded.append(model)
        return model

    yield build_and_load
    for model in loaded:
        if model._loaded:
            model.unload()
