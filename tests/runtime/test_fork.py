"""A process that is forked while a simulation with threads lives."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the operating system knows no fork")
SCRIPT = """
import os, sys
sys.path.insert(0, {tests!r})
from linear_rules import describe, rule

net = describe(rule("e += (y * sig - e / tau) * dt; m += e * err;"), ("defer", "linear"), sizes=(300, 200),
               threads={threads})
net.build()
net.load()
net.run(64 * 5 + 10)  # a block is being worked on, another one fills up
e = net.synapse_populations["S"].vars["e"]
child = os.fork()
if child == 0:
    try:
        net.run(100)
        e.pull_from_device()
        print("child", repr(float(e.values.sum())), flush=True)
    except Exception as error:
        print("child", type(error).__name__, error, flush=True)
    net.unload()
    del net, e
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0, "the child ends as it should"
net.run(100)
e.pull_from_device()
print("parent", repr(float(e.values.sum())))
net.unload()
"""


@pytest.mark.parametrize("threads", [1, 3])
def test_a_fork_neither_hangs_nor_crashes(threads: int) -> None:
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(tests=tests, threads=threads)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    child, parent = (line.partition(" ")[2] for line in done.stdout.splitlines())
    assert float(parent) != 0.0
    if threads == 1:
        assert child == parent
    else:
        assert child.startswith("LifecycleError the simulation was loaded before this process was forked, and its")


def test_a_fork_may_load_the_model_anew() -> None:
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    script = SCRIPT.replace("    try:\n", "    try:\n        net.unload(); net.load()\n").replace("run(100)", "run(1)")
    done = subprocess.run(
        [sys.executable, "-c", script.format(tests=tests, threads=2)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stdout
