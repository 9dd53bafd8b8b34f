"""Values are checked once for the same, and again for something else."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn.network.checked_values import checked, replaced


class Check:
    """Doubles values, and notes which."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str, value: Any) -> Any:
        self.names.append(name)
        return 2 * value


def test_what_is_checked_is_taken_as_it_is() -> None:
    check = Check()
    values = checked({"a": 1, "b": 2}, {"a": "int", "b": "int"}, check)
    assert (dict(values), check.names) == ({"a": 2, "b": 4}, ["a", "b"])
    assert checked(values, {"a": "int", "b": "int"}, check) is values
    assert check.names == ["a", "b"]


def test_what_is_new_or_for_something_else_is_checked() -> None:
    check = Check()
    values = checked({"a": 1, "b": 2, "c": 3}, dict.fromkeys("abc", "int"), check)
    check.names.clear()
    other = replaced(replaced(values, "b", 7), "d", 8)
    assert (other["b"], other["d"], values["b"]) == (7, 8, 4)
    found = checked(other, {"a": "int", "b": "int", "c": "float", "d": "int"}, check)
    assert (dict(found), check.names) == ({"a": 2, "b": 14, "c": 12, "d": 16}, ["b", "c", "d"])
    assert replaced({"a": 1}, "a", 2)["a"] == 2


def test_checked_values_are_a_mapping_that_nobody_writes_to() -> None:
    values: Any = checked({"a": 1}, {"a": "int"}, Check())
    assert (list(values), len(values), repr(values), values == {"a": 2}) == (["a"], 1, "{'a': 2}", True)
    with pytest.raises(TypeError, match="does not support item assignment"):
        values["a"] = 3
