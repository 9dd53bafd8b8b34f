"""What PyGeNN's ``create_*`` functions share: a declaration out of keywords, checked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from snnlearn.declare import Model
from snnlearn.dialect import check_model
from snnlearn.genn.upgrade import upgrade_code

Declared = TypeVar("Declared", bound=Model)
Fields = Sequence[Any] | None
Code = str | None
Function = Callable[..., Any] | None


def make(kind: type[Declared], name: str, **given: Any) -> Declared:
    """Return a declaration; what is None is left at its default, code in GeNN 4's syntax is brought up to date.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in a code string.
    """
    fields: dict[str, Any] = {}
    for attribute, value in given.items():
        if value is not None:
            legacy = attribute.endswith("_code") and isinstance(value, str)
            fields[attribute] = upgrade_code(value, name) if legacy else value
    model = kind(name, **fields)
    check_model(model)
    return model
