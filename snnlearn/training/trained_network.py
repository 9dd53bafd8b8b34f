"""A network with the optimisers that train it: attached, compiled, and set from one update to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from snnlearn.declare.optimiser import Optimiser
from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.training.arguments import TrainedConnection
from snnlearn.training.batch_mean import GradientMeans
from snnlearn.training.engine import CustomUpdateApi, EngineApi, ModelApi
from snnlearn.training.fingerprint import fingerprint
from snnlearn.training.optimisers import attach, precision_of, resolve_optimiser


class TrainedNetwork:
    """Owns the optimisers of a network, and what of them is set on the device.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API.
    model : GeNNModel
        Described, not built.
    connections : sequence of TrainedConnection
    optimisers : sequence of str or Optimiser
        To be compiled whatever else is.
    update_timesteps : int
        How many timesteps a gradient is summed over.
    means : GradientMeans, optional
        What takes the mean over a batch of gradients that each copy sums up.

    Attributes
    ----------
    model : GeNNModel
    connections : tuple of TrainedConnection
    built : bool
        Whether it is compiled and loaded.
    """

    def __init__(
        self,
        genn: EngineApi,
        model: ModelApi,
        connections: Sequence[TrainedConnection],
        optimisers: Sequence[str | Optimiser],
        update_timesteps: int,
        means: GradientMeans | None = None,
    ) -> None:
        self.model = model
        self.connections = tuple(connections)
        self.built = False
        self._genn, self._update_timesteps, self._means = genn, update_timesteps, means
        self._requested = [resolve_optimiser(o) for o in optimisers]
        self._optimisers: dict[str, Optimiser] = {}
        self._updates: dict[str, list[CustomUpdateApi]] = {}
        self._rates: dict[tuple[str, str], tuple[float, ...]] = {}  # as set on the device
        self._states_set = 0  # of the model, when they were

    @property
    def optimisers(self) -> list[str]:
        """The names of those attached."""
        return list(self._optimisers)

    def build(self, optimisers: Sequence[str | Optimiser], num_recording_timesteps: int | None) -> bool:
        """Compile and load the network with these optimisers and its own; returns False where that is done.

        Raises
        ------
        TrainingError
            If it is done and an optimiser is not among those compiled.
        """
        self.attach(optimisers)
        if self.built:
            return False
        self.model.build()
        self.model.load(num_recording_timesteps=num_recording_timesteps)
        self.built = True
        return True

    def attach(self, optimisers: Sequence[str | Optimiser]) -> dict[str, list[CustomUpdateApi]]:
        """Add these optimisers and its own to the model; returns the custom updates of each connection, by optimiser.

        Raises
        ------
        TrainingError
            If the network is built and an optimiser is not among those compiled.
        """
        wanted = {o.name: o for o in (*self._requested, *(self.resolve(o) for o in optimisers))}
        for rule in wanted.values():
            # Attached already where an earlier attempt failed in the compiler.
            if rule.name in self._updates:
                continue
            if self.built:
                raise TrainingError(
                    f"the optimiser '{rule.name}' was not compiled{did_you_mean(rule.name, self._updates)}; "
                    f'name it at the start: Learner(optimisers=["{rule.name}"])'
                )
            self._updates[rule.name] = [self._attach(rule, c) for c in self.connections]
            self._optimisers[rule.name] = rule
        return {name: list(self._updates[name]) for name in wanted}

    def resolve(self, optimiser: str | Optimiser) -> Optimiser:
        """Return the optimiser of this name, first of those that the network was given."""
        known = {o.name: o for o in self._requested} | self._optimisers
        return known[optimiser] if isinstance(optimiser, str) and optimiser in known else resolve_optimiser(optimiser)

    def _attach(self, rule: Optimiser, connection: TrainedConnection) -> CustomUpdateApi:
        synapses, feedback = connection.synapses, connection.feedback
        transpose = (feedback, connection.feedback_weight) if feedback is not None else ()
        overrides = {"gradientScale": 1.0 / self._update_timesteps}
        if connection.bounds is not None:
            overrides |= dict(zip(("wMin", "wMax"), map(float, connection.bounds), strict=True))
        return attach(
            self.model,
            rule,
            f"{rule.name}_{synapses.name}",
            self.update_group(rule),
            self._gradient(connection, self.update_group(rule)),
            self._genn.create_wu_var_ref(synapses, connection.weight, *transpose),
            {name: value for name, value in overrides.items() if name in rule.params},
        )

    def _gradient(self, connection: TrainedConnection, group: str) -> Any:
        if self._means is not None:
            return self._means.reference(connection, group)
        return self._genn.create_wu_var_ref(connection.synapses, connection.gradient)

    def count_copies(self, present: int) -> None:
        """Have gradients be means over the first so many copies of a batch from now on."""
        if self._means is not None:
            self._means.count(present)

    def take_means(self) -> None:
        """Take these means, before an update."""
        if self._means is not None:
            self._means.take()

    def update_group(self, rule: Optimiser) -> str:
        """Return the custom update group that runs an optimiser."""
        return f"update_{rule.name}"

    def updates_of(self, rule: Optimiser) -> list[CustomUpdateApi]:
        """Return the custom updates of an optimiser, one for each connection.

        Raises
        ------
        TrainingError
            If it was not compiled.
        """
        if not self.built or rule.name not in self._updates:
            raise TrainingError(
                f"the optimiser '{rule.name}' is not compiled{did_you_mean(rule.name, self._updates)}; train with it, "
                f'or name it at the start, Learner(optimisers=["{rule.name}"]), and call build()'
            )
        return self._updates[rule.name]

    def lrs_of(self, rule: Optimiser) -> tuple[float, ...] | None:
        """Return the learning rates that were set last, one for each connection; None where that is not known."""
        return self._rates.get((rule.name, rule.lr_param))

    def set_rates(self, rule: Optimiser, values: dict[str, Any]) -> None:
        """Set parameters of a compiled optimiser: a number, or one for each connection, by parameter."""
        states_set = self.model.states_set
        if states_set != self._states_set:  # somebody has put the model's state back, with its rates
            self.forget_rates()
            self._states_set = states_set
        num = len(self.connections)
        for param, value in values.items():
            if isinstance(value, float):
                each: tuple[float, ...] = (float(value),) * num
            else:
                given = np.asarray(value, np.float64)
                each = tuple((given if given.shape == (num,) else np.broadcast_to(given, num)).tolist())
            if self._rates.get((rule.name, param)) == each:
                continue
            for number in each:
                rule.check_value(param, number, precision_of(self.model))
            self._rates[rule.name, param] = each
            for update, number in zip(self._updates[rule.name], each, strict=True):
                update.set_dynamic_param_value(param, number)

    def forget_rates(self) -> None:
        """Set all rates anew next time, for the state on the device is to be another."""
        self._rates.clear()

    def check_weights(self) -> None:
        """Check that all trained weights are finite; waits for the device.

        Raises
        ------
        TrainingError
            If weights of a connection are not; says of which, and how many.
        """
        for connection in self.connections:
            weights = connection.synapses.vars[connection.weight]
            weights.pull_from_device()
            values = np.asarray(weights.current_values)
            bad = np.count_nonzero(~np.isfinite(values))
            if bad:
                raise TrainingError(
                    f"{bad} of {values.size} weights of '{connection.synapses.name}' are no longer finite; "
                    "a lower learning rate or tighter weight bounds may help"
                )

    def fingerprint(self, optimisers: Iterable[str]) -> dict[str, Any]:
        """Return what a checkpoint's network is known by, with the optimisers of these names."""
        rules = [self.resolve(name) for name in optimisers]
        updates = {update.name for updates in self._updates.values() for update in updates}
        updates |= self._means.names if self._means is not None else set()
        return fingerprint(self.model.description(), updates, self.connections, rules)
