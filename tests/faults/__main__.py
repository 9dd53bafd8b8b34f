"""Bring about each fault, and print a table of what happened: ``python tests/faults``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
if sys.path[0] == str(HERE):
    sys.path[0] = str(HERE.parent)

from faults.cases import CASES, DEMO, PLOT, can_mount, run  # noqa: E402


def main() -> int:
    failed, mounts = 0, can_mount()
    print("| what goes wrong | what happens | status |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        warm = fill(Path(folder))
        for number, case in enumerate(CASES):
            if case.mounts and not mounts:
                print(f"| {case.name} | not tried: this user may not mount file systems | |")
                continue
            here = Path(folder, str(number))
            here.mkdir()
            result = run(case, here, warm)
            failed += bool(result.problems)
            print(f"| {case.name} | {'; '.join(result.problems) or case.outcome} | {result.status} |", flush=True)
    return 1 if failed else 0


def fill(folder: Path) -> Path:
    """Return a cache that holds what the cases need."""
    warm = folder / "warm"
    (folder / "out").mkdir()
    for command in (DEMO, PLOT):
        subprocess.run(
            ["sh", "-c", f"XDG_CACHE_HOME={warm} {command} --output-dir out"],
            cwd=folder,
            capture_output=True,
            check=True,
        )
    return warm


if __name__ == "__main__":
    sys.exit(main())
