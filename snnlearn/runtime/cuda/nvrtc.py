"""NVRTC, NVIDIA's CUDA compiler as a library: source text becomes machine code of a GPU, on any machine."""

from __future__ import annotations

import ctypes
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from snnlearn.errors import BackendError, BuildError, CompilerNotFoundError
from snnlearn.runtime import cache

# As for C++ (`runtime.compiler`): nothing is fused that the source does not fuse, and nothing is approximate.
_OPTIONS = (
    "--std=c++17",
    "--device-as-default-execution-space",  # functions and variables need no __device__
    "--fmad=false",
    "--prec-div=true",
    "--prec-sqrt=true",
)
_ERROR = re.compile(r"\berror *:")  # not where a warning names a variable `error`


class Nvrtc:
    """The library, loaded.

    Attributes
    ----------
    version : tuple of int
        Of CUDA: (13, 0).
    capabilities : tuple of int
        The compute capabilities that it compiles for, ascending: 90 for 9.0.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        major, minor, number = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        self._call("Version", ctypes.byref(major), ctypes.byref(minor))
        self._call("GetNumSupportedArchs", ctypes.byref(number))
        capabilities = (ctypes.c_int * number.value)()
        self._call("GetSupportedArchs", capabilities)
        self.version = (major.value, minor.value)
        self.capabilities = tuple(sorted(capabilities))

    def target(self, capability: int) -> str:
        """Return what to compile for, for a device.

        A device newer than this NVRTC gets the intermediate code (PTX) of the newest that is known, which its driver
        can translate.

        Raises
        ------
        BackendError
            For a device that is too old.
        """
        if capability in self.capabilities:
            return f"sm_{capability}"
        older = [known for known in self.capabilities if known < capability]
        if not older:
            advice = "" if self.version[0] == 12 else f"; {other_cuda(self.version[0], 12)}"
            raise BackendError(
                f"a GPU of compute capability {capability // 10}.{capability % 10} is too old for {self}{advice}"
            )
        return f"compute_{older[-1]}"

    def compile(self, source: str, target: str, flush_denormals: bool) -> bytes:
        """Return a source as a cubin for a target ``sm_XX``, as PTX for ``compute_XX``.

        Raises
        ------
        BuildError
            With the first error, and all that NVRTC printed as the attribute ``output``.
        """
        program = ctypes.c_void_p()
        self._call("CreateProgram", ctypes.byref(program), source.encode(), b"simulation.cu", 0, None, None)
        try:
            options = [option.encode() for option in self.options(target, flush_denormals)]
            given = (ctypes.c_char_p * len(options))(*options)
            status = self._library.nvrtcCompileProgram(program, len(options), given)
            if status != 0:
                output = self._get("ProgramLog", program).rstrip(b"\0").decode(errors="replace").strip()
                lines = output.splitlines() or [self._explain(status)]
                first = next((line for line in lines if _ERROR.search(line)), lines[0])
                raise BuildError(f"{self} failed: {first}", output)
            return self._get("CUBIN", program) if target.startswith("sm_") else self._get("PTX", program).rstrip(b"\0")
        finally:
            self._call("DestroyProgram", ctypes.byref(program))

    def options(self, target: str, flush_denormals: bool) -> tuple[str, ...]:
        """Return what it is told beside the source."""
        return (*_OPTIONS, f"--ftz={str(flush_denormals).lower()}", f"--gpu-architecture={target}")

    def __str__(self) -> str:
        return f"NVRTC {self.version[0]}.{self.version[1]}"

    def _get(self, what: str, program: ctypes.c_void_p) -> bytes:
        size = ctypes.c_size_t()
        self._call(f"Get{what}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self._call(f"Get{what}", program, buffer)
        return buffer.raw

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, f"nvrtc{name}")(*arguments)
        if status != 0:
            raise BuildError(f"NVRTC failed: {self._explain(status)}")

    def _explain(self, status: int) -> str:
        text: bytes = self._library.nvrtcGetErrorString(status)
        return text.decode()


def nvrtc_wheel(cuda: int) -> str:
    """Return the name of NVIDIA's wheel for a version of CUDA."""
    return "nvidia-cuda-nvrtc-cu12" if cuda == 12 else "nvidia-cuda-nvrtc"


def other_cuda(installed: int, wanted: int) -> str:
    """Return how to go from one version of CUDA to another, as the tail of a message."""
    old = f"cupy-cuda{installed}x {nvrtc_wheel(installed)}"
    return f'pip uninstall {old}, then pip install "snnlearn[cuda{wanted}]"'


@lru_cache(maxsize=1)
def find_nvrtc() -> Nvrtc:
    """Return NVRTC, from NVIDIA's wheel, conda's package or an installed toolkit.

    Raises
    ------
    CompilerNotFoundError
        If there is none; says what to install.
    """
    try:
        from cuda import pathfinder

        return Nvrtc(ctypes.CDLL(pathfinder.load_nvidia_dynamic_lib("nvrtc").abs_path))
    except (ImportError, RuntimeError, OSError, AttributeError):  # the second is what its finder raises
        raise CompilerNotFoundError(
            'NVRTC, which compiles CUDA code, is not installed; pip install "snnlearn[cuda13]", '
            'or "snnlearn[cuda12]" for a driver older than CUDA 13'
        ) from None


def build(source: str, capability: int, flush_denormals: bool) -> Path:
    """Return the ``.cubin`` or ``.ptx`` file of a source, compiling it only where it is not stored yet.

    Parameters
    ----------
    source : str
    capability : int
        The device's compute capability: 90 for 9.0.
    flush_denormals : bool
        Whether numbers of type float that are too small for full precision are taken for zero.

    Raises
    ------
    BackendError, BuildError, CompilerNotFoundError
    """
    nvrtc = find_nvrtc()
    target = nvrtc.target(capability)
    content = [source, str(nvrtc), *nvrtc.options(target, flush_denormals)]

    def make(path: Path) -> None:
        path.write_bytes(nvrtc.compile(source, target, flush_denormals))

    return cache.stored(content, ".cubin" if target.startswith("sm_") else ".ptx", make)
