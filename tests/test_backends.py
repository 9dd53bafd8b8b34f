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
def test_genn_needs_pygenn():
    with pytest.raises(BackendError, match=r"PyGeNN is not installed; .*github\.com/genn-team/genn"):
        choose_backend("genn")


def test_our_own_engine_under_pygenns_name_is_not_genn(monkeypatch):
    import snnlearn.genn

    monkeypatch.setitem(sys.modules, "pygenn", snnlearn.genn)
    assert choose_backend("auto").name == "cpu"
    with pytest.raises(BackendError, match="PyGeNN is not installed"):
        choose_backend("genn")
