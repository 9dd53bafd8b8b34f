"""Gradients on every engine, against PyTorch's autograd of networks written by hand, in double precision."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from snnlearn import grad
from snnlearn.models import LIF, ExpCurr
from snnlearn.models.surrogates import FastSigmoid

pytest.importorskip("torch", reason="the reference of gradients needs PyTorch, the extra 'torch'")

from feedback_networks import Network, worst
from gradient_networks import BETA, MEMBRANE, TAU, Case, Weights, describe, scripted, torch_gradients

LOSS = grad.Loss("Distance", loss_code="loss = 0.5 * (V + 58.0) * (V + 58.0);")
STEPS = 90
DELAY = 2


def case(batch: int, windows: tuple[int, ...] = ()) -> Case:
    """Two layers, the first of them recurrent, with an axonal delay."""
    random = np.random.default_rng(1)
    chain = [
        Weights("Input", "A", random.normal(8.0, 6.0, (8, 6)), axonal=DELAY),
        Weights("A", "A", random.normal(1.0, 4.0, (6, 6))),
        Weights("A", "B", random.normal(6.0, 8.0, (6, 5)), connected=random.uniform(size=(6, 5)) < 0.8),
    ]
    inputs = random.uniform(size=(STEPS, batch, 8)) < 0.1
    return Case(inputs, {"A": 6, "B": 5}, chain, ["B"], windows=windows)


def assert_close(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, e in expected.items():
        assert np.abs(np.ravel(found[name]) - e).max() < 1e-10 * np.abs(e).max()


METHODS: dict[str, dict[str, Any]] = {
    "bptt": {"surrogate": FastSigmoid, "params": {"beta": BETA}},
    "eventprop": {"method": "eventprop"},
}


def gradients(g: Any, network: Case, method: str) -> dict[str, Any]:
    """Return a program's gradients, summed over windows."""
    model = describe(g, network)
    groups = network.groups
    variables = {w.name: groups[w.name].vars["g"] for w in network.weights}
    window = max(network.lengths)
    program = grad.differentiate(model, list(variables.values()), {groups["B"]: LOSS}, window=window, **METHODS[method])
    model.build()
    model.load()
    for timesteps in network.lengths:
        model.run(timesteps)
        program.backward()
    found = {name: np.array(variable.grad) for name, variable in variables.items()}
    model.unload()
    return found


@cache
def expected_of(batch: int, windows: tuple[int, ...], method: str) -> dict[str, Any]:
    """Return a case's gradients to compare with: PyTorch's, or of spikes' times, which it has none of, the CPU's."""
    network = case(batch, windows)
    if method == "eventprop":
        return gradients(_declare(), network, method)
    expected, spikes = torch_gradients(network)
    assert all(s.sum() > 30 for s in spikes.values())
    return expected


@pytest.mark.parametrize("method", ["bptt", pytest.param("eventprop", marks=pytest.mark.slow)])
def test_a_program(engine: Any, method: str) -> None:
    """Two windows of a batch."""
    network = case(2, (50, 40))

    class OnEngine:
        """The API, with models on the engine at hand."""

        def __getattr__(self, name: str) -> Any:
            return getattr(engine.api, name)

        def GeNNModel(self, precision: str, name: str) -> Any:
            return engine.model(name, precision)

    assert_close(gradients(OnEngine(), network, method), expected_of(2, (50, 40), method))


@cache
def expected_of_symmetric_feedback() -> dict[str, Any]:
    return Network().expected()


@pytest.mark.few_engines
def test_a_forward_rule_with_symmetric_feedback(engine: Any) -> None:
    """Connections send errors back through their own weights."""
    found = Network().found(model=engine.model("symmetric", "double"))
    assert worst(found, expected_of_symmetric_feedback()) < 1e-10


def populations(g: Any, model: Any, models: dict[str, Any], params: dict[str, Any], network: Case) -> dict[str, Any]:
    found = {}
    for name, size in {"Input": network.inputs.shape[2], **network.sizes}.items():
        declared = models[name]
        start = {"V": -60.0, "tapeSlot": STEPS - 1, "tapeLeft": STEPS}  # the slot before the first, and the last
        values = {v.name: start.get(v.name, 0) for v in declared.vars}
        known = {**MEMBRANE, **params[name], "tapeSlots": STEPS}
        given = {p.name: known[p.name] for p in declared.params}
        found[name] = model.add_neuron_population(name, size, declared, given, values)
        for egp in declared.extra_global_params:
            found[name].extra_global_params[egp.name].set_init_values(np.zeros(STEPS * size))
    return found


def connect(g: Any, model: Any, ends: dict[str, Any], w: Weights, rule: Any, psm: Any) -> Any:
    chosen = ... if w.connected is None else w.connected
    kind = "DENSE" if w.connected is None else "SPARSE"
    init = g.init_weight_update(rule[0], {}, {**rule[2], rule[1]: w.values[chosen].ravel()}, **rule[3])
    group = model.add_synapse_population(w.name, kind, ends[w.source], ends[w.target], init, psm)
    if w.connected is not None:
        group.set_sparse_connections(*np.nonzero(w.connected))
    return group


@pytest.mark.parametrize("method", ["bptt", pytest.param("eventprop", marks=pytest.mark.slow)])
def test_declarations_for_any_engine(any_engine: Any, method: str) -> None:
    """The models of `adjoint` and `eventprop` make the same network, by hand, on GeNN too."""
    g, network = any_engine.api, case(1)
    expected = expected_of(1, (), method)
    if method == "bptt":
        derive: Any = partial(grad.adjoint, surrogate=FastSigmoid)
        given = {"beta": BETA, "tau": TAU}
    else:
        derive, given = grad.eventprop, {"tau": TAU}
    parts = {
        "Input": grad.adjoint(scripted(_declare()), surrogate=FastSigmoid),
        "A": derive(LIF, ExpCurr, axonal_delay=DELAY, params=given),
        "B": derive(LIF, ExpCurr, loss=LOSS, params=given),
    }
    params = {name: dict(part.params) for name, part in parts.items()}
    forward = any_engine.model("forward", "double")
    ends = populations(g, forward, {name: p.forward for name, p in parts.items()}, params, network)
    ends["Input"].extra_global_params["mask"].set_init_values(network.inputs.ravel().astype(np.uint8))
    psm = g.init_postsynaptic("ExpCurr", {"tau": TAU})
    for w in network.weights:
        group = connect(g, forward, ends, w, ("StaticPulse", "g", {}, {}), psm)
        group.axonal_delay_steps = w.axonal
    forward.build()
    forward.load()
    for _ in range(STEPS):
        forward.step_time()

    adjoint = any_engine.model("adjoint", "double")
    back = populations(g, adjoint, {name: p.adjoint for name, p in parts.items()}, params, network)
    for name, part in parts.items():
        for array in part.arrays:
            ends[name].extra_global_params[array].pull_from_device()
            back[name].extra_global_params[array].set_init_values(ends[name].extra_global_params[array].view)
    synapses = {}
    for w in network.weights:
        rule = parts["A" if w.axonal else "B"].weight_update
        refs = {"post_var_refs": {r.name: g.create_var_ref(back[w.target], r.name) for r in rule.post_neuron_var_refs}}
        synapses[w.name] = connect(g, adjoint, back, w, (rule, "w", {"m": 0.0}, refs), g.init_postsynaptic("DeltaCurr"))
        synapses[w.name].pre_target_var = "spikeAdjoint"
        if w.axonal:
            synapses[w.name].max_dendritic_delay_timesteps = w.axonal + 1
    adjoint.build()
    adjoint.load()
    for _ in range(STEPS):
        adjoint.step_time()
    found = {}
    for name, group in synapses.items():
        group.vars["m"].pull_from_device()
        found[name] = -group.vars["m"].values
    assert_close(found, expected)
    forward.unload()
    adjoint.unload()


def _declare() -> Any:
    from snnlearn import genn

    return genn
