"""The embedded engines: what builds a plan, and what loads what was built, on the CPU or on a GPU."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.cuda.emit import emit_cuda
from snnlearn.codegen.cuda.program import Program
from snnlearn.codegen.explain import explain
from snnlearn.codegen.plan import DEFAULT, DEFAULT_GPU, DEFAULT_UNFUSED, Plan
from snnlearn.codegen.reference import emit_reference
from snnlearn.errors import BackendError, PreferenceError, did_you_mean
from snnlearn.network import Network
from snnlearn.runtime import cuda
from snnlearn.runtime.cpu_simulation import CpuSimulation
from snnlearn.runtime.cuda.simulation import CudaSimulation
from snnlearn.runtime.library import Preparation, build_library
from snnlearn.runtime.processor import has_fused_multiply_add
from snnlearn.runtime.reference.simulation import ReferenceSimulation
from snnlearn.runtime.simulation import Simulation

_NAMES = {"cpu": "cpu", "single_threaded_cpu": "cpu", "cuda": "cuda", "reference": "reference"}


@dataclass(frozen=True)
class Options:
    """How a model is to be built and run.

    Attributes
    ----------
    threads : int
        On the CPU.
    flush_denormals : bool
    portable : bool
        Whether to compile for any CPU of the architecture.
    strategy : str
        One of `snnlearn.runtime.cuda.strategies.STRATEGIES`.
    """

    threads: int = 1
    flush_denormals: bool = True
    portable: bool = False
    strategy: str = "auto"


@dataclass(frozen=True)
class Start:
    """What a simulation starts with.

    Attributes
    ----------
    seed : int
        0 to 2**64 - 1.
    recording_timesteps : int
        How many timesteps recordings hold; 0 where nothing is recorded.
    timing : bool
        Whether kernels are to be timed.
    """

    seed: int
    recording_timesteps: int
    timing: bool


@dataclass(frozen=True)
class Built:
    """What a plan has been built to.

    Attributes
    ----------
    source : str
        What it was emitted as.
    artefact : Path
        What that was compiled to.
    program : Program or None
        Which kernels to launch when, on a GPU.
    """

    source: str
    artefact: Path
    program: Program | None = None


class Engine(ABC):
    """What builds and loads plans.

    Attributes
    ----------
    name : str
        The back end's.
    """

    name: ClassVar[str]

    @staticmethod
    @abstractmethod
    def default_rewrites(portable: bool) -> tuple[str, ...]:
        """Return the names of the rewrites that plans go through unless a user names others.

        Parameters
        ----------
        portable : bool
            Whether to compile for any CPU of the architecture.
        """

    @abstractmethod
    def explain(self, plan: Plan, applied: Iterable[str]) -> str:
        """Return a table of a plan's kernels as this engine runs them, given the rewrites that made it."""

    @abstractmethod
    def begin(self, options: Options) -> Callable[[Plan], Built]:
        """Begin what a build needs whatever the plan, and return what goes on from there, given the plan.

        Raises
        ------
        BackendError
            If the engine cannot be used here; says what would make it work. What is returned raises `BuildError` if
            the compiler fails, and `CompilerNotFoundError` if there is none.
        """

    def build(self, plan: Plan, options: Options) -> Built:
        """Emit and compile a plan; raises as `begin`."""
        return self.begin(options)(plan)

    @abstractmethod
    def load(self, network: Network, plan: Plan, built: Built, options: Options, start: Start) -> Simulation:
        """Put into memory what was built, and give every variable its initial value."""


class CpuEngine(Engine):
    """C++, compiled by a compiler of this machine."""

    name = "cpu"

    @staticmethod
    def default_rewrites(portable: bool) -> tuple[str, ...]:
        """Return all but `contract` where the CPU may lack its instruction."""
        return DEFAULT if has_fused_multiply_add() and not portable else DEFAULT_UNFUSED

    def explain(self, plan: Plan, applied: Iterable[str]) -> str:
        """Return the table with what threads of the CPU do, and which kernels are compiled as one."""
        return explain(plan, applied)

    def begin(self, options: Options) -> Callable[[Plan], Built]:
        """Begin to look for the compiler, in threads beside the making of the plan."""
        preparation = Preparation(options.portable)

        def finish(plan: Plan) -> Built:
            source = emit_cpp(plan)
            return Built(source, build_library(source, options.portable, preparation))

        return finish

    def load(self, network: Network, plan: Plan, built: Built, options: Options, start: Start) -> Simulation:
        """Load the compiled library."""
        return CpuSimulation(
            network,
            plan,
            built.source,
            built.artefact,
            seed=start.seed,
            recording_timesteps=start.recording_timesteps,
            threads=options.threads,
            flush_denormals=options.flush_denormals,
            timing=start.timing,
            portable=options.portable,
        )


class CudaEngine(Engine):
    """CUDA C++, compiled by NVIDIA's runtime compiler.

    Parameters
    ----------
    device : int
        Which GPU, by CUDA's number.
    """

    name = "cuda"

    def __init__(self, device: int = 0) -> None:
        self.device = device

    @staticmethod
    def default_rewrites(portable: bool) -> tuple[str, ...]:
        """Return all: GPUs have every instruction, and code for them is not compiled for a CPU."""
        return DEFAULT_GPU

    def explain(self, plan: Plan, applied: Iterable[str]) -> str:
        """Return the table with what threads of the GPU do."""
        return explain(plan, applied, gpu=True)

    def begin(self, options: Options) -> Callable[[Plan], Built]:
        """Open the device: what stands against using it is said before anything else is done."""
        device = cuda.open_device(self.device)

        def finish(plan: Plan) -> Built:
            try:
                program = emit_cuda(plan, device.threads)
                return Built(program.source, device.compile(program.source, options.flush_denormals), program)
            finally:
                device.close()

        return finish

    def load(self, network: Network, plan: Plan, built: Built, options: Options, start: Start) -> Simulation:
        """Load the compiled program on the device."""
        assert built.program is not None
        return CudaSimulation(
            network,
            plan,
            built.program,
            cuda.open_device(self.device),
            built.artefact,
            seed=start.seed,
            recording_timesteps=start.recording_timesteps,
            timing=start.timing,
            strategy=options.strategy,
        )


class ReferenceEngine(Engine):
    """Python, one neuron and one synapse after the other: slow, to be read and to be compared with."""

    name = "reference"

    @staticmethod
    def default_rewrites(portable: bool) -> tuple[str, ...]:
        """Return none: plans are run as they stand in the models."""
        return ()

    def explain(self, plan: Plan, applied: Iterable[str]) -> str:
        """Return the table of a plan's kernels."""
        return explain(plan, applied)

    def begin(self, options: Options) -> Callable[[Plan], Built]:
        """Return what prints a plan; PreferenceError for one with deferred kernels."""

        def finish(plan: Plan) -> Built:
            if any(kernel.deferral is not None for kernel in plan.step):
                raise PreferenceError("the back end 'reference' defers no kernel: leave 'defer' out of optimise")
            return Built(emit_reference(plan, options.flush_denormals), Path())

        return finish

    def load(self, network: Network, plan: Plan, built: Built, options: Options, start: Start) -> Simulation:
        """Load the printed program."""
        return ReferenceSimulation(
            network,
            plan,
            built.source,
            seed=start.seed,
            recording_timesteps=start.recording_timesteps,
            timing=start.timing,
        )


_ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (CpuEngine, CudaEngine, ReferenceEngine)}


def split_name(name: str | None) -> tuple[str, int | None]:
    """Return which back end a name means, "cpu", "cuda" or "reference", and which device: "cuda:1".

    Raises
    ------
    BackendError
        If there is no such back end.
    """
    if name is None:
        return "cpu", None
    kind, _, number = str(name).partition(":")
    if kind == "hip":
        raise BackendError(
            f"the embedded engine, 'cpu', 'cuda' and 'reference', has no back end '{name}': GeNN has, through PyGeNN "
            f"and choose_backend('genn:{kind}')"
        )
    if kind == "cuda" and ":" in name:
        if not (number.isascii() and number.isdecimal()):
            raise BackendError(f"back end {name!r}: a device is named by its number, as in 'cuda:0'")
        return kind, int(number)
    if name not in _NAMES:
        near = did_you_mean(str(name), _NAMES)
        raise BackendError(f"the embedded engine, 'cpu', 'cuda' and 'reference', has no back end {name!r}{near}")
    return _NAMES[name], None


def make_engine(kind: str, device: int | None) -> Engine:
    """Return the engine of a back end, as `split_name` gives it."""
    return CudaEngine(device or 0) if kind == CudaEngine.name else _ENGINES[kind]()


def default_rewrites(kind: str, portable: bool) -> tuple[str, ...]:
    """Return `Engine.default_rewrites` of a back end, as `split_name` gives it."""
    return _ENGINES[kind].default_rewrites(portable)
