"""Readouts: what the last population is, its loss, and which of its variables are the scores of classes.

A readout adds lines to a declared neuron model; the derivative of the score follows from them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from snnlearn.builders.neurons import Neuron
from snnlearn.declare import Loss, NeuronModel, Param, Var
from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.grad.end_losses import CrossEntropy
from snnlearn.grad.first_spikes import FirstSpikeLoss
from snnlearn.models import LI

Numbers = NDArray[np.float64]
TARGET = "target"


class Readout(ABC):
    """Base of readouts, each of which is a frozen dataclass.

    Attributes
    ----------
    methods : tuple of str
        Of `snnlearn.grad.differentiate`, those that can train it.
    spikes : bool
        Whether its neurons do.
    variable : str
        What scores are read from.
    """

    methods: ClassVar[tuple[str, ...]] = ("bptt", "eventprop")
    spikes: ClassVar[bool] = False
    variable: ClassVar[str] = "score"

    def __post_init__(self) -> None:
        """Check that numbers are above 0."""
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            fine = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not (fine and 0 < value < math.inf):
                raise TrainingError(f"{type(self).__name__}: {field.name} must be finite and above 0, not {value!r}")

    @abstractmethod
    def layer(self, hidden: Neuron, dt: float, duration: float) -> Neuron:
        """Return the population's neuron.

        Parameters
        ----------
        hidden : Neuron
            Of the layer before.
        dt, duration : float
            Of a timestep, and of an example [ms].
        """

    def first_weights(self, unit: float, fan_in: int) -> tuple[float, float]:
        """Return mean and standard deviation of first weights.

        Parameters
        ----------
        unit : float
            The deviation that makes the neurons spike at the network's rate, or gives scores one of 1.
        fan_in : int
            How many neurons each is connected to.
        """
        # Scores are small at first, so that no class is preferred.
        return 0.0, unit if self.spikes else 0.1 * unit

    def loss(self) -> Any:
        """Return what `snnlearn.grad.differentiate` takes as the population's loss."""
        return CrossEntropy()

    def loss_params(self, duration: float) -> dict[str, float]:
        """Return the loss's parameters."""
        return {}

    def of(self, values: Numbers, target: Numbers, duration: float) -> Numbers:
        """Return the loss of examples from what `variable` is in the end, for curves; shape (examples,)."""
        return CrossEntropy().of(values, target)[0]

    def scores(self, values: Numbers) -> Numbers:
        """Return the scores of classes, of which the highest is the answer, from what `variable` is in the end."""
        return values


@dataclass(frozen=True)
class _Potential(Readout):
    """A leaky integrator for each class, which does not spike.

    Parameters
    ----------
    tau : float
        Time constant of its membrane [ms].
    """

    tau: float = 20.0
    name: ClassVar[str]
    code: ClassVar[str]

    @property
    def more(self) -> dict[str, float]:
        """The code's further parameters."""
        return {}

    @property
    def first_score(self) -> float:
        """The score of no timestep at all."""
        return 0.0

    def layer(self, hidden: Neuron, dt: float, duration: float) -> Neuron:
        """Return the population's neuron; see `Readout.layer`."""
        code = f"{LI.sim_code}\n{self.code}\n"
        values = {"C": self.tau, "TauM": self.tau, "Vrest": 0.0, "Ioffset": 0.0}
        more = {"share": dt / duration, **self.more}
        model = _with(LI, self.name, code, more)
        return Neuron(model, {**values, **more}, {"V": 0.0, "score": self.first_score, TARGET: 0.0})


@dataclass(frozen=True)
class MaxPotential(_Potential):
    """The maximum of the potential of a leaky integrator for each class; loss: cross-entropy of the softmax.

    The maximum is a smooth one, ``log(mean(exp(sharpness V))) / sharpness`` over timesteps: the exact one has no
    derivative for a class whose potential never is above where it began, and such a class would never recover.

    Parameters
    ----------
    tau : float
        Time constant of the membrane [ms].
    sharpness : float
        The larger, the nearer to the exact maximum; the smaller, to the mean.

    Source
    ------
    Cramer et al. (2022), The Heidelberg spiking data sets for the systematic evaluation of spiking neural networks,
    IEEE Transactions on Neural Networks and Learning Systems 33, 2744-2757, with the exact maximum.
    """

    sharpness: float = 5.0
    name = "MaxPotential"
    code = """
    const scalar highest = fmax(score, V);
    score = highest + log(exp(sharpness * (score - highest)) + share * exp(sharpness * (V - highest))) / sharpness;
    """

    @property
    def more(self) -> dict[str, float]:
        """The code's further parameters."""
        return {"sharpness": self.sharpness}

    @property
    def first_score(self) -> float:
        """The score of no timestep at all, of no account beside one."""
        return -100.0 / self.sharpness


@dataclass(frozen=True)
class MeanPotential(_Potential):
    """The mean potential of a leaky integrator for each class; loss: cross-entropy of the softmax.

    Parameters
    ----------
    tau : float
        Time constant of the membrane [ms].

    Source
    ------
    Bellec et al. (2020), Nature Communications 11, 3625.
    """

    name = "MeanPotential"
    code = "score += share * V;"


@dataclass(frozen=True)
class LastPotential(_Potential):
    """The potential that a leaky integrator for each class has in the end; loss: cross-entropy of the softmax.

    Parameters
    ----------
    tau : float
        Time constant of the membrane [ms].
    """

    name = "LastPotential"
    code = "score = V;"


@dataclass(frozen=True)
class SpikeCount(Readout):
    """A spiking neuron for each class, of which the one with the most spikes wins; loss: cross-entropy of the softmax.

    Parameters
    ----------
    sharpness : float
        What a spike adds to the score.

    Source
    ------
    Eshraghian et al. (2023), Training spiking neural networks using lessons from deep learning, Proceedings of the IEEE
    111, 1016-1054 (cross-entropy of spike counts).
    """

    sharpness: float = 1.0
    methods = ("bptt",)
    spikes = True

    def layer(self, hidden: Neuron, dt: float, duration: float) -> Neuron:
        """Return the population's neuron; see `Readout.layer`."""
        code = f"{hidden.model.sim_code}\nscore += ({_spike(hidden)}) ? sharpness : 0.0;\n"
        model = _with(hidden.model, f"{hidden.model.name}Count", code, {"sharpness": self.sharpness})
        return _spiking(hidden, model, {"sharpness": self.sharpness}, {"score": 0.0, TARGET: 0.0})


@dataclass(frozen=True)
class SpikeTrain(Readout):
    """A spiking neuron for each class, whose spike train is to be a regular one for the class shown, else silent.

    The loss is the van Rossum distance, ``1/2 int (trace - wanted)^2 dt / tau``: both trains, filtered by an
    exponential. The neuron with the most spikes wins.

    Parameters
    ----------
    period : float
        Of the regular train [ms].
    tau : float
        Time constant of the filter [ms].

    Source
    ------
    van Rossum (2001), A novel spike distance, Neural Computation 13, 751-763.
    """

    period: float = 10.0
    tau: float = 10.0
    methods = ("bptt",)
    spikes = True

    def layer(self, hidden: Neuron, dt: float, duration: float) -> Neuron:
        """Return the population's neuron; see `Readout.layer`."""
        params = {"keep": math.exp(-dt / self.tau), "period": self.period}
        code = f"""{hidden.model.sim_code}
const scalar spiked = ({_spike(hidden)}) ? 1.0 : 0.0;
trace = keep * trace + spiked;
wanted = keep * wanted + target * ((fmod(t + 0.5 * dt, period) < dt) ? 1.0 : 0.0);
score += spiked;
"""
        start = {"score": 0.0, TARGET: 0.0, "trace": 0.0, "wanted": 0.0}
        model = _with(hidden.model, f"{hidden.model.name}Train", code, params, ("trace", "wanted"))
        return _spiking(hidden, model, params, start)

    def loss(self) -> Any:
        """Return the van Rossum distance."""
        return Loss(
            "VanRossum",
            params=(Param("tauRossum"),),
            loss_code="loss = 0.5 * (trace - wanted) * (trace - wanted) * dt / tauRossum;",
        )

    def loss_params(self, duration: float) -> dict[str, float]:
        """Return the loss's parameters."""
        return {"tauRossum": self.tau}


@dataclass(frozen=True)
class FirstSpike(Readout):
    """A spiking neuron for each class, of which the one that spikes first wins; by EventProp.

    The loss is the cross-entropy of the times of first spikes (`snnlearn.grad.FirstSpikeLoss`); a silent neuron of the
    right class is woken by a loss of its potential in the last millisecond.

    Parameters
    ----------
    tau : float
        How much earlier is how much more probable [ms].

    Source
    ------
    Goeltz et al. (2021), Nature Machine Intelligence 3, 823-835; Wunderlich & Pehle (2021), Scientific Reports 11,
    12829.
    """

    tau: float = 2.0
    methods = ("eventprop",)
    spikes = True
    variable = "first"

    def first_weights(self, unit: float, fan_in: int) -> tuple[float, float]:
        """Return weights that make all neurons spike, as a silent one has no time; see `Readout.first_weights`."""
        return 3.0 * unit / math.sqrt(fan_in), 0.2 * unit

    def layer(self, hidden: Neuron, dt: float, duration: float) -> Neuron:
        """Return the population's neuron; see `Readout.layer`."""
        code = f"{hidden.model.reset_code}\nfirst = fmin(first, (scalar)t);\n"
        model = replace(
            hidden.model,
            name=f"{hidden.model.name}First",
            vars=(*hidden.model.vars, Var(TARGET), Var("first")),
            reset_code=code,
        )
        return _spiking(hidden, model, {}, {TARGET: 0.0, "first": 2.0 * duration})

    def loss(self) -> Any:
        """Return the cross-entropy of times, and what wakes a silent neuron."""
        wake = Loss("Wake", params=(Param("tLate"),), loss_code="loss = (t > tLate && first > t) ? -target * V : 0.0;")
        return FirstSpikeLoss(self.tau, early=0.05), wake

    def loss_params(self, duration: float) -> dict[str, float]:
        """Return the loss's parameters."""
        return {"tLate": duration - 1.0}

    def of(self, values: Numbers, target: Numbers, duration: float) -> Numbers:
        """Return the loss of examples; see `Readout.of`."""
        first = np.where(values < duration, values, np.inf)
        return FirstSpikeLoss(self.tau, early=0.05).of(first, target, duration)[0]

    def scores(self, values: Numbers) -> Numbers:
        """Return how early neurons spike."""
        return -values


READOUTS: Mapping[str, Readout] = {
    "max": MaxPotential(),
    "mean": MeanPotential(),
    "last": LastPotential(),
    "count": SpikeCount(),
    "first_spike": FirstSpike(),
    "spike_train": SpikeTrain(),
}
"""Readouts with their defaults, by the names that builders take."""


def find_readout(readout: Any) -> Readout:
    """Return a readout, or the one of this name with its defaults.

    Raises
    ------
    TrainingError
        If there is none; names the nearest.
    """
    if isinstance(readout, Readout):
        return readout
    if isinstance(readout, str) and readout in READOUTS:
        return READOUTS[readout]
    raise TrainingError(f"there is no readout {readout!r}{did_you_mean(str(readout), READOUTS)}")


def _spike(hidden: Neuron) -> str:
    """Return the condition of a spike."""
    condition = hidden.model.threshold_condition_code.strip()
    if not condition:
        raise TrainingError(f"this readout spikes, and '{hidden.model.name}' does not")
    return condition


def _with(
    model: NeuronModel, name: str, sim_code: str, params: Mapping[str, float], more: tuple[str, ...] = ()
) -> NeuronModel:
    """Return a model with further code, parameters and variables, the score and the target among these."""
    return replace(
        model,
        name=name,
        params=(*model.params, *(Param(p) for p in params)),
        vars=(*model.vars, *(Var(v) for v in ("score", TARGET, *more))),
        sim_code=sim_code,
    )


def _spiking(hidden: Neuron, model: NeuronModel, params: Mapping[str, float], start: Mapping[str, float]) -> Neuron:
    """Return the hidden neuron as the readout's, with further parameters and variables."""
    return replace(hidden, model=model, params={**hidden.params, **params}, start={**hidden.start, **start})
