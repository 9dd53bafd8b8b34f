"""PyGeNN's way to ask a model what it declares: ``model.get_vars()`` for ``model.vars``, and so on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_OTHER_NAMES = {
    "var_init_code": "get_code",
    "calc_max_row_len_func": "get_calc_max_row_length_func",
    "calc_max_col_len_func": "get_calc_max_col_length_func",
    "auto_refractory_required": "is_auto_refractory_required",
}


class Accessors:
    """Gives each class that derives from it a function ``get_<field>`` for each field that it declares."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for field in vars(cls).get("__annotations__", {}):
            setattr(cls, getter_of(field), _getter(field))


def getter_of(field: str) -> str:
    """Return the name of the function that gives a field."""
    return _OTHER_NAMES.get(field, f"get_{field}")


def _getter(field: str) -> Callable[[Any], Any]:
    def get(self: Any) -> Any:
        value = getattr(self, field)
        return list(value) if isinstance(value, tuple) else value

    get.__doc__ = f"Return ``{field}``; PyGeNN's sequences are lists."
    return get
