"""The parameters of several models as those of one: under names of their own, with what is derived from them."""

from __future__ import annotations

from collections.abc import Iterable

from snnlearn.declare import DerivedParam, Model, Param
from snnlearn.errors import GradientError
from snnlearn.grad.constants import Renamed


class RenamedParams:
    """Parameters and derived parameters of the models that take part in derived code."""

    def __init__(self) -> None:
        self._models: list[tuple[str, tuple[Param, ...], tuple[DerivedParam, ...]]] = []

    @property
    def names(self) -> frozenset[str]:
        """All their names in derived code."""
        return frozenset(name for prefix, own, computed in self._models for name in _names(prefix, own, computed))

    def add(self, prefix: str, model: Model) -> None:
        """Add a model's, whose names in derived code begin with a prefix.

        Raises
        ------
        GradientError
            For a name that another has already.
        """
        twice = self.names.intersection(_names(prefix, model.params, model.derived_params))
        if twice:
            raise GradientError(
                f"'{min(twice)}' would be a parameter of {model.name} and of another model in derived code; choose "
                "another name"
            )
        self._models.append((prefix, tuple(model.params), tuple(model.derived_params)))

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
        mentioned = frozenset(names) - taken
        params: list[Param] = []
        derived: list[DerivedParam] = []
        for prefix, own, computed in self._models:
            wanted = [d for d in computed if prefix + d.name in mentioned]
            for p in own:
                name = prefix + p.name
                if (wanted or name in mentioned) and name not in taken:
                    params.append(Param(name, p.type, p.within))
            plain = tuple((p.name, prefix + p.name) for p in own)
            derived += [DerivedParam(prefix + d.name, Renamed(d.func, plain), d.type) for d in wanted]
        return params, derived


def _names(prefix: str, params: Iterable[Param], derived: Iterable[DerivedParam]) -> list[str]:
    return [*(prefix + p.name for p in params), *(prefix + d.name for d in derived)]
