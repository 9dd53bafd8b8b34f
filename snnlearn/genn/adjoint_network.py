"""The adjoint network: a second model of the same neurons and connections, which runs a window in reversed time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.genn.adjoint_parts import Parts, ReversedConnection
from snnlearn.genn.copy_weights import Weights, weighted
from snnlearn.genn.dynamic_params import dynamic_params, make_dynamic, set_values, values_now
from snnlearn.genn.initialise import init_postsynaptic, init_weight_update
from snnlearn.genn.model import GeNNModel
from snnlearn.genn.playback import Playback
from snnlearn.genn.recording import Recording
from snnlearn.genn.references import create_var_ref
from snnlearn.genn.rows import Rows, rows_of
from snnlearn.genn.tapes import Tapes
from snnlearn.grad.continuous import ContinuousSynapse
from snnlearn.grad.event_reverse import fall_of
from snnlearn.grad.reverse import Reversal, graded_input, shown_variable
from snnlearn.grad.synapses import SpikeSynapse, gradient_of
from snnlearn.grad.tape import GATES, SPIKE_ADJOINT, SPIKES, RecordedTape


class AdjointNetwork:
    """The model that runs in reversed time, built and loaded.

    Parameters
    ----------
    model : GeNNModel
        The forward model, loaded.
    parts : Parts
    constants : mapping of str to float
        Those of surrogate and losses, by name.
    tapes : Tapes

    Attributes
    ----------
    weights : ndarray of shape (batch,), optional
        How much each copy of a batch counts in what comes of a window.
    """

    def __init__(self, model: Any, parts: Parts, constants: Mapping[str, float], tapes: Tapes) -> None:
        self.forward, self.parts, self._tapes = model, parts, tapes
        self.model = GeNNModel(model.precision, f"{model.name}Adjoint", model.backend_name, model.time_precision)
        self.model._preferences, self.model._backend = model._preferences, model._backend
        self.model.dt, self.model.batch_size, self.model.seed = model.dt, model.batch_size, 1
        self.weights: Weights | None = None
        self.rows: dict[str, Rows] = {}
        self._played: list[Playback] = []
        self._seeds: dict[tuple[str, str], Playback] = {}
        self._kept: dict[str, Recording] = {}
        self.neurons = {name: self._add_neurons(name, r, constants) for name, r in parts.neurons.items()}
        self.synapses = {name: self._add_synapses(name, c) for name, c in parts.connections.items()}
        self.backward = {
            name: self._add_backward(name, c, c.synapse)
            for name, c in parts.connections.items()
            if isinstance(c.synapse, SpikeSynapse) and self._goes_back_transposed(name, c)
        }
        self._dynamic = dynamic_params(model, parts)
        make_dynamic(self.model, self._dynamic)
        self.model.build()
        self.model.load()
        self._at_rest = self.model.state()

    def _add_neurons(self, name: str, reversal: Reversal, constants: Mapping[str, float]) -> Any:
        spec = self.forward._by_key[name].spec
        known = {**reversal.values(spec.params, constants), "tapeEnd": 0.0}
        params = {p.name: known[p.name] for p in reversal.adjoint.params}
        variables = {v.name: 0 for v in reversal.adjoint.vars}
        group = self.model.add_neuron_population(name, spec.size, reversal.adjoint, params, variables)
        group.set_param_dynamic("tapeEnd")
        self._play(name, group, reversal)
        kept = [v for v in variables if v.endswith("_kept") and not v.startswith("shown_")]
        if kept:
            self._kept[name] = self.model.record(group, kept, timesteps=self._tapes.window + self._tapes.before)
        return group

    def _play(self, name: str, group: Any, reversal: Reversal) -> None:
        """Play the forward population's tape to the adjoint one, in reverse."""
        assert isinstance(reversal.tape, RecordedTape)
        recordings = self._tapes.recordings
        declared = {v.name for v in reversal.adjoint.vars}
        tracks = [(track, recordings[name][track], 0) for track in reversal.tape.tracks]
        tracks += [(f"{GATES}Before", recordings[name][GATES], 1)] if f"{GATES}Before" in declared else []
        spikes = ((spiked, lag) for spiked, lag in ((SPIKES, 0), (f"{SPIKES}Before", 1)) if spiked in declared)
        tracks += [(spiked, recordings[name].spikes, lag) for spiked, lag in spikes]
        for variable, track, lag in tracks:
            self._played.append(self.model._play(Playback(group, variable, track, reverse=True, lag=lag), only=True))
        for variable in sorted(v for v in declared if v.startswith("seed_")):
            nothing = np.zeros((1, self.model.batch_size, group.num_neurons))
            self._seeds[name, variable.removeprefix("seed_")] = self.model.play(group, variable, nothing, reverse=True)

    def _goes_back_transposed(self, name: str, c: ReversedConnection) -> bool:
        """Whether a connection of its own takes adjoints back, in every timestep."""
        sends = isinstance(c.synapse, SpikeSynapse) and not c.synapse.event_driven
        return c.back and self.rows[name].dense and sends

    def _add_synapses(self, name: str, c: ReversedConnection) -> Any:
        spec = c.group.spec
        rows = self.rows[name] = rows_of(c.group)
        back = c.back and not self._goes_back_transposed(name, c)
        shown, params = {}, dict(spec.weight_update.params)
        rule = c.synapse.adjoint(c.wrt, spec.axonal_delay_steps, back=back)
        if isinstance(c.synapse, ContinuousSynapse):
            params |= {p.name: 1.0 for p in rule.params if p.name == c.synapse.switch}
            shown[c.synapse.variable] = create_var_ref(self.neurons[c.group.src._key], shown_variable(c.shown))
        own = {"mu": c.inputs.name, "muFall": fall_of(c.inputs.name)}
        refs = {r.name: create_var_ref(self.neurons[c.group.trg._key], own[r.name]) for r in rule.post_neuron_var_refs}
        zeros = {v.name: 0 for v in rule.vars}
        init = init_weight_update(rule, params, zeros, pre_var_refs=shown, post_var_refs=refs)
        group = self.model.add_synapse_population(
            name, rows.matrix_type, self.neurons[c.group.src._key], self.neurons[c.group.trg._key], init,
            init_postsynaptic("DeltaCurr"),
        )  # fmt: skip
        group.pre_target_var = graded_input(c.shown) if c.shown and c.back else SPIKE_ADJOINT
        if rows.pre is not None and rows.post is not None:
            group.set_sparse_connections(rows.pre, rows.post)
        if isinstance(c.synapse, ContinuousSynapse) and c.synapse.switch:
            group.set_wu_param_dynamic(c.synapse.switch)
        if delay_of(c):
            group.max_dendritic_delay_timesteps = delay_of(c)
        return group

    def _add_backward(self, name: str, c: ReversedConnection, synapse: SpikeSynapse) -> Any:
        spec, rule = c.group.spec, synapse.backward()
        source, target = self.neurons[c.group.trg._key], self.neurons[c.group.src._key]
        mu, zeros = {"mu": create_var_ref(source, c.inputs.name)}, {v.name: 0 for v in rule.vars}
        init = init_weight_update(rule, dict(spec.weight_update.params), zeros, pre_var_refs=mu)
        group = self.model.add_synapse_population(
            f"{name}Backward", "DENSE", source, target, init, init_postsynaptic("DeltaCurr")
        )
        group.post_target_var, group.axonal_delay_steps = SPIKE_ADJOINT, spec.axonal_delay_steps
        if synapse.delay is not None and spec.max_dendritic_delay_timesteps is not None:
            group.max_dendritic_delay_timesteps = spec.max_dendritic_delay_timesteps
        return group

    # ---- a window ----

    def run(self, timesteps: int, seeds: Mapping[tuple[str, str], NDArray[Any] | Callable[[Any], object]]) -> None:
        """Run the window on the tapes in reversed time.

        Parameters
        ----------
        timesteps : int
            The window's.
        seeds : mapping of (population, variable) to ndarray
            Adjoints from outside, shape (timesteps, batch, neurons); or what writes them into an array on the device.
        """
        self.model._loaded_simulation().set_state(self._at_rest)  # of which nothing needs to be checked
        self.model.timestep = 0
        earlier = self._tapes.earlier
        lasting = (c for c in self.parts.connections.values() if c.shown and c.wrt and not self._switch(c))
        delays = [delay_of(c) for c in lasting]
        further = 1 + max(delays) if delays and not earlier else 0
        for group in self.neurons.values():
            group.set_dynamic_param_value("tapeEnd", (timesteps - 0.5) * self.model.dt)
        set_values(self.model, values_now(self.forward, self._dynamic))
        for at, values in seeds.items():
            if at not in self._seeds:  # nothing depends on it
                continue
            if callable(values):
                self._seeds[at].fill(timesteps, values, beyond=earlier + further)
            else:
                self._seeds[at].values = values
                self._seeds[at].rewind(beyond=earlier + further)
        for recording in self._kept.values():
            recording.clear()
        for name in self.synapses:
            self._copy_weights(name)
        left = timesteps
        for block in self._tapes.blocks(timesteps):
            for playback in self._played:
                playback.rewind(beyond=1 + earlier + further)
            left -= block
            self.model.run(block if left else block + earlier)
        self._go_on(further)

    def _go_on(self, timesteps: int) -> None:
        """Go on to what synapses sent before anything was recorded: variables were then what they began with."""
        shown = [v for group in self.neurons.values() for n, v in group.vars.items() if n.startswith("shown_")]
        if not timesteps:
            return
        self._expect(recording=False)
        for variable in shown:
            variable.pull_from_device()
        for _ in range(timesteps):
            for variable in shown:
                variable.push_to_device()
            self.model.run(1)
        self._expect(recording=True)

    def _expect(self, *, recording: bool) -> None:
        """Keep adjoints, and take events into account, or not."""
        for kept in self._kept.values():
            kept.enabled = recording
        for name, c in self.parts.connections.items():
            if self._switch(c):
                self.synapses[name].set_dynamic_param_value(self._switch(c), float(recording))

    @staticmethod
    def _switch(c: ReversedConnection) -> str:
        return c.synapse.switch if isinstance(c.synapse, ContinuousSynapse) else ""

    def _copy_weights(self, name: str) -> None:
        c, rows = self.parts.connections[name], self.rows[name]
        for v in c.synapse.model.vars:
            rows.copy(c.group.vars[v.name], self.synapses[name].vars[v.name])
            if name in self.backward:
                from_rows = c.group.vars[v.name].device_array
                shape = (*from_rows.shape[:-1], c.group.src.num_neurons, c.group.trg.num_neurons)
                columns = from_rows.reshape(shape).swapaxes(-1, -2)
                self.backward[name].vars[v.name].device_array[...] = columns.reshape(from_rows.shape)

    # ---- what came of it ----

    def gradient(self, name: str, variable: str) -> NDArray[Any]:
        """Return the negative gradient that a window gives a variable of synapses, in the shape of its values."""
        c = self.parts.connections[name]
        summed = self.synapses[name].vars[gradient_of(variable, c.wrt)]
        return self.rows[name].gradient(c.group.vars[variable], summed, self.weights)

    def adjoint(self, name: str, variable: str, timesteps: int) -> NDArray[Any]:
        """Return the adjoint of a neuron's variable in each timestep, shape (timesteps, batch, neurons)."""
        track = f"total_{variable}_kept"
        if name not in self.neurons or track not in self.neurons[name].vars:  # nothing that was given depends on it
            return np.zeros((timesteps, self.forward.batch_size, self.forward._by_key[name].num_neurons))
        rows = self._kept[name][track].last(timesteps + self._tapes.earlier)
        return weighted(np.array(rows[:timesteps][::-1]), self.weights, axis=1)

    def given(self, name: str, variable: str, timesteps: int) -> Any | None:
        """Return the derivative with respect to what came from outside, on the device; None where there is none.

        Returns
        -------
        array of shape (timesteps, batch, neurons), or None
            The last timestep first; it is written over by the next pass.
        """
        reversal = self.parts.neurons.get(name)
        if reversal is None or variable not in reversal.given:
            return None
        return self._kept[name][reversal.given[variable]].memory[:timesteps]

    def at_start(self, name: str, variable: str) -> NDArray[Any]:
        """Return the adjoint of what a neuron's variable was when the window began, in the shape of its values."""
        reversal = self.parts.neurons.get(name)
        if reversal is None or variable not in reversal.states:  # nothing that was given depends on it
            return np.zeros_like(self.forward._by_key[name].vars[variable].values)
        found = self.neurons[name].vars[reversal.states[variable]]
        found.pull_from_device()
        return weighted(found.values, self.weights)

    def summed(self, name: str, parameter: str) -> float:
        """Return the derivative with respect to a (derived) parameter of a population."""
        sums = self.parts.neurons[name].parameters if name in self.parts.neurons else {}
        if parameter not in sums:
            return 0.0
        found = self.neurons[name].vars[sums[parameter]]
        found.pull_from_device()
        return float(weighted(found.values, self.weights).sum(dtype=np.float64))


def delay_of(c: ReversedConnection) -> int:
    """Return for how many timesteps, at most, a spike is on its way along a connection, beside the first."""
    dendritic = c.group.spec.max_dendritic_delay_timesteps or 0 if c.synapse.delay is not None else 0
    return int(c.group.spec.axonal_delay_steps) + dendritic
