"""Generated source under the compilers' own detectors of data races, stray accesses and undefined behaviour."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kept_networks import kept_values
from small_networks import network
from snnlearn.codegen.cpp import emit_cpp, support_source
from snnlearn.codegen.plan import DEFAULT, Array, Plan, build_plan, optimise
from snnlearn.runtime.compiler import find_compiler

# Each array is a block of its own, exactly as long as the plan says, so that a step outside is seen.
DRIVER = """
#include <cstdlib>
#include <vector>
int main()
{
    const size_t sizes[] = {%s};
    std::vector<void *> arrays;
    for (const size_t size : sizes) {
        arrays.push_back(std::calloc(size, 1));
    }
    %s
    for (unsigned int threads = 1; threads < 5; threads++) {
        void *sim = snn_create(threads, threads %% 2);
        snn_bind(sim, arrays.data());
        snn_configure(sim, 1, 7, 1);
        snn_initialise(sim);
        for (int n = 0; n < 4; n++) {
            snn_run(sim, 50 + 10 * n);
            snn_flush(sim);
            snn_set_timestep(sim, 3);
        }
        snn_destroy(sim);
    }
    for (void *array : arrays) {
        std::free(array);
    }
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
@pytest.mark.parametrize("rewrites", [(), ("strength", "defer")], ids=["plain", "default"])
def test_nothing_is_detected(tmp_path: Path, sanitizer: str, rewrites: tuple[str, ...]) -> None:
    plan = optimise(build_plan(network(sizes=(130, 65))), rewrites)
    run(tmp_path, sanitizer, plan, lambda _: 7 * 5)  # seven rows of recorded spikes of 130 neurons


ROWS = 3
NUMBERS = {"recorder": (5, 2**64 - 1, ROWS), "player": (2, 4, 1, ROWS)}


@pytest.mark.slow
def test_rows_are_within_their_arrays(tmp_path: Path) -> None:
    model = kept_values()
    plan = optimise(build_plan(model._describe()), DEFAULT)
    sizes = {name: group.num_neurons for name, group in model.neuron_populations.items()}
    numbers = [
        f"((uint64_t *)arrays[{n}])[{at}] = {value}ull;"
        for n, array in enumerate(plan.arrays)
        for at, value in enumerate(NUMBERS.get(array.location.space, ()))
    ]
    run(
        tmp_path,
        "address,undefined",
        plan,
        lambda array: (ROWS + 1) * 2 * sizes[array.location.group],
        "\n".join(numbers),
    )


def run(tmp_path: Path, sanitizer: str, plan: Plan, length: Callable[[Array], int], start: str = "") -> None:
    """Compile a plan with a sanitizer, and run it; ``length`` tells that of arrays of which the plan does not."""
    sizes = []
    for array in plan.arrays:
        words = length(array) if array.size is None else array.total(plan.batch_size)
        sizes.append(words * np.dtype(array.type.dtype_for("float")).itemsize)
    source, program = tmp_path / "driver.cpp", tmp_path / "driver"
    source.write_text(emit_cpp(plan) + DRIVER % (", ".join(map(str, sizes)), start))
    support = tmp_path / "support.cpp"
    support.write_text(support_source())
    flags = ["-std=c++17", "-O1", "-g", "-march=native", "-pthread", f"-fsanitize={sanitizer}"]
    if "undefined" in sanitizer:
        flags.append("-fno-sanitize-recover=undefined")
    compiled = subprocess.run(
        [*find_compiler().command, *flags, str(source), str(support), "-o", str(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    if compiled.returncode != 0:
        pytest.skip(f"this compiler has no -fsanitize={sanitizer}")
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
