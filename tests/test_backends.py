"""Choosing an engine."""

import importlib.util
import sys

import pytest

import snnlearn.genn
from snnlearn import backends
from snnlearn.backends import Backend, choose_backend
from snnlearn.errors import BackendError

has_pygenn = importlib.util.find_spec("pygenn") is not None


def test_cpu():
    backend = choose_backend("cpu")
    assert backend.name == "cpu"
    assert backend.module.__name__ == "snnlearn.genn"


def test_auto_says_why():
    backend = choose_backend("auto")
    assert backend.name in ("cpu", "cuda", "genn")
    assert "GPU" in backend.why


def test_unknown():
    with pytest.raises(BackendError, match=r"unknown backend 'cpuu'; did you mean 'cpu'.; available here: .*cpu"):
        choose_backend("cpuu")


@pytest.fixture
def no_genn(monkeypatch):
    monkeypatch.setattr(backends, "_has_pygenn", lambda: False)


@pytest.fixture
def cuda(monkeypatch, no_genn):
    """Sets what a machine lacks for CUDA, if anything, and whether it has a driver; gives the indices asked for."""

    def machine(lacks, driver=13_000):
        asked = []
        monkeypatch.setattr(backends, "why_not_cuda", lambda index=0: asked.append(index) or lacks)
        monkeypatch.setattr(backends, "driver_version", lambda: driver)
        monkeypatch.setattr(snnlearn.genn, "with_backend", lambda name: f"models on {name}", raising=False)
        return asked

    return machine


@pytest.mark.parametrize(("name", "index"), [("cuda", 0), ("cuda:0", 0), ("cuda:12", 12)])
def test_cuda(cuda, name, index):
    asked = cuda(None)
    assert choose_backend(name) == Backend(name, "asked for", f"models on {name}")
    assert asked == [index]


@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_cuda_that_does_not_work(cuda, name):
    cuda("no NVIDIA driver is installed; get one")
    with pytest.raises(
        BackendError,
        match=rf"^backend '{name}' is not available: no NVIDIA driver is installed; get one; available here: .*cpu",
    ):
        choose_backend(name)


@pytest.mark.parametrize("name", ["cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "cuda:\N{SUPERSCRIPT TWO}", "cuda1"])
def test_no_number_of_a_gpu(cuda, name):
    cuda(None)
    with pytest.raises(
        BackendError, match=r"unknown backend 'cuda.*'; GPUs are named .* 'cuda:1'; available here: .*cuda"
    ):
        choose_backend(name)


def test_auto_takes_a_gpu(cuda):
    cuda(None)
    assert choose_backend("auto") == Backend("cuda", "a GPU and CuPy are here", "models on cuda")


def test_auto_says_what_a_gpu_lacks(cuda):
    cuda('an NVIDIA driver is here but CuPy is not; pip install "snnlearn[cuda13]"')
    backend = choose_backend("auto")
    assert backend.name == "cpu"
    assert backend.why == (
        'no GPU engine works here: an NVIDIA driver is here but CuPy is not; pip install "snnlearn[cuda13]"'
    )


def test_auto_does_not_speak_of_drivers_where_there_is_none(cuda):
    cuda("no NVIDIA driver is installed; get one", driver=None)
    assert (choose_backend("auto").name, choose_backend("auto").why) == ("cpu", "no GPU engine works here")


def test_auto_takes_genn_with_a_gpu_first(cuda, monkeypatch):
    cuda(None)
    monkeypatch.setattr(backends, "_genn_has_gpu", lambda: True)
    monkeypatch.setattr(backends, "_load", lambda name: name)
    backend = choose_backend("auto")
    assert (backend.name, backend.module) == ("genn", "snnlearn.pygenn_engine")


@pytest.mark.skipif(has_pygenn, reason="PyGeNN is installed here")
@pytest.mark.parametrize("name", ["genn", "genn:cpu", "genn:cuda", "genn:hip"])
def test_genn_needs_pygenn(name):
    with pytest.raises(BackendError, match=r"PyGeNN is not installed; .*github\.com/genn-team/genn"):
        choose_backend(name)


@pytest.mark.skipif(not has_pygenn, reason="PyGeNN is not installed")
def test_genn_with_each_back_end_that_it_was_built_with():
    import pygenn

    for name in ("cpu", "cuda", "hip"):
        theirs = {"cpu": "single_threaded_cpu"}.get(name, name)
        if theirs in pygenn.genn_model.backend_modules:
            assert choose_backend(f"genn:{name}").module.GeNNModel("float", "m").backend_name == theirs
        else:
            with pytest.raises(BackendError, match=f"backend 'genn:{name}' is not available: this GeNN was built with"):
                choose_backend(f"genn:{name}")


def test_our_own_engine_under_pygenns_name_is_not_genn(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygenn", snnlearn.genn)
    assert choose_backend("auto").name in ("cpu", "cuda")
    with pytest.raises(BackendError, match="PyGeNN is not installed"):
        choose_backend("genn")
