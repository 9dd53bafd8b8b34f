"""The optimisers of the library by name, and how one is added to a network."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import snnlearn.models  # noqa: F401 - it lists the optimisers
from snnlearn.declare import Precision
from snnlearn.declare.optimiser import LIBRARY, Optimiser, check_params
from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.training.engine import CustomUpdateApi, ModelApi


def precision_of(model: ModelApi) -> Precision:
    """Return the precision of a model, of any engine."""
    found: Any = model.precision
    precision: Precision = getattr(model, "scalar_precision", found)
    return precision


OPTIMISERS: Mapping[str, Optimiser] = MappingProxyType(LIBRARY)
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
    check_params(rule.model, params, f"optimiser '{rule.name}' of '{name}'", precision_of(model))
    update = model.add_custom_update(
        name,
        group,
        rule.model,
        params,
        {var.name: rule.initial.get(var.name, 0.0) for var in rule.model.vars},
        {rule.gradient_ref: gradient_ref, rule.variable_ref: variable_ref},
    )
    for param in rule.dynamic_params:
        update.set_param_dynamic(param)
    return update
