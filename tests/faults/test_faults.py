"""Each fault of the table: a clear end, or it goes on, and nothing is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from faults.__main__ import fill
from faults.cases import CASES, Case, can_mount, run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="mounts and limits are Linux's")]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("warm"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_clear_end_or_it_goes_on(tmp_path: Path, warm: Path, case: Case) -> None:
    if case.mounts and not can_mount():
        pytest.skip("this user may not mount file systems")
    assert not run(case, tmp_path, warm).problems
