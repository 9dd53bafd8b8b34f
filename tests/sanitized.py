"""The engine table with generated code and run-time built with a compiler's detectors.

    python tests/sanitized.py address      # stray accesses and undefined behaviour: AddressSanitizer and UBSan
    python tests/sanitized.py thread       # data races: ThreadSanitizer, on what works with several threads
    python tests/sanitized.py address tests/engines/test_sparse.py -x

GCC and Linux; a finding ends the process, and is printed.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Python's own arrays and every plan's are blocks of the detector's allocator. It does not know of what Python leaves.
KINDS = {
    "address": ("-fsanitize=address,undefined -fno-sanitize-recover=all", ["libasan.so", "libubsan.so"]),
    "thread": ("-fsanitize=thread", ["libtsan.so"]),
}
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:handle_segv=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:abort_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:report_signal_unsafe=0",
}
EACH = ["tests/engines", "-m", "not slow or few_engines"]
TABLES = {
    "address": [*EACH, "-k", "cpu"],
    "thread": [*EACH, "-k", "cpu-2-threads or test_threads"],
}


def main() -> int:
    kind, *arguments = sys.argv[1:] or [""]
    if kind not in KINDS:
        print(__doc__)
        return 2
    flags, libraries = KINDS[kind]
    compiler = os.environ.get("CXX", "g++")
    paths = [library(compiler, name) for name in libraries]
    environment = {
        **os.environ,
        **OPTIONS,
        "CXX": f"{compiler} {flags} -g -fno-omit-frame-pointer",
        "LD_PRELOAD": " ".join(paths),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or TABLES[kind])]
    print(shlex.join(command), flush=True)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def library(compiler: str, name: str) -> str:
    """Return where the compiler has a detector's run-time."""
    command = [*shlex.split(compiler), f"-print-file-name={name}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
