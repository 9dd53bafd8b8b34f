"""What Python's import system is told: names of GeNN 4 cannot be imported, and which version of PyGeNN this is."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from snnlearn.errors import ObsoleteImportError, ObsoleteModuleError, UnknownAttributeError, did_you_mean
from snnlearn.genn import obsolete

_PACKAGES = ("snnlearn.genn", "pygenn")
_HOLDERS = frozenset(package + module for package in _PACKAGES for module in ("", ".genn_model"))


class _ObsoleteNames(MetaPathFinder):
    """Refuses ``import pygenn.genn_wrapper`` and ``from pygenn import create_custom_neuron_class`` with what to write.

    Python asks a package's finders for names that it does not have. Only names of GeNN 4 are refused here, and only
    where no other finder knows the module.
    """

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Raise ObsoleteImportError for a name of GeNN 4; find nothing."""
        holder, _, name = fullname.rpartition(".")
        if holder not in _HOLDERS:
            return
        text = obsolete.explain(name, obsolete.FUNCTIONS)
        if text is not None:
            raise ObsoleteImportError(f"cannot import '{name}': {text}", name=name)
        if name in obsolete.MODULES:
            raise ObsoleteModuleError(f"cannot import '{name}': {obsolete.MODULES[name]}", name=name)


class _Distribution(importlib.metadata.Distribution):
    """PyGeNN as ``importlib.metadata`` sees it."""

    def __init__(self, version: str) -> None:
        self._text = f"Metadata-Version: 2.1\nName: pygenn\nVersion: {version}\nSummary: snnlearn in PyGeNN's place\n"

    def read_text(self, filename: str) -> str | None:
        """Return the metadata; there are no other files."""
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Path:
        """Return where a file would be: beside this one."""
        return Path(__file__).parent / str(path)


class _Version(MetaPathFinder):
    """Answers ``importlib.metadata.version("pygenn")``, before any PyGeNN that is installed."""

    def __init__(self, version: str) -> None:
        self._distribution = _Distribution(version)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Find no modules."""

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        """Yield PyGeNN where it or all are asked for."""
        name = getattr(context, "name", None)
        if name is None or name.casefold() == "pygenn":
            yield self._distribution


def refuse_obsolete_names() -> None:
    """Have imports of GeNN 4's names say what became of them."""
    if not any(isinstance(finder, _ObsoleteNames) for finder in sys.meta_path):
        sys.meta_path.append(_ObsoleteNames())


def announce_version(version: str) -> None:
    """Have ``importlib.metadata`` say that this version of PyGeNN is installed."""
    if not any(isinstance(finder, _Version) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Version(version))


def missing_names(module: str, known: Callable[[], Iterable[str]]) -> Callable[[str], NoReturn]:
    """Return a module's ``__getattr__``, which says what became of a name, or which one is meant."""

    def get(name: str) -> NoReturn:
        text = obsolete.explain(name, obsolete.FUNCTIONS) or obsolete.MODULES.get(name)
        if text is not None:
            raise UnknownAttributeError(f"{module}.{name}: {text}")
        hint = "" if name.startswith("_") else did_you_mean(name, known())
        raise UnknownAttributeError(f"module '{module}' has no attribute '{name}'{hint}")

    return get
