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
from snnlearn.runtime.compiler import Compiler
from snnlearn.runtime.processor import processor

_ADVICE = "set XDG_CACHE_HOME to a folder that can be written"
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
        raise BuildError(f"there is no place for compiled simulations ({error}); {_ADVICE}") from None


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

    Safe with any number of processes at once: each writes to a folder of its own and renames the file when it is whole.

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
        If the folder cannot be written; and what ``make`` raises.
    """
    key = hashlib.sha256("\0".join(content).encode()).hexdigest()[:32]
    folder = cache_dir()
    found = None if force else _find(folder, key, suffix)
    if found is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="build-") as scratch:
            made = Path(scratch) / f"simulation{suffix}"
            make(made)
            target = folder / f"{key}-{_digest(made)}{suffix}"
            os.replace(made, target)
    except OSError as error:
        raise BuildError(
            f"cannot write the cache of compiled simulations, {folder}: {error.strerror or error}; {_ADVICE}"
        ) from error
    return target


def _find(folder: Path, key: str, suffix: str) -> Path | None:
    """Return a stored file that is whole: loading a damaged library could end the process."""
    try:
        candidates = sorted(folder.glob(f"{key}-*{suffix}"))
        return next((path for path in candidates if path.stem == f"{key}-{_digest(path)}"), None)
    except OSError:
        return None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _content(source: str, compiler: Compiler, support: str = "") -> list[str]:
    cpu = platform.machine() if compiler.portable else processor()
    return [source, support, *compiler.command, compiler.version, *compiler.flags, cpu]
