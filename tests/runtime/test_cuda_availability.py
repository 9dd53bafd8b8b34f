"""Why there is no GPU, and what to do: one line for each reason, before anything else happens."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

import fake_cupy
from fake_cupy import FakeCupy, FakeError
from snnlearn.errors import BackendError, CompilerNotFoundError, NetworkError
from snnlearn.runtime.cuda import availability, open_device
from snnlearn.runtime.cuda.availability import driver_version, why_not_cuda
from snnlearn.runtime.cuda.memory import check_memory


@dataclass
class Machine:
    """What is installed; all is well at first: two GPUs, and everything of CUDA 13."""

    cupy: FakeCupy
    driver: int | None = 13_000
    packages: tuple[str, ...] = ("cupy-cuda13x",)
    nvrtc: tuple[int, int] | None = (13, 0)
    missing: set[str] = field(default_factory=set)

    def find_nvrtc(self) -> Any:
        if self.nvrtc is None:
            raise CompilerNotFoundError("none")
        return SimpleNamespace(version=self.nvrtc)

    def fails(self, status: int, text: str = "") -> None:
        """Let CUDA not start."""

        def fail() -> int:
            raise FakeError(status, text)

        self.cupy.cuda.runtime.getDeviceCount = fail


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(fake_cupy.install(monkeypatch))
    monkeypatch.setattr(availability, "driver_version", lambda: machine.driver)
    monkeypatch.setattr(availability, "_installed", lambda name: name in machine.packages)
    monkeypatch.setattr(availability, "find_nvrtc", machine.find_nvrtc)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return machine


def test_all_is_well(machine: Machine) -> None:
    assert why_not_cuda() is None
    assert why_not_cuda(1) is None
    machine.driver, machine.packages, machine.nvrtc = 14_010, ("cupy",), (12, 9)
    assert why_not_cuda() is None, "a newer driver runs older programs"


def test_no_driver(machine: Machine) -> None:
    machine.driver = None
    assert why_not_cuda() == (
        "no NVIDIA driver is installed; nvidia.com/drivers has it, as have most Linux distributions"
    )


def test_a_driver_too_old_for_any(machine: Machine) -> None:
    machine.driver = 11_080
    assert why_not_cuda() == "the NVIDIA driver is for CUDA 11.8; update it to one for CUDA 12 or newer"


@pytest.mark.parametrize(("driver", "extra"), [(12_040, "cuda12"), (13_000, "cuda13"), (14_000, "cuda13")])
def test_no_cupy(machine: Machine, monkeypatch: pytest.MonkeyPatch, driver: int, extra: str) -> None:
    machine.driver, machine.packages = driver, ()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert why_not_cuda() == f'an NVIDIA driver is here but CuPy is not; pip install "snnlearn[{extra}]"'


def test_two_cupys(machine: Machine) -> None:
    machine.packages = ("cupy-cuda12x", "cupy-cuda13x")
    assert why_not_cuda() == (
        "cupy-cuda12x and cupy-cuda13x are installed and overwrite each other; "
        'pip uninstall cupy-cuda12x cupy-cuda13x, then pip install "snnlearn[cuda13]"'
    )


def test_a_cupy_that_cannot_be_imported(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy.cuda", None)  # as where an old one has left its folder
    assert why_not_cuda() == (
        "CuPy cannot be imported (import of cupy.cuda halted; None in sys.modules); "
        'pip uninstall cupy-cuda13x, then pip install "snnlearn[cuda13]"'
    )

    def fail(name: str) -> None:
        raise ImportError("\n=====\nFailed to import CuPy.\n\nOriginal error:\n  ImportError: libm.so\n=====\n")

    monkeypatch.setattr(availability.importlib, "import_module", fail)
    assert str(why_not_cuda()).startswith("CuPy cannot be imported (ImportError: libm.so); pip uninstall")


def test_a_driver_too_old_for_cupy(machine: Machine) -> None:
    machine.driver = 12_040
    machine.fails(35, "cudaErrorInsufficientDriver")
    assert why_not_cuda() == (
        "the NVIDIA driver is for CUDA 12.4 and CuPy for CUDA 13; update the driver, or "
        'pip uninstall cupy-cuda13x nvidia-cuda-nvrtc, then pip install "snnlearn[cuda12]"'
    )
    machine.cupy.cuda.runtime.runtimeGetVersion = lambda: 12_090
    assert why_not_cuda() == "the NVIDIA driver is for CUDA 12.4 and CuPy for CUDA 12; update the driver"


def test_cuda_that_does_not_start(machine: Machine) -> None:
    machine.fails(802, "cudaErrorSystemNotReady: system not yet initialized")
    assert why_not_cuda() == (
        "CUDA does not start: cudaErrorSystemNotReady: system not yet initialized; nvidia-smi may tell more"
    )


def test_no_gpu(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.fails(100)
    assert why_not_cuda() == "the NVIDIA driver finds no GPU; nvidia-smi lists those that it knows"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert why_not_cuda() == "no GPU is visible: CUDA_VISIBLE_DEVICES is ''; unset it"


def test_no_gpu_of_that_number(machine: Machine) -> None:
    assert why_not_cuda(2) == "there is no GPU 2; take 'cuda:0' to 'cuda:1'"
    machine.cupy.cuda.runtime.getDeviceCount = lambda: 1
    assert why_not_cuda(1) == "there is no GPU 1; take 'cuda:0'"


def test_no_nvrtc(machine: Machine) -> None:
    machine.nvrtc = None
    assert why_not_cuda() == ('NVRTC, which compiles CUDA code, is not installed; pip install "snnlearn[cuda13]"')


def test_nvrtc_of_a_cuda_that_the_driver_does_not_know(machine: Machine) -> None:
    machine.driver, machine.packages = 12_040, ("cupy-cuda12x",)
    machine.cupy.cuda.runtime.runtimeGetVersion = lambda: 12_090
    assert why_not_cuda() == (
        "NVRTC is for CUDA 13.0 and the NVIDIA driver for CUDA 12.4, which cannot run what it makes; "
        'update the driver, or pip uninstall nvidia-cuda-nvrtc, then pip install "snnlearn[cuda12]"'
    )


def test_opening_a_device_says_what_is_missing(machine: Machine) -> None:
    with pytest.raises(BackendError, match=r"^backend 'cuda:5' is not available: there is no GPU 5; take 'cuda:0' to"):
        open_device(5)


class _Library:
    def __init__(self, name: str) -> None:
        assert name in ("libcuda.so.1", "nvcuda.dll")

    def cuDriverGetVersion(self, at: Any) -> int:
        at._obj.value = 12_040
        return 0


def test_the_drivers_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_there(name: str) -> None:
        raise OSError("cannot open shared object file")

    monkeypatch.setattr(availability.ctypes, "CDLL", _Library)
    assert driver_version() == 12_040
    monkeypatch.setattr(availability.ctypes, "CDLL", not_there)
    assert driver_version() is None


def test_a_network_that_fits() -> None:
    check_memory({"a": 600, "b": 400}, 1000, "NVIDIA T4")


def test_a_network_that_does_not_fit() -> None:
    with pytest.raises(
        NetworkError,
        match=r"^the network is too big for NVIDIA T4: it takes 5,000,100 bytes and 4,096 are free; by group: "
        r"'Hidden_Output' 3,000,000, 'Input_Hidden' 2,000,000, 'Output' 100; make the largest smaller, or take "
        r"backend 'cpu'$",
    ):
        check_memory({"Output": 100, "Hidden_Output": 3_000_000, "Input_Hidden": 2_000_000}, 4096, "NVIDIA T4")
    with pytest.raises(NetworkError, match=r"'g9' 90, 'g8' 80, 'g7' 70, 'g6' 60, 'g5' 50, 5 more 100; make"):
        check_memory({f"g{n}": 10 * n for n in range(10)}, 0, "NVIDIA T4")
