"""Every error that snnlearn raises on purpose, under one base.

Where a built-in exception means the same thing the class derives from it as well, so that
``except ValueError`` written for PyGeNN goes on working.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ArgumentError",
    "BackendError",
    "BuildError",
    "CompilerNotFoundError",
    "DeclarationError",
    "DialectError",
    "FixedMappingError",
    "FrozenError",
    "LifecycleError",
    "ModelWarning",
    "NetworkError",
    "ObsoleteImportError",
    "ObsoleteModuleError",
    "OutputError",
    "PreferenceError",
    "SnnlearnError",
    "TargetError",
    "TargetWarning",
    "TrainingError",
    "UnknownAttributeError",
    "UnknownNameError",
]


class SnnlearnError(Exception):
    """Base of all errors raised by snnlearn; its text is meant for the user as it stands."""


class DeclarationError(SnnlearnError, ValueError):
    """A model declaration is not valid in itself (a bad name, type or duplicate)."""


class DialectError(SnnlearnError, ValueError):
    """A code string breaks the rules of the dialect; the text shows the line and a caret."""


class NetworkError(SnnlearnError, ValueError):
    """Groups, parameters, variables or references of a network do not fit together."""


class PreferenceError(SnnlearnError, ValueError):
    """A preference of ``GeNNModel`` is unknown or has a value it cannot take."""


class BackendError(SnnlearnError, ValueError):
    """An engine is unknown or cannot be used on this machine."""


class CompilerNotFoundError(SnnlearnError):
    """No compiler could be found, for C++ or for CUDA."""


class BuildError(SnnlearnError):
    """A compiler failed, or its result could not be stored or loaded.

    Attributes
    ----------
    output : str
        All that the compiler printed; may be empty.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class LifecycleError(SnnlearnError, RuntimeError):
    """A call came too early or too late: before ``load``, after ``build``, without recording."""


class UnknownAttributeError(SnnlearnError, AttributeError):
    """An object has no attribute of this name, or none that can be set; the text says which is meant or what to do."""


class FrozenError(UnknownAttributeError, dataclasses.FrozenInstanceError):
    """A declaration, an initialiser or another value was to be changed; the text says how to get another one."""


class UnknownNameError(SnnlearnError, KeyError):
    """A mapping of names, such as ``vars`` of a group, has no such name; the text says which is meant."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError's shows the text's `repr`


class FixedMappingError(SnnlearnError, TypeError):
    """An entry of a mapping of names, such as ``vars`` of a group, was to be replaced; the text says what to do."""


class ArgumentError(SnnlearnError, TypeError):
    """A function takes no argument of this name, or not as many; the text says which is meant."""


class ObsoleteImportError(SnnlearnError, ImportError):
    """A program imports a name of GeNN 4; the text says what became of it."""


class ObsoleteModuleError(ObsoleteImportError, ModuleNotFoundError):
    """A program imports a module of GeNN 4; the text says what became of what it had."""


class TrainingError(SnnlearnError, ValueError):
    """A training run is set up in a way that cannot work."""


class TargetError(SnnlearnError, ValueError):
    """A spike-train file or picture cannot serve as a target; the text gives file and line."""


class OutputError(SnnlearnError, OSError):
    """A file or folder cannot be written."""


class TargetWarning(UserWarning):
    """A spike-train file is perhaps not read as it is meant; the text says how it is read."""


class ModelWarning(UserWarning):
    """A model asks for something that GeNN lets pass and that is hardly meant."""


_FEW = 8  # names that a message may list


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the tail of a message that names the nearest known name, or lists all where they are few.

    Parameters
    ----------
    name : str
        What the user wrote.
    known : iterable of str
        What would have been right.

    Returns
    -------
    str
        ``"; did you mean 'x'?"`` (the case of letters does not count), else ``"; known: a, b"`` for up to
        eight names, ``"; there are none"`` for none and nothing for more.
    """
    choices = sorted(set(known))
    folded = {choice.casefold(): choice for choice in choices}
    near = get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{folded[near[0]]}'?"
    if not choices:
        return "; there are none"
    return f"; known: {', '.join(choices)}" if len(choices) <= _FEW else ""
