"""What phases, recording and callbacks cost: the learner's trials against the bare loop's, interleaved.

python benchmarks/overhead.py [--rounds 20]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from snnlearn import genn
from snnlearn.data import target_path
from snnlearn.io import read_ras
from snnlearn.training import Callback, DecayType, TrainingPhase, attach
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st


def describe() -> tuple[ss.SuperSpikeNetwork, object]:
    target = read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    return ss.describe(genn, ss.frozen_poisson(1), target, seed=1, threads=1, recording=True), target


def bare() -> Callable[[], None]:
    """The loop that a user would write by hand; it updates at the end of each stretch, four times a trial."""
    network, _target = describe()
    model, limits = network.model, {"gradientScale": 1 / 5000, "wMin": -100.0, "wMax": 100.0}
    for synapses, back in ((network.input_hidden, ()), (network.hidden_output, (network.output_hidden, "w"))):
        gradient, weight = genn.create_wu_var_ref(synapses, "m"), genn.create_wu_var_ref(synapses, "w", *back)
        attach(model, "RMaxProp", f"{synapses.name}_optimiser", "Learn", gradient, weight, limits)
    model.build()
    model.load(num_recording_timesteps=ss.TRIAL_TIMESTEPS)
    model.custom_update("CalculateTranspose")

    def trial() -> None:
        model.custom_update("SourceReset")
        model.timestep = 0
        for timesteps in (5000, 5000, 5000, 3900):
            model.run(timesteps)
            model.custom_update("Learn")

    return trial


def learner() -> Callable[[], None]:
    """The same with a schedule, a loss, a history and a callback that hears everything."""
    network, target = describe()
    made = st.make_learner(genn, network, target, [], recorded=[10**9])
    made.callbacks.append(Callback())
    phase = TrainingPhase(1, "RMaxProp", (1.0, 0.5), DecayType.COSINE)
    return lambda: made.fit_opt_sched([phase])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    kinds = {"bare loop": bare(), "learner": learner()}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        for name, trial in kinds.items():
            start = time.perf_counter()
            trial()
            if number:
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        print(f"{name}: {median:.4f} s a trial (median of {rounds})")
    print(f"overhead: {100 * (medians['learner'] / medians['bare loop'] - 1):+.1f} %")


if __name__ == "__main__":
    main()
