"""Libraries that are not needed to train."""

from __future__ import annotations

import importlib
from typing import Any

from snnlearn.errors import MissingLibraryError

_EXTRA = {
    "h5py": "hdf5",
    "neo": "neo",
    "quantities": "neo",
    "nir": "nir",
    "tensorboard": "tensorboard",
    "sklearn": "digits",
}


def library(name: str) -> Any:
    """Import a library.

    Raises
    ------
    MissingLibraryError
        If it is not installed; names the extra.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        extra = _EXTRA[name.partition(".")[0]]
        raise MissingLibraryError(f'{name} is needed for this: pip install "snnlearn[{extra}]"') from error
