"""Attributes that belong to another object: one owner, two places where a user finds them."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

Value = TypeVar("Value")


class Forwarded(Generic[Value]):
    """An attribute that is read from and written to an object which its instance holds, under the same name.

    Parameters
    ----------
    holder : str
        The attribute of the instance that is this object.
    """

    def __init__(self, holder: str) -> None:
        self._holder = holder

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Value:
        if instance is None:  # the class's own attribute, which help() and the like look at
            return cast("Value", self)
        return cast("Value", getattr(getattr(instance, self._holder), self._name))

    def __set__(self, instance: object, value: Value) -> None:
        setattr(getattr(instance, self._holder), self._name, value)
