"""A few mutated inputs for each reader in each run of the tests, and properties of what is read."""

from __future__ import annotations

import random
import signal
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fuzz import __main__ as command
from fuzz.targets import SCOPES, TARGETS, Target
from snnlearn.dialect import parse_code, unparse
from snnlearn.errors import DialectError, SnnlearnError
from snnlearn.io import SpikeTrains, read_ras, write_ras

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed: pip install '.[test]'")
given, settings, strategies = hypothesis.given, hypothesis.settings, hypothesis.strategies
QUICK = {
    "deadline": None,
    "max_examples": 60,
    "derandomize": True,
    "suppress_health_check": [hypothesis.HealthCheck.function_scoped_fixture],
}


NUMBERS = {"ras": 60, "curve": 60, "checkpoint": 60, "record": 300, "picture": 60, "code": 60, "run": 2}


@pytest.mark.parametrize("name", [*(n for n in TARGETS if n != "run"), pytest.param("run", marks=pytest.mark.slow)])
def test_mutated_inputs_are_refused_or_read(tmp_path: Path, name: str) -> None:
    target = known(name)
    inputs = [target.make(random.Random(seed)) for seed in range(NUMBERS[name])]
    assert not all(refusal(target, tmp_path, data) for data in inputs), "the readers take some of them"


def refusal(target: Any, folder: Path, data: bytes) -> str:
    """Return the message of a typed error, or an empty text; any other error is the test's."""
    path = folder / target.file
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            target.read(path)
        except SnnlearnError as error:
            return str(error)
    return ""


@given(data=strategies.binary(max_size=200))
@settings(**QUICK)
@pytest.mark.parametrize("name", [name for name in TARGETS if name not in ("code", "run")])
def test_any_bytes_are_refused_or_read(tmp_path: Path, name: str, data: bytes) -> None:
    message = refusal(known(name), tmp_path, data)
    assert not message or known(name).file in message


TARGETS_SO_FAR: dict[str, Any] = {}


def known(name: str) -> Any:
    if name not in TARGETS_SO_FAR:
        TARGETS_SO_FAR[name] = TARGETS[name]()
    return TARGETS_SO_FAR[name]


MICROSECONDS = strategies.integers(0, 999_999)
SPIKES = strategies.lists(strategies.tuples(MICROSECONDS, strategies.integers(0, 9)), min_size=1, max_size=30)


@given(spikes=SPIKES, first_id=strategies.sampled_from([0, 1]))
@settings(**QUICK)
def test_what_is_written_is_read_again(tmp_path: Path, spikes: list[tuple[int, int]], first_id: int) -> None:
    times, ids = np.array(spikes).T
    trains = SpikeTrains.from_spikes(times / 1000.0, ids, 10)
    path = tmp_path / "trains.ras"
    write_ras(path, trains, first_id)
    again = read_ras(path, 10, 1000.0, first_id)
    np.testing.assert_array_equal(again.ids, trains.ids)
    np.testing.assert_allclose(again.times, trains.times, rtol=0.0, atol=1e-9)


@given(text=strategies.text(max_size=80))
@settings(**QUICK)
def test_any_text_is_no_code_or_says_the_same_again(text: str) -> None:
    snippet = parsed(text)
    if isinstance(snippet, str):
        assert snippet.count("\n") == 2, "a message, a line and a caret"
        return
    written = unparse(snippet.tree)
    assert unparse(parse_code(written, SCOPES[0], "here")[0].tree) == written


def parsed(text: str) -> Any:
    try:
        return parse_code(text, SCOPES[0], "here")[0]
    except DialectError as error:
        return str(error)


@given(line=strategies.text(strategies.characters(blacklist_categories=["Cs"]), max_size=40))
@settings(**QUICK)
def test_any_line_of_a_target_is_named(tmp_path: Path, line: str) -> None:
    message = refusal(known("ras"), tmp_path, f"0.5 1\n{line}".encode())
    assert "\n" not in message
    assert not message or message.startswith(str(tmp_path))


def test_what_goes_wrong_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(path: Path) -> None:
        raise KeyError("untyped")

    def hang(path: Path) -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    monkeypatch.setattr(command, "HANG_S", 0.2)
    before = signal.signal(signal.SIGALRM, command.stop)
    try:
        assert command.outcome(Target("x", lambda _: b"", Path.read_bytes), tmp_path) is not None
        for read, text in ((crash, "KeyError: 'untyped'"), (hang, "takes longer than 0.2 s")):
            assert text in str(command.outcome(Target("x", lambda _: b"", read), tmp_path))
    finally:
        signal.signal(signal.SIGALRM, before)
