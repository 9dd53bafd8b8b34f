"""What a program offers: accumulation, products with the Jacobian, hooks, adjoints, no_grad; and its errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import GradientError, GradientWarning, LifecycleError
from snnlearn.models.surrogates import FastSigmoid

pytest.importorskip("torch", reason="the reference of gradients needs PyTorch, the extra 'torch'")

import bptt_reference as by_hand
import torch
from gradient_networks import (
    BETA,
    FIRST,
    LOSS,
    MEMBRANE,
    SECOND,
    Case,
    Weights,
    describe,
    inputs,
    program_of,
    recurrent,
)

EXACT = 1e-12  # of the largest gradient

# ---- one program, and what it offers ----

VARIED = {"TauM": 10.0, "Vthresh": -50.0, "Ioffset": 0.0}


class Shared:
    """A small network with a program for all kinds of variables, loaded."""

    def __init__(self) -> None:
        chain = [Weights("Input", "A", FIRST), Weights("A", "B", SECOND)]
        self.case = Case(inputs(60, 2), {"A": 6, "B": 5}, chain, ["B"], detach_reset=False)
        self.model = describe(genn, self.case, threads=1)
        groups = self.groups = self.case.groups
        reference = {"w": genn.create_wu_var_ref(groups["AB"], "g")}
        halve = genn.create_custom_update_model(
            "Halve", var_refs=[("w", "scalar", genn.VarAccessMode.READ_WRITE)], update_code="w *= 0.5;"
        )
        self.model.add_custom_update("halve", "Halve", halve, {}, {}, reference)
        self.weights = [groups["InputA"].vars["g"], groups["AB"].vars["g"]]
        self.start = groups["A"].vars["V"]
        more = [(groups["A"], name) for name in VARIED]
        self.program = grad.differentiate(
            self.model, [*self.weights, self.start, *more], {groups["B"]: LOSS}, surrogate="FastSigmoid",
            params={"beta": BETA}, window=100, detach_reset=False,
        )  # fmt: skip
        self.spikes = self.model.record(groups["Input"], timesteps=60, spikes=True)
        self.model.build()
        self.model.load()
        self.begin = self.model.state()

    def restart(self) -> None:
        """Be as after loading, but for what is on the tape."""
        self.model.set_state(self.begin)
        self.program.zero_grad()
        self.program._tapes.forget()

    def by_hand(self, each: Callable[[Any], Any]) -> tuple[list[Any], list[Any]]:
        """Differentiate by autograd; returns weights, parameters and the start; and the potentials of A in time."""
        leaves = [torch.tensor(w.values, requires_grad=True) for w in self.case.weights]
        params = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in VARIED.items()}
        start = torch.full((2, 6), -60.0, dtype=torch.float64, requires_grad=True)
        a = by_hand.Lif(6, {**MEMBRANE, **params}, BETA, detach_reset=False)
        b = by_hand.Lif(5, MEMBRANE, BETA, detach_reset=False)
        begin = a.start

        def start_a(batch: int) -> None:
            begin(batch)
            a.v = start

        a.start = start_a  # type: ignore[method-assign]
        potentials = []

        def after(t: int) -> Any:
            a.v.retain_grad()
            potentials.append(a.v)
            return each(b, t) if t < 60 else None

        chain = [
            by_hand.Connection("Input", "A", {0: leaves[0]}, 5.0),
            by_hand.Connection("A", "B", {0: leaves[1]}, 5.0),
        ]
        total, _ = by_hand.simulate(self.case.inputs, {"A": a, "B": b}, chain, 1.0, after)
        total.backward()
        return [*leaves, *params.values(), start], potentials


@pytest.fixture(scope="module")
def loaded() -> Iterator[Shared]:
    found = Shared()
    yield found
    found.model.unload()


@pytest.fixture
def shared(loaded: Shared) -> Shared:
    loaded.restart()
    loaded.program._hooks.clear()
    return loaded


def close(found: Any, expected: Any) -> bool:
    expected = np.asarray(expected)
    return bool(np.abs(np.ravel(found) - expected.ravel()).max() <= EXACT * np.abs(expected).max())


def test_parameters_and_initial_values_have_gradients(shared: Shared) -> None:
    leaves, _ = shared.by_hand(lambda b, t: (0.5 * (b.v + 58.0) ** 2).sum())
    shared.model.run(60)
    shared.program.backward()
    found = [*(w.grad for w in shared.weights), *(shared.program.grad((shared.groups["A"], n)) for n in VARIED)]
    for value, leaf in zip([*found, shared.start.grad], leaves, strict=True):
        assert close(value, leaf.grad.numpy())


def test_product_with_the_jacobian(shared: Shared) -> None:
    """``backward(gradient)`` is a vector-Jacobian product; the loss takes no part in it."""
    vector = np.random.default_rng(5).normal(size=(60, 2, 5))
    leaves, _ = shared.by_hand(lambda b, t: (torch.tensor(vector[t]) * b.v).sum())
    shared.model.run(60)
    shared.program.backward({shared.groups["B"].vars["V"]: vector})
    for variable, leaf in zip(shared.weights, leaves, strict=False):
        assert close(variable.grad, leaf.grad.numpy())


def test_five_passes_add_up_to_five_times_the_gradient(shared: Shared) -> None:
    shared.model.run(60)
    shared.program.backward(retain_tape=True)
    once = [variable.grad for variable in shared.weights]
    for _ in range(4):
        shared.program.backward(retain_tape=True)
    for variable, first in zip(shared.weights, once, strict=True):
        np.testing.assert_allclose(variable.grad, 5 * first, rtol=1e-13)
        np.testing.assert_array_equal(variable.grad, -shared.groups[variable.location.group].vars["m"].values)
    shared.program.zero_grad()
    assert not any(np.any(variable.grad) for variable in shared.weights)


def test_hooks_see_and_change_gradients(shared: Shared) -> None:
    shared.model.run(60)
    shared.program.backward(retain_tape=True)
    once = shared.weights[1].grad
    shared.program.zero_grad()
    take_off = shared.weights[1].register_hook(lambda g: 3.0 * g)
    shared.program.backward(retain_tape=True)
    np.testing.assert_allclose(shared.weights[1].grad, 3.0 * once, rtol=1e-13)
    take_off()
    shared.program.backward()
    np.testing.assert_allclose(shared.weights[1].grad, 4.0 * once, rtol=1e-13)


def test_adjoints_of_neurons_variables() -> None:
    """What `retain_grad` of PyTorch gives for values in between."""
    shared = Shared()
    _, potentials = shared.by_hand(lambda b, t: (0.5 * (b.v + 58.0) ** 2).sum())
    shared.start.requires_grad = True
    shared.program.retain_grad(shared.groups["A"].vars["V"])
    seen: list[Any] = []
    shared.groups["B"].vars["V"].register_hook(lambda g: seen.append(g.shape))
    shared.model.run(60)
    shared.program.backward()
    expected = np.stack([np.zeros((2, 6)) if v.grad is None else v.grad.numpy() for v in potentials])
    assert close(shared.program.adjoint(shared.groups["A"].vars["V"]), expected)
    assert seen == [(60, 2, 5)]
    shared.model.unload()


def test_spikes_can_be_recorded_beside_the_tape(shared: Shared) -> None:
    shared.model.run(60)
    np.testing.assert_array_equal(shared.spikes.spikes.last(60), shared.case.inputs)


def test_no_grad_records_nothing(shared: Shared) -> None:
    with shared.program.no_grad():
        shared.model.run(20)
    with pytest.raises(LifecycleError, match="run the model"):
        shared.program.backward()
    shared.model.run(5)
    with pytest.raises(LifecycleError, match="5 timesteps are on the tape"), shared.program.no_grad():
        pass
    shared.program.backward()


def test_a_model_can_be_loaded_again() -> None:
    shared = Shared()
    found = []
    for _ in range(2):
        shared.model.run(60)
        shared.program.backward()
        found.append([*(w.grad for w in shared.weights), shared.program.grad((shared.groups["A"], "TauM"))])
        shared.model.unload()
        for variable in (shared.weights[0], shared.start):
            with pytest.raises(LifecycleError, match="read them before unload"):
                _ = variable.grad
        with pytest.raises(LifecycleError, match="read them before unload"):
            shared.program.grad((shared.groups["A"], "TauM"))
        shared.model.load()
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    shared.model.unload()


# ---- errors ----


def test_a_second_pass_needs_the_tape(shared: Shared) -> None:
    shared.model.run(5)
    shared.program.backward()
    with pytest.raises(LifecycleError, match=r"freed by backward.*retain_tape=True"):
        shared.program.backward()


def test_a_window_that_is_too_long(shared: Shared) -> None:
    shared.model.run(101)
    with pytest.raises(LifecycleError, match=r"101 timesteps were run, but the tape holds 100.*window=101"):
        shared.program.backward()


@pytest.mark.parametrize("write", ["push", "update"])
def test_weights_written_before_the_pass(shared: Shared, write: str) -> None:
    shared.model.run(5)
    if write == "push":
        shared.weights[1].push_to_device()
    else:
        shared.model.custom_update("Halve")
    with pytest.raises(LifecycleError, match=r"'AB\.g'.*call backward\(\) first"):
        shared.program.backward()


def test_arrays_of_another_shape(shared: Shared) -> None:
    shared.model.run(5)
    with pytest.raises(GradientError, match=r"'B\.V'.*\(5, 2, 5\).*not \(4, 2, 5\)"):
        shared.program.backward({shared.groups["B"].vars["V"]: np.zeros((4, 2, 5))})
    with pytest.raises(GradientError, match="outputs="):
        shared.program.backward({shared.groups["B"].vars["RefracTime"]: np.zeros((5, 2, 5))})


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_adjoints_that_are_no_numbers(shared: Shared, value: float) -> None:
    shared.model.run(5)
    adjoints = np.zeros((5, 2, 5))
    adjoints[3, 1, 2] = value
    with pytest.raises(GradientError, match=r"'B\.V': adjoints must be finite, not .*\(timestep 3, copy 1, neuron 2\)"):
        shared.program.backward({shared.groups["B"].vars["V"]: adjoints})


def test_create_graph_is_for_pytorch(shared: Shared) -> None:
    with pytest.raises(GradientError, match="to_module"):
        shared.program.backward(create_graph=True)


def test_what_has_no_gradient(shared: Shared) -> None:
    with pytest.raises(GradientError, match="does not differentiate with respect to 'RefracTime' of 'B'"):
        shared.program.grad(shared.groups["B"].vars["RefracTime"])
    with pytest.raises(LifecycleError, match="before build"):
        grad.differentiate(shared.model, [], {}, surrogate="FastSigmoid", window=1)
    assert shared.weights[0].requires_grad
    assert not shared.groups["AB"].vars["m"].requires_grad
    assert shared.groups["AB"].vars["m"].grad is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "btpt"}, r"no method 'btpt'.*'bptt'"),
        ({"surrogate": "FastSigmoit"}, "FastSigmoid"),
        ({"params": {}}, "no value for 'beta'"),
        ({"params": {"beta": 1.0, "betta": 1.0}}, r"no parameter 'betta'.*'beta'"),
        ({"wrt": []}, "nothing to differentiate"),
        ({"wrt": ["w"]}, "wrt takes variables"),
        ({"loss": {}}, "the loss does not depend on 'g'"),
    ],
)
def test_what_cannot_be_differentiated(options: dict[str, Any], message: str) -> None:
    case = recurrent()
    model = describe(genn, case, threads=1)
    given = {"wrt": [case.groups["AB"].vars["g"]], "loss": {case.groups["B"]: LOSS}, "surrogate": FastSigmoid}
    with pytest.raises(GradientError, match=message):
        grad.differentiate(model, **{**given, "params": {"beta": 1.0}, "window": 10, **options})


def test_synapses_that_learn_by_themselves() -> None:
    case = recurrent()
    model = describe(genn, case, threads=1)
    rule = genn.init_weight_update(
        "STDP", {"tauPlus": 20.0, "tauMinus": 20.0, "Aplus": 1.0, "Aminus": 1.0, "Wmin": 0.0, "Wmax": 1.0},
        {"g": 0.0},
    )  # fmt: skip
    a, b = case.groups["A"], case.groups["B"]
    learning = model.add_synapse_population("Learning", "DENSE", a, b, rule, genn.init_postsynaptic("DeltaCurr"))
    with pytest.raises(GradientError, match=r"'Learning'.*'STDP' does more.*StaticPulse"):
        grad.differentiate(
            model, [learning.vars["g"]], {b: LOSS}, surrogate=FastSigmoid, params={"beta": 1.0}, window=1
        )


def test_requires_grad_says_what_to_differentiate() -> None:
    case = recurrent()
    model = describe(genn, case, threads=1)
    case.groups["AB"].vars["g"].requires_grad = True
    loss = {case.groups["B"]: LOSS}
    program = grad.differentiate(model, loss=loss, surrogate=FastSigmoid, params={"beta": 1.0}, window=10)
    assert program.requires_grad(case.groups["AB"].vars["g"])
    assert not program.requires_grad(case.groups["AA"].vars["g"])
    assert "m" not in case.groups["AA"].vars
    with pytest.raises(LifecycleError, match="differentiated already"):
        case.groups["AA"].vars["g"].requires_grad = True


# ---- what is said of it ----


def test_it_says_what_is_recorded_and_what_is_cut() -> None:
    case = recurrent()
    text = program_of(case, describe(genn, case, threads=1)).explain()
    assert "A (LIF)\n  adjoints: V, mu0" in text
    assert "a bit each: the spike, RefracTime > 0.0" in text
    assert "detach_reset=False" in text
    assert "AB: sums up the gradient of g and carries adjoints on" in text


def test_the_graph_has_a_node_for_each_variable() -> None:
    case = recurrent()
    text = program_of(case, describe(genn, case, threads=1)).graph(prefix="net.")
    assert '"net.AB.g" [shape=box];' in text
    assert '"net.A.spikes" -> "net.B.Isyn" [label="t-1"];' in text
    assert '"net.B.spikes" -> "net.A.Isyn" [label="t-8"];' in text
    assert '"net.B.V" -> "net.Distance";' in text


def test_comparisons_that_count_as_constant() -> None:
    """One of what has a derivative, which is no test of the neuron's own spike, gives a warning with a caret."""
    bent = genn.create_neuron_model(
        "Bent",
        params=["Vthresh"],
        vars=["V"],
        sim_code="V = (V > 0.5) ? 0.9 * V + Isyn : 0.5 * V + Isyn;",
        threshold_condition_code="V >= Vthresh",
    )
    model = genn.GeNNModel("double", "bent", threads=1)
    neurons = model.add_neuron_population("N", 3, bent, {"Vthresh": 1.0}, {"V": 0.0})
    rule, psm = genn.init_weight_update("StaticPulse", {}, {"g": 0.1}), genn.init_postsynaptic("DeltaCurr")
    synapses = model.add_synapse_population("S", "DENSE", neurons, neurons, rule, psm)
    loss = grad.Loss("Square", loss_code="loss = V * V;")
    with pytest.warns(GradientWarning, match=r"V > 0\.5(.|\n)*\^"):
        grad.differentiate(
            model, [synapses.vars["g"]], {neurons: loss}, surrogate=FastSigmoid, params={"beta": 1.0}, window=1
        )
