"""What a call from Python costs on a network so small that nothing else does, here and in GeNN where it is installed.

    python benchmarks/calls.py [--rounds 60]

Prints microseconds of the calling thread's CPU time, the least of all rounds. The network is ten LIF neurons and a
custom update over them, and nothing is deferred.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import timeit
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from snnlearn.backends import choose_backend
from snnlearn.errors import BackendError

CALLS = 2000  # of each round
LIF = {"C": 1.0, "TauM": 20.0, "Vrest": -49.0, "Vreset": -60.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 5.0}


def calls(genn: ModuleType, folder: str) -> dict[str, Callable[[], Any]]:
    """Return the calls of a loaded model, by name."""
    model = genn.GeNNModel("float", "calls")
    neurons = model.add_neuron_population("P", 10, "LIF", LIF, {"V": -55.0, "RefracTime": 0.0})
    same = genn.create_custom_update_model("Same", var_refs=[("x", "scalar")], update_code="x = x;")
    model.add_custom_update("U", "G", same, {}, {}, {"x": genn.create_var_ref(neurons, "V")})
    model.build(folder)
    model.load()
    variable = neurons.vars["V"]
    return {
        "step_time": model.step_time,
        "push_to_device": variable.push_to_device,
        "pull_from_device": variable.pull_from_device,
        "custom_update": partial(model.custom_update, "G"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    for name in ("cpu", "genn:cpu"):
        try:
            genn = choose_backend(name).module
        except BackendError as error:
            print(f"{name}: {error}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            for what, call in calls(genn, folder).items():
                seconds = min(timeit.repeat(call, number=CALLS, repeat=rounds, timer=time.thread_time)) / CALLS
                print(f"{name:9} {what:18} {1e6 * seconds:6.2f} us", flush=True)


if __name__ == "__main__":
    main()
