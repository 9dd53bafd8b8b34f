"""The benchmark's command line, and what of its measuring needs no GPU."""

import json
import subprocess
import sys
import time
from pathlib import Path

import gpu_superspike as gpu
import numpy as np
import pytest
from worker import Worker, WorkerFailed, interleave

from snnlearn.backends import choose_backend
from snnlearn.data import target_path
from snnlearn.errors import BackendError
from snnlearn.io import read_ras

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "superspike.py"


def run(*args, timeout=60):
    command = [sys.executable, str(SCRIPT), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def has_gpu():
    try:
        choose_backend("cuda")
    except BackendError:
        return False
    return True


@pytest.mark.skipif(has_gpu(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_one_line(tmp_path):
    done = run("--backend", "cuda", "--json", tmp_path / "out.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("superspike.py: error: backend 'cuda' is not available: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--backend", "genn"], "argument --backend: it must be cuda, cuda:N or cpu, not 'genn'; see --engines"),
        (["--backend", "cpu", "--engines", "cpu:1"], "--backend and --engines cannot be given together"),
        (["--backend", "cpu", "--rounds", 0], "argument --rounds: it must be at least 1, not 0"),
        (["--backend", "cpu", "--parts", "start", "x"], "argument --parts: invalid choice: 'x'"),
        (["--backend", "cpu", "--round", 3], "unrecognized arguments: --round 3; did you mean '--rounds'?"),
    ],
)
def test_bad_arguments(args, message):
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"superspike.py: error: {message}")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_same_parts_on_the_cpu(tmp_path):
    file = tmp_path / "out.json"
    parts = ["start", "trials", "same_seed"]
    done = run("--backend", "cpu", "--parts", *parts, "--rounds", 2, "--json", file, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert found.keys() == {"benchmark", "backend", *parts}
    assert found["start"]["warm"]["build_s"] < found["start"]["empty"]["build_s"]
    assert len(found["trials"]["engines"]["cpu"]["s_per_trial"]) == 2
    assert all(found["same_seed"]["cpu"]["weights_equal"].values())
    assert [layer["share"] for layer in found["same_seed"]["cpu"]["spikes"].values()] == [1.0, 1.0, 1.0]
    assert "| spikes equal | 100 % | ≥ 99.9 % | yes |" in done.stdout


def test_a_part_that_fails_is_noted_and_the_rest_goes_on(tmp_path):
    file = tmp_path / "out.json"
    done = run("--backend", "cpu", "--strategies", "nonsense", "--parts", "start", "--json", file)
    # Of a start no strategy is asked for: only what a strategy is asked of fails.
    assert done.returncode == 0
    done = run("--backend", "cpu", "--strategies", "nonsense", "--parts", "same_seed", "--json", file)
    assert done.returncode == 1
    error = json.loads(file.read_text())["same_seed"]["nonsense"]["error"]
    assert "strategy" in error
    assert f"| nonsense | failed: {error} |" in done.stdout


def test_tiled_trains():
    trains = read_ras(target_path(), 200, 1890.0)
    tiled = gpu.tiled(trains, 3)
    assert (tiled.num_neurons, tiled.num_spikes) == (600, 3 * trains.num_spikes)
    for number in range(3):
        part = (tiled.ids >= 200 * number) & (tiled.ids < 200 * (number + 1))
        np.testing.assert_array_equal(np.sort(tiled.times[part]), np.sort(trains.times))


def test_versions(tmp_path):
    assert [gpu.cuda_version(number) for number in (12040, 13000, 11080)] == ["12.4", "13.0", "11.8"]
    file = tmp_path / "version"
    assert gpu.driver_release(file) == "unknown"
    file.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27\nGCC version:  gcc 12.2.0\n")
    assert gpu.driver_release(file) == "580.65.06"
    file.write_text("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54  Release Build\n")
    assert gpu.driver_release(file) == "550.54"


WORK = """
import sys, time
print('{"build_s": 1}', flush=True)
for number, _ in enumerate(sys.stdin):
    %s
    print('{"s": 0.5}', flush=True)
"""


def worker(tmp_path, work, **options):
    file = tmp_path / f"{abs(hash(work))}.py"
    file.write_text(WORK % work)
    return Worker("it", [str(file)], str(tmp_path), quiet=True, **options)


def test_one_worker_that_fails_does_not_stop_the_others(tmp_path):
    good = worker(tmp_path, "pass")
    bad = worker(tmp_path, "if number == 2: sys.exit('it: error: no memory')")
    failures = []
    interleave([bad, good], 3, lambda one, why: failures.append((one, why.last_line)))
    assert failures == [(bad, "it: error: no memory")]
    assert good.seconds == [0.5, 0.5, 0.5]


def test_a_worker_that_hangs_is_killed(tmp_path):
    hangs = worker(tmp_path, "time.sleep(60)", limit_s=0.5)
    start = time.monotonic()
    with pytest.raises(WorkerFailed) as failure:
        hangs.run()
    assert failure.value.last_line == "killed: no answer within 0.5 s"
    assert time.monotonic() - start < 20
