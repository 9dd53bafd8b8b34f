"""The library as a whole: what is in it, how it is found, and that nothing in a model is idle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from snnlearn import models
from snnlearn.declare import (
    CustomUpdateModel,
    Model,
    NeuronModel,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.dialect import check_model
from snnlearn.errors import DeclarationError

IDS = [f"{type(model).__name__}.{model.name}" for model in models.ALL]


def test_every_model_is_listed_once() -> None:
    assert len({(type(model), model.name) for model in models.ALL}) == len(models.ALL)
    files = {path.stem for path in Path(models.__file__).parent.glob("*.py")} - {
        "__init__",
        "binomial_quantile",
        "open_uniform",
    }
    imported = set(
        re.findall(r"^from snnlearn\.models\.(\w+) import", Path(models.__file__).read_text("utf-8"), re.MULTILINE)
    )
    assert imported == files
    assert len(models.__all__) == len(set(models.__all__)) == len(models.ALL) + 2
    by_name = {name: getattr(models, name) for name in set(models.__all__) - {"ALL", "find"}}
    assert sorted(map(id, by_name.values())) == sorted(map(id, models.ALL))
    for name, model in by_name.items():
        kind = {SparseConnectInitSnippet: "Sparse", ToeplitzConnectInitSnippet: "Toeplitz"}.get(type(model), "")
        assert name in (model.name, model.name + kind)


# What a model declares only because GeNN's does, or for a code that is not a string.
IDLE = {"variable", "conv_ih", "x"}
IDLE_IN = (models.Transpose, models.Conv2D, models.AnalogSource)


class Noting(Mapping[str, float]):
    """Parameters that remember which of them were asked for."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> float:
        assert name in {p.name for p in self.model.params}
        self.used.add(name)
        return 0.5 if name == "prob" else 3.0 if name != "tauRise" else 2.0

    def __iter__(self) -> Iterator[str]:
        return (p.name for p in self.model.params)

    def __len__(self) -> int:
        return len(self.model.params)


@pytest.mark.parametrize("model", models.ALL, ids=IDS)
def test_nothing_is_declared_that_no_code_needs(model: Model) -> None:
    numbers = Noting(model)
    for d in model.derived_params:
        d.func(numbers, 0.5)
    sizes: dict[str, Any] = {"calc_max_row_len_func": (4, 5), "calc_max_col_len_func": (4, 5)}
    sizes |= {"calc_kernel_size_func": ()}
    for attribute, arguments in sizes.items():
        function = getattr(model, attribute, None)
        if function is not None:
            function(*arguments, numbers)
    needed = {name for snippet in check_model(model).snippets.values() for name in snippet.names}
    declared = {field.name for _, field in model.named_fields()}
    assert declared - needed - numbers.used <= (IDLE if model in IDLE_IN else set())


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (NeuronModel, "SpikeSourceArray", models.SpikeSourceArray),
        (PostsynapticModel, "ExpCurr", models.ExpCurr),
        (WeightUpdateModel, "SuperSpike", models.SuperSpike),
        (CustomUpdateModel, "Transpose", models.Transpose),
        (VarInitSnippet, "Normal", models.Normal),
        (VarInitSnippet, "Uninitialised", models.Uninitialised),
        (SparseConnectInitSnippet, "Uninitialised", models.UninitialisedSparse),
        (ToeplitzConnectInitSnippet, "Uninitialised", models.UninitialisedToeplitz),
        (SparseConnectInitSnippet, "Conv2D", models.Conv2D),
        (ToeplitzConnectInitSnippet, "Conv2D", models.Conv2DToeplitz),
    ],
)
def test_find(kind: type[Model], name: str, expected: Model) -> None:
    assert models.find(kind, name) is expected


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (PostsynapticModel, "Expcurr", r"there is no PostsynapticModel called 'Expcurr'; did you mean 'ExpCurr'\?"),
        (NeuronModel, "ExpCurr", "there is no NeuronModel called 'ExpCurr'"),
        (ToeplitzConnectInitSnippet, "OneToOne", "known: AvgPoolConv2D, Conv2D, Uninitialised"),
    ],
)
def test_find_names_the_nearest(kind: type[Model], name: str, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        models.find(kind, name)
