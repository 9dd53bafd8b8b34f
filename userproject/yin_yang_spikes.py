"""Yin-Yang with EventProp: two layers of neurons that spike, and the class is that of the neuron that spikes first.

All patterns of a batch run at once, from rest. The loss is a cross-entropy of the times of first spikes; a class neuron
that is silent at the end of its pattern is woken by a loss of its potential.

Source
------
Wunderlich & Pehle (2021), Scientific Reports 11, 12829; Goeltz et al. (2021), Nature Machine Intelligence 3, 823-835.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn import datasets, grad
from snnlearn.datasets import Points
from snnlearn.datasets.yin_yang import CLASSES
from snnlearn.declare import CustomUpdateModel, ExtraGlobalParam, Param, Var, VarRef
from snnlearn.errors import TrainingError
from snnlearn.models import LIF, ExpCurr, PatternSource, StaticPulse
from snnlearn.training import Data, Learner, Mean, TrainedConnection
from snnlearn.userproject.yin_yang_data import EXAMPLES, BatchedPatterns, Patterns, ShowPatterns

TIMESTEP_MS = 0.1
EARLIEST_MS, LATEST_MS = 1.0, 16.0
TRIAL_MS = 30.0
TRIAL_TIMESTEPS = round(TRIAL_MS / TIMESTEP_MS)
BATCH = 20  # patterns an update
RATES = (0.02, 0.02)  # of the weights of the hidden layer and of the class neurons, at first
TAU_MS, TAU_SYN_MS = 20.0, 5.0
MEMBRANE = {"C": TAU_MS, "TauM": TAU_MS, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 1.0, "Ioffset": 0.0, "TauRefrac": 0.0}
FIRST_WEIGHTS = (1.8, 1.0)  # mean and standard deviation
CLASS_WEIGHTS = (50.0, 30.0)  # so too, of all hidden neurons together
SILENT_LOSS = float(np.log(len(CLASSES)))
FIRST_SPIKES = grad.FirstSpikeLoss(tau=0.5, early=0.05, early_tau=10.0)
WAKE = grad.Loss(
    "Wake",
    params=(Param("tLate"),),
    loss_code="loss = (t > tLate && first > t) ? -target * V : 0.0;",
)

FirstSpikeNeuron = replace(
    LIF,
    name="FirstSpikeNeuron",
    params=(*LIF.params, Param("never")),
    vars=(*LIF.vars, Var("target"), Var("first")),
    reset_code=f"{LIF.reset_code}\nfirst = fmin(first, (scalar)t);\n",
)
"""LIF with the time of its ``first`` spike [ms], which is ``never`` until then; ``target`` is 1 for the class shown."""

ShowBatch = CustomUpdateModel(
    "ShowBatch",
    params=(Param("pattern", "unsigned int"), Param("numNeurons", "unsigned int")),
    var_refs=(VarRef("next", "unsigned int"), VarRef("last", "unsigned int")),
    update_code="""
    next = (pattern + batch) * numNeurons + id;
    last = next + 1;
    """,
)
"""As `snnlearn.models.ShowPattern`, a pattern to each copy of the batch."""

LabelBatch = CustomUpdateModel(
    "LabelBatch",
    params=(Param("pattern", "unsigned int"), Param("never")),
    var_refs=(VarRef("target"), VarRef("first")),
    extra_global_params=(ExtraGlobalParam("labels", "unsigned int*"),),
    update_code="""
    target = (labels[pattern + batch] == id) ? 1.0 : 0.0;
    first = never;
    """,
)
"""As `snnlearn.models.ShowLabel`, and no class neuron has spiked yet."""

LabelExamples = replace(
    LabelBatch,
    name="LabelExamples",
    params=(Param("never"),),
    extra_global_params=(*LabelBatch.extra_global_params, EXAMPLES),
    update_code="""
    target = (labels[examples[batch]] == id) ? 1.0 : 0.0;
    first = never;
    """,
)
"""The same of the patterns that ``examples`` lists."""

Rest = CustomUpdateModel(
    "Rest",
    var_refs=(VarRef("V"), VarRef("RefracTime"), VarRef("inSyn")),
    update_code="""
    V = 0.0;
    RefracTime = 0.0;
    inSyn = 0.0;
    """,
)
"""What a pattern begins with."""


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """The described network, not yet built."""

    model: Any
    classes: Any
    input_hidden: Any
    hidden_class: Any
    show: tuple[Any, Any]
    program: Any


class FirstSpikeLoss(Mean):
    """The cross-entropy of the times of first spikes, of each pattern."""

    name = "loss"

    def __init__(self, network: SpikingNetwork) -> None:
        super().__init__()
        self._first, self._target = network.classes.vars["first"], network.classes.vars["target"]

    def answers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the times of first spikes [ms], infinite where there is none, and targets: (batch, classes)."""
        self._first.pull_from_device()
        self._target.pull_from_device()
        first = np.asarray(self._first.view, np.float64)
        return np.where(first < TRIAL_MS, first, np.inf), np.asarray(self._target.view, np.float64)

    def of_trial(self, data: Any, index: int) -> float:
        """Return the mean of the batch."""
        return float(self.of_each().mean())

    def of_batch(self, data: Any, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the cross-entropy of each pattern."""
        return self.of_each()[: len(indices)]

    def of_each(self) -> NDArray[np.float64]:
        """Return the cross-entropy of each copy."""
        return FIRST_SPIKES.of(*self.answers(), TRIAL_MS)[0]


class FirstSpikeAccuracy(FirstSpikeLoss):
    """The share of patterns whose class neuron spikes before the others."""

    name = "accuracy"

    def of_each(self) -> NDArray[np.float64]:
        """Return 1 where the answer of a copy is right, else 0; two neurons in one timestep are no answer."""
        first, target = self.answers()
        right = np.where(target > 0.0, first, np.inf).min(axis=1)
        return np.asarray(right < np.where(target > 0.0, np.inf, first).min(axis=1), np.float64)


def check_counts(**counts: int) -> None:
    """Raise TrainingError for numbers of patterns that are no multiple of the batch."""
    for name, count in counts.items():
        if count % BATCH:
            raise TrainingError(
                f"--{name.replace('_', '-')} must be a multiple of {BATCH} with --rule eventprop, not {count}; "
                "--batch-size takes any number"
            )


def make_learner(
    genn: ModuleType,
    train: Points,
    valid: Points,
    num_hidden: int,
    seed: int,
    quiet: bool = True,
    batch_size: int | None = None,
) -> Learner:
    """Return a learner of a new network.

    Parameters
    ----------
    genn : module
        The embedded engine's API.
    train, valid : Points
        Multiples of `BATCH`, where ``batch_size`` is not given.
    num_hidden : int
    seed : int
        Of the weights and of the order of batches.
    quiet : bool
        Print no table.
    batch_size : int, optional
        Patterns of a batch, which each epoch makes anew. By default `BATCH` that stay together, as updates by sums.
    """
    network = describe(genn, train, valid, num_hidden, seed, batch_size)
    count, counts = len(train.labels), len(valid.labels)
    data: tuple[Data, Data] = (
        Patterns(0, count, *network.show, batch=BATCH),
        Patterns(count, counts, *network.show, batch=BATCH),
    )
    if batch_size is not None:
        data = BatchedPatterns(0, count, *network.show), BatchedPatterns(count, counts, *network.show)
    return Learner(
        genn,
        network.model,
        [TrainedConnection(network.input_hidden, "g"), TrainedConnection(network.hidden_class, "g")],
        trial_timesteps=TRIAL_TIMESTEPS,
        update_timesteps=TRIAL_TIMESTEPS,
        loss=FirstSpikeLoss(network),
        metrics=[FirstSpikeAccuracy(network)],
        data=data[0],
        validation=data[1],
        batch_size=batch_size,
        reset_groups=["Rest"],
        seed=seed,
        quiet=quiet,
        gradient=network.program,
    )


def describe(
    genn: ModuleType, train: Points, valid: Points, num_hidden: int, seed: int, batch_size: int | None = None
) -> SpikingNetwork:
    """Describe the network, with all patterns, to the embedded engine."""
    model = genn.GeNNModel("float", "yin_yang_spikes", threads=1)
    model.dt, model.seed, model.batch_size = TIMESTEP_MS, seed, batch_size or BATCH
    times = datasets.yin_yang_times(np.vstack([train.xy, valid.xy]), EARLIEST_MS, LATEST_MS)
    source = model.add_neuron_population("Input", times.shape[1], PatternSource, {}, {"next": 0, "last": 0})
    source.extra_global_params["spikeTimes"].set_init_values(times.ravel())
    start = {"V": 0.0, "RefracTime": 0.0}
    hidden = model.add_neuron_population("Hidden", num_hidden, LIF, MEMBRANE, start)
    classes = model.add_neuron_population(
        "Classes", len(CLASSES), FirstSpikeNeuron, {**MEMBRANE, "never": TRIAL_MS},
        {**start, "target": 0.0, "first": TRIAL_MS},
    )  # fmt: skip
    shares = tuple(number / num_hidden for number in CLASS_WEIGHTS)
    input_hidden = _connect(genn, model, "InputHidden", source, hidden, FIRST_WEIGHTS)
    hidden_class = _connect(genn, model, "HiddenClasses", hidden, classes, shares)
    program = grad.differentiate(
        model, [input_hidden.vars["g"], hidden_class.vars["g"]], {classes: (FIRST_SPIKES, WAKE)}, method="eventprop",
        params={"tLate": TRIAL_MS - 1.0}, window=TRIAL_TIMESTEPS,
    )  # fmt: skip
    for group, connection in ((hidden, input_hidden), (classes, hidden_class)):
        refs = {name: genn.create_var_ref(group, name) for name in start}
        refs["inSyn"] = genn.create_out_post_var_ref(connection)
        model.add_custom_update(f"rest_{group.name}", "Rest", Rest, {}, {}, refs)
    labels = np.concatenate([train.labels, valid.labels])
    show = _show(genn, model, source, classes, labels, batch_size)
    return SpikingNetwork(model, classes, input_hidden, hidden_class, show, program)


def _connect(genn: ModuleType, model: Any, name: str, source: Any, target: Any, spread: tuple[float, ...]) -> Any:
    weights = genn.init_var("Normal", {"mean": spread[0], "sd": spread[1]})
    rule, current = genn.init_weight_update(StaticPulse, {}, {"g": weights}), {"tau": TAU_SYN_MS}
    return model.add_synapse_population(name, "DENSE", source, target, rule, genn.init_postsynaptic(ExpCurr, current))


def _show(
    genn: ModuleType, model: Any, source: Any, classes: Any, labels: NDArray[np.int64], batch_size: int | None
) -> tuple[Any, Any]:
    """Add the updates that show a batch of patterns, and their labels."""
    places = {name: genn.create_var_ref(source, name) for name in ("next", "last")}
    answers = {name: genn.create_var_ref(classes, name) for name in ("target", "first")}
    models = (ShowBatch, LabelBatch) if batch_size is None else (ShowPatterns, LabelExamples)
    which: dict[str, int] = {"pattern": 0} if batch_size is None else {}
    shape = {**which, "numNeurons": source.num_neurons}
    pattern = model.add_custom_update("show_batch", "Show", models[0], shape, {}, places)
    label = model.add_custom_update("show_labels", "Show", models[1], {**which, "never": TRIAL_MS}, {}, answers)
    label.extra_global_params["labels"].set_init_values(labels)
    for update in (pattern, label):
        if batch_size is None:
            update.set_param_dynamic("pattern")
        else:
            update.extra_global_params["examples"].set_init_values(np.zeros(batch_size, np.uint32))
    return pattern, label
