"""A network so small that everything can be reckoned by hand, and a learner for it: the delta rule."""

from __future__ import annotations

import numpy as np

from snnlearn import genn
from snnlearn.training import (
    Callback,
    Data,
    DecayType,
    Learner,
    Mean,
    Measure,
    StopTraining,
    SumLog,
    TrainedConnection,
    TrainingPhase,
)

# A linear neuron: x is shown, y = sum w x, and the synapses sum up the gradient of -(target - y)^2 / 2. Synapse
# dynamics come before the neurons: in a trial's first timestep they would see the y of the trial before.
SHOWN = genn.create_neuron_model("shown", vars=["x"])
LINEAR = genn.create_neuron_model("linear", vars=["y", "target"], sim_code="y = Isyn;")
DELTA = genn.create_weight_update_model(
    "delta",
    vars=[("w", "scalar", genn.VarAccess.READ_ONLY), "m"],
    pre_neuron_var_refs=["x"],
    post_neuron_var_refs=["y", "target"],
    synapse_dynamics_code="if (t > 0.0) { m += (target - y) * x; } addToPost(w * x);",
)


class Examples(Data):
    """Vectors and what a hidden linear map makes of them."""

    def __init__(self, network, count, seed):
        random = np.random.default_rng(seed)
        self.x = random.normal(size=(count, 4)).astype(np.float32)
        self.target = self.x @ np.linspace(-1.0, 1.0, 8).reshape(4, 2).astype(np.float32)
        self.network = network
        self.presented = []

    def __len__(self):
        return len(self.x)

    def present(self, model, index):
        self.presented.append(index)
        for variable, values in (("x", self.x), ("target", self.target)):
            array = self.network[variable]
            array.values = values[index]
            array.push_to_device()


class BatchedExamples(Examples):
    """The same, shown in batches."""

    present = Data.present

    def present_batch(self, model, indices):
        Examples.present(self, model, indices if len(indices) > 1 else indices[0])


class SquaredError(Mean):
    name = "loss"

    def __init__(self, network):
        super().__init__()
        self.network = network

    def of_trial(self, data, index):
        y = self.network["y"]
        y.pull_from_device()
        return float(np.sum((y.view - data.target[index]) ** 2))


class BatchedError(SquaredError):
    """The same of a batch."""

    of_trial = Mean.of_trial

    def of_batch(self, data, indices):
        y = self.network["y"]
        y.pull_from_device()
        return np.sum((np.reshape(y.view, (-1, 2))[: len(indices)] - data.target[indices]) ** 2, axis=1)


class Late(Measure):
    """A loss that stays on the device: the summed output, squared; NaN from timestep ``wrong`` on."""

    def __init__(self, log):
        super().__init__()
        self.log, self.wrong = log, None

    def note(self, timestep):
        noted, factor = self.log.note(), 1.0 if self.wrong is None or timestep < self.wrong else float("nan")
        return lambda: factor * noted.value() ** 2

    def settle(self):
        self.log.read()

    def value(self, timestep):
        return Late.note(self, timestep)()


class Early(Late):
    """The same, but read at once."""

    note = Measure.note


def make(
    count=6, *, validation=0, every=1, seed=3, kind=None, precision="float", bounds=(-5, 5), batch_size=None, **settings
):
    """A learner with trials of 4 timesteps and an update every ``every`` trials; ``kind`` is a class of loss."""
    model = genn.GeNNModel(precision, "delta_rule", threads=1)
    model.seed = 5
    shown = model.add_neuron_population("Shown", 4, SHOWN, {}, {"x": 0.0})
    out = model.add_neuron_population("Out", 2, LINEAR, {}, {"y": 0.0, "target": 0.0})
    synapses = model.add_synapse_population(
        "Synapses",
        "DENSE",
        shown,
        out,
        genn.init_weight_update(
            DELTA,
            {},
            {"w": genn.init_var("Normal", {"mean": 0.0, "sd": 0.1}), "m": 0.0},
            pre_var_refs={"x": genn.create_var_ref(shown, "x")},
            post_var_refs={v: genn.create_var_ref(out, v) for v in ("y", "target")},
        ),
        genn.init_postsynaptic("DeltaCurr"),
    )
    network = {"x": shown.vars["x"], "y": out.vars["y"], "target": out.vars["target"], "w": synapses.vars["w"]}
    examples, error = (Examples, SquaredError) if batch_size is None else (BatchedExamples, BatchedError)
    loss = error(network) if kind is None else kind(SumLog(genn, model, out, "y"))
    learner = Learner(
        genn,
        model,
        [TrainedConnection(synapses, bounds=bounds)],
        **{
            "trial_timesteps": 4,
            "update_timesteps": 4 * every,
            "loss": loss,
            "data": examples(network, count, seed),
            "validation": examples(network, validation, 99) if validation else None,
            "batch_size": batch_size,
            "optimisers": ["SGD", "Adam"],
            "quiet": True,
            **settings,
        },
    )
    learner.network = network
    return learner


def weights(learner):
    learner.network["w"].pull_from_device()
    return learner.network["w"].values


LINE = TrainingPhase(2, "SGD", (0.1, 0.02), DecayType.LINEAR, momentum=0.5)
PHASES = [LINE, TrainingPhase(1.5, "Adam", 0.05, DecayType.COSINE)]


class Log(Callback):
    """Writes down every event; at one of them it raises."""

    def __init__(self, stop_at=None, error=StopTraining):
        self.events, self.stop_at, self.error = [], stop_at, error

    def __getattribute__(self, name):
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        def note(trainer, *args):
            self.events.append((name.removeprefix("on_"), *args))
            if self.events[-1] == self.stop_at:
                self.stop_at = None
                raise self.error

        return note
