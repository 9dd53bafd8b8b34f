"""PyGeNN's way to ask a model what it declares: ``model.get_vars()`` for ``model.vars``, and so on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_OTHER_NAMES = {
    "get_code": "var_init_code",
    "get_calc_max_row_length_func": "calc_max_row_len_func",
    "get_calc_max_col_length_func": "calc_max_col_len_func",
    "is_auto_refractory_required": "auto_refractory_required",
}


class Accessors:
    """Functions named ``get_<field>``, one for each field of a declaration."""

    def __getattr__(self, name: str) -> Callable[[], Any]:
        attribute = _OTHER_NAMES.get(name, name.removeprefix("get_"))
        if attribute == name or attribute not in type(self).__dataclass_fields__:  # type: ignore[attr-defined]
            raise AttributeError(f"{type(self).__name__} has no attribute '{name}'")
        value = getattr(self, attribute)
        return lambda: list(value) if isinstance(value, tuple) else value
