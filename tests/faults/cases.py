"""What goes wrong around a command, how that is brought about, and what is to happen then."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

BIN = Path(sys.executable).parent
DEMO = f"{BIN}/superspike_demo --num-trials 2 --record-trial 0 1 --save-data --seed 1 --first-id 1 --threads 1"
PLOT = (
    f"{BIN}/superspike_demo --num-trials 1 --record-trial 0 --plot-file out/plot.png --seed 1 --first-id 1 --threads 1"
)
INFO = f"{BIN}/snnlearn cache info"
# C's own functions follow the locale only where a program asks for that.
IN_ITS_LOCALE = """import locale, runpy, sys
locale.setlocale(locale.LC_ALL, "")
assert locale.localeconv()["decimal_point"] == ","
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
TINY = "mount -t tmpfs -o size={size} tmpfs {folder}"
WRITTEN = ("learning_curve.csv",)
GOES_ON = (0,)
ENDS = (2,)


@dataclass(frozen=True)
class Case:
    """A fault.

    Attributes
    ----------
    name : str
        What goes wrong.
    script : str
        For a shell, in a folder with the folders ``out``, ``cache`` and ``tmp``; it may mount what it wants.
    status : tuple of int
        With which status the command may end.
    says : str
        A regular expression that a line of stderr, or of ``said``, must match; empty where all is as ever.
    leaves : tuple of str
        The files in ``out`` afterwards, all of them whole.
    cold : bool
        Whether the cache is empty at first.
    environment : dict
        Changes of it; None removes a variable.
    outcome : str
        For the table.
    """

    name: str
    script: str
    status: tuple[int, ...]
    says: str
    leaves: tuple[str, ...]
    outcome: str
    cold: bool = False
    environment: dict[str, str | None] = field(default_factory=dict)

    @property
    def mounts(self) -> bool:
        """Whether it needs file systems of its own."""
        return "mount " in self.script


CURVE_AND_SPIKES = (
    "hidden_spikes_0.csv",
    "hidden_spikes_1.csv",
    "input_spikes_0.csv",
    "input_spikes_1.csv",
    "learning_curve.csv",
    "output_spikes_0.csv",
    "output_spikes_1.csv",
)
OUT = "--output-dir out"
FULL = r"error: cannot write out/.*: No space left on device"
CASES = [
    Case(
        "output: disk full",
        f"{TINY.format(size='32k', folder='out')}; {DEMO} {OUT}",
        ENDS,
        FULL,
        (),
        "ends with one line; files that were written are whole",
    ),
    Case(
        "run folder: disk full",
        f"{TINY.format(size='6000k', folder='out')}; {DEMO} --save out/run --checkpoint-every 1; code=$?; "
        f"{BIN}/snnlearn inspect out/run/checkpoint.npz > inspected || code=9; (exit $code)",
        ENDS,
        r"error: cannot write out/run/checkpoint.npz: No space left on device",
        (),
        "ends with one line; the checkpoint before is whole",
    ),
    Case(
        "cache: disk full",
        f"{TINY.format(size='64k', folder='cache')}; {DEMO} {OUT}",
        ENDS,
        r"error: .*(No space left on device|failed)",
        (),
        "ends with one line before the training",
        cold=True,
    ),
    Case(
        "TMPDIR: disk full",
        f"{TINY.format(size='4k', folder='tmp')}; {DEMO} {OUT}",
        ENDS,
        r"error: the C\+\+ compiler .* failed: .*No space left on device",
        (),
        "ends with one line before the training",
        cold=True,
    ),
    Case(
        "stdout: disk full",
        f"{DEMO} {OUT} > /dev/full",
        (1,),
        "error: cannot write to stdout: No space left on device",
        CURVE_AND_SPIKES,
        "goes on; status 1 and one line at the end",
    ),
    Case("stdout closed", f"{DEMO} {OUT} >&-", GOES_ON, "", CURVE_AND_SPIKES, "goes on"),
    Case("stderr closed", f"{DEMO} {OUT} 2>&-", GOES_ON, "", CURVE_AND_SPIKES, "goes on"),
    Case("stderr: disk full", f"{DEMO} {OUT} 2> /dev/full", GOES_ON, "", CURVE_AND_SPIKES, "goes on"),
    Case(
        "nobody reads stdout",
        f"({DEMO} {OUT}; echo $? > status) | true; (exit $(cat status))",
        GOES_ON,
        "",
        CURVE_AND_SPIKES,
        "goes on",
    ),
    Case(
        "output: read-only",
        f"mount --bind out out; mount -o remount,ro,bind out; {DEMO} {OUT}",
        ENDS,
        r"error: cannot write to the folder out: Read-only file system",
        (),
        "ends with one line before the training",
    ),
    Case(
        "cache: read-only, empty",
        f"mount --bind cache cache; mount -o remount,ro,bind cache; {DEMO} {OUT}",
        ENDS,
        r"error: cannot write the cache .*: Read-only file system; set XDG_CACHE_HOME",
        (),
        "ends with one line before the training",
        cold=True,
    ),
    Case(
        "cache: read-only, filled",
        f"mount --bind cache cache; mount -o remount,ro,bind cache; {DEMO} {OUT}",
        GOES_ON,
        "",
        CURVE_AND_SPIKES,
        "goes on",
    ),
    Case(
        "no home",
        f"{DEMO} {OUT}",
        ENDS,
        r"error: cannot write the cache .*set XDG_CACHE_HOME",
        (),
        "ends with one line before the training",
        environment={"HOME": "/dev/null", "XDG_CACHE_HOME": None},
    ),
    Case(
        "no home, but a cache",
        f"{PLOT} {OUT}",
        GOES_ON,
        "Matplotlib created a temporary cache directory|",
        ("plot.png",),
        "goes on; Matplotlib tells of its own cache",
        environment={"HOME": "/dev/null", "MPLCONFIGDIR": None},
    ),
    Case(
        "eight files open at most",
        f"(ulimit -n 8; exec {DEMO} {OUT})",
        ENDS,
        r"error: .* cannot be run: Too many open files",
        (),
        "ends with one line before the training",
        cold=True,
    ),
    Case(
        "Turkish, with decimal commas",
        f"localedef -i tr_TR -f UTF-8 ./tr_TR.UTF-8 && {sys.executable} in_its_locale.py {DEMO} {OUT}",
        GOES_ON,
        "",
        CURVE_AND_SPIKES,
        "goes on",
        environment={"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "LOCPATH": "."},
    ),
    Case(
        "ASCII terminal",
        f"{PLOT} {OUT}",
        GOES_ON,
        "",
        ("plot.png",),
        "goes on",
        environment={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ),
    Case(
        "no environment",
        f"env -i PATH=$PATH XDG_CACHE_HOME=$PWD/cache {DEMO} {OUT}",
        GOES_ON,
        "",
        CURVE_AND_SPIKES,
        "goes on",
    ),
]


@dataclass(frozen=True)
class Result:
    """What a command did."""

    status: int
    stderr: str
    left: tuple[str, ...]
    problems: tuple[str, ...]


def can_mount() -> bool:
    """Whether this user may mount file systems of his own."""
    if shutil.which("unshare") is None:
        return False
    script = "mount -t tmpfs tmpfs /mnt"
    return subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, check=False).returncode == 0


def run(case: Case, folder: Path, warm: Path) -> Result:
    """Run a case in an empty folder; ``warm`` is a filled cache."""
    for name in ("out", "tmp"):
        (folder / name).mkdir()
    if case.cold:
        (folder / "cache").mkdir()
    else:
        shutil.copytree(warm, folder / "cache")
    (folder / "in_its_locale.py").write_text(IN_ITS_LOCALE)
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "TMPDIR": str(folder / "tmp"),
        "OMP_NUM_THREADS": "1",
    }
    environment |= {name: value for name, value in case.environment.items() if value is not None}
    for name in (name for name, value in case.environment.items() if value is None):
        environment.pop(name, None)
    # What is in a file system of its own is only seen from within.
    script = f"{case.script}\ncode=$?\nls -A out > left\nexit $code"
    command = ["unshare", "-rm", "sh", "-c", script] if case.mounts else ["sh", "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120, check=False)
    stderr = done.stderr.decode("utf-8", "replace")
    left = tuple((folder / "left").read_text().split()) if (folder / "left").exists() else ()
    return Result(done.returncode, stderr, left, tuple(problems(case, done.returncode, stderr, left)))


def problems(case: Case, status: int, stderr: str, left: tuple[str, ...]) -> list[str]:
    """Return what is not as it should be."""
    found = []
    if status not in case.status:
        found.append(f"status {status}")
    if "Traceback" in stderr:
        found.append("a traceback")
    lines = [line for line in stderr.splitlines() if "warning" not in line]
    if case.says and not any(re.search(case.says, line) for line in lines or [""]):
        found.append(f"says {stderr[-300:]!r}")
    if not case.says and lines:
        found.append(f"says {stderr[-300:]!r}")
    if status == 2 and len(lines) > 1:
        found.append(f"{len(lines)} lines: {stderr[-600:]!r}")
    if any(name.endswith(".tmp") for name in left):
        found.append(f"leaves {left}")
    if case.leaves and set(case.leaves) - set(left):
        found.append(f"leaves only {left}")
    return found
