"""Every case here runs on each engine of one table; an engine that this machine lacks would be left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from agreement import Network, Trace, trace
from cuda_on_host import HostDevice
from snnlearn import genn
from snnlearn.backends import choose_backend
from snnlearn.errors import BackendError
from snnlearn.genn import GeNNModel
from snnlearn.runtime import cuda
from snnlearn.runtime.cuda.availability import why_not_cuda
from snnlearn.runtime.cuda.device import Device

ON_HOST = "cuda:999"  # a device that no machine has, which `cuda_on_host` stands in for


@dataclass(frozen=True)
class Engine:
    """A way to make models that must all mean the same."""

    name: str
    preferences: dict[str, Any] = field(default_factory=dict)
    exact: bool = True  # to the last bit of the plain plan; otherwise quotients by constants may differ
    backend: str = "cpu"

    @property
    def api(self) -> Any:
        """Its PyGeNN-shaped module."""
        return genn

    def model(self, name: str = "case", precision: str = "float", dt: float = 1.0, **preferences: Any) -> GeNNModel:
        model = GeNNModel(precision, name, backend=self.backend, **{**self.preferences, **preferences})
        model.dt = dt
        model.seed = 1
        return model


@dataclass(frozen=True)
class Torch(Engine):
    """PyTorch, where it is installed: ``--torch`` adds it to the table."""

    def model(self, name: str = "case", precision: str = "float", dt: float = 1.0, **preferences: Any) -> GeNNModel:
        from torch_models import WhereItCan

        model = WhereItCan(precision, name, **{**preferences, "optimise": ()})
        model.dt = dt
        model.seed = 1
        return model


ENGINES = [
    Engine("cpu-plain", {"optimise": (), "threads": 1}),  # the reference for the others, kept for ever
    Engine("cpu", {"threads": 1}, exact=False),
    Engine("cpu-2-threads", {"threads": 2}, exact=False),
    # CUDA's source, run by the CPU: one thread after the other.
    Engine("cuda-loop", {"strategy": "loop"}, False, ON_HOST),
    Engine("cuda-graph", {"strategy": "graph"}, False, ON_HOST),
    Engine("cuda-persistent", {"strategy": "persistent"}, False, ON_HOST),
]
# Python, one neuron and one synapse after the other: with ``--reference`` it is all of the table.
REFERENCE = Engine("reference", {"optimise": ()}, exact=False, backend="reference")  # functions of maths are Python's
if why_not_cuda() is None:
    ENGINES += [Engine(f"gpu-{name}", {"strategy": name}, False, "cuda") for name in ("loop", "graph", "persistent")]

# Tests with the marker `few_engines` are slow on the others, which repeat what these show.
FEW = ("cpu", "cuda-persistent", "gpu-persistent", "torch", "reference")


@dataclass(frozen=True)
class Genn:
    """GeNN itself, on a back end of its own, where PyGeNN is installed."""

    name: str
    exact: bool = True

    @property
    def api(self) -> Any:
        """Its PyGeNN-shaped module.

        Raises
        ------
        BackendError
            Where PyGeNN is missing, or was built without the back end.
        """
        return choose_backend(self.name).module

    def model(self, name: str = "case", precision: str = "float", dt: float = 1.0, **preferences: Any) -> Any:
        model = self.api.GeNNModel(precision, name, **preferences)
        model.dt = dt
        model.seed = 1
        return model


OTHERS = [*ENGINES[1:], Genn("genn:cpu")]


def _or_skip(engine: Any) -> Any:
    try:
        _ = engine.api
    except BackendError as error:
        pytest.skip(str(error))
    return engine


@pytest.fixture(scope="session", autouse=True)
def cuda_on_host() -> Iterator[None]:
    """Let the CPU stand in for one GPU."""
    real = cuda.open_device

    def open_device(index: int = 0) -> Device:
        return HostDevice(resident=256) if f"cuda:{index}" == ON_HOST else real(index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "open_device", open_device)
        yield


# What is about memory, compiled code or its reports, which tensors do not have.
NOT_ON_TORCH = frozenset(
    [
        "test_what_is_kept_of_queued_variables_is_the_newest",
        "test_denormals_are_flushed_unless_asked_not_to",
        "test_floating_numbers_into_every_type",
        "test_integers_into_every_type",
        "test_synapses_and_copies_of_a_batch",
        "test_a_delay_that_is_too_long",
        "test_looking_changes_nothing_and_sees_the_end_of_a_run",
        "test_a_signal_handler_looks_or_is_refused",
        "test_expressions_with_literals_beyond_32_bits",
        "test_rows_are_what_pulling_each_timestep_gives",
        "test_every_third_timestep_is_a_row",
        "test_another_network_plays_the_rows",
        "test_blocks_are_what_was_recorded",
        "test_rows_last_for_several_timesteps_and_those_that_are_forgotten_are_zeros",
        "test_what_has_been_changed_is_not_computed_again",
        "test_a_recording_that_pauses_does_so_again",
        "test_an_adjoint_plays_block_after_block",
    ]
)


# What is about compiled code or its memory.
NOT_ON_REFERENCE = frozenset(
    [
        "test_what_is_kept_of_queued_variables_is_the_newest",
        "test_denormals_are_flushed_unless_asked_not_to",
    ]
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests the engines of the table, and PyTorch where it is asked for."""
    wanted = metafunc.config.getoption("--torch") and metafunc.function.__name__ not in NOT_ON_TORCH
    more = [Torch("torch", exact=False)] if wanted else []
    engines: list[Any] = [*ENGINES, *more]
    if metafunc.definition.get_closest_marker("few_engines"):
        engines = [pytest.param(e, marks=[] if e.name in FEW else pytest.mark.slow) for e in engines]
    tables = {"other": [*OTHERS, *more], "any_engine": [ENGINES[0], *OTHERS, *more], "engine": engines}
    if metafunc.config.getoption("--reference"):
        tables = dict.fromkeys(tables, [] if metafunc.function.__name__ in NOT_ON_REFERENCE else [REFERENCE])
    if "first_network" in metafunc.fixturenames:
        first, number = (metafunc.config.getoption(option) for option in ("--first-network", "--networks"))
        metafunc.parametrize("first_network", range(first, first + number, 10))
    for name in tables.keys() & {*metafunc.fixturenames}:
        metafunc.parametrize(name, tables[name], indirect=True, ids=lambda engine: engine.name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what knows of other engines alone, where the table is that of the reference."""
    if not config.getoption("--reference"):
        return
    run = [item for item in items if REFERENCE.name in item.name.partition("[")[2].rstrip("]").split("-")]
    config.hook.pytest_deselected(items=[item for item in items if item not in run])
    items[:] = run


@pytest.fixture
def other(request: pytest.FixtureRequest) -> Any:
    """Each engine but the reference."""
    return _or_skip(request.param)


@pytest.fixture
def any_engine(request: pytest.FixtureRequest) -> Any:
    """Each engine, GeNN's too."""
    return _or_skip(request.param)


@pytest.fixture(scope="session")
def reference() -> Callable[..., Trace]:
    """Return a network's trace on the engine that the others are compared with; run once for each network."""
    kept: dict[Any, Trace] = {}

    def run(network: Network, steps: int, events: tuple[str, ...] = (), **model: Any) -> Trace:
        key = network, steps, events, tuple(sorted(model.items()))
        if key not in kept:
            kept[key] = trace(ENGINES[0], network, steps, events, **model)
        return kept[key]

    return run


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.fixture(scope="session")
def python_engine() -> Engine:
    """The reference that shares nothing with the others but the plan."""
    return REFERENCE


@pytest.fixture(scope="session")
def engines() -> list[Engine]:
    return ENGINES


@pytest.fixture
def start() -> Iterator[Callable[..., GeNNModel]]:
    """Build and load a model; it is unloaded after the test."""
    loaded = []

    def build_and_load(model: GeNNModel, recording: int | None = None) -> GeNNModel:
        model.build()
        model.load(num_recording_timesteps=recording)
        loaded.append(model)
        return model

    yield build_and_load
    for model in loaded:
        if model._loaded:
            model.unload()
