"""Mutated inputs for one target: no crash, no hang, no untyped error, no more memory than inputs may take.

    python tests/fuzz picture --inputs 1000000
    python tests/fuzz code --minutes 5 --seed 7
    python tests/fuzz ras --seed 7 --only 123456     # one input again, with its traceback

The reader works in a process of its own, whose end is noticed. What it had before it then is kept.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
if sys.path[0] == str(HERE):
    sys.path[0] = str(HERE.parent)

from fuzz.targets import TARGETS  # noqa: E402
from snnlearn.errors import SnnlearnError  # noqa: E402

HANG_S = 60.0
MOST_FINDINGS = 10
_KB = 1024 if sys.platform != "darwin" else 1


class Hang(BaseException):
    """A reader takes too long; nothing that readers catch."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--inputs", type=int, default=1 << 40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="N", help="read input N alone, and show what it does")
    parser.add_argument("--here", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only is not None:
        with tempfile.TemporaryDirectory() as folder:
            target = TARGETS[options.target]()
            path = Path(folder, target.file)
            path.write_bytes(target.make(rng_of(options.seed, options.only)))
            print(repr(path.read_bytes()[:2000]))
            target.read(path)
        return 0
    return work(options) if options.here else watch(options)


def watch(options: argparse.Namespace) -> int:
    """Run the reader in another process and tell how it went."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        child = subprocess.run([sys.executable, str(HERE), *sys.argv[1:], "--here", folder], check=False)
        report = Path(folder, "report.json")
        found: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
        if child.returncode < 0 or not found:
            kept = Path(tempfile.mkdtemp(prefix="fuzz-"))
            for file in Path(folder).iterdir():
                (kept / file.name).write_bytes(file.read_bytes())
            print(f"{options.target}: ended with {child.returncode}; its last input is in {kept}")
            return 1
    print(
        f"{options.target}: {found['inputs']:,} inputs in {found['seconds']:.0f} s, seed {options.seed}: "
        f"{found['accepted']:,} accepted, {len(found['findings'])} findings, slowest {found['slowest']:.2f} s, "
        f"memory +{found['memory'] / 1e6:.0f} MB"
    )
    for finding in found["findings"]:
        print(finding)
    return 1 if found["findings"] else 0


def work(options: argparse.Namespace) -> int:
    """Read inputs until time or their number is up."""

    signal.signal(signal.SIGALRM, stop)
    with open(Path(options.here, "traceback.txt"), "wb") as last_words:
        faulthandler.enable(os.dup(last_words.fileno()))
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)  # code strings print
        os.dup2(nowhere.fileno(), 2)  # and so do libraries that decode pictures
    warnings.simplefilter("ignore")
    target = TARGETS[options.target]()
    path = Path(options.here, target.file)
    rng = random.Random(0)
    for _ in range(20):  # what is imported and kept at first is no input's
        path.write_bytes(target.make(rng))
        outcome(target, path)
    base, start, findings = used(), time.monotonic(), []
    accepted, number, slowest = 0, 0, 0.0
    while number < options.inputs and time.monotonic() - start < 60.0 * options.minutes:
        path.write_bytes(target.make(rng_of(options.seed, number)))
        before, began = used(), time.monotonic()
        text = outcome(target, path)
        slowest = max(slowest, time.monotonic() - began)
        accepted += text == ""
        # The largest memory so far: it tells of this input only if it grew.
        if used() > before and used() - base > target.room(path.stat()):
            text, base = f"memory: {used() - base:,} bytes\n", used()
        if text:
            findings.append(f"input {number}: {text}")
        number += 1
        if len(findings) >= MOST_FINDINGS:
            break
    report = {"inputs": number, "seconds": time.monotonic() - start, "accepted": accepted, "findings": findings}
    report |= {"slowest": slowest, "memory": used() - base}
    Path(options.here, "report.json").write_text(json.dumps(report))
    return 0


def stop(*_: object) -> None:
    raise Hang


def outcome(target: Any, path: Path) -> str | None:
    """Return nothing for an error that is typed, an empty text for none, else what went wrong."""
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        target.read(path)
    except SnnlearnError as error:
        return None if len(str(error)) < 5000 else f"a message of {len(str(error)):,} characters\n"
    except Hang:
        return f"takes longer than {HANG_S:g} s\n{traceback.format_exc(limit=-3)}"
    except BaseException:
        return traceback.format_exc(limit=-4)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    return ""


def rng_of(seed: int, number: int) -> random.Random:
    return random.Random(seed << 40 | number)


def used() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KB


if __name__ == "__main__":
    sys.exit(main())
