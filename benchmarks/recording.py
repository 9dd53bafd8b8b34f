"""What recording variables costs: timesteps of the SuperSpike demo with recorders and without, interleaved.

    python benchmarks/recording.py [--rounds 15] [--json FILE]

``forward`` is the demo's network without learning: 200 inputs, 256 hidden and 200 output neurons, static weights; it
runs for 5,000 timesteps in each round. ``demo`` is the whole demo, 10,000 timesteps. On one thread, in seconds of its
CPU time. Each is compared with itself without recorders, round by round: the ratio is the median of the rounds'.
``played in reverse`` is another network, of as many neurons with a leaky integrator each, that takes a number and a
flag of each neuron from the rows; ``computed again`` is all blocks from their checkpoints.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import numpy as np

from snnlearn import genn
from snnlearn.data import target_path
from snnlearn.genn import Checkpoints, GeNNModel, Playback, Recording, VarAccess
from snnlearn.io import read_ras
from snnlearn.userproject import superspike as ss

FORWARD_STEPS, DEMO_STEPS, BLOCK = 5000, 10_000, 64


class Case:
    """A loaded model that runs so many timesteps in each round.

    Attributes
    ----------
    against : str
        The case that it is compared with.
    nbytes : int
        What its recordings take, and its checkpoints.
    """

    def __init__(
        self,
        model: GeNNModel,
        timesteps: int,
        against: str = "",
        recordings: tuple[Recording, ...] = (),
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.model, self.timesteps, self.against = model, timesteps, against
        self.recordings, self.checkpoints = recordings, checkpoints
        self.seconds: list[float] = []
        model.build()
        model.load()
        self.nbytes = sum(r.nbytes for r in recordings) + (checkpoints.nbytes if checkpoints is not None else 0)
        if "CalculateTranspose" in {update.spec.group_name for update in model.custom_updates.values()}:
            model.custom_update("CalculateTranspose")

    def prepare(self) -> None:
        """Begin the input anew."""
        if "SourceReset" in {update.spec.group_name for update in self.model.custom_updates.values()}:
            self.model.custom_update("SourceReset")
        self.model.timestep = 0
        if self.checkpoints is not None:
            self.checkpoints.begin()

    def work(self) -> None:
        """Do what is timed."""
        self.model.run(self.timesteps)

    def run(self) -> None:
        """Run a round."""
        self.prepare()
        start = time.thread_time()
        self.work()
        self.seconds.append(time.thread_time() - start)


class Again(Case):
    """The timesteps of another case, computed again from its checkpoints."""

    def __init__(self, of: Case) -> None:
        self.of, self.timesteps, self.against = of, of.timesteps, "forward"
        self.seconds, self.nbytes = [], of.nbytes

    def prepare(self) -> None:
        """Do nothing: the other case has just run."""

    def work(self) -> None:
        """Compute all blocks again."""
        assert self.of.checkpoints is not None
        for _ in self.of.checkpoints.backwards():
            pass


class Played(Case):
    """A network that plays what another case has recorded, in reverse, or has the same variables and plays nothing."""

    def __init__(self, of: Case, play: bool) -> None:
        model = GeNNModel("float", "played" if play else "plays_nothing", threads=1)
        model.dt = ss.TIMESTEP_MS
        self.playbacks: list[Playback] = []
        for recording in of.recordings:
            group, values = recording.population, {"V": 0.0, "spiked": 0, "x": 0.0}
            plays = model.add_neuron_population(group.name, group.num_neurons, INTEGRATOR, {}, values)
            if play:
                self.playbacks.append(model.play(plays, "V", recording["V"], reverse=True))
                self.playbacks.append(model.play(plays, "spiked", recording.spikes, reverse=True))
        super().__init__(model, of.timesteps, "played by nobody" if play else "")

    def prepare(self) -> None:
        """Begin with the newest row."""
        for playback in self.playbacks:
            playback.rewind()


INTEGRATOR = genn.create_neuron_model(
    "Integrator",
    vars=[
        ("V", "scalar", VarAccess.READ_ONLY_DUPLICATE),
        ("spiked", "uint8_t", VarAccess.READ_ONLY_DUPLICATE),
        "x",
    ],
    sim_code="x = spiked ? 0.0 : 0.99 * x + V;",
)


def forward(name: str) -> tuple[GeNNModel, Any, Any]:
    """Return the demo's network without learning, and its hidden and output neurons."""
    inputs, target = ss.frozen_poisson(1), read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    model = GeNNModel("float", name, threads=1)
    model.dt, model.seed = ss.TIMESTEP_MS, 1
    source, hidden, output = ss._add_neurons(model, inputs, target, ss.NUM_HIDDEN)
    for pre, post in ((source, hidden), (hidden, output)):
        spread = {"mean": 0.0, "sd": ss.WEIGHT_SD / pre.num_neurons**0.5}
        model.add_synapse_population(
            f"{pre.name}{post.name}",
            "DENSE",
            pre,
            post,
            genn.init_weight_update("StaticPulse", {}, {"g": genn.init_var("Normal", spread)}),
            genn.init_postsynaptic("ExpCurr", {"tau": ss.TAU_RISE_MS}),
        )
    ss._add_reset(genn, model, source, inputs)
    ss._add_reset(genn, model, output, target)
    return model, hidden, output


def both_layers(name: str, every: int = 1, enabled: bool = True, block: int = 0) -> Case:
    """Return the forward network with a number and a flag of each neuron of both layers recorded."""
    model, hidden, output = forward(name)
    checkpoints = model.keep_checkpoints(FORWARD_STEPS, block, overlap=1) if block else None
    length = block + 1 if block else FORWARD_STEPS
    recordings = tuple(model.record(group, "V", length, every, spikes=True) for group in (hidden, output))
    for recording in recordings:
        recording.enabled = enabled
    return Case(model, FORWARD_STEPS, "forward", recordings, checkpoints)


def demo() -> GeNNModel:
    inputs, target = ss.frozen_poisson(1), read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    return ss.describe(genn, inputs, target, seed=1, threads=1).model


def potentials(every: int = 1, chosen: slice | None = None) -> Case:
    """Return the demo with 200 membrane potentials recorded: of the output, or of chosen hidden neurons."""
    model = demo()
    group = model.neuron_populations["Output" if chosen is None else "Hidden"]
    recording = model.record(group, "V", DEMO_STEPS, every, neurons=chosen)
    return Case(model, DEMO_STEPS, "demo", (recording,))


def weights() -> Case:
    """Return the demo with 200 weights recorded."""
    model = demo()
    chosen = np.arange(0, 40_000, 200)
    recording = model.record(model.synapse_populations["HiddenOutput"], "w", DEMO_STEPS, synapses=chosen)
    return Case(model, DEMO_STEPS, "demo", (recording,))


def all_cases() -> dict[str, Case]:
    """Return the cases in the order in which they run."""
    recorded, kept = both_layers("recorded"), both_layers("kept", block=BLOCK)
    return {
        "forward": Case(forward("forward")[0], FORWARD_STEPS),
        "V and spikes of both layers": recorded,
        "every 10th timestep": both_layers("every10", every=10),
        "recorders off": both_layers("off", enabled=False),
        f"checkpoints, {BLOCK} timesteps apart": kept,
        "computed again": Again(kept),
        "played by nobody": Played(recorded, play=False),
        "played in reverse": Played(recorded, play=True),
        "demo": Case(demo(), DEMO_STEPS),
        "demo, 200 potentials": potentials(),
        "demo, 200 in every 10th": potentials(every=10),
        "demo, 200 of 256": potentials(chosen=slice(0, 200)),
        "demo, 200 weights": weights(),
    }


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Return the figures of each case, by name."""
    cases = all_cases()
    for number in range(rounds + 1):
        for case in cases.values():
            case.run()
            if number == 0:
                case.seconds.clear()  # the first round of each is not counted
    found = {}
    for name, case in cases.items():
        figures = {"us_a_timestep": 1e6 * statistics.median(case.seconds) / case.timesteps, "mb": case.nbytes / 1e6}
        if case.against:
            pairs = zip(case.seconds, cases[case.against].seconds, strict=True)
            figures["ratio"] = statistics.median(with_it / without for with_it, without in pairs)
            figures["ratio_of_least"] = min(case.seconds) / min(cases[case.against].seconds)
        found[name] = figures
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    found = measure(args.rounds)
    for name, figures in found.items():
        ratio = f"{figures['ratio']:6.2f} x, least {figures['ratio_of_least']:.2f} x" if "ratio" in figures else ""
        print(f"{name:32} {figures['us_a_timestep']:7.3f} us a timestep {figures['mb']:7.2f} MB {ratio}")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
