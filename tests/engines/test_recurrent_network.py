"""A network with all kinds of connections against NumPy, exactly.

Every value is a small integer (or half of one, for times), so that single precision has no rounding to blame: engines
must agree with the reference in every bit. Two populations; one connected to itself; two connections onto one input;
both directions; input to a second input variable; current sent backwards; learning by presynaptic and postsynaptic
spikes; a per-synapse trace that can be deferred, which reads the time; custom updates of weights and of neurons.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.genn import (
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    create_wu_pre_var_ref,
    create_wu_var_ref,
    init_postsynaptic,
    init_weight_update,
)

A, B = 129, 65  # enough synapses to be shared among threads, and no multiple of a word, tile or vector
DT = 0.5

NEURON = create_neuron_model(
    "Integer",
    params=["theta"],
    vars=["V", ("spikes", "unsigned int"), ("drive", "uint8_t"), ("odd", "bool")],
    additional_input_vars=[("Extra", "scalar", 1.0)],
    sim_code="""
    const scalar before = V;
    V = floor(V * 0.75) + Isyn + 2.0 * Extra + drive;
    odd = fmod(V, 2.0) != 0.0;
    """,
    threshold_condition_code="V >= theta && before < theta",
    reset_code="V = before > 0.0 ? 1.0 : 0.0; spikes++;",
)
LEARNING = create_weight_update_model(
    "Learning",
    params=["wMax", "eta"],
    vars=["w", "trace", "g"],
    pre_vars=["p"],
    post_vars=["q"],
    pre_neuron_var_refs=["Vpre"],
    post_neuron_var_refs=["Vpost"],
    pre_spike_syn_code="addToPost(w);",
    post_spike_syn_code="addToPre(-1.0); w = fmin(w + 1.0, wMax);",
    pre_dynamics_code="p = floor(p * 0.5);",
    pre_spike_code="p += 8.0;",
    post_dynamics_code="q = floor(q * 0.5) + (Vpost > 4.0 ? 1.0 : 0.0);",
    post_spike_code="q += 4.0;",
    synapse_dynamics_code="""
    trace = fmod(trace + p * q + 2.0 * t + Vpost - Vpre + id_pre - 1.0 * id_post, 1024.0);
    g = fmod(g + eta * trace, 4096.0);
    """,
)
SENDING = create_weight_update_model(
    "Sending",
    vars=["u"],
    pre_neuron_var_refs=["Vpre"],
    synapse_dynamics_code="addToPost(u * fmod(floor(Vpre), 3.0)); addToPre(u);",
)
OPTIMISER = create_custom_update_model(
    "Optimiser",
    params=["big"],
    vars=["calls"],
    var_refs=["g", "w"],
    update_code="w += g > big ? 1.0 : (g < -big ? -1.0 : 0.0); w = fmax(w, -3.0); g = 0.0; calls += 1.0 + t;",
)
HALVE = create_custom_update_model("Halve", var_refs=["value"], update_code="value = floor(value * 0.5);")


class Reference:
    """The same network in NumPy, in float64, in GeNN's order."""

    def __init__(self, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.size = {"A": A, "B": B}
        self.theta = {"A": 40.0, "B": 30.0}
        self.drive = {n: rng.integers(0, 9, k).astype(np.uint8) for n, k in self.size.items()}
        self.V = {n: rng.integers(0, 20, k).astype(float) for n, k in self.size.items()}
        self.spikes = {n: np.zeros(k) for n, k in self.size.items()}
        self.fired = {n: np.zeros(k, bool) for n, k in self.size.items()}
        # Learning connections: recurrent A-A, and B-A; both onto A.
        self.ends = {"AA": ("A", "A"), "BA": ("B", "A")}
        self.shape = {k: (self.size[a], self.size[b]) for k, (a, b) in self.ends.items()}
        self.w = {k: rng.integers(-1, 2, s).astype(float) for k, s in self.shape.items()}
        self.trace = {k: np.zeros(s) for k, s in self.shape.items()}
        self.g = {k: np.zeros(s) for k, s in self.shape.items()}
        self.p = {k: np.zeros(s[0]) for k, s in self.shape.items()}
        self.q = {k: np.zeros(s[1]) for k, s in self.shape.items()}
        self.calls = {k: np.zeros(s) for k, s in self.shape.items()}
        self.eta, self.w_max = 1.0, 3.0
        # A sending connection, from A to B.
        self.u = (rng.integers(0, 40, (A, B)) == 0).astype(float)
        self.timestep = 0

    def step(self) -> None:
        t = self.timestep * DT
        out_post = {k: np.zeros(s[1]) for k, s in self.shape.items()}
        out_pre = {k: np.zeros(s[0]) for k, s in self.shape.items()}
        for k, (a, b) in self.ends.items():
            pre, post = np.indices(self.shape[k])
            change = np.outer(self.p[k], self.q[k]) + 2 * t + self.V[b][None, :] - self.V[a][:, None] + pre - post
            self.trace[k] = np.fmod(self.trace[k] + change, 1024.0)
            self.g[k] = np.fmod(self.g[k] + self.eta * self.trace[k], 4096.0)
        sent = self.u * np.fmod(np.floor(self.V["A"]), 3.0)[:, None]
        for k, (a, _) in self.ends.items():
            out_post[k] += self.w[k][self.fired[a]].sum(axis=0)
        for k, (_, b) in self.ends.items():
            out_pre[k] -= np.count_nonzero(self.fired[b])
            grown = np.minimum(self.w[k] + 1.0, self.w_max)
            self.w[k] = np.where(self.fired[b][None, :], grown, self.w[k])
        isyn = {"A": out_post["AA"] + out_post["BA"] + out_pre["AA"] + self.u.sum(axis=1), "B": out_pre["BA"]}
        extra = {"A": np.full(A, 1.0), "B": 1.0 + sent.sum(axis=0)}
        for n in self.size:
            before = self.V[n]
            self.V[n] = np.floor(before * 0.75) + isyn[n] + 2.0 * extra[n] + self.drive[n]
            self.fired[n] = (self.V[n] >= self.theta[n]) & (before < self.theta[n])
            self.dynamics(n)
            self.V[n] = np.where(self.fired[n], np.where(before > 0, 1.0, 0.0), self.V[n])
            self.spikes[n] += self.fired[n]
        self.timestep += 1

    def dynamics(self, n: str) -> None:
        for k, (a, b) in self.ends.items():
            if a == n:
                self.p[k] = np.floor(self.p[k] * 0.5) + 8.0 * self.fired[n]
            if b == n:
                self.q[k] = np.floor(self.q[k] * 0.5) + (self.V[n] > 4.0) + 4.0 * self.fired[n]

    def update(self) -> None:
        t = self.timestep * DT
        for k in self.ends:
            self.w[k] = np.maximum(self.w[k] + (self.g[k] > 64.0) - (self.g[k] < -64.0), -3.0)
            self.g[k][:] = 0.0
            self.calls[k] += 1.0 + t
        self.V["B"] = np.floor(self.V["B"] * 0.5)
        self.p["AA"] = np.floor(self.p["AA"] * 0.5)


class Built:
    """The same network on an engine."""

    def __init__(self, model: Any, r: Reference) -> None:
        self.model = model
        self.pops = {
            n: model.add_neuron_population(
                n, k, NEURON, {"theta": r.theta[n]}, {"V": r.V[n], "spikes": 0, "drive": r.drive[n], "odd": False}
            )
            for n, k in r.size.items()
        }
        self.synapses = {}
        for k, (a, b) in r.ends.items():
            self.synapses[k] = model.add_synapse_population(
                k,
                "DENSE",
                self.pops[a],
                self.pops[b],
                init_weight_update(
                    LEARNING,
                    {"wMax": r.w_max, "eta": r.eta},
                    {"w": r.w[k].ravel(), "trace": 0.0, "g": 0.0},
                    {"p": 0.0},
                    {"q": 0.0},
                    {"Vpre": create_var_ref(self.pops[a], "V")},
                    {"Vpost": create_var_ref(self.pops[b], "V")},
                ),
                init_postsynaptic("DeltaCurr"),
            )
            self.synapses[k].set_wu_param_dynamic("eta")
        sending = model.add_synapse_population(
            "AB",
            "DENSE",
            self.pops["A"],
            self.pops["B"],
            init_weight_update(
                SENDING, vars={"u": r.u.ravel()}, pre_var_refs={"Vpre": create_var_ref(self.pops["A"], "V")}
            ),
            init_postsynaptic("DeltaCurr"),
        )
        sending.post_target_var = "Extra"
        self.updates = {
            k: model.add_custom_update(
                f"Optimise{k}",
                "Learn",
                OPTIMISER,
                {"big": 64.0},
                {"calls": 0.0},
                {"g": create_wu_var_ref(s, "g"), "w": create_wu_var_ref(s, "w")},
            )
            for k, s in self.synapses.items()
        }
        model.add_custom_update("HalveV", "Learn", HALVE, var_refs={"value": create_var_ref(self.pops["B"], "V")})
        refs = {"value": create_wu_pre_var_ref(self.synapses["AA"], "p")}
        model.add_custom_update("HalveP", "Learn", HALVE, var_refs=refs)

    def check(self, r: Reference) -> None:
        pairs = []
        for n, population in self.pops.items():
            pairs += [(population.vars["V"], r.V[n]), (population.vars["spikes"], r.spikes[n])]
        for k, s in self.synapses.items():
            pairs += [(s.vars[name], getattr(r, name)[k].ravel()) for name in ("w", "trace", "g")]
            pairs += [(s.pre_vars["p"], r.p[k]), (s.post_vars["q"], r.q[k])]
            pairs += [(self.updates[k].vars["calls"], r.calls[k].ravel())]
        for variable, expected in pairs:
            variable.pull_from_device()
            np.testing.assert_array_equal(
                variable.view, expected.astype(variable.view.dtype), err_msg=f"{variable.location} at {r.timestep}"
            )


@pytest.mark.few_engines
@pytest.mark.parametrize("precision", ["float", "double"])
def test_every_value_equals_numpys(engine: Any, start: Any, precision: str) -> None:
    reference = Reference()
    built = Built(engine.model(precision=precision, dt=DT), reference)
    model = start(built.model)
    total = 0
    # Between checks: fewer, as many and more timesteps than a deferred block takes, with updates in between.
    for steps in (1, 1, 5, 64, 63, 65, 128, 7):
        for _ in range(steps):
            reference.step()
            total += sum(np.count_nonzero(f) for f in reference.fired.values())
        if steps % 2:
            model.run(steps)
        else:
            for _ in range(steps):
                model.step_time()
        built.check(reference)
        model.custom_update("Learn")
        reference.update()
        # A dynamic parameter changes while timesteps are pending, with nothing pulled before.
        model.run(10)
        for _ in range(10):
            reference.step()
        reference.eta = 3.0 - reference.eta
        for synapses in built.synapses.values():
            synapses.set_dynamic_param_value("eta", reference.eta)
        # So does the timestep.
        if steps == 64:
            model.timestep = reference.timestep = 3
        model.run(9)
        for _ in range(9):
            reference.step()
    built.check(reference)
    assert total > 1000, "the network is alive"
    assert len(np.unique(reference.w["AA"])) > 3, "weights have moved"
