"""The table of optimisers: which custom update each is, and which of its parameters a schedule changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from types import MappingProxyType
from typing import Any

from snnlearn.attributes import frozen
from snnlearn.declare import CustomUpdateModel, Interval, Precision
from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.models import SGD, Adam, AdamW, RMaxPropScheduled, RMSProp
from snnlearn.training.engine import CustomUpdateApi, ModelApi

_NO_BOUND = 3e38  # no weight in single precision gets past it; infinity is no literal in GeNN's code
_NO_ZERO = 1e-32  # keeps 0/0 away and is far below any gradient; see the models
_COMMON = {"weightDecay": 0.0, "gradientScale": 1.0, "wMin": -_NO_BOUND, "wMax": _NO_BOUND}


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
        weight; clears the gradient. Its own variables are all 0 at first.
    params : mapping of str to float
        A value for each of the model's parameters.
    lr_param : str
        The parameter that is the learning rate.
    momentum_param, beta_param, decay_param : str, optional
        Those that are the momentum (Adam's beta1), the memory of squared gradients (RMSProp's alpha, Adam's beta2) and
        the weight decay, where there are such.
    gradient_ref, variable_ref : str
        What the model calls its references to the gradient and to the weight.

    Raises
    ------
    TrainingError
        If parameters are missing or unknown, not finite or not in the interval that the model declares, or the model
        does not refer to these two and nothing else.
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

    def __post_init__(self) -> None:
        owner = f"optimiser '{self.name}'"
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))
        _check_params(self.model, self.params, owner)
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

    def __repr__(self) -> str:
        if OPTIMISERS.get(self.name) == self:
            return f"OPTIMISERS[{self.name!r}]"
        params = ", ".join(f"{name}={value:g}" for name, value in self.params.items())
        return f"Optimiser({self.name!r}, {self.model.name}, {params})"

    # A mapping proxy can be neither copied deeply nor pickled.
    def __reduce__(self) -> tuple[Any, ...]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Optimiser, tuple((values | {"params": dict(self.params)}).values())

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
        >>> OPTIMISERS["SGD"].variant("NesterovSGD", nesterov=1.0).params["nesterov"]
        1.0

        Raises
        ------
        TrainingError
            For a parameter that there is not, and for a value that is not a finite number or not in its interval.
        """
        _check_params(self.model, params, f"optimiser '{name}'")
        return replace(self, name=name, params={**self.params, **params})

    def check_value(self, param: str, value: float, precision: Precision) -> None:
        """Check that a parameter can have a value in a model of this precision.

        Raises
        ------
        TrainingError
            Where it cannot, or only before it is rounded; names the nearest value that it can have.
        """
        _check_params(self.model, {param: value}, f"optimiser '{self.name}'", precision)


_FINITE = Interval("(-inf, inf)")


def _check_params(
    model: CustomUpdateModel, params: Mapping[str, Any], owner: str, precision: Precision = "double"
) -> None:
    known = {param.name: param for param in model.params}
    for name, value in params.items():
        if name not in known:
            raise TrainingError(f"{owner}: model '{model.name}' has no parameter '{name}'{did_you_mean(name, known)}")
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise TrainingError(f"{owner}: {name} must be a finite number, not {value!r}")
        fault = (known[name].within or _FINITE).fault(float(value), known[name].type, precision)
        if fault is not None:
            raise TrainingError(f"{owner}: {name} {fault}")


def precision_of(model: ModelApi) -> Precision:
    """Return the precision of a model, of any engine."""
    found: Any = model.precision
    precision: Precision = getattr(model, "scalar_precision", found)
    return precision


_TABLE = (
    Optimiser(
        "SGD",
        SGD,
        {"lr": 0.01, "momentum": 0.9, "nesterov": 0.0, **_COMMON},
        momentum_param="momentum",
        decay_param="weightDecay",
    ),
    Optimiser(
        "RMSProp",
        RMSProp,
        {"lr": 0.001, "momentum": 0.0, "beta": 0.9, "epsilon": _NO_ZERO, **_COMMON},
        momentum_param="momentum",
        beta_param="beta",
        decay_param="weightDecay",
    ),
    *(
        Optimiser(
            model.name,
            model,
            {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": _NO_ZERO, **_COMMON},
            momentum_param="beta1",
            beta_param="beta2",
            decay_param="weightDecay",
        )
        for model in (Adam, AdamW)
    ),
    # Its rate and memory are SuperSpike's: r0 = 1, and tauRMS = 30 s at an update every 500 ms.
    Optimiser(
        "RMaxProp",
        RMaxPropScheduled,
        {"lr": 1.0, "beta": math.exp(-0.5 / 30.0), "epsilon": _NO_ZERO, **_COMMON},
        beta_param="beta",
        decay_param="weightDecay",
    ),
)

OPTIMISERS: Mapping[str, Optimiser] = MappingProxyType({optimiser.name: optimiser for optimiser in _TABLE})
"""All optimisers, by name."""


def resolve_optimiser(optimiser: str | Optimiser) -> Optimiser:
    """Return the optimiser of this name; an `Optimiser` as it is.

    Raises
    ------
    TrainingError
        If there is none of that name; names the nearest.
    """
    if isinstance(optimiser, Optimiser):
        return optimiser
    if not isinstance(optimiser, str):
        raise TrainingError(f"an optimiser is a name or an Optimiser, not {optimiser!r}")
    if optimiser not in OPTIMISERS:
        raise TrainingError(f"there is no optimiser '{optimiser}'{did_you_mean(optimiser, OPTIMISERS)}")
    return OPTIMISERS[optimiser]


def attach(
    model: ModelApi,
    optimiser: str | Optimiser,
    name: str,
    group: str,
    gradient_ref: Any,
    variable_ref: Any,
    overrides: Mapping[str, float] | None = None,
) -> CustomUpdateApi:
    """Add an optimiser for one connection to a model that is not built yet.

    Parameters
    ----------
    model : GeNNModel
        Of any engine with PyGeNN's API.
    optimiser : str or Optimiser
    name, group : str
        Of the custom update, and of the group that runs it.
    gradient_ref, variable_ref : references
        To the summed gradient and to the weight, from the engine's ``create_wu_var_ref``. Where ``variable_ref`` was
        made with a transpose, the connection in the opposite direction follows each update.
    overrides : mapping of str to float, optional
        Parameters that are not to have the optimiser's defaults: ``gradientScale``, ``wMin`` and ``wMax``, say.

    Returns
    -------
    CustomUpdate
        Its `Optimiser.dynamic_params` can be set once the model is loaded.

    Raises
    ------
    TrainingError
        For an unknown optimiser, for an override that is unknown or not a finite number, and for a parameter that the
        model's precision takes out of its interval.
    """
    rule = resolve_optimiser(optimiser)
    params = {**rule.params, **(overrides or {})}
    _check_params(rule.model, params, f"optimiser '{rule.name}' of '{name}'", precision_of(model))
    update = model.add_custom_update(
        name,
        group,
        rule.model,
        params,
        {var.name: 0.0 for var in rule.model.vars},
        {rule.gradient_ref: gradient_ref, rule.variable_ref: variable_ref},
    )
    for param in rule.dynamic_params:
        update.set_param_dynamic(param)
    return update
