"""The file of a checkpoint: arrays side by side, none compressed, with a digest over every byte.

It is an ``.npz``, which NumPy reads too. The archive's comment is the SHA-256 of all bytes before it.
"""

from __future__ import annotations

import hashlib
import io
import math
import stat
import struct
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import CheckpointError
from snnlearn.io import atomic_write

_DIGEST = 64  # hexadecimal digits
_END = 22  # bytes of a zip file's end record, before the comment
_LOCAL = struct.Struct("<4s22xHH")  # of an entry's header: its mark, and how long name and extra field are
_HEADER = 10_000  # bytes, of an array's header at most
_MOST_ENTRIES = 100_000
_PIECE = 1 << 22  # bytes to take the digest of at a time


def write_archive(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to a file, whole or not at all, and onto the disk before this returns.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_write(path, "wb", durable=True) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = b"0" * _DIGEST
            for name, array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy")  # with the date 1980-01-01: equal contents are equal files
                with archive.open(entry, "w", force_zip64=array.nbytes >= 1 << 31) as member:
                    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
        size = file.seek(0, 2)
        file.seek(0)
        digest = _digest_of(file, size - _DIGEST)
        file.seek(size - _DIGEST)
        file.write(digest)


def _digest_of(file: IO[bytes], size: int) -> bytes:
    found = hashlib.sha256()
    while size > 0:
        piece = file.read(min(size, _PIECE))
        found.update(piece)
        size -= len(piece)
    return found.hexdigest().encode()


def read_archive(path: Path) -> tuple[dict[str, NDArray[Any]], bool]:
    """Read the arrays of a file; they cannot be written to. Nothing takes more memory than the file has bytes.

    Returns
    -------
    arrays : dict of str to ndarray
    sealed : bool
        Whether the file has a digest, which is right then; files of earlier versions have none.

    Raises
    ------
    CheckpointError
        If there is none, it cannot be read, or anything in it is not as it was written.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CheckpointError(f"{path} is no file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"there is no checkpoint {path}") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from None
    except (MemoryError, OverflowError):
        raise CheckpointError(f"{path} cannot be read: it is larger than the memory") from None
    try:
        sealed = _check_digest(path, data)
        return _arrays_of(data), sealed
    except CheckpointError:
        raise
    # What struct, zipfile, NumPy and `ast` raise on damage is of a dozen kinds, RecursionError and MemoryError too.
    except Exception as error:
        raise CheckpointError(f"{path} is no checkpoint, or is damaged ({type(error).__name__})") from None


def _check_digest(path: Path, data: bytes) -> bool:
    """Whether a file has a digest; CheckpointError where that is not its own."""
    end = data[-_END - _DIGEST : -_DIGEST]
    if end[:4] != b"PK\x05\x06" or end[-2:] != struct.pack("<H", _DIGEST):
        return False
    if hashlib.sha256(memoryview(data)[:-_DIGEST]).hexdigest().encode() != data[-_DIGEST:]:
        raise CheckpointError(f"{path} is damaged: its digest is not that of its contents")
    return True


def _arrays_of(data: bytes) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise ValueError("too many entries")
    for entry in entries:
        name = entry.filename.removesuffix(".npy")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 or name in arrays:
            raise ValueError("an entry is compressed, encrypted or there twice")
        mark, name_length, extra_length = _LOCAL.unpack_from(data, entry.header_offset)
        begin = entry.header_offset + _LOCAL.size + name_length + extra_length
        if mark != b"PK\x03\x04" or entry.file_size != entry.compress_size or begin + entry.file_size > len(data):
            raise ValueError("an entry has another size")
        arrays[name] = _array_of(data, begin, entry.file_size)
    return arrays


def _array_of(data: bytes, begin: int, size: int) -> NDArray[Any]:
    """Return the array of a stretch of bytes, whose header says of it what it is."""
    head = io.BytesIO(data[begin : begin + min(size, _HEADER)])
    version = np.lib.format.read_magic(head)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(head)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(head)
    if dtype.hasobject or dtype.names is not None or dtype.kind not in "biufU":
        raise ValueError("an array is not of numbers")
    count = math.prod(shape)
    if min(shape, default=0) < 0 or count * dtype.itemsize != size - head.tell():
        raise ValueError("an array has another size than its header says")
    flat: NDArray[Any] = np.frombuffer(data, dtype, count, begin + head.tell()) if count else np.empty(0, dtype)
    if dtype.kind == "U" and flat.view(dtype.str[0] + "u4").max(initial=0) > sys.maxunicode:
        raise ValueError("a text has characters that are none")
    return flat.reshape(shape, order="F" if fortran else "C")
