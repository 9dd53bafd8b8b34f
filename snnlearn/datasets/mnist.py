"""MNIST and data sets in its format: IDX files of images and labels (LeCun et al. 1998)."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError
from snnlearn.exchange.text import read_bytes

_BYTES = 8  # the type of an element: unsigned bytes


def read_mnist(
    images: str | os.PathLike[str], labels: str | os.PathLike[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read images and their labels.

    Parameters
    ----------
    images, labels : path-like
        IDX files, ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, packed (``.gz``) or not; of MNIST,
        Fashion-MNIST, KMNIST, EMNIST.

    Returns
    -------
    images : ndarray of float64, shape (num_examples, rows, columns)
        Brightness from 0 to 1.
    labels : ndarray of int64, shape (num_examples,)

    Raises
    ------
    ExchangeError
        If a file cannot be read, is no such file, or their lengths differ.
    """
    pixels, classes = _idx(images, 3), _idx(labels, 1)
    if len(pixels) != len(classes):
        raise ExchangeError(
            f"{len(pixels)} images in {os.fspath(images)}, but {len(classes)} labels in {os.fspath(labels)}"
        )
    return pixels / 255.0, classes.astype(np.int64)


def _idx(path: str | os.PathLike[str], dimensions: int) -> NDArray[np.uint8]:
    name, data = read_bytes(path)
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(name, data)
    head = 4 + 4 * dimensions
    if len(data) < head or data[:4] != bytes([0, 0, _BYTES, dimensions]):
        raise ExchangeError(f"{name}: this is no IDX file of bytes with {dimensions} dimension{'s' * (dimensions > 1)}")
    shape = struct.unpack(f">{dimensions}I", data[4:head])
    if head + int(np.prod(shape, dtype=object)) != len(data):
        raise ExchangeError(f"{name}: the file says that its shape is {shape}, and has {len(data) - head} bytes for it")
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


def _unpacked(name: str, data: bytes, most: int = 1 << 30) -> bytes:
    """Unpack a file, a gigabyte at most: what is packed well may be anything."""
    try:
        with gzip.open(io.BytesIO(data)) as file:
            found = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ExchangeError(f"{name}: the file cannot be unpacked: {error}") from error
    if len(found) > most:
        raise ExchangeError(f"{name}: unpacked, the file has more than {most >> 20} MB")
    return found
