"""NIR's files: HDF5, read and written by NIR's own library."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from snnlearn.errors import ExchangeError
from snnlearn.io import atomic_write
from snnlearn.io.optional import library

_MOST_BYTES = 4_000_000_000  # of all arrays, as they are in memory
_MOST_NAMES = 1_000_000
_DEEPEST = 200


def read_graph(path: str | os.PathLike[str]) -> Any:
    """Read a graph.

    What the file says of its sizes is looked at first: compressed, a small file can hold arrays of any size.

    Raises
    ------
    ExchangeError
        If it is no file of NIR's, damaged, or too large.
    MissingLibraryError
        If ``nir`` is not installed.
    """
    nir, h5py, name = library("nir"), library("h5py"), os.fspath(path)
    try:
        with h5py.File(name, "r") as file:
            _check_sizes(name, file, h5py)
            if "node" not in file:
                raise ExchangeError(f"{name}: this is no file of NIR's: it has no 'node'")
        return nir.read(name, type_check=False)
    except ExchangeError:
        raise
    except FileNotFoundError:
        raise ExchangeError(f"{name}: there is no such file") from None
    except Exception as error:  # NIR's library raises what Python does with the values that it finds
        first = next(iter(str(error).splitlines()), "")
        raise ExchangeError(f"{name}: no NIR graph can be read: {type(error).__name__}: {first}") from error


def _check_sizes(name: str, file: Any, h5py: Any) -> None:
    """Raise an error for more than fits, and for what leads out of the file."""
    waiting, names, size = [(file, 0)], 0, 0
    while waiting:
        group, depth = waiting.pop()
        for key in group:
            names += 1
            where = f"{group.name.rstrip('/')}/{key}"
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise ExchangeError(f"{name}: '{where}' is a link, which no file of NIR's has")
            member = group[key]
            if isinstance(member, h5py.Group):
                waiting.append((member, depth + 1))
            else:
                if getattr(member, "external", None) or getattr(member, "is_virtual", False):
                    raise ExchangeError(f"{name}: '{where}' is in another file, which no file of NIR's does")
                size += int(getattr(member, "nbytes", 0))
            if names > _MOST_NAMES or size > _MOST_BYTES or depth > _DEEPEST:
                raise ExchangeError(
                    f"{name}: more than {_MOST_BYTES // 10**9} GB of numbers, {_MOST_NAMES} names or {_DEEPEST} levels "
                    "are not read"
                )


def write_graph(path: str | os.PathLike[str], graph: Any) -> None:
    """Write a graph; the file appears when it is complete.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    nir = library("nir")
    # NIR's library cannot write a number that is an array without dimensions and compressed.
    compression = None if _has_numbers(graph) else "gzip"
    with atomic_write(path, "wb") as target:
        nir.write(target, graph, compression=compression)


def _has_numbers(graph: Any) -> bool:
    inner = [node for node in graph.nodes.values() if hasattr(node, "nodes")]
    values = [value for node in graph.nodes.values() for value in vars(node).values()]
    return any(isinstance(value, np.ndarray) and not value.ndim for value in values) or any(map(_has_numbers, inner))
