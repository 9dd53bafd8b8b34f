"""The benchmark of recording measures each case, and what it compares is comparable."""

from __future__ import annotations

import pytest
import recording


@pytest.mark.slow
def test_all_cases_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FORWARD_STEPS", 130)
    monkeypatch.setattr(recording, "DEMO_STEPS", 64)
    found = recording.measure(1)
    assert all(figures["us_a_timestep"] > 0.0 for figures in found.values())
    assert {name for name, figures in found.items() if "ratio" not in figures} == {
        "forward",
        "played by nobody",
        "demo",
    }
    row = (256 + 200) * 4 + (256 // 32 + 200 // 32 + 1) * 4  # numbers, and words of flags
    assert found["V and spikes of both layers"]["mb"] == (130 + 1) * row / 1e6
