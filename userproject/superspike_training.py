"""Training the SuperSpike network: its loss, its learner and its schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

from snnlearn.errors import TrainingError
from snnlearn.io import SpikeTrains
from snnlearn.models import RMaxProp
from snnlearn.training import (
    OPTIMISERS,
    DecayType,
    Learner,
    Measure,
    NotedSum,
    Optimiser,
    SumLog,
    TrainedConnection,
    TrainingPhase,
    phases_1cycle,
    phases_sgdr,
    phases_step,
)
from snnlearn.training.measures import Noted
from snnlearn.userproject import superspike as ss
from snnlearn.userproject.superspike_error import KEPT, SilentError

# The optimiser of GeNN's superspike_demo, for comparisons.
SEED_OPTIMISER = Optimiser(
    "RMaxPropSeed",
    RMaxProp,
    {
        "updateTime": ss.UPDATE_MS,
        "tauRMS": 30000.0,
        "epsilon": 1e-32,
        "wMin": -ss.WEIGHT_LIMIT,
        "wMax": ss.WEIGHT_LIMIT,
        "r0": ss.R0,
    },
    lr_param="r0",
)
HELD_TRIALS = 10  # at the full rate, before the linear schedule falls
# SuperSpike's gradients have a unit of their own, which these two depend on.
_SCALED = (
    OPTIMISERS["IDBD"].variant("IDBD", errorScale=1e3),
    OPTIMISERS["HypergradientSGD"].variant("HypergradientSGD", hyperRate=1e-4),
)
DEMO_OPTIMISERS = {**OPTIMISERS, **{rule.name: rule for rule in (*_SCALED, SEED_OPTIMISER)}}


class ShareOfSilent(Measure):
    """The loss: the squared error since the last update, as a share of a silent output layer's in the same time.

    Parameters
    ----------
    genn : module
        The engine that the network was described to.
    network : SuperSpikeNetwork
        Not built yet.
    target : SpikeTrains
    """

    def __init__(self, genn: ModuleType, network: ss.SuperSpikeNetwork, target: SpikeTrains) -> None:
        super().__init__()
        self.silent = SilentError(target)
        self._silent_trial = self.silent.between(ss.TRIAL_TIMESTEPS, 2 * ss.TRIAL_TIMESTEPS)
        self._log = SumLog(genn, network.model, network.output, "avgSqrErr")
        self._last: NotedSum | None = None  # takes the place of state["total"] until that is known

    def note_total(self) -> NotedSum:
        """Note ``avgSqrErr`` summed over the output neurons [s], on the device."""
        return self._log.note()

    def total(self) -> float:
        """Return ``avgSqrErr`` summed over the output neurons [s]; waits for the device."""
        return self.note_total().value()

    def note(self, timestep: int) -> Noted:
        """Note the share; what remains of the running average from before is taken off when it is read."""
        since, before, last = int(self.state.get("timestep", 0)), self.state.get("total", 0.0), self._last
        total = self.note_total()
        self._last, self.state = total, {"timestep": timestep}
        kept = KEPT ** (timestep - since)
        # Where the target is silent too, any error would be infinitely many times its: a hundredth of its mean instead.
        least = 0.01 * self._silent_trial * (timestep - since) / ss.TRIAL_TIMESTEPS
        silent = max(self.silent.between(since, timestep), least)
        return lambda: (total.value() - (before if last is None else last.value()) * kept) / silent

    def settle(self) -> None:
        """Read what is in the log."""
        self._log.read()
        if self._last is not None:
            self.state["total"], self._last = self._last.value(), None

    def value(self, timestep: int) -> float:
        """Return the share; waits for the device."""
        share = self.note(timestep)
        self.settle()
        return float(share()) if callable(share) else share


def make_learner(
    genn: ModuleType,
    network: ss.SuperSpikeNetwork,
    target: SpikeTrains,
    optimisers: Sequence[str | Optimiser],
    recorded: Sequence[int] = (),
    watched: bool = False,
) -> Learner:
    """Return a learner of a described network; an epoch is a trial, and weights change every 500 ms as in the seed.

    Parameters
    ----------
    genn : module
        The engine that the network was described to.
    network : SuperSpikeNetwork
    target : SpikeTrains
    optimisers : sequence of str or Optimiser
    recorded : sequence of int
        Trials to record, counted from 0.
    watched : bool
        Whether spikes are recorded in all trials, for who looks whether a layer is silent.
    """
    bounds = (-ss.WEIGHT_LIMIT, ss.WEIGHT_LIMIT)
    feedback = network.output_hidden is not None
    return Learner(
        genn,
        network.model,
        [
            TrainedConnection(network.input_hidden, bounds=bounds),
            TrainedConnection(network.hidden_output, feedback=network.output_hidden, bounds=bounds),
        ],
        trial_timesteps=ss.TRIAL_TIMESTEPS,
        update_timesteps=ss.UPDATE_TIMESTEPS,
        update_offset=1,
        loss=ShareOfSilent(genn, network, target),
        optimisers=optimisers,
        reset_groups=["SourceReset"],
        prepare=(lambda: network.model.custom_update("CalculateTranspose")) if feedback else None,
        record=recorded,
        populations=network.layers if recorded or watched else [],
        quiet=True,
        gradient=network.program,
    )


def _need_trials(schedule: str, trials: int, least: int) -> None:
    if trials < least:
        raise TrainingError(f"the schedule {schedule} needs at least {least} trials for all its phases, not {trials}")


Schedule = Callable[[int, float, Optimiser], list[TrainingPhase]]


def linear(trials: int, lr: float, optimiser: Optimiser) -> list[TrainingPhase]:
    """Return the full rate for ten trials, in which learning begins, then a line to 0 at the end."""
    if trials <= HELD_TRIALS:
        return constant(trials, lr, optimiser)
    return [
        TrainingPhase(HELD_TRIALS, optimiser, lr),
        TrainingPhase(trials - HELD_TRIALS, optimiser, (lr, 0.0), DecayType.LINEAR),
    ]


def step(trials: int, lr: float, optimiser: Optimiser) -> list[TrainingPhase]:
    """Return the seed's schedule: a tenth of the rate every 400 trials."""
    return phases_step(lr, 400, 0.1, trials, optimiser)


def constant(trials: int, lr: float, optimiser: Optimiser) -> list[TrainingPhase]:
    """Return one phase at one rate."""
    return [TrainingPhase(trials, optimiser, lr)]


def sgdr(trials: int, lr: float, optimiser: Optimiser) -> list[TrainingPhase]:
    """Return three cosines, each twice as long as the one before, after a warm-up of a 140th of all trials."""
    _need_trials("sgdr", trials, 70)
    return phases_sgdr(lr, optimiser, 3, trials / 7, 2)


def one_cycle(trials: int, lr: float, optimiser: Optimiser) -> list[TrainingPhase]:
    """Return a 1cycle from a tenth of the rate, fading out over the last tenth of the trials."""
    _need_trials("1cycle", trials, 5)
    highest, lowest = (0.95, 0.85) if optimiser.momentum_param is not None else (None, None)
    return phases_1cycle(trials, lr, 10, 10, highest, lowest, optimiser)


SCHEDULES: dict[str, Schedule] = {
    "linear": linear,
    "step": step,
    "sgdr": sgdr,
    "1cycle": one_cycle,
    "constant": constant,
    "best": one_cycle,  # of the search in docs/training.md
}

EXTENDABLE = ("step", "constant")  # their first trials are the same, however many follow


# Weights here are tens of nA: what suits weights around 1 is far too small for optimisers that normalise the gradient,
# and SuperSpike's gradients are large, so that it is far too much for one that does not.
_RATES = {"SGD": 0.001, "RMSProp": 0.3, "Adam": 0.3, "AdamW": 0.3, "RMaxProp": ss.R0, "RMaxPropSeed": ss.R0}
_RATES |= {"MetaSGD": 0.01, "IDBD": 0.01, "HypergradientSGD": 0.01}
_BPTT_FASTER = 3.0  # found with RMaxProp: exact gradients bear larger steps
FINDER_RANGES = {name: (rate / 100, rate * 100) for name, rate in _RATES.items()}


def default_schedule(optimiser: str) -> str:
    """Return the schedule of an optimiser by its name: GeNN's for GeNN's, and one that ends at 0 for all others."""
    return "step" if optimiser == SEED_OPTIMISER.name else "linear"


def default_rate(optimiser: Optimiser, rule: str = "handwritten") -> float:
    """Return a learning rate that suits this network, and where its gradients come from."""
    faster = _BPTT_FASTER if rule == "bptt" else 1.0
    return _RATES[optimiser.name] * faster
