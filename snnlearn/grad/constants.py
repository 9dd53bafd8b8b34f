"""Parameters and derived parameters of several declarations as those of one, each under a name of its own."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from snnlearn.declare import DerivedParam, Model, Param
from snnlearn.errors import GradientError
from snnlearn.grad.step import Constant

_KINDS = ("params", "derived_params")


@dataclass(frozen=True)
class Renamed:
    """A derived parameter's function, which reads parameters under other names.

    Attributes
    ----------
    func : callable
    names : tuple of (str, str)
        What each parameter is called by the function, and where it is now.
    """

    func: Callable[[Mapping[str, float], float], float]
    names: tuple[tuple[str, str], ...]

    def __call__(self, params: Mapping[str, float], dt: float) -> float:
        """Return the derived parameter's value."""
        return self.func({own: params[there] for own, there in self.names}, dt)


def add_constants(constants: dict[str, Constant], taken: set[str], model: Model, prefix: str = "") -> dict[str, str]:
    """Add a model's parameters to constants; return what each is called there.

    A name begins with the prefix. One that is taken already begins with the model's name.
    """
    names = {}
    part = f"{model.name} {len(taken)}"
    for kind in _KINDS:
        for x in getattr(model, kind):
            name = prefix + x.name if prefix + x.name not in taken else f"{model.name}_{x.name}"
            while name in taken:
                name += "_"
            taken.add(name)
            constants[name] = Constant(model, kind, x.name, part)  # type: ignore[arg-type]
            names[x.name] = name
    return names


def with_params(
    constants: Mapping[str, Constant], used: Collection[str], values: Mapping[str, float]
) -> dict[str, Constant]:
    """Return the constants that code uses, with the parameters that derived ones are made of."""
    found = {name: constants[name] for name in constants if name in used}
    for constant in list(found.values()):
        if constant.kind == "derived_params":
            there = _params_of(constants, constant)
            read = _parameters_read(constant, there, values)
            found |= {new: constants[new] for own, new in there.items() if own in read}
    return {name: constants[name] for name in constants if name in found}


def params_of(constants: Mapping[str, Constant]) -> tuple[tuple[Param, ...], tuple[DerivedParam, ...]]:
    """Return constants as fields of a declaration."""
    params = [replace(_field(c), name=name) for name, c in constants.items() if c.kind == "params"]
    derived = []
    for name, c in constants.items():
        if c.kind == "derived_params":
            there = _params_of(constants, c)
            names = tuple(there.items())
            field = _field(c)
            moved = any(own != new for own, new in names)
            derived.append(replace(field, name=name, func=Renamed(field.func, names) if moved else field.func))
    return tuple(params), tuple(derived)


def values_of(constants: Mapping[str, Constant], params: Mapping[str, float], dt: float | None) -> dict[str, float]:
    """Return the values of constants that can be known: of parameters as given, of derived ones where dt [ms] is."""
    known = {name: float(v) for name, v in params.items() if name in constants}
    if dt is None:
        return known
    for name, c in constants.items():
        there = _params_of(constants, c)
        if c.kind == "derived_params" and all(new in known for new in there.values()):
            value = float(_field(c).func({own: known[new] for own, new in there.items()}, dt))
            if math.isfinite(value):
                known[name] = value
    return known | {"dt": dt}


class RenamedParams:
    """Parameters and derived parameters of the models that take part in derived code.

    Attributes
    ----------
    constants : dict of str to Constant
        By their names in derived code.
    """

    def __init__(self) -> None:
        self.constants: dict[str, Constant] = {}
        self._taken: set[str] = set()

    def reserve(self, names: Iterable[str]) -> None:
        """Have no model that is added from now on take these names."""
        self._taken |= {*names}

    @property
    def names(self) -> frozenset[str]:
        """All their names in derived code."""
        return frozenset(self.constants)

    def take(self, constants: Mapping[str, Constant]) -> None:
        """Add parameters and derived parameters that have names already."""
        self.constants.update({name: c for name, c in constants.items() if c.kind in _KINDS})
        self._taken |= {*constants}

    def add(self, prefix: str, model: Model) -> dict[str, str]:
        """Add a model's, whose names in derived code begin with a prefix; return those by its own."""
        return add_constants(self.constants, self._taken, model, prefix)

    def widen(self, model: Model, wider: Model) -> None:
        """Let another model, with further derived parameters, take the place of one that was added without a prefix."""
        own = {name: c for name, c in self.constants.items() if c.model is model}
        part = next((c.part for c in own.values()), model.name)
        self.constants |= {name: replace(c, model=wider) for name, c in own.items()}
        more = (d.name for d in wider.derived_params if d.name not in self.constants)
        self.constants |= {name: Constant(wider, "derived_params", name, part) for name in more}

    def used_in(
        self, names: Iterable[str], taken: frozenset[str] = frozenset()
    ) -> tuple[list[Param], list[DerivedParam]]:
        """Return the parameters and derived parameters that code needs.

        Parameters
        ----------
        names : iterable of str
            All that the code mentions.
        taken : frozenset of str
            What need not be declared again.
        """
        found = with_params(self.constants, frozenset(names) - taken, {})
        params, derived = params_of(found)
        return [p for p in params if p.name not in taken], [d for d in derived if d.name not in taken]


def given_to(constant: Constant, params: Mapping[str, float]) -> float | None:
    """Return a parameter's value among those given by name, or by the model's name and its own, as in ``Level_tau``."""
    for name in (f"{constant.model.name}_{constant.name}", constant.name):
        if name in params:
            return float(params[name])
    return None


def _field(constant: Constant) -> Any:
    return next(x for x in getattr(constant.model, constant.kind) if x.name == constant.name)


def _params_of(constants: Mapping[str, Constant], of: Constant) -> dict[str, str]:
    """Return what the parameters of a constant's model are called."""
    same = {name: c for name, c in constants.items() if c.model is of.model and c.part == of.part}
    return {c.name: name for name, c in same.items() if c.kind == "params"}


class _Reading(dict[str, float]):
    """Parameters that note which of them are read."""

    def __init__(self, values: Mapping[str, float]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> float:
        self.read.add(key)
        return super().__getitem__(key)


def _parameters_read(constant: Constant, there: Mapping[str, str], values: Mapping[str, float]) -> frozenset[str]:
    """Return which parameters a derived one is made of: all, where that depends on values that are not known."""
    # Any numbers do for parameters that turn out not to be read.
    reading = _Reading({own: values.get(new, 1.5 + 0.25 * i) for i, (own, new) in enumerate(there.items())})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _field(constant).func(reading, 1.0)
    except (ArithmeticError, ValueError, TypeError, GradientError):
        return frozenset(there)
    known = {own for own, new in there.items() if new in values}
    return frozenset(reading.read if reading.read <= known else there)
