"""The engine table with generated code and run-time built with a compiler's detectors.

    python tests/sanitized.py address      # stray accesses and undefined behaviour: AddressSanitizer and UBSan
    python tests/sanitized.py address 2/4  # the second of four parts, whole files each
    python tests/sanitized.py thread       # data races: ThreadSanitizer, on what works with several threads
    python tests/sanitized.py address tests/engines/test_sparse.py -x

GCC and Linux; a finding ends the process, and is printed. Compiling is most of the time, so that it is done with -O0.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
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
DETAILS = ["-g1", "-fno-omit-frame-pointer"]
# Not a script: shells crash with ThreadSanitizer's library. The compiler is not looked at, and the last -O counts.
LAUNCHER = """
#include <stdlib.h>
#include <unistd.h>
#include <vector>
int main(int count, char **given)
{
    std::vector<const char *> words{%s};
    words.insert(words.end(), given + 1, given + count);
    words.push_back("-O0");
    words.push_back(nullptr);
    unsetenv("LD_PRELOAD");
    return execvp(words[0], const_cast<char **>(words.data()));
}
"""
SELECTED = {"address": "cpu and not genn", "thread": "cpu-2-threads or test_threads"}


def main() -> int:
    kind, *arguments = sys.argv[1:] or [""]
    if kind not in KINDS:
        print(__doc__)
        return 2
    flags, libraries = KINDS[kind]
    compiler = os.environ.get("CXX", "g++")
    paths = [library(compiler, name) for name in libraries]
    if not arguments or re.fullmatch(r"\d+/\d+", arguments[0]):
        part, parts = map(int, (arguments or ["1/1"])[0].split("/"))
        files = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "tests/engines").glob("test_*.py"))
        arguments = [*files[part - 1 :: parts], "-m", "not slow or few_engines", "-k", SELECTED[kind], *arguments[1:]]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--capture=sys", *arguments]
    print(shlex.join(command), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder, "c++")
        launcher = LAUNCHER % ", ".join(map(json.dumps, [*shlex.split(compiler), *flags.split(), *DETAILS]))
        subprocess.run([*shlex.split(compiler), "-x", "c++", "-", "-o", wrapper], input=launcher, text=True, check=True)
        environment = {**os.environ, **OPTIONS, "CXX": str(wrapper), "LD_PRELOAD": " ".join(paths)}
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def library(compiler: str, name: str) -> str:
    """Return where the compiler has a detector's run-time."""
    command = [*shlex.split(compiler), f"-print-file-name={name}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
