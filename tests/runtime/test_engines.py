"""Which engine a model runs on, and what it is asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fake_device import COUNTER, FakeDevice, program
from snnlearn import genn
from snnlearn.codegen.plan import build_plan
from snnlearn.errors import BackendError, BuildError
from snnlearn.genn import GeNNModel
from snnlearn.runtime import cuda, engines
from snnlearn.runtime.engines import CpuEngine, CudaEngine, make_engine, split_name


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        (None, ("cpu", None)),
        ("cpu", ("cpu", None)),
        ("single_threaded_cpu", ("cpu", None)),
        ("cuda", ("cuda", None)),
        ("cuda:0", ("cuda", 0)),
        ("cuda:12", ("cuda", 12)),
    ],
)
def test_names(name: str | None, meant: tuple[str, int | None]) -> None:
    assert split_name(name) == meant
    assert GeNNModel("float", "m", backend=name).backend_name == meant[0]


def test_engines_by_name() -> None:
    assert isinstance(make_engine("cpu", None), CpuEngine)
    engine = make_engine("cuda", 3)
    assert isinstance(engine, CudaEngine)
    assert (engine.name, engine.device) == ("cuda", 3)


@pytest.mark.parametrize(
    ("backend", "preferences", "index"),
    [
        ("cuda", {}, 0),
        ("cuda:1", {}, 1),
        ("cuda", {"manual_device_id": 2}, 2),
        ("cuda:1", {"manual_device_id": 2}, 1),
        ("cuda", {"manual_device_id": 2, "device_select_method": "OPTIMAL"}, 0),
    ],
)
def test_the_device_is_opened_before_anything_is_compiled(
    monkeypatch: pytest.MonkeyPatch, backend: str, preferences: dict[str, Any], index: int
) -> None:
    def refuse(number: int) -> Any:
        raise BackendError(f"there is no GPU {number}")

    monkeypatch.setattr(cuda, "open_device", refuse)
    model = GeNNModel("float", "m", backend=backend, **preferences)
    with pytest.raises(BackendError, match=f"there is no GPU {index}"):
        model.build()
    assert not model._built


def test_a_cuda_model_is_what_the_emitter_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []

    def compile(source: str, flush_denormals: bool) -> Path:
        compiled.append((source, flush_denormals))
        return Path("program.cubin")

    device = SimpleNamespace(threads=64, compile=compile, close=lambda: compiled.append("closed"))
    monkeypatch.setattr(cuda, "open_device", lambda index: device)
    monkeypatch.setattr(engines, "emit_cuda", lambda plan, threads: SimpleNamespace(source=f"// {plan.name} {threads}"))
    model = GeNNModel("float", "m", backend="cuda", flush_denormals=False)
    model.build()
    assert model.source() == "// m 64"
    assert compiled == [("// m 64", False), "closed"]
    assert "not applied" not in model.explain()


def test_a_build_that_fails_gives_the_device_back(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []

    def compile(source: str, flush_denormals: bool) -> Path:
        raise BuildError("ptxas error")

    device = SimpleNamespace(threads=64, compile=compile, close=lambda: log.append("closed"))
    monkeypatch.setattr(cuda, "open_device", lambda index: device)
    with pytest.raises(BuildError, match="ptxas error"):
        GeNNModel("float", "m", backend="cuda").build()
    assert log == ["closed"]


def test_a_model_lives_on_a_device_as_it_does_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    devices: list[FakeDevice] = []
    asked = program(custom_updates={})

    def open_device(index: int) -> FakeDevice:
        devices.append(FakeDevice(asked, build_plan(model._describe())))
        return devices[-1]

    monkeypatch.setattr(cuda, "open_device", open_device)
    monkeypatch.setattr(engines, "emit_cuda", lambda plan, threads: asked)
    model = GeNNModel("double", "m", backend="cuda", strategy="graph")
    p = model.add_neuron_population("P", 5, COUNTER, {}, {"x": 0.0, "sum": 0.0})
    p.extra_global_params["table"].set_init_values([1.0])
    model.build()
    assert "strategy" not in model.explain()
    for _ in range(2):
        model.load()
        model.run(9)
        assert model.timestep == 9
        total = p.vars["sum"]
        assert set(total.device_array) == {45.0}
        assert set(total.view) == {0.0}
        total.pull_from_device()
        assert set(total.view) == {45.0}
        p.vars["x"].view[:] = 100.0
        p.vars["x"].push_to_device()
        model.step_time()
        assert set(p.vars["x"].device_array) == {101.0}
        assert model.explain().endswith("timesteps on a fake: strategy 'graph': asked for")
        model.unload()
    assert len(devices) == 3
    assert all(device.closed for device in devices)


def test_a_module_for_each_back_end() -> None:
    on_gpu = genn.with_backend("cuda:1")
    assert on_gpu.GeNNModel("float", "m").backend_name == "cuda"
    assert on_gpu.GeNNModel("float", "m", backend="cpu").backend_name == "cpu"
    assert genn.with_backend("cpu").GeNNModel("float", "m").backend_name == "cpu"
    assert genn.GeNNModel("float", "m").backend_name == "cpu"
    assert on_gpu.init_var is genn.init_var
    assert on_gpu.neuron_models is genn.neuron_models
    with pytest.raises(BackendError, match="no back end 'hip'"):
        genn.with_backend("hip")
