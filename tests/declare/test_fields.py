"""The parts of a declaration validate themselves."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from snnlearn.declare import (
    DerivedParam,
    ExtraGlobalParam,
    InputVar,
    Param,
    Var,
    VarAccess,
    VarAccessMode,
    VarRef,
)
from snnlearn.declare.fields import as_fields, check_name
from snnlearn.errors import DeclarationError

MAKERS: dict[str, Callable[[Any], Any]] = {
    "parameter": Param,
    "derived parameter": lambda name: DerivedParam(name, lambda params, dt: dt),
    "variable": Var,
    "variable reference": VarRef,
    "extra global parameter": lambda name: ExtraGlobalParam(name, "scalar*"),
    "additional input variable": InputVar,
}


@pytest.mark.parametrize("what", MAKERS)
@pytest.mark.parametrize("name", ["", "2x", "a b", "a-b", "τ", "V;", 'x"', "a\n", None, 3, b"V"])
def test_names_are_identifiers_of_c(what: str, name: object) -> None:
    with pytest.raises(DeclarationError, match=rf"^{what} name .* is not a C identifier"):
        MAKERS[what](name)


@pytest.mark.parametrize("what", MAKERS)
@pytest.mark.parametrize("name", ["double", "if", "unsigned", "uint8_t", "scalar", "true"])
def test_names_with_a_meaning_are_reserved(what: str, name: str) -> None:
    with pytest.raises(DeclarationError, match=rf"{what} name '{name}' is reserved; choose another, such as '{name}0'"):
        MAKERS[what](name)


@pytest.mark.parametrize("what", MAKERS)
def test_fields_are_frozen_values(what: str) -> None:
    field = MAKERS[what]("a")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        field.name = "b"
    if what != "derived parameter":  # whose functions are compared by identity
        assert field == MAKERS[what]("a")
        assert hash(field) == hash(MAKERS[what]("a"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Param("a", "real"),
        lambda: DerivedParam("a", lambda params, dt: dt, "real"),
        lambda: Var("a", "real"),
        lambda: VarRef("a", "real"),
        lambda: ExtraGlobalParam("a", "real*"),
        lambda: InputVar("a", "real"),
    ],
)
def test_types_are_checked(make: Callable[[], Any]) -> None:
    with pytest.raises(DeclarationError, match="unknown type 'real'"):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DerivedParam("a", 3.0), r"derived parameter 'a' needs a function \(params, dt\)"),
        (lambda: Var("a", "scalar", VarAccessMode.READ_ONLY), "variable 'a': access .*READ_ONLY.* is not a VarAccess"),
        (lambda: VarRef("a", "scalar", VarAccess.READ_ONLY), "reference 'a': access .* is not a VarAccessMode"),
        (lambda: ExtraGlobalParam("a", "scalar"), r"must end in '\*'"),
        (lambda: InputVar("a", "scalar", "0"), "input 'a': init must be a number, not '0'"),
        (lambda: InputVar("a", "scalar", float("nan")), "input 'a': init must be a number, not nan"),
        (lambda: InputVar("a", "scalar", True), "input 'a': init must be a number, not True"),
        (
            lambda: InputVar("a", "uint8_t", 300),
            "input 'a' is of type 'uint8_t', which holds 0 to 255; its init is 300",
        ),
        (lambda: InputVar("a", "int", 1.5), "input 'a' is of type 'int', which holds .*; its init is 1.5"),
        (lambda: InputVar("a", "unsigned int", math.inf), "input 'a' is of type 'unsigned int', .* its init is inf"),
    ],
)
def test_other_arguments_are_checked(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_access_says_what_is_writable() -> None:
    assert Var("a").writable
    assert not Var("a", access=VarAccess.READ_ONLY).writable
    assert VarRef("a").writable
    assert not VarRef("a", access=VarAccessMode.READ_ONLY).writable


def test_numbers_of_numpy_will_do() -> None:
    assert InputVar("a", "scalar", np.float32(0.5)).init == 0.5


def test_shorthand_becomes_fields() -> None:
    given = ["a", ("b", "int"), ["c", "int", VarAccess.READ_ONLY], Var("d")]
    expected = (Var("a"), Var("b", "int"), Var("c", "int", VarAccess.READ_ONLY), Var("d"))
    assert as_fields(Var, given, "here") == expected
    assert as_fields(Var, iter(given), "here") == expected
    assert as_fields(Var, (), "here") == ()


@pytest.mark.parametrize("given", ["abc", 3, {"a": 1.0}, None])
def test_shorthand_must_be_a_sequence(given: object) -> None:
    with pytest.raises(DeclarationError, match="model 'm', vars: expected a sequence, not"):
        as_fields(Var, given, "model 'm', vars")


@pytest.mark.parametrize("entry", [3, (), ("a", "int", VarAccess.READ_ONLY, "more"), None])
def test_entries_of_another_form_are_echoed(entry: object) -> None:
    with pytest.raises(DeclarationError, match=r"here: .* does not describe a Var"):
        as_fields(Var, [entry], "here")


def test_check_name_says_whose_name_it_is() -> None:
    with pytest.raises(DeclarationError, match=r"^the owl's name 'a b' is not a C identifier"):
        check_name("a b", "the owl's")
