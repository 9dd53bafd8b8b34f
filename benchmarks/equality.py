"""How far the optimised plans of the SuperSpike demo are from the plain one.

    python benchmarks/equality.py [--timesteps 5000] [--threads 1]
    python benchmarks/equality.py --exact [--timesteps 5000]

Runs the demo from the same start with each list of rewrites, before any weight changes, and prints whether every spike
is the same and the largest difference of any synapse's trace, of any neuron's variable, and of any gradient, each
against the largest value of its array in the plain plan.

The second compares the traces and gradients of the connection to the output, by each of these plans, with sums in
double precision over the same variables of neurons, which NumPy adds up timestep by timestep.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from micro import ablations, describe
from numpy.typing import NDArray

from snnlearn.codegen.plan import DEFAULT
from snnlearn.userproject import superspike as ss

_KINDS = {"gradients": (".m",), "traces": (".e", ".lambda"), "neurons": ()}  # by the ends of their names; others


@dataclass(frozen=True)
class Outcome:
    """The spikes of each population, and the state, after a run."""

    spikes: dict[str, tuple[NDArray[np.float64], NDArray[np.int32]]]
    state: dict[str, NDArray[np.generic]]


def run(names: tuple[str, ...], timesteps: int, threads: int) -> Outcome:
    model = describe(recording=True, threads=threads, optimise=names).model
    model.build()
    model.load(timesteps)
    model.custom_update("CalculateTranspose")
    model.run(timesteps)
    model.pull_recording_buffers_from_device()
    spikes = {name: group.spike_recording_data[0] for name, group in model.neuron_populations.items()}
    outcome = Outcome(spikes, model.state())
    model.unload()
    return outcome


def kind_of(name: str) -> str:
    return next((kind for kind, ends in _KINDS.items() if name.endswith(ends)), "neurons")


def differences(one: Outcome, plain: Outcome) -> dict[str, float]:
    """Return the largest relative difference by kind of variable."""
    worst = dict.fromkeys(_KINDS, 0.0)
    for name, values in plain.state.items():
        there, here = values.astype(np.float64), one.state[name].astype(np.float64)
        largest = float(np.abs(there).max(initial=0.0))
        if largest > 0.0:
            worst[kind_of(name)] = max(worst[kind_of(name)], float(np.abs(here - there).max()) / largest)
    return worst


def same_spikes(one: Outcome, plain: Outcome) -> bool:
    for name, (times, ids) in plain.spikes.items():
        if not (np.array_equal(one.spikes[name][0], times) and np.array_equal(one.spikes[name][1], ids)):
            return False
    return True


def exact(timesteps: int) -> dict[str, NDArray[np.float64]]:
    """Return the traces of the connection to the output, from the neurons' variables in every timestep."""
    network = describe(threads=1, optimise=())
    network.model.build()
    network.model.load()
    network.model.custom_update("CalculateTranspose")
    synapses = network.hidden_output
    variables = (synapses.pre_vars["zTilda"], synapses.post_vars["sigmaPrime"], network.output.vars["errTilda"])
    e, trace, m = (np.zeros((ss.NUM_HIDDEN, ss.NUM_OUTPUT)) for _ in range(3))
    for _ in range(timesteps):
        for variable in variables:
            variable.pull_from_device()
        pulled = [np.array(variable.view, dtype=np.float64) for variable in variables]
        e += (np.multiply.outer(pulled[0], pulled[1]) - e / ss.TAU_RISE_MS) * ss.TIMESTEP_MS
        trace += (e - trace) / ss.TAU_DECAY_MS * ss.TIMESTEP_MS
        m += trace * pulled[2]
        network.model.run(1)
    network.model.unload()
    return {"m": m.ravel(), "lambda": trace.ravel(), "e": e.ravel()}


def show_exact(timesteps: int) -> None:
    sums = exact(timesteps)
    print("| rewrites | m | lambda | e |")
    print("|---|---:|---:|---:|")
    for title, names in {**ablations(), "none": ()}.items():
        state = run(names, timesteps, 1).state
        here = {name: state[f"HiddenOutput.synapse.{name}"] for name in sums}
        cells = [f"{np.abs(here[name] - sums[name]).max() / np.abs(sums[name]).max():.1e}" for name in sums]
        print(f"| {title} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timesteps", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--exact", action="store_true", help="compare with sums in double precision")
    args = parser.parse_args()
    if args.exact:
        show_exact(args.timesteps)
        return
    plain = run((), args.timesteps, args.threads)
    lists = {"defer": ("defer",), **{title: names for title, names in ablations().items() if names}}
    total = sum(len(times) for times, _ in plain.spikes.values())
    print(f"{args.timesteps} timesteps, {total} spikes; rewrites: {', '.join(DEFAULT)}\n")
    print("| rewrites | spikes | " + " | ".join(_KINDS) + " |")
    print("|---|---|" + "---:|" * len(_KINDS))
    for title, names in lists.items():
        one = run(names, args.timesteps, args.threads)
        cells = " | ".join(f"{value:.1e}" if value else "equal" for value in differences(one, plain).values())
        print(f"| {title} | {'equal' if same_spikes(one, plain) else 'differ'} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
