"""Arguments that a public constructor or a trainer's method does not take, or lacks."""

from __future__ import annotations

import enum
import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from snnlearn import declare, io, training
from snnlearn.calling import named, named_arguments
from snnlearn.errors import ArgumentError, SnnlearnError
from snnlearn.genn.group import Group

MODULES = ("snnlearn.declare", "snnlearn.training", "snnlearn.io", "snnlearn.backends")


def constructors() -> Iterator[Any]:
    """Yield the public classes that users make objects of: bases of theirs, and what methods return, are none."""
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            thing = getattr(module, name)
            if not inspect.isclass(thing) or issubclass(thing, (BaseException, enum.Enum, Group)):
                continue
            if thing.__init__ is not object.__init__ and not inspect.isabstract(thing) and name not in NOT_MADE:
                yield pytest.param(thing, id=f"{module.__name__}.{name}")


NOT_MADE = ("LearntRates", "Mean", "NotedSum")


@pytest.mark.parametrize("cls", list(constructors()))
def test_every_public_constructor_names_an_argument_that_it_does_not_take(cls: Any) -> None:
    with pytest.raises(ArgumentError, match=f"^{cls.__name__} takes no argument 'surely_none'"):
        cls(surely_none=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: training.TrainingPhase(epoch=1, optimiser="SGD"),
            "^TrainingPhase .*; did you mean 'epochs'",
        ),
        (lambda: training.TrainingPhase(1, "SGD", lrdecay=None), "TrainingPhase .* 'lrdecay'; did you mean 'lr_decay'"),
        (lambda: training.TrainingPhase(), "^TrainingPhase: missing a required argument: 'epochs'"),
        (
            lambda: training.Learner(trial_timestep=1),
            "^Learner .*; did you mean 'trial_timesteps'",
        ),
        (lambda: training.History(1, 2), "^History: too many positional arguments"),
        (lambda: training.PerConnection(value=[1.0]), "PerConnection .* did you mean 'values'"),
        (lambda: declare.NeuronModel("N", parms=["x"]), "NeuronModel .* 'parms'; did you mean 'params'"),
        (lambda: io.SpikeTrains(tims=[0.0]), "SpikeTrains .* 'tims'; did you mean 'times'"),
        (lambda: training.History(1).to_dict(deep=True), "^History.to_dict takes no argument 'deep'; there are none"),
    ],
)
def test_messages_name_the_nearest(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as error:
        call()
    assert isinstance(error.value, SnnlearnError)
    assert isinstance(error.value, TypeError)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_a_type_error_from_within_stays() -> None:
    def add(a: Any, b: Any) -> Any:
        return a + b

    checked = named(add)
    assert checked(1, b=2) == 3
    assert (checked.__name__, list(inspect.signature(checked).parameters)) == ("add", ["a", "b"])
    with pytest.raises(TypeError, match="unsupported operand") as error:
        checked(1, "2")
    assert not isinstance(error.value, ArgumentError)


def test_a_class_of_the_users_that_derives_keeps_its_own_constructor() -> None:
    @named_arguments
    class Ours:
        def __init__(self, size: int) -> None:
            self.size = size

    class Theirs(Ours):
        def __init__(self, width: int) -> None:
            super().__init__(width * 2)

    assert Theirs(width=2).size == 4
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        Theirs(size=2)  # type: ignore[call-arg]
