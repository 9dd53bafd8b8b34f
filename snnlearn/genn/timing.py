"""What PyGeNN's properties say about the time spent in kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod


class TimesSpent(ABC):
    """Sums of time by kind of kernel, in seconds; 0 unless ``timing_enabled`` was set before ``load``."""

    @abstractmethod
    def _timer(self, name: str) -> float:
        """Return the time spent under a timer of the plan [s]."""

    @abstractmethod
    def _check_update_group(self, name: str) -> None:
        """Raise NetworkError unless there is a group of custom updates of this name."""

    @property
    def init_time(self) -> float:
        """Time spent on initial values [s]."""
        return self._timer("init")

    @property
    def init_sparse_time(self) -> float:
        """Time spent on connectivity and on initial values that depend on it [s]."""
        return self._timer("init_sparse")

    @property
    def neuron_update_time(self) -> float:
        """Time spent on neurons [s]."""
        return self._timer("neuron_update")

    @property
    def presynaptic_update_time(self) -> float:
        """Time spent on synapses whose presynaptic neuron spiked [s]."""
        return self._timer("presynaptic_update")

    @property
    def postsynaptic_update_time(self) -> float:
        """Time spent on synapses whose postsynaptic neuron spiked [s]."""
        return self._timer("postsynaptic_update")

    @property
    def synapse_dynamics_time(self) -> float:
        """Time spent on synapse dynamics [s]."""
        return self._timer("synapse_dynamics")

    def get_custom_update_time(self, name: str) -> float:
        """Return the time spent on a group of custom updates [s], transposes apart."""
        self._check_update_group(name)
        return self._timer(f"custom_update_{name}")

    def get_custom_update_transpose_time(self, name: str) -> float:
        """Return the time spent on the transposes of a group of custom updates [s]."""
        self._check_update_group(name)
        return self._timer(f"custom_update_transpose_{name}")

    def get_custom_update_remap_time(self, name: str) -> float:
        """Return the time spent on finding synapses again that a group of custom updates has moved [s]."""
        self._check_update_group(name)
        return self._timer(f"custom_update_remap_{name}")

    def get_custom_update_host_time(self, name: str) -> float:
        """Return the time spent on the host code of a group of custom updates [s]."""
        self._check_update_group(name)
        return self._timer(f"custom_update_host_{name}")
