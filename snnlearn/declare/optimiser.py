"""Optimisers as values: which custom update each is, and which of its parameters a schedule changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from types import MappingProxyType
from typing import Any

from snnlearn.attributes import frozen
from snnlearn.declare.interval import Interval
from snnlearn.declare.models import CustomUpdateModel
from snnlearn.declare.types import Precision
from snnlearn.errors import TrainingError, did_you_mean

NO_BOUND = 3e38  # no weight in single precision gets past it; infinity is no literal in GeNN's code
NO_ZERO = 1e-32  # an epsilon that keeps 0/0 away and is far below any gradient; see the models
COMMON_PARAMS = {"weightDecay": 0.0, "gradientScale": 1.0, "wMin": -NO_BOUND, "wMax": NO_BOUND}


@frozen
@dataclass(frozen=True)
class Optimiser:
    """A custom update that trains, its default parameters, and what a schedule calls them.

    Parameters
    ----------
    name : str
        Unique among those that one training uses.
    model : CustomUpdateModel
        Refers to the gradient summed since the last update (the direction in which the weight should move) and to the
        weight; clears the gradient.
    params : mapping of str to float
        A value for each of the model's parameters.
    lr_param : str
        The parameter that is the learning rate.
    momentum_param, beta_param, decay_param : str, optional
        Those that are the momentum (Adam's beta1), the memory of squared gradients (RMSProp's alpha, Adam's beta2) and
        the weight decay, where there are such.
    gradient_ref, variable_ref : str
        What the model calls its references to the gradient and to the weight.
    rate_var : str, optional
        The model's own variable that is a learnt rate, as a factor of ``lr_param``, where each synapse has a rate.
    log_rate : bool
        Whether it is the factor's logarithm.
    initial : mapping of str to float
        What the model's own variables start with, where that is not 0.

    Raises
    ------
    TrainingError
        If parameters are missing or unknown, not finite or not in the interval that the model declares, the model
        does not refer to these two and nothing else, or does not have the variables that are named.
    """

    name: str
    model: CustomUpdateModel
    params: Mapping[str, float] = field(hash=False)
    lr_param: str = "lr"
    momentum_param: str | None = None
    beta_param: str | None = None
    decay_param: str | None = None
    gradient_ref: str = "m"
    variable_ref: str = "variable"
    rate_var: str | None = None
    log_rate: bool = False
    initial: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        owner = f"optimiser '{self.name}'"
        for name in ("params", "initial"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        check_params(self.model, self.params, owner)
        missing = [param.name for param in self.model.params if param.name not in self.params]
        if missing:
            raise TrainingError(f"{owner} has no value for {', '.join(missing)} of model '{self.model.name}'")
        for param in self._scheduled():
            if param not in self.params:
                raise TrainingError(f"{owner}: there is no parameter '{param}'{did_you_mean(param, self.params)}")
        if self.gradient_ref == self.variable_ref:
            raise TrainingError(f"{owner}: gradient_ref and variable_ref are both '{self.variable_ref}'")
        refs = sorted(ref.name for ref in self.model.var_refs)
        if refs != sorted((self.gradient_ref, self.variable_ref)):
            raise TrainingError(
                f"{owner}: its model must refer to '{self.gradient_ref}' and '{self.variable_ref}', not to {refs}; "
                "gradient_ref and variable_ref say what it calls the gradient and the weight"
            )
        self._check_variables(owner)

    def _check_variables(self, owner: str) -> None:
        known = [var.name for var in self.model.vars]
        for name in (*self.initial, *([self.rate_var] if self.rate_var is not None else [])):
            if name not in known:
                raise TrainingError(
                    f"{owner}: model '{self.model.name}' has no variable '{name}'{did_you_mean(name, known)}"
                )
        values: Mapping[str, Any] = self.initial
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
                raise TrainingError(f"{owner}: initial['{name}'] must be a finite number, not {value!r}")

    def __repr__(self) -> str:
        if LIBRARY.get(self.name) == self:
            return f"OPTIMISERS[{self.name!r}]"
        params = ", ".join(f"{name}={value:g}" for name, value in self.params.items())
        return f"Optimiser({self.name!r}, {self.model.name}, {params})"

    # A mapping proxy can be neither copied deeply nor pickled.
    def __reduce__(self) -> tuple[Any, ...]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {name: dict(values[name]) for name in ("params", "initial")}
        return Optimiser, tuple((values | plain).values())

    def _scheduled(self) -> tuple[str, ...]:
        params = (self.lr_param, self.momentum_param, self.beta_param, self.decay_param)
        return tuple(param for param in params if param is not None)

    @property
    def dynamic_params(self) -> tuple[str, ...]:
        """The parameters that can be changed while training: what a schedule names, and ``gradientScale``."""
        return self._scheduled() + (("gradientScale",) if "gradientScale" in self.params else ())

    def default(self, param: str | None) -> float:
        """Return a parameter's default; NaN for None, which stands for a parameter that the optimiser lacks."""
        return math.nan if param is None else self.params[param]

    def variant(self, name: str, **params: float) -> Optimiser:
        """Return the same optimiser under another name and with other defaults.

        Examples
        --------
        >>> from snnlearn.training import OPTIMISERS
        >>> OPTIMISERS["SGD"].variant("NesterovSGD", nesterov=1.0).params["nesterov"]
        1.0

        Raises
        ------
        TrainingError
            For a parameter that there is not, and for a value that is not a finite number or not in its interval.
        """
        check_params(self.model, params, f"optimiser '{name}'")
        return replace(self, name=name, params={**self.params, **params})

    def check_value(self, param: str, value: float, precision: Precision) -> None:
        """Check that a parameter can have a value in a model of this precision.

        Raises
        ------
        TrainingError
            Where it cannot, or only before it is rounded; names the nearest value that it can have.
        """
        check_params(self.model, {param: value}, f"optimiser '{self.name}'", precision)


LIBRARY: dict[str, Optimiser] = {}
"""The optimisers that `snnlearn.models` lists, by name; users see it as ``snnlearn.training.OPTIMISERS``."""

_FINITE = Interval("(-inf, inf)")


def check_params(
    model: CustomUpdateModel, params: Mapping[str, Any], owner: str, precision: Precision = "double"
) -> None:
    """Check values of an update's parameters; ``owner`` is what messages call it.

    Raises
    ------
    TrainingError
        For a parameter that there is not, and for a value that is not a finite number, or not in its interval once it
        is rounded to the precision.
    """
    known = {param.name: param for param in model.params}
    for name, value in params.items():
        if name not in known:
            raise TrainingError(f"{owner}: model '{model.name}' has no parameter '{name}'{did_you_mean(name, known)}")
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise TrainingError(f"{owner}: {name} must be a finite number, not {value!r}")
        fault = (known[name].within or _FINITE).fault(float(value), known[name].type, precision)
        if fault is not None:
            raise TrainingError(f"{owner}: {name} {fault}")
