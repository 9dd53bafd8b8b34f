"""Rates that are learnt, one for each synapse: read, set and drawn."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.training.rates import check_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from snnlearn.training.history import History
    from snnlearn.training.trained_network import TrainedNetwork


class LearntRates(Mapping[str, NDArray[np.float64]]):
    """The rates of an optimiser that learns them, by the name of the trained connection; ``learner.rates`` makes it.

    ``rates["Synapses"]`` reads from the device: an array of float64, shape (synapses,), or what the connection's
    weights have; each is the optimiser's ``lr`` times the learnt factor. ``rates["Synapses"] = values`` sets them, to
    one number or one for each synapse.

    Parameters
    ----------
    network : TrainedNetwork
        Built.
    optimiser : str or Optimiser
        One with a ``rate_var``, that was compiled.
    history : History
        Has the ``lr`` of the last update, where a checkpoint has been loaded since.

    Raises
    ------
    TrainingError
        For an optimiser that learns no rates, or was not compiled.
    """

    def __init__(self, network: TrainedNetwork, optimiser: Any, history: History) -> None:
        self.rule = network.resolve(optimiser)
        self._history = history
        if self.rule.rate_var is None:
            raise TrainingError(f"the optimiser '{self.rule.name}' learns no rates: all synapses have its lr")
        self._network = network
        network.updates_of(self.rule)  # an error where it was not compiled

    def __iter__(self) -> Iterator[str]:
        return (connection.synapses.name for connection in self._network.connections)

    def __len__(self) -> int:
        return len(self._network.connections)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        factors, lr = self._find(name)
        factors.pull_from_device()
        values = np.asarray(factors.current_values, dtype=np.float64)
        return lr * (np.exp(values) if self.rule.log_rate else values)

    def __setitem__(self, name: str, rates: ArrayLike) -> None:
        factors, lr = self._find(name)
        what = f"rates of '{name}'"
        values = check_numbers(rates, what)
        factors.pull_from_device()
        shape = np.shape(factors.current_values)
        if values.shape not in ((), shape):
            raise TrainingError(f"{what}: there are {shape} synapses, and the values have the shape {values.shape}")
        if lr == 0.0:
            raise TrainingError(f"{what} cannot be set while lr is 0: they are factors of it")
        if self.rule.log_rate and not np.all(values > 0.0):
            raise TrainingError(f"{what} must be positive: '{self.rule.name}' keeps their logarithms")
        factors.values = np.broadcast_to(np.log(values / lr) if self.rule.log_rate else values / lr, shape)
        factors.push_to_device()

    def _find(self, name: str) -> tuple[Any, float]:
        """Return the variable with a connection's factors, and the rate that they are factors of."""
        names = list(self)
        if name not in names:
            raise TrainingError(f"there is no trained connection '{name}'{did_you_mean(str(name), names)}")
        number = names.index(name)
        assert self.rule.rate_var is not None
        factors = self._network.updates_of(self.rule)[number].vars[self.rule.rate_var]
        lrs = self._network.lrs_of(self.rule) or self._history.last_lr(self.rule.name)
        return factors, self.rule.default(self.rule.lr_param) if lrs is None else lrs[number]

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw how rates are distributed, a panel for each connection, with a dashed line at ``lr``.

        Parameters
        ----------
        path : path-like, optional
            Where to save the figure: .png, .pdf or .svg.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        from snnlearn.training.history_figures import figure_of_rates

        firsts = {name: self._find(name)[1] for name in self}
        return figure_of_rates(dict(self), firsts, path)
