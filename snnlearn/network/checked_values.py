"""Values by name that know what they have been checked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any


class CheckedValues(Mapping[str, Any]):
    """Values by name, each checked, and copied, once: a description that is replaced takes them over as they are.

    Parameters
    ----------
    values : mapping by name
    checked_for : mapping by name
        What each value has been checked for; a value that is not in it is yet to be checked.
    """

    __slots__ = ("_checked_for", "_values")

    def __init__(self, values: Mapping[str, Any], checked_for: Mapping[str, Hashable]) -> None:
        self._values, self._checked_for = values, checked_for

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(dict(self._values))

    @property
    def checked_for(self) -> Mapping[str, Hashable]:
        """What each value has been checked for."""
        return self._checked_for


def checked(
    given: Mapping[str, Any], needed: Mapping[str, Hashable], check: Callable[[str, Any], Any]
) -> CheckedValues:
    """Return checked values: those given, where they have been checked for the same.

    Parameters
    ----------
    given : mapping by name
    needed : mapping by name
        What each value is checked for.
    check : callable
        Returns the checked value for a name and a value.
    """
    if not isinstance(given, CheckedValues):
        return CheckedValues({name: check(name, given[name]) for name in needed}, needed)
    known = given.checked_for
    if known == needed:
        return given
    values = {n: given[n] if n in known and known[n] == what else check(n, given[n]) for n, what in needed.items()}
    return CheckedValues(values, needed)


def replaced(values: Mapping[str, Any], name: str, value: Any) -> CheckedValues:
    """Return values with another, which is yet to be checked, in the place of one or beside them."""
    known = values.checked_for if isinstance(values, CheckedValues) else {}
    return CheckedValues({**values, name: value}, {other: what for other, what in known.items() if other != name})
