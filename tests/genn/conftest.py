"""What tests of the API share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from snnlearn.genn import GeNNModel


@pytest.fixture
def ready() -> Iterator[Callable[[GeNNModel], GeNNModel]]:
    """Build and load a model; it is unloaded after the test."""
    made = []

    def load(model: GeNNModel) -> GeNNModel:
        model.build()
        model.load()
        made.append(model)
        return model

    yield load
    for model in made:
        if model._loaded:
            model.unload()
