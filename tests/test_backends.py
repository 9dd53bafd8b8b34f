"""Choosing an engine."""

import importlib.util
import sys

import pytest

from snnlearn.backends import choose_backend
from snnlearn.errors import BackendError

has_pygenn = importlib.util.find_spec("pygenn") is not None


def test_cpu():
    backend = choose_backend("cpu")
    assert backend.name == "cpu"
    assert backend.module.__name__ == "snnlearn.genn"


def test_auto_says_why():
    backend = choose_backend("auto")
    assert backend.name in ("cpu", "genn")
    assert "GPU" in backend.why


def test_unknown():
    with pytest.raises(BackendError, match=r"unknown backend 'cpuu'; did you mean 'cpu'.; available here: .*cpu"):
        choose_backend("cpuu")


def test_cuda_is_not_there():
    with pytest.raises(BackendError, match=r"backend 'cuda' is not available: .*; available here: .*cpu"):
        choose_backend("cuda")


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
    import snnlearn.genn

    monkeypatch.setitem(sys.modules, "pygenn", snnlearn.genn)
    assert choose_backend("auto").name == "cpu"
    with pytest.raises(BackendError, match="PyGeNN is not installed"):
        choose_backend("genn")
