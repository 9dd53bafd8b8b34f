"""Two loops of training in one: the inner one trains weights, the outer one the rates that they are trained with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.attributes import frozen
from snnlearn.calling import named_arguments
from snnlearn.declare.optimiser import Optimiser
from snnlearn.errors import GradientError, TrainingError
from snnlearn.genn import GeNNModel, create_wu_var_ref
from snnlearn.meta.gradient import stop_gradient
from snnlearn.meta.state import State, extract_state, recover_state
from snnlearn.models import MetaSGDGradient
from snnlearn.training import OPTIMISERS, Data, Learner, TrainedConnection, TrainingPhase
from snnlearn.training.arguments import are_bounds
from snnlearn.training.optimisers import attach, precision_of, resolve_optimiser

Episodes = Callable[[int], tuple[Data, Data]]
"""What an episode with this number, from 0, is trained on, and what its outer loss is taken of."""

_GRADIENT, _RATES, _WEIGHTS = "meta_gradient", "meta_rates", "meta_weights"  # groups of custom updates
_DESCENT = OPTIMISERS["SGD"].variant("GradientDescent", momentum=0.0)
_PATH = "path"  # the inner optimiser's sum of steps, which `MetaSGDGradient` refers to


@frozen
@dataclass(frozen=True)
class Round:
    """What a round has given.

    Attributes
    ----------
    number : int
        From 0.
    inner : list of list of float
        Of each episode the learner's loss at each update.
    outer : list of float
        Of each episode the learner's loss on the held-out data, after the inner loop.
    """

    number: int
    inner: list[list[float]]
    outer: list[float]


@dataclass(frozen=True)
class _Step:
    """How an outer loop moves something."""

    optimiser: Optimiser
    lr: float
    bounds: tuple[float, float] | None = None

    def attach(self, model: GeNNModel, name: str, group: str, gradient: Any, variable: Any) -> Any:
        """Add a custom update that does it."""
        values = {self.optimiser.lr_param: self.lr}
        if self.bounds is not None:
            values |= dict(zip(("wMin", "wMax"), map(float, self.bounds), strict=True))
        return attach(model, self.optimiser, name, group, gradient, variable, values)


@named_arguments
class BiLevel:
    """Learns the rates of a learner's optimiser, one for each synapse, by first-order meta-updates on the device.

    An episode trains from where the learner is with the inner phases. Then the held-out data are run, without updates,
    and their gradient is taken at the weights that the inner loop has led to. The derivative of the outer loss with
    respect to a rate is, to first order, minus the product of both loops' gradients (Li et al. 2017, algorithm 1,
    without second derivatives as in Finn et al. 2017, section 5.2). The learner is put back where the episode began,
    and any optimiser moves the rates, and perhaps the weights that episodes begin with.

    Parameters
    ----------
    learner : Learner
        With a model of `snnlearn.genn`, not built yet.
    inner : TrainingPhase or sequence of TrainingPhase
        The inner loop, with an optimiser that has a rate for each synapse: ``"MetaSGD"``. It ends with an update.
    outer : Data, or function of the number of an episode
        The held-out data; or a function that returns training and held-out data of an episode. Otherwise episodes
        train on the learner's data.
    meta_lr : float
        The rate at which rates learn.
    meta_optimiser : str or Optimiser
        By default gradient descent without momentum.
    weight_lr : float, optional
        The rate at which the weights learn that episodes begin with; by default they stay.
    weight_optimiser : str or Optimiser
        By default gradient descent without momentum.
    rate_bounds : (float, float), optional
        Of the factors that are learnt, ``alpha``.
    episodes : int
        How many episodes a round has: meta-updates take the mean of their gradients.
    restart : bool
        Whether each episode begins where the round did. False: it goes on from the weights that the one before has
        led to, and takes them for given (meta-gradient reinforcement learning, Xu et al. 2018).
    order : int
        1: second derivatives are PyTorch's.

    Raises
    ------
    GradientError
        For another order.
    TrainingError
        For a learner that is built, an optimiser without rates to learn, rates that are not finite or negative, bounds
        that are none, data that are none, and ``weight_lr`` with ``restart=False``.
    """

    def __init__(
        self,
        learner: Learner,
        *,
        inner: TrainingPhase | Sequence[TrainingPhase],
        outer: Data | Episodes,
        meta_lr: float,
        meta_optimiser: str | Optimiser = _DESCENT,
        weight_lr: float | None = None,
        weight_optimiser: str | Optimiser = _DESCENT,
        rate_bounds: tuple[float, float] | None = None,
        episodes: int = 1,
        restart: bool = True,
        order: int = 1,
    ) -> None:
        if order != 1:
            raise GradientError(
                f"order={order!r}: the engine's gradients are numbers, which have no derivatives; for second order "
                "make the network a module of PyTorch's with snnlearn.torch.to_module, and train that"
            )
        self.learner, self.outer = learner, outer
        self.inner = list(inner) if isinstance(inner, Iterable) else [inner]
        self.episodes, self.restart = _count(episodes), bool(restart)
        self.rounds_done = 0
        if weight_lr is not None and not self.restart:
            raise TrainingError("weight_lr is for weights that episodes begin with; with restart=False they go on")
        if not (isinstance(outer, Data) or callable(outer)):
            raise TrainingError(f"outer is Data, or a function of an episode's number that returns two, not {outer!r}")
        if rate_bounds is not None and not are_bounds(rate_bounds):
            raise TrainingError(f"rate_bounds must be (low, high), not {rate_bounds!r}")
        self._model = _model_to_describe(learner)
        rule = _rule_of(self.inner)
        self._alphas: list[tuple[TrainedConnection, Any]] = []  # with the variable of the rates
        self._gradients: list[Any] = []
        self._kept: list[Any] = []  # what the end of an episode leaves as it is
        self._steps: list[tuple[Any, Optimiser]] = []  # custom updates of rates, with their optimiser
        self._learns_weights = weight_lr is not None
        rates = _Step(resolve_optimiser(meta_optimiser), meta_lr, rate_bounds)
        weights = None if weight_lr is None else _Step(resolve_optimiser(weight_optimiser), weight_lr)
        for connection, update in zip(learner.connections, learner.attach([rule])[rule.name], strict=True):
            gradient = self._attach(connection, update, rule, rates)
            if weights is not None:
                self._attach_weights(connection, gradient, replace(weights, bounds=connection.bounds))

    # ---- what is added to the model ----

    def _attach(self, connection: TrainedConnection, update: Any, rule: Optimiser, rates: _Step) -> Any:
        """Add the meta-gradient of a connection, which is returned, and the optimiser of its rates."""
        assert rule.rate_var is not None
        synapses: Any = connection.synapses
        refs = {"m": create_wu_var_ref(synapses, connection.gradient), "path": create_wu_var_ref(update, _PATH)}
        start = {var.name: 0.0 for var in MetaSGDGradient.vars}
        name = f"{update.name}_meta_gradient"
        gradient: Any = self._model.add_custom_update(
            name, _GRADIENT, MetaSGDGradient, {"gradientScale": 1.0}, start, refs
        )
        gradient.set_param_dynamic("gradientScale")
        moved = create_wu_var_ref(gradient, "rateGradient"), create_wu_var_ref(update, rule.rate_var)
        step = rates.attach(self._model, f"{update.name}_rates", _RATES, *moved)
        self._gradients.append(gradient)
        self._steps.append((step, rates.optimiser))
        self._alphas.append((connection, update.vars[rule.rate_var]))
        # With the path, which is empty once the gradient has been taken.
        own = [update.vars[name] for name in (rule.rate_var, _PATH)]
        self._kept += [gradient.vars["rateGradient"], *own, *step.vars.values()]
        return gradient

    def _attach_weights(self, connection: TrainedConnection, gradient: Any, weights: _Step) -> None:
        """Add the optimiser of the weights that episodes begin with."""
        synapses: Any = connection.synapses
        feedback: Any = connection.feedback
        transpose = (feedback, connection.feedback_weight) if feedback is not None else ()
        weight = create_wu_var_ref(synapses, connection.weight, *transpose)
        moved = create_wu_var_ref(gradient, "weightGradient"), weight
        step = weights.attach(self._model, f"{gradient.name}_weights", _WEIGHTS, *moved)
        self._kept += [gradient.vars["weightGradient"], *step.vars.values()]

    # ---- rounds ----

    def set_meta_lr(self, lr: float) -> None:
        """Change the rate at which rates learn, from the next round on.

        Raises
        ------
        TrainingError
            For a rate that is not finite, or negative.
        """
        for step, optimiser in self._steps:
            optimiser.check_value(optimiser.lr_param, lr, precision_of(self._model))
            step.set_dynamic_param_value(optimiser.lr_param, float(lr))

    def rates(self) -> dict[str, NDArray[np.float64]]:
        """Return the rates that the inner loop begins with: by connection, in the shape of its weights' values.

        Raises
        ------
        LifecycleError
            Before the first round.
        """
        lrs = np.broadcast_to(self.inner[0].lr_at(0, 1), len(self._alphas))
        found = {}
        for (connection, alpha), lr in zip(self._alphas, lrs, strict=True):
            alpha.pull_from_device()
            found[connection.synapses.name] = float(lr) * np.asarray(alpha.values, np.float64)
        return found

    def run(self, rounds: int) -> list[Round]:
        """Do so many rounds; raises as `round`."""
        return [self.round() for _ in range(_count(rounds))]

    def round(self) -> Round:
        """Do a round of episodes, and the meta-updates at its end.

        Where something fails, the learner is put back where the round began.

        Raises
        ------
        TrainingError
            As `Learner.fit_opt_sched`; for an inner loop that does not end with an update; for an outer loss that is
            not finite, and rates that are no longer.
        """
        learner = self.learner
        learner.build([phase.optimiser for phase in self.inner])
        stop_gradient(learner)
        start = extract_state(learner)
        inner, outer = [], []
        try:
            for number in range(self.episodes):
                losses, loss, trained = self._episode(self.rounds_done * self.episodes + number)
                inner.append(losses)
                outer.append(loss)
                recover_state(learner, start if trained is None else trained, self._kept)
            self._model.custom_update(_RATES)
            if self._learns_weights:
                self._model.custom_update(_WEIGHTS)
            self._check_rates()
        except BaseException:
            recover_state(learner, start)
            raise
        self.rounds_done += 1
        return Round(self.rounds_done - 1, inner, outer)

    def _episode(self, number: int) -> tuple[list[float], float, State | None]:
        """Train, and add up the meta-gradient.

        Returns
        -------
        list of float, float
            The losses of the inner loop, and the outer one.
        State or None
            What the inner loop has led to, where the next episode goes on from there.
        """
        learner = self.learner
        trained, held_out = (learner.data, self.outer) if isinstance(self.outer, Data) else self.outer(number)
        learner.fit_opt_sched(self.inner, [trained] * len(self.inner))
        runner = learner.runner
        if runner.updates_until(runner.timestep) == runner.updates_until(runner.timestep - 1):
            raise TrainingError(
                f"the inner loop has to end with an update: it ends at timestep {runner.timestep}, and updates come "
                f"every {learner.update_timesteps} timesteps"
            )
        losses = [float(loss) for loss in learner.sched.losses]
        state = None if self.restart else extract_state(learner)
        loss = self._outer(held_out)
        if not np.isfinite(loss):
            raise TrainingError(f"the outer loss of episode {number} is {loss}: a lower inner rate may help")
        scale = 1.0 / (self.episodes * len(held_out) * learner.trial_timesteps)
        for gradient in self._gradients:
            gradient.set_dynamic_param_value("gradientScale", scale)
        self._model.custom_update(_GRADIENT)
        return losses, loss, state

    def _outer(self, data: Data) -> float:
        """Run the held-out data without updates, so that gradients are summed up; returns the loss."""
        learner, model, loss = self.learner, self._model, self.learner.loss
        loss.restart()
        for index in range(len(data)):
            for group in learner.reset_groups:
                model.custom_update(group)
            model.timestep = 0
            data.present(model, index)
            left = learner.trial_timesteps
            while left:
                timesteps = min(left, learner.update_timesteps)  # a program's window is as long, at least
                model.run(timesteps)
                left -= timesteps
                for program in model._programs:
                    if program.pending:
                        program.backward()
            loss.after_trial(data, index)
        return loss.number(learner.runner.timestep)

    def _check_rates(self) -> None:
        for connection, alpha in self._alphas:
            alpha.pull_from_device()
            bad = np.count_nonzero(~np.isfinite(alpha.values))
            if bad:
                raise TrainingError(
                    f"{bad} of {alpha.values.size} rates of '{connection.synapses.name}' are no longer finite: a lower "
                    "meta_lr or rate_bounds may help; the learner is where the round began"
                )


def _count(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < 1:
        raise TrainingError(f"a number of rounds or episodes is a positive integer, not {given!r}")
    return int(given)


def _model_to_describe(learner: Any) -> GeNNModel:
    if not isinstance(learner, Learner):
        raise TrainingError(f"BiLevel needs a Learner, not {type(learner).__name__}")
    model: Any = learner.model
    if not isinstance(model, GeNNModel):
        raise TrainingError("BiLevel needs a learner of a model of snnlearn.genn, whose state stays on the device")
    if model._built:
        raise TrainingError("the learner's network is built: make the BiLevel before its first fit")
    return model


def _rule_of(phases: Sequence[Any]) -> Optimiser:
    """Return the one optimiser of the inner loop."""
    rules = []
    for phase in phases:
        if not isinstance(phase, TrainingPhase):
            raise TrainingError(f"inner is a TrainingPhase, or several, not {phase!r}")
        rules += [phase.rule] if phase.rule not in rules else []
    if len(rules) != 1:
        raise TrainingError(f"inner has phases of {len(rules)} optimisers; one of them has the rates to learn")
    rule = rules[0]
    if rule.rate_var is None or _PATH not in {var.name for var in rule.model.vars}:
        raise TrainingError(
            f"the optimiser '{rule.name}' has no rates that an outer loop could learn: "
            "inner=TrainingPhase(epochs, 'MetaSGD', lr)"
        )
    return rule
