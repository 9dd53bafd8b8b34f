"""Meta-learning of the few-shot network to first order, on the engine: whatever learns is a custom update."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn import grad
from snnlearn.declare import CustomUpdateModel, CustomUpdateVar, VarAccessMode, VarRef
from snnlearn.models import MetaSGDGradient
from snnlearn.training.optimisers import attach
from snnlearn.userproject import few_shot_network as fs
from snnlearn.userproject.few_shot_tasks import Array, Batch, encode

# A task begins with the initial weights, a run with a network at rest.
BeginTask = CustomUpdateModel(
    "BeginTask", vars=(CustomUpdateVar("first"),), var_refs=(VarRef("variable"),), update_code="variable = first;"
)
Rest = CustomUpdateModel("Rest", var_refs=(VarRef("x", "scalar", VarAccessMode.BROADCAST),), update_code="x = 0.0;")
DropSpikes = CustomUpdateModel(
    "DropSpikes", var_refs=(VarRef("x", "unsigned int", VarAccessMode.BROADCAST),), update_code="x = 0;"
)


class EngineMeta:
    """Meta-SGD to first order.

    Parameters
    ----------
    genn : module
        The embedded engine's PyGeNN-shaped API.
    rates : {"synapse", "layer", "one"}
        What has a rate of its own. Of those that share one the host adds up the gradients.
    seed : int
        Of the initial weights.
    setting : Setting
    tasks, shots : int
        Of an outer iteration.
    """

    def __init__(self, genn: ModuleType, rates: str, seed: int, setting: fs.Setting, tasks: int, shots: int) -> None:
        self._genn, self._rates, self._setting, self._shots = genn, rates, setting, shots
        self._network = fs.describe(genn, shots, own_weights=False)
        model, nothing = self._network.model, np.zeros((fs.TIMESTEPS, shots, self._network.input.num_neurons))
        self._spikes = model.play(self._network.input, "spike", nothing)
        self._program = grad.differentiate(
            model,
            [c.vars["g"] for c in self._network.connections.values()],
            {self._network.readout: fs.SQUARE},
            surrogate=fs.SURROGATE,
            params={**fs.SURROGATE_PARAMS, **fs.SQUARE_PARAMS},
            window=fs.TIMESTEPS,
        )
        self._inner: dict[str, Any] = {}
        self._meta: dict[str, Any] = {}
        self._outer: list[tuple[Any, float]] = []
        for name, connection in self._network.connections.items():
            self._learn(name, connection, fs.first_weights(seed)[name].ravel(), tasks)
        self._rest()
        model.build()
        model.load()

    def _learn(self, name: str, connection: Any, first: Array, tasks: int) -> None:
        """Add the two loops' updates of a connection."""
        model, ref, setting = self._network.model, self._genn.create_wu_var_ref, self._setting
        weight, gradient = ref(connection, "g"), ref(connection, "m")
        begin = model.add_custom_update(
            f"begin_{name}", "BeginTask", BeginTask, {}, {"first": first}, {"variable": weight}
        )
        inner = attach(
            model, "MetaSGD", f"inner_{name}", "Inner", gradient, weight,
            {"lr": setting.first_rate, "gradientScale": 1.0 / self._shots},
        )  # fmt: skip
        outer = model.add_custom_update(
            f"meta_{name}",
            "MetaGradient",
            MetaSGDGradient,
            {"gradientScale": 1.0 / (self._shots * tasks)},
            dict.fromkeys(("rateGradient", "weightGradient"), 0.0),
            {"m": gradient, "path": ref(inner, "path")},
        )
        for what, of, variable, lr in (
            ("rate", inner, "alpha", setting.rate_lr),
            ("weight", begin, "first", setting.weight_lr),
        ):
            refs = ref(outer, f"{what}Gradient"), ref(of, variable)
            self._outer.append((attach(model, "Adam", f"{what}_{name}", "Outer", *refs), lr))
        self._inner[name], self._meta[name] = inner, outer

    def _rest(self) -> None:
        """Add the updates that bring the network to rest."""
        network, genn = self._network, self._genn
        refs = {
            "V": genn.create_var_ref(network.hidden, "V"),
            "RefracTime": genn.create_var_ref(network.hidden, "RefracTime"),
            "readout": genn.create_var_ref(network.readout, "V"),
            "answer": genn.create_var_ref(network.readout, "answer"),
            **{f"current_{name}": genn.create_out_post_var_ref(c) for name, c in network.connections.items()},
        }
        for name, ref in refs.items():
            network.model.add_custom_update(f"rest_{name}", "Rest", Rest, {}, {}, {"x": ref})
        for name, connection in network.connections.items():
            count = {"x": genn.create_src_spike_count_var_ref(connection)}
            network.model.add_custom_update(f"drop_{name}", "Rest", DropSpikes, {}, {}, count)

    # ---- the two loops ----

    def _run(self, x: Array, y: Array) -> None:
        """Run the network on the points of a task, from rest."""
        model, target = self._network.model, self._network.readout.vars["target"]
        self._program.forget()
        model.custom_update("Rest")
        model.timestep = 0
        target.view[:] = y.reshape(target.view.shape)
        target.push_to_device()
        self._spikes.values = encode(x, fs.TIMESTEPS).astype(np.float64)
        model.run(fs.TIMESTEPS)

    def _adapt(self, x: Array, y: Array, steps: int) -> None:
        """Make inner steps on the support of a task."""
        self._network.model.custom_update("BeginTask")
        for _ in range(steps):
            self._run(x, y)
            self._program.backward()
            self._network.model.custom_update("Inner")

    def iterate(self, batch: Batch, steps: int, share: float = 1.0) -> None:
        """Make one outer step, at a share of the learning rates, on a batch of tasks."""
        self.accumulate(batch, steps)
        if self._rates != "synapse":
            self._add_up()
        for update, lr in self._outer:
            update.set_dynamic_param_value("lr", share * lr)
        self._network.model.custom_update("Outer")

    def accumulate(self, batch: Batch, steps: int) -> None:
        """Add the meta-gradients of a batch of tasks."""
        for support_x, support_y, query_x, query_y in _tasks(batch):
            self._adapt(support_x, support_y, steps)
            self._run(query_x, query_y)
            self._program.backward()
            self._network.model.custom_update("MetaGradient")

    def meta_gradients(self) -> dict[str, dict[str, NDArray[np.float32]]]:
        """Return what has been added up, directions of descent, of ``"rate"`` and ``"weight"`` of each connection."""
        found: dict[str, dict[str, NDArray[np.float32]]] = {"rate": {}, "weight": {}}
        for (name, meta), (what, of) in product(self._meta.items(), found.items()):
            gradient = meta.vars[f"{what}Gradient"]
            gradient.pull_from_device()
            of[name] = gradient.values.reshape(self._network.connections[name].src.num_neurons, -1)
        return found

    def _add_up(self) -> None:
        """Replace the gradients of rates by the sums over what shares one."""
        sums = {name: float(np.sum(g, dtype=np.float64)) for name, g in self.meta_gradients()["rate"].items()}
        for name, meta in self._meta.items():
            gradient = meta.vars["rateGradient"]
            gradient.view[:] = sums[name] if self._rates == "layer" else sum(sums.values())
            gradient.push_to_device()

    def query_mse(self, batches: Sequence[Batch], steps: int) -> float:
        """Return the mean squared error on queries after adaptation."""
        answer, found = self._network.readout.vars["answer"], []
        for batch in batches:
            for support_x, support_y, query_x, query_y in _tasks(batch):
                self._adapt(support_x, support_y, steps)
                with self._program.no_grad():
                    self._run(query_x, query_y)
                answer.pull_from_device()
                found.append(float(np.mean((answer.view.ravel() / fs.ANSWER - query_y) ** 2)))
        for inner in self._inner.values():  # what these tasks have left is no part of the next meta-gradient
            inner.vars["path"].view[:] = 0.0
            inner.vars["path"].push_to_device()
        return float(np.mean(found))

    def unload(self) -> None:
        """Give the network's memory back."""
        self._network.model.unload()

    def rates(self) -> dict[str, NDArray[np.float64]]:
        """Return the rates, by connection, shape (presynaptic, postsynaptic) neurons."""
        found = {}
        for name, inner in self._inner.items():
            inner.vars["alpha"].pull_from_device()
            shape = self._network.connections[name].src.num_neurons, -1
            found[name] = (self._setting.first_rate * inner.vars["alpha"].view.astype(np.float64)).reshape(shape)
        return found


def _tasks(batch: Batch) -> Any:
    return zip(batch.support_x, batch.support_y, batch.query_x, batch.query_y, strict=True)
