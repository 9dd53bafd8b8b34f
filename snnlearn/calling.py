"""Calls whose arguments do not fit: a typed error that names the nearest argument."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from snnlearn.errors import ArgumentError, did_you_mean

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Class = TypeVar("Class", bound=type)


def named(function: Callable[Arguments, Result], name: str = "") -> Callable[Arguments, Result]:
    """Have a function raise ArgumentError for arguments that it does not take, or lacks.

    Parameters
    ----------
    function : callable
    name : str, optional
        What messages call it; by default its name.
    """

    @wraps(function)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except TypeError:
            problem = _problem(function, name or function.__name__, args, kwargs)
            if problem is None:  # it comes from within
                raise
        raise ArgumentError(problem)

    return call


def named_arguments(cls: Class) -> Class:
    """Have a class's constructor do so, and its public methods, as far as it defines them.

    Methods of values (dataclasses) are called too often for that.
    """
    for name, member in list(vars(cls).items()):
        if name == "__init__":
            setattr(cls, name, named(member, cls.__name__))
        elif inspect.isfunction(member) and not name.startswith("_") and not is_dataclass(cls):
            setattr(cls, name, named(member, f"{cls.__name__}.{name}"))
    return cls


def _problem(function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Return what is wrong with the arguments of a call, or None where nothing is."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        known = [parameter for parameter in signature.parameters if parameter != "self"]
        unknown = [given for given in kwargs if given not in known]
        if unknown:
            return f"{name} takes no argument '{unknown[0]}'{did_you_mean(unknown[0], known)}"
        return f"{name}: {error}"
    return None
