"""Every error that snnlearn raises on purpose, under one base.

Where a built-in exception means the same thing the class derives from it as well, so that
``except ValueError`` written for PyGeNN goes on working.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = [
    "ArgumentError",
    "BackendError",
    "BuildError",
    "CheckpointError",
    "CompilerNotFoundError",
    "DeclarationError",
    "DialectError",
    "ExchangeError",
    "FixedMappingError",
    "FrozenError",
    "GradientError",
    "GradientWarning",
    "LifecycleError",
    "MissingLibraryError",
    "MissingTorchError",
    "MissingTorchOptError",
    "ModelWarning",
    "NetworkError",
    "ObsoleteImportError",
    "ObsoleteModuleError",
    "OutputError",
    "PlanError",
    "PreferenceError",
    "RunError",
    "SnnlearnError",
    "StateError",
    "TargetError",
    "TargetWarning",
    "TorchError",
    "TrainingError",
    "TrainingWarning",
    "UnknownAttributeError",
    "UnknownNameError",
]


class SnnlearnError(Exception):
    """Base of all errors of snnlearn; the message is written for users, its lines cut to some 500 characters."""

    def __init__(self, *args: object, **more: Any) -> None:
        super().__init__(*(shortened(a) if isinstance(a, str) else a for a in args), **more)


class DeclarationError(SnnlearnError, ValueError):
    """A model declaration is not valid in itself (a bad name, type or duplicate)."""


class DialectError(SnnlearnError, ValueError):
    """An invalid code string; the message shows the line and a caret."""


class NetworkError(SnnlearnError, ValueError):
    """Groups, parameters, variables or references of a network do not fit together."""


class GradientError(SnnlearnError, ValueError):
    """What has no derivative, or no learning rule; the message shows the code, where it comes from a code string."""


class PreferenceError(SnnlearnError, ValueError):
    """A preference of ``GeNNModel`` is unknown or has a value it cannot take."""


class PlanError(SnnlearnError):
    """A plan, or a loop nest made of one, contradicts itself: a fault of snnlearn's own, not of a model."""


class BackendError(SnnlearnError, ValueError):
    """An engine is unknown or cannot be used on this machine."""


class CompilerNotFoundError(SnnlearnError):
    """No compiler could be found, for C++ or for CUDA."""


class BuildError(SnnlearnError):
    """A compiler failed, or its result could not be stored or loaded.

    Attributes
    ----------
    output : str
        The compiler's output; may be empty.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class LifecycleError(SnnlearnError, RuntimeError):
    """A call came too early or too late: before ``load``, after ``build``, without recording."""


class UnknownAttributeError(SnnlearnError, AttributeError):
    """An unknown or read-only attribute; the message names the nearest one, or the right way to set it."""


class FrozenError(UnknownAttributeError, dataclasses.FrozenInstanceError):
    """Assignment to an attribute of an immutable value; the message says how to make a changed copy."""


class UnknownNameError(SnnlearnError, KeyError):
    """An unknown key of a mapping, such as ``vars`` of a group; the message names the nearest one."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError's shows the text's `repr`


class FixedMappingError(SnnlearnError, TypeError):
    """Assignment to an entry of a read-only mapping, such as ``vars`` of a group; the message names the alternative."""


class ArgumentError(SnnlearnError, TypeError):
    """An unknown argument, or a wrong number of arguments; the message names the nearest one."""


class ObsoleteImportError(SnnlearnError, ImportError):
    """Import of a name of GeNN 4; the message names the replacement."""


class ObsoleteModuleError(ObsoleteImportError, ModuleNotFoundError):
    """Import of a module of GeNN 4; the message names the replacements of its contents."""


class TrainingError(SnnlearnError, ValueError):
    """An invalid set-up of a training."""


class CheckpointError(TrainingError):
    """A file that is no checkpoint, is damaged, or holds values that its network cannot have."""


class RunError(TrainingError):
    """A run folder that cannot be used as was asked: it holds another run, is in use, or is none."""


class TargetError(SnnlearnError, ValueError):
    """A spike-train file or picture that cannot serve as a target; the message gives file and line."""


class ExchangeError(SnnlearnError, ValueError):
    """What another program wrote, or is to read, does not fit; the message gives the file and, of text, the line."""


class MissingLibraryError(SnnlearnError, ImportError):
    """An optional library is not installed; the message says how to install it."""


class OutputError(SnnlearnError, OSError):
    """A file or folder cannot be written."""


class TorchError(SnnlearnError, ValueError):
    """What has no counterpart in PyTorch; the message names the model and says why."""


class MissingTorchError(SnnlearnError, ImportError):
    """PyTorch is not installed; the message says how to install it."""


class MissingTorchOptError(SnnlearnError, ImportError):
    """TorchOpt is not installed; the message says how to install it."""


class StateError(SnnlearnError, ValueError):
    """An extracted state that cannot be put back: of another network, or overwritten; the message names a variable."""


class TargetWarning(UserWarning):
    """A spike-train file whose ids may count from 0 or from 1; the message says which was assumed."""


class TrainingWarning(UserWarning):
    """A training that goes on and may not be what is wanted: weights at their bounds, a layer without spikes."""


class GradientWarning(UserWarning):
    """A derivative leaves something out that a model does; the message shows the code."""


class ModelWarning(UserWarning):
    """A model that GeNN accepts and that is probably wrong."""


_WIDEST, _MOST_LINES = 500, 24  # of a message
_BEGINNING = 350  # of a line that is cut, in characters
_FEW = 8  # names that a message may list


def shortened(text: str) -> str:
    """Return a message of which a screen has room for each line, whatever a user has put into it."""
    if len(text) <= _WIDEST:
        return text
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"… and {len(lines) - _MOST_LINES + 1} more lines"]
    return "\n".join(_cut(line) for line in lines)


def _cut(line: str) -> str:
    if len(line) <= _WIDEST:
        return line
    return f"{line[:_BEGINNING]} … {line[_BEGINNING + 3 - _WIDEST :]}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message: the nearest known name, or all names if there are few.

    Parameters
    ----------
    name : str
        What the user wrote.
    known : iterable of str
        The valid names.

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
