"""The check of whole models: each of their code strings, in its scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from snnlearn.declare import Loss, Model, NeuronModel, ValueType, VarInitSnippet, value_type
from snnlearn.dialect.lookup import Local
from snnlearn.dialect.parser import parse_code
from snnlearn.dialect.scopes import initialiser_scopes, loss_scope, scopes_of
from snnlearn.dialect.tree import Snippet
from snnlearn.errors import DialectError

_SCALAR, _INT = value_type("scalar"), value_type("int")
_EXPRESSIONS = ("threshold_condition_code", "derivative_code", "integral_code")  # how their attributes end


@dataclass(frozen=True)
class CheckedModel:
    """A model with its code strings as typed trees.

    Attributes
    ----------
    model : Model
    snippets : mapping of str to Snippet
        By the attribute that holds the code, e.g. ``"sim_code"``; blank code is left out.
    """

    model: Model
    snippets: Mapping[str, Snippet]

    def uses(self, name: str) -> bool:
        """Whether any code string calls this function or action, or mentions this name."""
        return any(name in s.calls or name in s.names for s in self.snippets.values())


@lru_cache(maxsize=256)
def check_model(model: Model) -> CheckedModel:
    """Check every code string of a model.

    That of an initialiser is checked for a variable of type ``scalar``; code that only means something for integers,
    for one of type ``int``. See `check_initialiser`.

    Raises
    ------
    DialectError
        At the first thing outside the dialect; shows the model's name, the line and a caret.
    """
    if isinstance(model, VarInitSnippet):
        return _check_some_initialiser(model)
    scopes = scopes_of(model)
    snippets = {}
    local_variables: Mapping[str, Local] = {}
    for attribute, text in model.codes().items():
        snippet, seen = parse_code(
            text,
            scopes[attribute],
            f"model '{model.name}', {attribute}",
            expression=attribute.endswith(_EXPRESSIONS),
            outer=local_variables,
        )
        if attribute == "sim_code" and isinstance(model, NeuronModel):
            local_variables = seen
        snippets[attribute] = snippet
    return CheckedModel(model, snippets)


@lru_cache(maxsize=256)
def check_initialiser(model: VarInitSnippet, vtype: ValueType) -> CheckedModel:
    """Check an initialiser for a variable of this type, which is the type of ``value`` in its code.

    Raises
    ------
    DialectError
        As `check_model` does.
    """
    scopes = initialiser_scopes(model, vtype)
    snippets = {
        attribute: parse_code(text, scopes[attribute], f"model '{model.name}', {attribute}")[0]
        for attribute, text in model.codes().items()
    }
    return CheckedModel(model, snippets)


@lru_cache(maxsize=256)
def check_loss(model: Loss, neuron: NeuronModel) -> Snippet:
    """Check the code of a loss, without those that are added to it, for use with a neuron.

    Raises
    ------
    DialectError
        As `check_model` does.
    """
    return parse_code(model.loss_code, loss_scope(model, neuron), f"loss '{model.name}', loss_code")[0]


def _check_some_initialiser(model: VarInitSnippet) -> CheckedModel:
    try:
        return check_initialiser(model, _SCALAR)
    except DialectError as error:
        try:
            return check_initialiser(model, _INT)
        except DialectError:
            raise error from None
