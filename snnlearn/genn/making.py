"""What PyGeNN's ``create_*`` functions share: a declaration out of their arguments, checked at once."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from snnlearn.declare import Model
from snnlearn.dialect import check_model
from snnlearn.genn.upgrade import upgrade_code

Declared = TypeVar("Declared", bound=Model)
Fields = Sequence[Any] | None
Code = str | None
Function = Callable[..., Any] | None

# Arguments under the names that they had before, where these are no fields of the declaration.
_RENAMED = {
    "param_names": "params",
    "var_name_types": "vars",
    "pre_var_name_types": "pre_vars",
    "post_var_name_types": "post_vars",
    "sim_code": "pre_spike_syn_code",
    "event_code": "pre_event_syn_code",
    "learn_post_code": "post_spike_syn_code",
    "event_threshold_condition_code": "pre_event_threshold_condition_code",
}


def make(kind: type[Declared], arguments: Mapping[str, Any]) -> Declared:
    """Return a declaration; what is None is left at its default, code in GeNN 4's syntax is brought up to date.

    Parameters
    ----------
    kind : type
    arguments : mapping of str to value
        All that a ``create_*`` function was given, by name: ``class_name``, and the declaration's fields, of which one
        that is given under its former name takes the place of the other, with a warning at the caller's line.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in a code string.
    """
    name = arguments["class_name"]
    declared = {field.name for field in dataclasses.fields(kind)}
    given = {argument: value for argument, value in arguments.items() if value is not None}
    fields = {argument: value for argument, value in given.items() if argument in declared}
    for before in (argument for argument in given if argument not in declared and argument != "class_name"):
        now = _RENAMED[before]
        warnings.warn(f"the argument '{before}' is called '{now}' now", FutureWarning, stacklevel=4)
        fields[now] = given[before]
    for attribute, value in fields.items():
        if attribute.endswith("_code") and isinstance(value, str):
            fields[attribute] = upgrade_code(value, name)
    model = kind(name, **fields)
    check_model(model)
    return model
