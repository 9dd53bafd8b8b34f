"""What is known of the CPU, and which rewrites an engine therefore takes."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from snnlearn.codegen.plan import CPU_ONLY, REWRITES
from snnlearn.genn.preferences import Preferences
from snnlearn.runtime import engines, processor
from snnlearn.runtime.engines import default_rewrites

X86 = "vendor_id : A\nflags : sse2 avx2 {}\nbogomips : 1\n"


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    for found in (processor.processor, processor.has_fused_multiply_add):
        found.cache_clear()
    yield
    for found in (processor.processor, processor.has_fused_multiply_add):
        found.cache_clear()


@pytest.mark.parametrize(
    ("machine", "text", "fused"),
    [
        ("x86_64", X86.format("fma"), True),
        ("x86_64", X86.format("fma4"), False),
        ("x86_64", None, False),
        ("aarch64", None, True),
        ("arm64", "Features : fp\n", True),
    ],
)
def test_fused_multiply_add(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str, text: str | None, fused: bool
) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "_CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert processor.has_fused_multiply_add() is fused


@pytest.mark.parametrize("fused", [True, False])
def test_a_cpu_that_lacks_the_instruction_does_without(monkeypatch: pytest.MonkeyPatch, fused: bool) -> None:
    monkeypatch.setattr(engines, "has_fused_multiply_add", lambda: fused)
    without = tuple(name for name in REWRITES if name != "contract")
    assert default_rewrites("cpu", portable=False) == (tuple(REWRITES) if fused else without)
    assert default_rewrites("cpu", portable=True) == without
    every = tuple(name for name in REWRITES if name not in CPU_ONLY)
    assert default_rewrites("cuda", portable=True) == every
    assert Preferences(portable=False).optimise == default_rewrites("cpu", portable=False)
    assert Preferences(portable=False).rewrites("cuda") == every
    assert Preferences(portable=False, optimise=["strength", "turns"]).rewrites("cuda") == ("strength",)
    assert Preferences(portable=False, optimise=["strength", "turns"]).rewrites("cpu") == ("strength", "turns")
