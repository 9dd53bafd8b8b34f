"""Objects that refuse names that are nearly right, and mappings that name the nearest."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest

from snnlearn.attributes import CheckedAttributes, Named, frozen
from snnlearn.errors import (
    FixedMappingError,
    FrozenError,
    SnnlearnError,
    UnknownAttributeError,
    UnknownNameError,
)


class Lamp(CheckedAttributes, explained={"wattage": "it is called power"}, refused=["wattage"], settings=["shade"]):
    kind: str

    def __init__(self) -> None:
        self.kind = "lamp"
        self.shade = "green"
        self._power = 1.0

    @property
    def power(self) -> float:
        return self._power

    @power.setter
    def power(self, power: float) -> None:
        self._power = power

    @property
    def light_output(self) -> float:
        raise AttributeError("of the property itself")

    def switch_on(self) -> None:
        """Do nothing."""


def test_settings_can_be_set_and_misspellings_cannot() -> None:
    lamp = Lamp()
    lamp.power, lamp.shade, lamp.kind = 2.0, "red", "torch"
    assert (lamp.power, lamp.shade, lamp.kind) == (2.0, "red", "torch")
    for name, meant in (("pwer", "power"), ("Power", "power"), ("shad", "shade")):
        with pytest.raises(UnknownAttributeError, match=f"Lamp has no attribute '{name}'; did you mean '{meant}'"):
            setattr(lamp, name, 1)
        assert not hasattr(lamp, name)
    assert issubclass(UnknownAttributeError, AttributeError)


def test_what_can_only_be_read() -> None:
    for name, text in (("light_output", "read-only"), ("light_outptu", "did you mean 'light_output'")):
        with pytest.raises(UnknownAttributeError, match=text):
            setattr(Lamp(), name, 1)


def test_names_of_a_programs_own_can_be_set_again_and_deleted() -> None:
    lamp = Lamp()
    lamp.room = "kitchen"  # type: ignore[attr-defined]
    lamp.room = "hall"  # type: ignore[attr-defined]
    assert lamp.room == "hall"  # type: ignore[attr-defined]
    del lamp.room  # type: ignore[attr-defined]
    assert not hasattr(lamp, "room")


def test_what_became_of_a_name() -> None:
    lamp = Lamp()
    for use in (lambda: lamp.wattage, lambda: setattr(lamp, "wattage", 5)):  # type: ignore[attr-defined]
        with pytest.raises(UnknownAttributeError, match="Lamp has no attribute 'wattage': it is called power"):
            use()
    assert getattr(lamp, "wattage", 7) == 7
    assert "wattage" not in dir(lamp)
    assert "power" in dir(lamp)


def test_a_propertys_own_error_is_seen() -> None:
    with pytest.raises(AttributeError, match="of the property itself"):
        Lamp().light_output  # noqa: B018


def test_a_class_of_the_users_adds_its_own() -> None:
    class Desk(Lamp):
        pwer = 3
        wattage = 60

    desk = Desk()
    desk.pwer = desk.wattage = 4
    assert (desk.pwer, desk.wattage) == (4, 4)
    with pytest.raises(UnknownAttributeError, match="did you mean 'power'"):
        desk.powr = 1  # type: ignore[attr-defined]


@frozen
@dataclass(frozen=True)
class Point:
    across: int
    along: int = 0


def test_frozen_values() -> None:
    point = Point(1)
    with pytest.raises(FrozenError, match=r"cannot assign to 'across': a Point never changes; make another$"):
        point.across = 2  # type: ignore[misc]
    with pytest.raises(FrozenError, match="did you mean 'along'"):
        point.alogn = 2  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        del point.across
    assert issubclass(FrozenError, SnnlearnError)
    assert pickle.loads(pickle.dumps(point)) == copy.deepcopy(point) == point


def test_named() -> None:
    named: Named[int] = Named({"V": 1, "trace": 2}, "variable", "'Output'", "assign to its `values`")
    assert (named["V"], dict(named), list(named), "W" in named, named.get("W")) == (
        1,
        {"V": 1, "trace": 2},
        ["V", "trace"],
        False,
        None,
    )
    for name, text in (
        ("v", "'Output' has no variable 'v'; did you mean 'V'?"),
        ("trase", "'Output' has no variable 'trase'; did you mean 'trace'?"),
        ("W", "'Output' has no variable 'W'; known: V, trace"),
        (3, "'Output' has no variable 3; known: V, trace"),
    ):
        with pytest.raises(UnknownNameError) as caught:
            named[name]  # type: ignore[index]
        assert str(caught.value) == text
        assert isinstance(caught.value, KeyError)
    with pytest.raises(FixedMappingError, match="nothing can be put in the place of variable 'V'; assign to its `val"):
        named["V"] = 3
    changes: list[Callable[[], object]] = [
        lambda: named.__delitem__("V"),
        lambda: named.__ior__({"V": 3}),
        lambda: named.pop("V"),
        named.clear,
        named.popitem,
        lambda: named.setdefault("W", 3),
        lambda: named.update(V=3),
        lambda: named.update({"V": 3}),
    ]
    for change in changes:
        with pytest.raises(FixedMappingError, match="'Output': no variable can be put in or taken out by hand"):
            change()
    assert named == {"V": 1, "trace": 2}
    named.add("x", 3)
    others: list[Any] = [copy.copy(named), copy.deepcopy(named), pickle.loads(pickle.dumps(named))]
    for other in others:
        assert other == {"V": 1, "trace": 2, "x": 3}
