"""What all tests share: helpers beside this file are importable by their bare names."""

import gc
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from snnlearn.codegen.plan.verify import VARIABLE
from snnlearn.errors import CompilerNotFoundError
from snnlearn.runtime import compiler
from snnlearn.runtime.compiler import Compiler
from snnlearn.runtime.cuda.nvrtc import find_nvrtc

sys.path.insert(0, str(Path(__file__).parent))

_FLAGS = compiler.FLAGS  # before a fixture changes them


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what CI runs beside the tests."""
    parser.addoption(
        "--nvrtc",
        action="store_true",
        help="compile every CUDA source that the tests' networks make",
    )
    parser.addoption(
        "--compile-cache",
        metavar="FOLDER",
        help="keep compiled simulations there, for the next session too (default: a folder that is empty at first)",
    )
    parser.addoption(
        "--torch", action="store_true", help="run the whole engine table on PyTorch too; with -k torch on that alone"
    )
    parser.addoption(
        "--reference",
        action="store_true",
        help="run the whole engine table on the reference in Python, and on that alone",
    )
    parser.addoption(
        "--full-optimisation",
        action="store_true",
        help="compile for the CPU as users do, with -O3: what tells results apart is a wrong hint to the compiler",
    )
    parser.addoption(
        "--networks", type=int, default=600, help="how many random networks engines are compared by, slowly"
    )
    parser.addoption("--first-network", type=int, default=0, metavar="SEED", help="the seed of the first of these")


def pytest_configure(config: pytest.Config) -> None:
    """Take the plugin behind the option, and Ctrl-C, which shells have background jobs ignore."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--nvrtc"):
        if getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
            raise pytest.UsageError("--nvrtc compiles in processes of its own and goes without -n")
        from nvrtc_option import EverySource

        config.pluginmanager.register(EverySource(), "every-cuda-source")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes NVRTC long, unless it is asked for."""
    if config.getoption("--nvrtc"):
        return
    left_out = [item for item in items if item.get_closest_marker("nvrtc")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let the garbage collector pass over ten thousand tests, which stay to the end, no more."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process tests that stand together, which compile the same, and at the end a share of what is left."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture(scope="session", autouse=True)
def compile_cache(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Path]:
    """One cache of compiled simulations for the session and all its processes, not the user's; by default empty."""
    given, temporary = request.config.getoption("--compile-cache"), tmp_path_factory.getbasetemp()
    shared = temporary.parent if hasattr(request.config, "workerinput") else temporary
    folder = Path(given).absolute() if given else shared / "compile-cache"
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def verified() -> Iterator[None]:
    """Verify the plan of every network, what rewrites make of it, and its loop nests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def fast_linker() -> Iterator[None]:
    """Link the very object files of a build with gold, where that is installed: in a third of the time."""

    def link(gold: Compiler, objects: Sequence[Path], target: Path) -> None:
        gold._make((*gold.flags, "-fuse-ld=gold"), objects, target)

    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "linux" and shutil.which("ld.gold"):
            patch.setattr(Compiler, "link", link)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_builds(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compile for the CPU with -O1, unless asked for all: that is quicker, and no flag lets a level change a value."""
    with pytest.MonkeyPatch.context() as patch:
        if not request.config.getoption("--full-optimisation"):
            patch.setattr(compiler, "FLAGS", tuple("-O1" if flag == "-O3" else flag for flag in compiler.FLAGS))
        yield


@pytest.fixture
def full_optimisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile as other processes do, which know nothing of `quick_builds`."""
    monkeypatch.setattr(compiler, "FLAGS", _FLAGS)


@pytest.fixture(scope="session")
def compile_cuda() -> Callable[[str], dict[str, bytes]]:
    """Compiles a CUDA source for three generations of GPUs, those of them that this NVRTC knows; gives the cubins."""
    try:
        nvrtc = find_nvrtc()
    except CompilerNotFoundError:
        pytest.skip('NVRTC is not installed: pip install -e ".[test-cuda]"')
    targets = [f"sm_{capability}" for capability in (70, 80, 90) if capability in nvrtc.capabilities]
    return lambda source: {target: nvrtc.compile(source, target, flush_denormals=True) for target in targets}
