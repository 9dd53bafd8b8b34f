"""PyGeNN's way to ask a model what it declares: ``model.get_vars()`` for ``model.vars``, and so on.

The classes of models are `snnlearn.declare`'s, which knows nothing of this. When `snnlearn.genn` is imported,
`offer_accessors` gives them the functions, and lets classes of the user's that derive from them override these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from snnlearn import declare
from snnlearn.declare import Model, SparseConnectInitSnippet

_KINDS = tuple(kind for kind in vars(declare).values() if isinstance(kind, type) and issubclass(kind, Model))
_OTHER_NAMES = {
    "var_init_code": "get_code",
    "calc_max_row_len_func": "get_calc_max_row_length_func",
    "calc_max_col_len_func": "get_calc_max_col_length_func",
    "auto_refractory_required": "is_auto_refractory_required",
}


def offer_accessors() -> None:
    """Give each class of models a function ``get_<field>`` for each of its fields."""
    for kind in _KINDS:
        for field in fields(kind):
            setattr(kind, _accessor_of(field.name), _accessor(field.name))
    SparseConnectInitSnippet.get_host_init_code = _no_code  # type: ignore[attr-defined]
    Model.read_field = _read_field  # type: ignore[method-assign]


def _accessor_of(field: str) -> str:
    """Return the name of the function that gives a field."""
    return _OTHER_NAMES.get(field, f"get_{field}")


def _accessor(field: str) -> Callable[[Any], Any]:
    def get(self: Any) -> Any:
        value = getattr(self, field)
        return list(value) if isinstance(value, tuple) else value

    get.__doc__ = f"Return ``{field}``; PyGeNN's sequences are lists."
    return get


def _no_code(self: SparseConnectInitSnippet) -> str:
    """Return PyGeNN's code that makes extra global parameters: none, ``host_init_func`` does it."""
    return ""


def _read_field(self: Model, field: str) -> Any:
    """Return what a model declares in a field: in a function of the user's class, or as given to its constructor."""
    accessor = _accessor_of(field)
    if getattr(type(self), accessor, None) is not getattr(self.kind, accessor, None):  # PyGeNN has not all kinds
        return getattr(self, accessor)()
    return getattr(self, field)
