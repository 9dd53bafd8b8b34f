"""Runs that last: a folder for each, with its curve, its checkpoints, and all that another run like it needs."""

from snnlearn.runs.folder import RunFolder, read_run
from snnlearn.runs.interruption import Interruption
from snnlearn.runs.keeper import Keeper
from snnlearn.runs.options import add_options, as_arguments, parse_arguments
from snnlearn.runs.run import Run, begin, resume
from snnlearn.runs.watch import Watch

__all__ = [
    "Interruption",
    "Keeper",
    "Run",
    "RunFolder",
    "Watch",
    "add_options",
    "as_arguments",
    "begin",
    "parse_arguments",
    "read_run",
    "resume",
]
