"""Networks of layers: described with one call, to be looked at, changed, and trained by a learner."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn import genn
from snnlearn.builders.initial import rates_with, weights_for_rate, weights_for_spread
from snnlearn.builders.neurons import Neuron
from snnlearn.builders.readouts import Readout
from snnlearn.builders.resting import add_rest
from snnlearn.builders.rules import Rule
from snnlearn.builders.showing import Accuracy, ReadoutLoss, Shown, Stage
from snnlearn.errors import TrainingError
from snnlearn.models import AnalogSource, DeltaCurr, StaticAnalog, StaticPulse
from snnlearn.training import ArrayData, DecayType, Learner, PerConnection, TrainedConnection, TrainingPhase

INPUT, OUTPUT, REST = "Input", "Output", "Rest"


@dataclass
class LayeredNetwork:
    """A described network, whose groups are PyGeNN's.

    All can be changed until `learner` makes a learner of it: parameters, populations and connections can be added to
    ``model``, connections be left out of ``trained``.

    Attributes
    ----------
    model : GeNNModel
    populations : dict of str to NeuronGroup
        ``"Input"``, ``"Hidden"`` (``"Hidden1"``, ``"Hidden2"``, … where there are several), ``"Output"``.
    connections : dict of str to SynapseGroup
        By what they connect, ``"InputHidden"``; their weights are the variable ``g``.
    trained : list of str
        The connections to train.
    units : dict of str to float
        The standard deviation of a connection's weights that makes its target spike at the rate that the network was
        built for, or gives scores one of 1: what learning rates are shares of.
    neuron, readout, rule : Neuron, Readout, Rule
    duration : float
        Of an example [ms].
    """

    model: genn.GeNNModel
    neuron: Neuron
    readout: Readout
    rule: Rule
    data: ArrayData
    duration: float
    populations: dict[str, Any] = field(default_factory=dict)
    connections: dict[str, Any] = field(default_factory=dict)
    trained: list[str] = field(default_factory=list)
    units: dict[str, float] = field(default_factory=dict)
    program: Any = None
    _stage: Stage | None = None

    # ---- training ----

    @property
    def timesteps(self) -> int:
        """How many timesteps an example takes."""
        return math.ceil(self.duration / float(self.model.dt) - 1e-9)

    def learner(self, train: ArrayData | None = None, validation: ArrayData | None = None, **options: Any) -> Learner:
        """Return a learner of the network.

        Parameters
        ----------
        train : ArrayData, optional
            By default the data that the network was built for.
        validation : ArrayData, optional
            What the learner's metric ``"accuracy"`` is of.
        **options
            Further arguments of `Learner`: ``quiet``, ``callbacks``, ``metrics``, …

        Raises
        ------
        TrainingError
            For data that do not fit the network, and where there is a learner already.
        """
        if self.program is not None:
            raise TrainingError("this network has a learner already; build another one for another learner")
        data = self.data if train is None else train
        for one in (data, *([] if validation is None else [validation])):
            self.check(one)
        stage = self._stage = Stage(
            self.populations[INPUT], self.populations[OUTPUT], self.readout, self.data.num_classes
        )
        stage.hold([data, *([] if validation is None else [validation])])
        add_rest(self.model, REST, self.populations.values(), self.connections.values())
        trained = [self.connections[name] for name in self.trained]
        self.program = self.rule.differentiate(
            self.model,
            [connection.vars["g"] for connection in trained],
            self.populations[OUTPUT],
            self.readout,
            self.neuron,
            self.duration,
            self.timesteps,
        )
        metrics = [Accuracy(stage), *options.pop("metrics", ())]
        return Learner(
            cast(Any, genn),
            self.model,
            [TrainedConnection(connection, "g") for connection in trained],
            trial_timesteps=self.timesteps,
            update_timesteps=self.timesteps,
            batch_size=self.model.batch_size,
            loss=ReadoutLoss(stage, self.duration),
            metrics=metrics,
            data=Shown(stage, data),
            validation=None if validation is None else Shown(stage, validation),
            reset_groups=[REST],
            gradient=self.program,
            **{"seed": int(self.model.seed), **options},
        )

    def phases(self, epochs: float, rate: float | None = None, optimiser: str = "Adam") -> list[TrainingPhase]:
        """Return a schedule: one phase, whose learning rate falls as a cosine.

        Parameters
        ----------
        epochs : float
        rate : float, optional
            The learning rate at first, as a share of each connection's unit of weight (``units``); that of the rule,
            unless given.
        optimiser : str
        """
        share = self.rule.rate if rate is None else rate
        rates = PerConnection(tuple(share * self.units[name] for name in self.trained))
        return [TrainingPhase(epochs, optimiser, rates, DecayType.COSINE)]

    def check(self, data: ArrayData) -> None:
        """Raise TrainingError for data that do not fit the network."""
        for what, own, other in (
            ("inputs", self.data.num_inputs, data.num_inputs),
            ("classes", self.data.num_classes, data.num_classes),
            ("ms an example", self.duration, data.duration),
        ):
            if own != other:
                raise TrainingError(f"the network is for {own:g} {what}, and these data have {other:g}")
        if data.encoded.spikes != self.data.encoded.spikes:
            raise TrainingError("the network's input spikes, or does not; these data are encoded the other way")

    # ---- answers ----

    def scores(self, X: ArrayLike | ArrayData) -> NDArray[np.float64]:
        """Return the score of each class, shape (examples, classes), by the weights as they are.

        Parameters
        ----------
        X : array_like, shape (examples, features), or ArrayData
            An array is encoded as the data that the network was built for.

        Raises
        ------
        TrainingError
            Before the learner has built the network; and as `ArrayData` does.
        """
        if self._stage is None or not self.model._loaded:
            raise TrainingError("the network has no weights yet: make a learner and train it, or call its build()")
        data = X if isinstance(X, ArrayData) else self.data.like(X)
        self.check(data)
        batch = int(self.model.batch_size)
        found = []
        kept = self.model.state(), self.model.timestep
        with self.program.set_aside(), self._stage.lent(data) as shown:
            try:
                for first in range(0, len(shown), batch):
                    indices = np.arange(first, min(first + batch, len(shown)))
                    self.model.custom_update(REST)
                    self.model.timestep = 0
                    self._stage.show(shown, np.resize(indices, batch))
                    self.model.run(self.timesteps)
                    found.append(self.readout.scores(self._stage.answers()[: len(indices)]))
            finally:
                self.model.set_state(kept[0])
                self.model.timestep = kept[1]
        return np.concatenate(found)

    def predict(self, X: ArrayLike | ArrayData) -> NDArray[np.int64]:
        """Return the class of each example, int64, shape (examples,): that of the highest score; see `scores`."""
        return np.asarray(np.argmax(self.scores(X), axis=1), np.int64)

    # ---- description ----

    def add_layer(self, name: str, neuron: Neuron, size: int) -> Any:
        """Add a population."""
        group = self.model.add_neuron_population(name, size, neuron.model, dict(neuron.params), dict(neuron.start))
        self.populations[name] = group
        return group

    def connect(self, source: str, target: str, neuron: Neuron, spread: tuple[float, float], unit: float) -> Any:
        """Add a dense connection to be trained, with weights of this mean and standard deviation."""
        name = f"{source}{target}"
        weights = genn.init_var("Normal", {"mean": spread[0], "sd": spread[1]})
        analog = self.populations[source].model.name == AnalogSource.name
        if analog:
            value = {"x": genn.create_var_ref(self.populations[source], "x")}
            rule = genn.init_weight_update(StaticAnalog, {}, {"g": weights}, pre_var_refs=value)
            current = genn.init_postsynaptic(DeltaCurr)
        else:
            rule = genn.init_weight_update(StaticPulse, {}, {"g": weights})
            current = genn.init_postsynaptic(neuron.postsynaptic, dict(neuron.postsynaptic_params))
        ends = self.populations[source], self.populations[target]
        self.connections[name] = self.model.add_synapse_population(name, "DENSE", *ends, rule, current)
        self.trained.append(name)
        self.units[name] = unit
        return self.connections[name]


def check_sizes(sizes: Any, data: ArrayData) -> tuple[int, ...]:
    """Return the sizes of layers.

    Raises
    ------
    TrainingError
        Unless these are whole numbers above 0, from the data's inputs over at least one hidden layer to its classes.
    """
    if isinstance(sizes, (str, bytes)) or not isinstance(sizes, Sequence) or len(sizes) < 3:
        raise TrainingError(
            f"sizes are those of the input, of one hidden layer at least and of the output, such as "
            f"[{data.num_inputs}, 100, {data.num_classes}], not {sizes!r}"
        )
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise TrainingError(f"sizes must be whole numbers above 0, not {size!r}")
    if sizes[0] != data.num_inputs:
        raise TrainingError(f"sizes begins with {sizes[0]}, and the data have {data.num_inputs} inputs")
    if sizes[-1] != data.num_classes:
        raise TrainingError(f"sizes ends with {sizes[-1]}, and the data have {data.num_classes} classes")
    return tuple(int(size) for size in sizes)


def unit_of(
    network: LayeredNetwork, source: str, target: str, neuron: Neuron, levels: NDArray[np.float64], rate: float
) -> float:
    """Return the deviation of a connection's weights that makes its target spike at a rate, or scores spread by 1."""
    felt, spikes = _as_felt(network, source, neuron)
    given = levels, spikes, float(network.model.dt), network.duration
    if target == OUTPUT and not network.readout.spikes:
        return weights_for_spread(felt, network.readout.variable, *given, f"{source}{target}")
    return weights_for_rate(felt, *given, rate, f"{source}{target}")


def rates_of(
    network: LayeredNetwork, source: str, target: str, neuron: Neuron, levels: NDArray[np.float64], unit: float
) -> NDArray[np.float64]:
    """Return the rates of a connection's targets [1 / ms] where weights have this deviation."""
    felt, spikes = _as_felt(network, source, neuron)
    size = network.populations[target].num_neurons
    given = levels, spikes, float(network.model.dt), network.duration, size
    return rates_with(felt, unit, *given, f"{source}{target}")


def _as_felt(network: LayeredNetwork, source: str, neuron: Neuron) -> tuple[Neuron, bool]:
    """Return a neuron with what is in front of it for input from a source, and whether that spikes."""
    spikes = network.populations[source].model.name != AnalogSource.name
    return (neuron if spikes else _driven(neuron)), spikes


def _driven(neuron: Neuron) -> Neuron:
    """Return a neuron with a current in front of it that lasts one timestep."""
    no_params: Mapping[str, float] = {}
    return Neuron(neuron.model, neuron.params, neuron.start, DeltaCurr, no_params)
