"""Yin-Yang: a small spiking classifier, trained with SuperSpike-style learning.

Four spike times and a bias (Kriener et al. 2022) drive a hidden layer of leaky integrate-and-fire neurons; three
neurons that do not spike say which class it is. The error of those, fed back through the transposed weights, trains
both layers.
"""

from __future__ import annotations

if __name__ == "__main__":  # first, because the imports below take a second, and Ctrl-C is to end them with one line
    from snnlearn.entry import yin_yang

    raise SystemExit(yin_yang())

import math
import warnings
from argparse import Namespace
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn import datasets, grad, runs
from snnlearn.backends import NAMES, choose_backend
from snnlearn.cli import Parser
from snnlearn.datasets import Points
from snnlearn.datasets.yin_yang import CLASSES
from snnlearn.entry import EndsAtOnce
from snnlearn.errors import TrainingWarning
from snnlearn.models import (
    ClassReadout,
    ExpCurr,
    Feedback,
    PatternSource,
    ShowLabel,
    ShowPattern,
    SuperSpike,
    SuperSpikeHidden,
    SuperSpikeReadout,
)
from snnlearn.models.surrogates import FastSigmoid
from snnlearn.training import DecayType, Learner, Mean, PerConnection, TrainedConnection, TrainingPhase
from snnlearn.userproject import yin_yang_spikes
from snnlearn.userproject.experiment import check_limits, new_parser, program
from snnlearn.userproject.superspike import PlainWeight, init_derived
from snnlearn.userproject.training_run import train as train_run
from snnlearn.userproject.yin_yang_data import BatchedPatterns, Patterns, ShowLabels, ShowPatterns

PROG = "yin_yang"
TIMESTEP_MS = 0.5
EARLIEST_MS, LATEST_MS = 2.0, 22.0
DECIDE_MS = 22.0  # from here on the error counts
TRIAL_MS = 60.0  # the last 20 ms let everything fade before the next pattern
TRIAL_TIMESTEPS = round(TRIAL_MS / TIMESTEP_MS)
BATCH = 20  # patterns an update, where they are shown one by one
# What makes sense; all patterns are held in memory.
LIMITS = {
    "num_train": (BATCH, 1_000_000),
    "num_valid": (1, 1_000_000),
    "num_hidden": (1, 1_000_000),
    "seed": (1, 2**63 - 1),
}
RULES = ("handwritten", "superspike", "bptt", "eventprop")
SILENT_LOSS = len(CLASSES) * math.log(2.0)
BETA = 1.0  # [1/mV], steepness of the surrogate
# Of one logistic unit for each class, while they decide; written so that nothing overflows.
CROSS_ENTROPY = grad.Loss(
    "CrossEntropy",
    loss_code="loss = (t < tStart) ? 0.0 : log(1.0 + exp(-fabs(V))) + fmax(V, 0.0) - target * V;",
)
# Of the weights of the hidden layer and of the readout, at first, by rule.
RATES = {"handwritten": (0.5, 0.05), "superspike": (0.5, 0.05), "bptt": (0.2, 0.02), "eventprop": yin_yang_spikes.RATES}
TAU_RISE_MS, TAU_DECAY_MS = 5.0, 10.0
MEMBRANE = {"C": 10.0, "tauMem": TAU_DECAY_MS, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
LEAKY = {"tauMem": TAU_DECAY_MS, "tStart": DECIDE_MS}  # of the readout
FIRST_WEIGHTS, READOUT_WEIGHTS = (12.0, 25.0), (0.0, 0.5)  # mean and standard deviation


def get_parser() -> Parser:
    """Return the parser of the command line."""
    parser = new_parser(PROG, __doc__, quiet="print the final accuracy only")
    add = parser.add_argument
    add("--epochs", type=int, default=40, metavar="N", help="default: 40")
    add("--num-train", type=int, default=5000, metavar="N", help="training patterns (default: 5000)")
    add("--num-valid", type=int, default=1000, metavar="N", help="validation patterns (default: 1000)")
    add("--num-hidden", type=int, default=200, metavar="N", help="hidden neurons (default: 200)")
    add("--batch-size", type=int, metavar="N", help="patterns shown at once (default: 1; with eventprop 20)")
    add("--rule", default="handwritten", choices=RULES, help="where gradients come from (handwritten)")
    add("--backend", default="auto", metavar="{" + ",".join(NAMES) + "}", help="engine to run on (default: auto)")
    add("--seed", type=int, default=1, metavar="N", help="of data and weights (default: 1)")
    runs.add_options(parser)
    return parser


def run(args: Namespace) -> int:
    """Train as the parsed command line says; returns the exit status.

    Raises
    ------
    SnnlearnError
        For bad input, before any training.
    """
    with EndsAtOnce(PROG):  # engines are imported here
        check_limits(args, LIMITS)
        if args.batch_size is not None:
            check_limits(args, {"batch_size": (1, args.num_train)})
        elif args.rule == "eventprop":
            yin_yang_spikes.check_counts(num_train=args.num_train, num_valid=args.num_valid)
        phases = [TrainingPhase(args.epochs, "Adam", PerConnection(RATES[args.rule]), DecayType.COSINE)]
        backend = choose_backend(args.backend)
        train = datasets.yin_yang(args.num_train, args.seed)
        valid = datasets.yin_yang(args.num_valid, args.seed + 1)
        learner = make_learner(
            backend.module, train, valid, args.num_hidden, args.seed, args.quiet, args.rule, args.batch_size
        )
    train_run(args, get_parser, learner, phases, backend.name, backend=backend.name)
    last = learner.epochs[-1]
    print(f"Validation accuracy: {last.metrics['accuracy']:.1%}")
    silent = yin_yang_spikes.SILENT_LOSS if args.rule == "eventprop" else SILENT_LOSS
    if last.validation_loss > silent:
        warnings.warn(
            f"the training ends worse than a network without spikes: a loss of {last.validation_loss:.3g} instead of "
            f"{silent:.3g}",
            TrainingWarning,
            stacklevel=2,
        )
    return 0


main = program(get_parser, run, [])


@dataclass(frozen=True, eq=False)
class YinYangNetwork:
    """The described network, not yet built."""

    model: Any
    readout: Any
    input_hidden: Any
    hidden_readout: Any
    readout_hidden: Any
    show_pattern: Any
    show_label: Any
    program: Any = None


class LogLoss(Mean):
    """The cross-entropy of the class neurons, by their mean potential while they decide."""

    name = "loss"

    def __init__(self, network: YinYangNetwork) -> None:
        super().__init__()
        self._score, self._target = network.readout.vars["score"], network.readout.vars["target"]

    def answers(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the mean potential of each class neuron while it decided, and its target."""
        self._score.pull_from_device()
        self._target.pull_from_device()
        return self._score.view * (TIMESTEP_MS / (TRIAL_MS - DECIDE_MS)), self._target.view

    def of_trial(self, data: Any, index: int) -> float:
        """Return the cross-entropy of one pattern."""
        potential, target = self.answers()
        return float(np.sum(np.logaddexp(0.0, potential) - target * potential))

    def of_batch(self, data: Any, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cross-entropy of each pattern."""
        potential, target = (values[: len(indices)] for values in self.answers())
        found: NDArray[np.float32] = np.sum(np.logaddexp(0.0, potential) - target * potential, axis=1)
        return found


class Accuracy(LogLoss):
    """The share of patterns whose class neuron has the highest potential."""

    name = "accuracy"

    def of_trial(self, data: Any, index: int) -> float:
        """Return 1 where the answer is right, else 0."""
        potential, target = self.answers()
        return float(np.argmax(potential) == np.argmax(target))

    def of_batch(self, data: Any, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return 1 where an answer is right, else 0."""
        potential, target = (values[: len(indices)] for values in self.answers())
        right: NDArray[np.bool_] = np.argmax(potential, axis=1) == np.argmax(target, axis=1)
        return right.astype(np.float32)


def make_learner(
    genn: ModuleType,
    train: Points,
    valid: Points,
    num_hidden: int,
    seed: int,
    quiet: bool = True,
    rule: str = "handwritten",
    batch_size: int | None = None,
) -> Learner:
    """Return a learner of a new network.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API.
    train, valid : Points
    num_hidden : int
    seed : int
        Of the weights and of the order of the patterns.
    quiet : bool
        Print no table.
    rule : {"handwritten", "superspike", "bptt", "eventprop"}
        Where gradients come from: SuperSpike, with the error fed back; the same derived from neurons and loss; or, on
        the embedded engine, backpropagation through time, derived too, and EventProp, of a network whose class neurons
        spike (`yin_yang_spikes`).
    batch_size : int, optional
        Patterns shown at once; where there are several, with an update each time, otherwise after `BATCH` patterns.
    """
    if rule == "eventprop":
        return yin_yang_spikes.make_learner(genn, train, valid, num_hidden, seed, quiet, batch_size)
    size = batch_size or 1
    network = describe(genn, train, valid, num_hidden, seed, rule, size)
    updates = network.show_pattern, network.show_label
    by_hand, batched = network.program is None, size > 1
    patterns = BatchedPatterns if batched else Patterns
    return Learner(
        genn,
        network.model,
        [
            TrainedConnection(network.input_hidden),
            TrainedConnection(network.hidden_readout, feedback=network.readout_hidden),
        ],
        trial_timesteps=TRIAL_TIMESTEPS,
        update_timesteps=TRIAL_TIMESTEPS if batched else BATCH * TRIAL_TIMESTEPS,
        loss=LogLoss(network),
        metrics=[Accuracy(network)],
        data=patterns(0, len(train.labels), *updates),
        validation=patterns(len(train.labels), len(valid.labels), *updates),
        batch_size=size if batched else None,
        prepare=(lambda: network.model.custom_update("CalculateTranspose")) if by_hand else None,
        seed=seed,
        quiet=quiet,
        gradient=network.program,
    )


def describe(
    genn: ModuleType,
    train: Points,
    valid: Points,
    num_hidden: int,
    seed: int,
    rule: str = "handwritten",
    batch_size: int = 1,
) -> YinYangNetwork:
    """Describe the network, with all patterns, to an engine."""
    model = genn.GeNNModel("float", PROG, threads=1)
    model.dt, model.seed, model.batch_size = TIMESTEP_MS, seed, batch_size
    times = datasets.yin_yang_times(np.vstack([train.xy, valid.xy]), EARLIEST_MS, LATEST_MS)
    source = model.add_neuron_population("Input", times.shape[1], PatternSource, {}, {"next": 0, "last": 0})
    source.extra_global_params["spikeTimes"].set_init_values(times.ravel())
    hidden = model.add_neuron_population(
        "Hidden", num_hidden, SuperSpikeHidden, MEMBRANE, {"V": -60.0, "refracTime": 0.0, "errTilda": 0.0}
    )
    readout = model.add_neuron_population(
        "Readout",
        len(CLASSES),
        ClassReadout,
        LEAKY,
        {"V": 0.0, "target": 0.0, "errTilda": 0.0, "score": 0.0},
    )
    if rule == "bptt":
        connections = _connect_plainly(genn, model, source, hidden, readout)
        wrt = [connection.vars["w"] for connection in connections[:2]]
        program = grad.differentiate(
            model,
            wrt,
            {readout: CROSS_ENTROPY},
            surrogate=FastSigmoid,
            params={"beta": BETA},
            window=TRIAL_TIMESTEPS if batch_size > 1 else BATCH * TRIAL_TIMESTEPS,
        )
    else:
        connect = _connect_derived if rule == "superspike" else _connect
        connections, program = connect(genn, model, source, hidden, readout), None
    show = _show(genn, model, source, readout, np.concatenate([train.labels, valid.labels]), batch_size)
    return YinYangNetwork(model, readout, *connections, *show, program)


def _show(
    genn: ModuleType, model: Any, source: Any, readout: Any, labels: NDArray[np.int64], batch_size: int
) -> tuple[Any, Any]:
    """Add the updates that show a pattern, or one to each copy of a batch, and the class."""
    batched = batch_size > 1
    places = {name: genn.create_var_ref(source, name) for name in ("next", "last")}
    target = {"target": genn.create_var_ref(readout, "target")}
    which: dict[str, int] = {} if batched else {"pattern": 0}
    show_pattern = model.add_custom_update(
        "show_pattern",
        "Show",
        ShowPatterns if batched else ShowPattern,
        {**which, "numNeurons": source.num_neurons},
        {},
        places,
    )
    show_label = model.add_custom_update("show_label", "Show", ShowLabels if batched else ShowLabel, which, {}, target)
    show_label.extra_global_params["labels"].set_init_values(labels)
    for update in (show_pattern, show_label):
        if batched:
            update.extra_global_params["examples"].set_init_values(np.zeros(batch_size, np.uint32))
        else:
            update.set_param_dynamic("pattern")
    return show_pattern, show_label


def _normal(genn: ModuleType, spread: tuple[float, float]) -> Any:
    return genn.init_var("Normal", {"mean": spread[0], "sd": spread[1]})


def _connect_plainly(genn: ModuleType, model: Any, source: Any, hidden: Any, readout: Any) -> tuple[Any, Any, None]:
    """Add connections that only send; returns None for the feedback, which there is none of."""
    current = genn.init_postsynaptic("ExpCurr", {"tau": TAU_RISE_MS})
    found = []
    for name, ends, spread in (
        ("InputHidden", (source, hidden), FIRST_WEIGHTS),
        ("HiddenReadout", (hidden, readout), READOUT_WEIGHTS),
    ):
        rule = genn.init_weight_update(PlainWeight, {}, {"w": _normal(genn, spread)})
        found.append(model.add_synapse_population(name, "DENSE", *ends, rule, current))
    return found[0], found[1], None


def _connect(genn: ModuleType, model: Any, source: Any, hidden: Any, readout: Any) -> tuple[Any, Any, Any]:
    """Add the forward connections and the feedback."""
    current = genn.init_postsynaptic("ExpCurr", {"tau": TAU_RISE_MS})
    taus = {"tauRise": TAU_RISE_MS, "tauDecay": TAU_DECAY_MS}
    refs = {name: genn.create_var_ref(hidden, name) for name in ("V", "errTilda")}
    input_hidden = model.add_synapse_population(
        "InputHidden",
        "DENSE",
        source,
        hidden,
        genn.init_weight_update(
            SuperSpike,
            {**taus, "beta": 100.0, "Vthresh": -50.0},
            {
                "w": _normal(genn, FIRST_WEIGHTS),
                "e": 0.0,
                "lambda": 0.0,
                "m": 0.0,
            },
            {"z": 0.0, "zTilda": 0.0},
            {"sigmaPrime": 0.0},
            post_var_refs=refs,
        ),
        current,
    )
    error = {"errTilda": genn.create_var_ref(readout, "errTilda")}
    hidden_readout = model.add_synapse_population(
        "HiddenReadout",
        "DENSE",
        hidden,
        readout,
        genn.init_weight_update(
            SuperSpikeReadout,
            taus,
            {"w": _normal(genn, READOUT_WEIGHTS), "m": 0.0},
            {"z": 0.0, "zTilda": 0.0},
            post_var_refs=error,
        ),
        current,
    )
    feedback = genn.init_weight_update(Feedback, {}, {"w": 0.0}, pre_var_refs=error)
    return input_hidden, hidden_readout, _feed_back(genn, model, hidden, readout, hidden_readout, feedback)


def _connect_derived(genn: ModuleType, model: Any, source: Any, hidden: Any, readout: Any) -> tuple[Any, Any, Any]:
    """Add the forward connections, with rules that follow from neurons and loss, and the feedback."""
    rules = derived_rules()
    current = genn.init_postsynaptic("ExpCurr", {"tau": TAU_RISE_MS})
    forward = []
    for name, ends, spread, rule in (
        ("InputHidden", (source, hidden), FIRST_WEIGHTS, rules.hidden[0]),
        ("HiddenReadout", (hidden, readout), READOUT_WEIGHTS, rules.output),
    ):
        update = init_derived(genn, rule, _normal(genn, spread), ends[1])
        forward.append(model.add_synapse_population(name, "DENSE", *ends, update, current))
    refs = {here: genn.create_var_ref(readout, there) for here, there in rules.feedback_refs.items()}
    kept = {v.name: 0.0 for v in rules.feedback.pre_vars}
    feedback = genn.init_weight_update(rules.feedback, rules.feedback_params, {"w": 0.0}, kept, pre_var_refs=refs)
    return forward[0], forward[1], _feed_back(genn, model, hidden, readout, forward[1], feedback)


def derived_rules() -> grad.NetworkRules:
    """Return SuperSpike as it follows from the declared neurons and the loss."""
    more = {"tau": TAU_RISE_MS, "beta": BETA}
    return grad.network_rules(
        "superspike",
        [(SuperSpikeHidden, ExpCurr)],
        (ClassReadout, ExpCurr),
        CROSS_ENTROPY,
        surrogate=FastSigmoid,
        params=[MEMBRANE | more, LEAKY | more],
        dt=TIMESTEP_MS,
    )


def _feed_back(genn: ModuleType, model: Any, hidden: Any, readout: Any, forward: Any, update: Any) -> Any:
    """Add the connection that carries the error back, whose weights are copies of the forward ones."""
    current = genn.init_postsynaptic("DeltaCurr")
    readout_hidden = model.add_synapse_population("ReadoutHidden", "DENSE", readout, hidden, update, current)
    readout_hidden.post_target_var = "ISynFeedback"
    transpose = {"variable": genn.create_wu_var_ref(forward, "w", readout_hidden, "w")}
    model.add_custom_update("transpose", "CalculateTranspose", "Transpose", {}, {}, transpose)
    return readout_hidden
