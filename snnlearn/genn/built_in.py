"""The built-in models as PyGeNN's modules show them: ``neuron_models.LIF()`` returns the model of that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from snnlearn.declare import Model
from snnlearn.errors import DeclarationError, UnknownAttributeError
from snnlearn.genn import obsolete
from snnlearn.models import ALL, find

AnyModel = TypeVar("AnyModel", bound=Model)


class Makers(Generic[AnyModel]):
    """Functions by name, each of which returns a model of one kind."""

    def __init__(self, kind: type[AnyModel]) -> None:
        self._kind = kind

    def __getitem__(self, name: str) -> Callable[[], AnyModel]:
        """Return the function of this name; AttributeError, as a module has it, where there is none."""
        try:
            model = find(self._kind, name)
        except DeclarationError as error:
            text = obsolete.explain(name, obsolete.BUILT_IN_MODELS)
            raise UnknownAttributeError(f"{error}: {text}" if text else str(error)) from None
        return lambda: model

    def names(self) -> list[str]:
        """Return the names of all models of the kind."""
        return sorted(model.name for model in ALL if isinstance(model, self._kind))
