"""What it costs to keep a training: checkpoints, the watch, states; and how soon Ctrl-C is answered.

    python benchmarks/keeping.py [--trials 20] [--synapses 72000000] [--only states signals ...]

``training`` takes checkpoints of the SuperSpike demo's network and has the watch look at it; ``states`` takes and puts
back its state, without and with a tape of 5,000 timesteps. ``signals`` raises SIGINT in a loop of a code string that
never ends, in a timestep of a large connection, and while the deferred work of one is done.
The least of twenty times each, on one thread.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from snnlearn import genn, runs
from snnlearn.data import target_path
from snnlearn.io import read_ras
from snnlearn.meta import extract_state, recover_state
from snnlearn.training import Learner, TrainingPhase
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st


def seconds(work: Callable[[], object], rounds: int = 20) -> float:
    """Return how long something takes at least, the first time left out: other work on the machine makes it longer."""
    found = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return min(found[1:])


def learner(rule: str = "handwritten", recording: bool = False) -> tuple[Learner, ss.SuperSpikeNetwork]:
    """Return a learner of the demo's network."""
    target = read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    network = ss.describe(genn, ss.frozen_poisson(1), target, seed=1, threads=1, recording=recording, rule=rule)
    return st.make_learner(genn, network, target, ["RMaxProp"], watched=recording), network


# ---- training ----


def training(trials: int) -> None:
    """Print what checkpoints and the watch take of a training."""
    made, network = learner(recording=True)
    phase = [TrainingPhase(1, "RMaxProp", 1.0)]
    trial = seconds(lambda: made.fit_opt_sched(phase), trials)
    print(f"a trial: {1e3 * trial:.1f} ms")
    watch, numbers = runs.Watch(made.connections, network.layers), itertools.count()
    for name, look in (
        ("weights", lambda: watch.check_weights(next(numbers))),
        ("spikes", lambda: watch._look_at_spikes(made, next(numbers))),
    ):
        took = seconds(look)
        every = watch.rest(took, trial)
        print(
            f"the watch on {name}: {1e3 * took:.2f} ms every {every} trials, {took / (every * trial):.2%} of the time"
        )
    with tempfile.TemporaryDirectory(dir=".") as folder:
        file = Path(folder, "checkpoint")
        took = seconds(lambda: made.checkpoint().write(file))
        size = file.with_suffix(".npz").stat().st_size
    print(f"a checkpoint of {size / 1e6:.1f} MB, on the disk: {1e3 * took:.1f} ms")
    print(f"checkpoints at the default interval: {took / max(50 * trial, 30.0):.3%} of the time")
    made.model.unload()


# ---- states ----


def states() -> None:
    """Print what states of the demo's network take."""
    made, network = learner()
    made.build(["RMaxProp"])
    print_states("the demo's network", network.model)
    made.model.unload()
    made, network = learner("bptt")
    made.build(["RMaxProp"])
    network.model.run(5000)
    print_states("with 5,000 timesteps on the tape", network.model)
    made.model.unload()


def print_states(name: str, model: Any) -> None:
    """Print what it takes to take a state of a model and to put it back."""
    state, reference = extract_state(model), extract_state(model, by="reference")
    took = [
        f"{text} {1e3 * seconds(work):.2f} ms"
        for text, work in (
            ("to take it", lambda: extract_state(model)),
            ("to put it back", lambda: recover_state(model, state)),
            ("by reference", lambda: (reference, extract_state(model, by="reference"))),
        )
    ]
    print(f"a state, {name}, {state.nbytes / 1e6:.2f} MB: {', '.join(took)}")


# ---- signals ----


def signals(synapses: int) -> None:
    """Print how soon Ctrl-C is answered."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model = genn.GeNNModel("float", "endless", threads=1)
    endless = genn.create_neuron_model("endless", vars=["V"], sim_code="do { V += 1.0; } while (V > 0.0);")
    model.add_neuron_population("P", 1, endless, {}, {"V": 1.0})
    model.build()
    model.load()
    answered = time_to_answer(lambda: model.run(1), 0.3)
    print(f"Ctrl-C in a loop that never ends: {answered:.2f} s")
    side = round(synapses**0.5)
    model, _ = dense(side, "addToPost(exp(-w));")
    took = seconds(lambda: model.run(1), 2)
    answered = time_to_answer(lambda: model.run(1), 0.3 * took)
    print(f"Ctrl-C in a timestep of {took:.2f} s, {side**2:,} synapses with `exp`: {answered:.2f} s")
    model.unload()
    model, variable = dense(side, "m += w * x;", [("x", "scalar", genn.VarAccessMode.READ_ONLY)])
    model.run(63)
    answered = time_to_answer(variable.pull_from_device, 0.1)
    print(f"Ctrl-C while {side**2:,} deferred synapses are brought up to date: {answered:.2f} s")
    model.unload()


def dense(side: int, code: str, refs: Sequence[Any] = ()) -> tuple[Any, Any]:
    """Return a loaded model of one connection between two populations of so many neurons, and a variable of it."""
    model = genn.GeNNModel("float", "dense", threads=1)
    plain = genn.create_neuron_model("plain", vars=["x"], sim_code="x = 0.5 * x + Isyn + 0.1;")
    a, b = (model.add_neuron_population(name, side, plain, {}, {"x": 0.0}) for name in "AB")
    rule = genn.create_weight_update_model(
        "rule", vars=["w", "m"], post_neuron_var_refs=list(refs), synapse_dynamics_code=code
    )
    given = {"x": genn.create_var_ref(b, "x")} if refs else {}
    update = genn.init_weight_update(rule, {}, {"w": 0.5, "m": 0.0}, post_var_refs=given)
    synapses = model.add_synapse_population("S", "DENSE", a, b, update, genn.init_postsynaptic("DeltaCurr"))
    model.build()
    model.load()
    return model, synapses.vars["m"]


def time_to_answer(work: Callable[[], object], after: float) -> float:
    """Return how long after SIGINT, so many seconds from its beginning, something raises KeyboardInterrupt."""
    sent = []

    def send() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(after, send).start()
    try:
        work()
    except KeyboardInterrupt:
        return time.perf_counter() - sent[0]
    raise SystemExit("it was over before the signal came: give it more --synapses")


def main() -> None:
    kinds = ("training", "states", "signals")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--synapses", type=int, default=72_000_000)
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds)
    options = parser.parse_args()
    if "training" in options.only:
        training(options.trials)
    if "states" in options.only:
        states()
    if "signals" in options.only:
        signals(options.synapses)


if __name__ == "__main__":
    main()
