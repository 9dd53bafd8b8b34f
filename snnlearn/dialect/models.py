"""The check of whole models: each of their code strings, in its scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from snnlearn.declare import Model, NeuronModel
from snnlearn.dialect.lookup import Local
from snnlearn.dialect.parser import parse_code
from snnlearn.dialect.scopes import scopes_of
from snnlearn.dialect.tree import Snippet


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

    Raises
    ------
    DialectError
        At the first thing outside the dialect; shows the model's name, the line and a caret.
    """
    scopes = scopes_of(model)
    snippets = {}
    local_variables: Mapping[str, Local] = {}
    for attribute, text in model.codes().items():
        snippet, seen = parse_code(
            text,
            scopes[attribute],
            f"model '{model.name}', {attribute}",
            expression=attribute.endswith("threshold_condition_code"),
            outer=local_variables,
        )
        if attribute == "sim_code" and isinstance(model, NeuronModel):
            local_variables = seen
        snippets[attribute] = snippet
    return CheckedModel(model, snippets)
