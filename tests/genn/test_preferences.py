"""Preferences: ours are checked, GeNN's are passed over, others are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from snnlearn.codegen.plan import CPU_ONLY, DEFAULT, REWRITES
from snnlearn.errors import PreferenceError
from snnlearn.genn import GeNNModel, preferences
from snnlearn.genn.preferences import Preferences, our_names, read_preferences


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNNLEARN_THREADS", raising=False)
    preferences = read_preferences({})
    assert preferences.flush_denormals
    assert preferences.optimise == DEFAULT
    assert preferences.threads is not None
    assert preferences.threads >= 1


def test_the_environment_names_the_threads_unless_the_call_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNLEARN_THREADS", "3")
    assert read_preferences({}).threads == 3
    assert read_preferences({"threads": 2}).threads == 2


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "2000"])
def test_a_wrong_environment(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SNNLEARN_THREADS", text)
    with pytest.raises(
        PreferenceError, match="environment variable SNNLEARN_THREADS must be an integer from 1 to 1024"
    ):
        Preferences()


def test_more_threads_than_cores_are_said_to_be_slow(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(preferences, "_available_cores", lambda: 4)
    assert Preferences(threads=4).threads == 4
    assert not caplog.messages
    assert Preferences(threads=5).threads == 5
    assert caplog.messages == ["threads: 5, on 4 cores: more threads than cores are slower"]


@pytest.mark.parametrize(("text", "portable"), [("", False), ("0", False), ("1", True)])
def test_the_environment_may_ask_for_portable_code(monkeypatch: pytest.MonkeyPatch, text: str, portable: bool) -> None:
    monkeypatch.setenv("SNNLEARN_PORTABLE", text)
    assert Preferences().portable is portable
    assert Preferences(portable=not portable).portable is not portable


def test_a_wrong_wish_for_portable_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNLEARN_PORTABLE", "yes")
    with pytest.raises(PreferenceError, match="environment variable SNNLEARN_PORTABLE must be 0 or 1, not 'yes'"):
        Preferences()


def test_portable_code_calls_no_function_for_an_instruction_that_may_be_missing() -> None:
    assert "contract" not in Preferences(portable=True).optimise
    assert Preferences(portable=True, optimise=("defer", "contract")).optimise == ("defer", "contract")


def test_a_gpu_is_chosen_as_in_pygenn() -> None:
    manual, optimal = SimpleNamespace(name="MANUAL"), SimpleNamespace(name="OPTIMAL")
    assert read_preferences({}).device is None
    assert read_preferences({"manual_device_id": 2}).device == 2
    assert read_preferences({"manual_device_id": 2, "device_select_method": "MANUAL"}).device == 2
    assert read_preferences({"manual_device_id": 2, "device_select_method": manual}).device == 2
    assert read_preferences({"manual_device_id": 2, "device_select_method": optimal}).device is None


def test_rewrites_by_back_end() -> None:
    for given in (Preferences(), Preferences(portable=True)):
        assert given.rewrites("cpu") == given.optimise
        assert set(given.rewrites("cuda")) == set(REWRITES) - set(CPU_ONLY)
    assert Preferences(optimise=["merge"]).rewrites("cuda") == ("merge",)
    assert Preferences(optimise=()).rewrites("cuda") == ()


def test_genn_is_not_given_what_is_ours() -> None:
    assert our_names() == {"threads", "flush_denormals", "optimise", "portable", "strategy", "checked"}


WRONG = [
    ({"threads": 0}, "threads must be an integer from 1 to 1024, not 0"),
    ({"threads": True}, "threads must be an integer from 1 to 1024, not True"),
    ({"threads": 1.0}, "threads must be an integer"),
    ({"flush_denormals": 1}, "flush_denormals must be True or False, not 1"),
    ({"portable": 1}, "portable must be True or False, not 1"),
    ({"strategy": "grph"}, "unknown strategy 'grph'; did you mean 'graph'"),
    ({"strategy": None}, "unknown strategy None"),
    ({"manual_device_id": -1}, "manual_device_id must be an integer of at least 0, not -1"),
    ({"manual_device_id": "1"}, "manual_device_id must be an integer of at least 0, not '1'"),
    ({"optimise": "defer"}, "optimise must be a sequence of names, not 'defer'"),
    ({"optimise": None}, "optimise must be a sequence of names, not None"),
    ({"optimise": ["defr"]}, "unknown optimisation 'defr'; did you mean 'defer'"),
    ({"thread": 2}, "unknown preference 'thread'; did you mean 'threads'"),
    ({"nonsense": 2}, "unknown preference 'nonsense'"),
    ({"batch_size": 2}, "unknown preference 'batch_size': assign it to the model, model.batch_size = 2"),
    ({"sed": 5}, "unknown preference 'sed': assign it to the model, model.seed = 5"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_wrong_preferences(given: dict[str, Any], message: str) -> None:
    with pytest.raises(PreferenceError, match=message):
        GeNNModel("float", "m", **given)


def test_those_of_genns_back_ends_mean_nothing() -> None:
    model = GeNNModel("float", "m", generateLineInfo=True, optimize_code=True, manual_block_sizes=[32], threads=1)
    assert model.preferences == Preferences(threads=1)
