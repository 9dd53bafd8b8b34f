"""Reading files of strangers: a size is looked at before anything is read, whatever the file is."""

from __future__ import annotations

import os
import stat

from snnlearn.errors import SnnlearnError

_MB = 1_000_000


def read_bounded(path: str | os.PathLike[str], most: int, error: type[SnnlearnError], what: str) -> bytes:
    """Return the content of a file of at most so many bytes.

    Parameters
    ----------
    path : path-like
        The file; a pipe is read to its end.
    most : int
        Bytes.
    error : type of SnnlearnError
        What is raised.
    what : str
        What the file should be, for messages: ``"a .ras file"``.

    Raises
    ------
    SnnlearnError
        Of the given type, if the file is missing, a folder, unreadable or larger; the text begins with its name.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            status = os.fstat(file.fileno())
            too_large = stat.S_ISREG(status.st_mode) and status.st_size > most
            data = b"" if too_large else file.read(most + 1)
    except FileNotFoundError:
        raise error(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise error(f"{name}: this is a folder, not {what}") from None
    except OSError as failure:
        raise error(f"{name}: the file cannot be read: {failure.strerror or failure}") from failure
    except ValueError:  # a name with a null character
        raise error(f"{name!r}: this is no name of a file") from None
    if too_large or len(data) > most:
        raise error(f"{name}: the file is larger than {most // _MB} MB, the most that {what} may have")
    return data
