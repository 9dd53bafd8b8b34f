"""Compiled simulations, stored by content: the same source, compiler, flags and processor are compiled once."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from snnlearn.errors import BuildError
from snnlearn.runtime import cache_folder
from snnlearn.runtime.compiler import Compiler
from snnlearn.runtime.locks import locked
from snnlearn.runtime.processor import processor

_DEFAULT_MB = 1024.0
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


def cache_dir() -> Path:
    """Return the folder of compiled simulations: ``$XDG_CACHE_HOME/snnlearn``, by default ``~/.cache/snnlearn``.

    Raises
    ------
    BuildError
        If there is no home folder.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG standard: a relative path is to be ignored
        return Path(base) / "snnlearn"
    try:
        return Path.home() / ".cache" / "snnlearn"
    except RuntimeError as error:
        raise BuildError(f"there is no place for compiled simulations ({error}); {cache_folder.ADVICE}") from None


def build(
    source: str,
    compiler: Compiler,
    *,
    support: str = "",
    compiled: Future[Path] | None = None,
    force: bool = False,
) -> Path:
    """Return the shared library of a C++ source, compiling it only where it is not stored yet.

    As safe as `stored` with any number of processes at once.

    Parameters
    ----------
    source : str
    compiler : Compiler
    support : str
        A C++ source that many sources are linked with: it is compiled only once for all of them, beside the first.
    compiled : Future of Path, optional
        What `build_object` makes of it, where that has been begun already.
    force : bool
        Compile even if it is stored.

    Raises
    ------
    BuildError
        If the compiler fails or the folder cannot be written.
    """

    def make(library: Path) -> None:
        code = _written(source, library)
        if not support:
            compiler.compile(code, library)
            return
        object_file = code.with_suffix(".o")
        with ThreadPoolExecutor(1) as beside:
            shared = compiled or beside.submit(build_object, support, compiler)
            compiler.compile_object(code, object_file)
        compiler.link([object_file, shared.result()], library)

    return stored(_content(source, compiler, support), _SUFFIX, make, force)


def build_object(source: str, compiler: Compiler) -> Path:
    """Return the object file of a C++ source, compiling it only where it is not stored yet; as safe as `build`."""
    return stored(
        _content(source, compiler), ".o", lambda target: compiler.compile_object(_written(source, target), target)
    )


def _written(source: str, target: Path) -> Path:
    """Write a source beside what it is to become."""
    code = target.with_suffix(".cpp")
    code.write_text(source, encoding="utf-8")
    return code


def stored(content: Sequence[str], suffix: str, make: Callable[[Path], None], force: bool = False) -> Path:
    """Return a stored file, made by ``make(target)`` where there is none that is whole.

    Of any number of processes at once, one makes it, and the others wait for it. It is made in a folder of its own and
    renamed when it is whole. What does not fit into the cache then goes: the least recently used files first.

    Parameters
    ----------
    content : sequence of str
        All that the file depends on.
    suffix : str
    make : callable
        May leave other files beside its target.
    force : bool
        Make it even if it is stored.

    Raises
    ------
    BuildError
        If the folder cannot be written, or is not this user's alone; and what ``make`` raises.
    """
    key = hashlib.sha256("\0".join(content).encode()).hexdigest()[:32]
    folder, most = cache_dir(), size_limit()

    def find() -> Path | None:
        return None if force else cache_folder.find(folder, key, suffix)

    try:
        cache_folder.make_private(folder)
        found = find()
        if found is not None:
            return found
        with locked(folder / f"{key}.lock", lambda: find() is not None) as held:
            found = find()
            if found is None:
                cache_folder.sweep(folder, key if held else None)
                found = _made(folder, key, suffix, make)
                cache_folder.evict(folder, most, keep=found)
    except OSError as error:
        raise BuildError(
            f"cannot write the cache of compiled simulations, {folder}: {error.strerror or error}; "
            f"{cache_folder.ADVICE}"
        ) from error
    return found


def _made(folder: Path, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"build-{key}-") as scratch:
        made = Path(scratch) / f"simulation{suffix}"
        make(made)
        os.chmod(made, 0o600)  # a compiler follows the user's mask, which may let others write
        target = folder / f"{key}-{cache_folder.digest(made)}{suffix}"
        os.replace(made, target)
    return target


def size_limit() -> int:
    """Return how many bytes the cache may hold: ``$SNNLEARN_CACHE_MB``, by default 1024 MB.

    Raises
    ------
    BuildError
        If that is no number.
    """
    text = os.environ.get("SNNLEARN_CACHE_MB", "").strip()
    try:
        megabytes = float(text) if text else _DEFAULT_MB
    except ValueError:
        megabytes = -1.0
    if not 0.0 <= megabytes < 1e9:
        raise BuildError(f"SNNLEARN_CACHE_MB must be a number of megabytes from 0 on, not {text[:40]!r}")
    return int(megabytes * 1e6)


def clear() -> int:
    """Remove all that is stored and left over, but what is being compiled; returns the number of stored files."""
    folder = cache_dir()
    cache_folder.sweep(folder)
    return cache_folder.evict(folder, -1)


def _content(source: str, compiler: Compiler, support: str = "") -> list[str]:
    cpu = platform.machine() if compiler.portable else processor()
    return [source, support, *compiler.command, compiler.version, *compiler.flags, cpu]
