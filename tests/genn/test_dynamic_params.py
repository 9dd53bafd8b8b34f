"""Derivatives follow dynamic parameters from window to window; what they cannot follow is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import GradientError, LifecycleError
from snnlearn.models.surrogates import FastSigmoid

pytest.importorskip("torch", reason="the reference of gradients needs PyTorch, the extra 'torch'")

from gradient_networks import BETA, FIRST, LOSS, SECOND, Case, describe, program_of, recurrent

EXACT = 1e-12  # of the largest gradient


def connect(model: Any, name: str, ends: Any, psm: Any) -> Any:
    rule = genn.init_weight_update("StaticPulse", {}, {"g": 0.1})
    return model.add_synapse_population(name, "DENSE", *ends, rule, psm)


def test_input_that_comes_too_late() -> None:
    """Nothing would follow it, and the gradient would be wrong."""
    case = recurrent()
    model = describe(genn, case, threads=1)
    ends = case.groups["A"], case.groups["B"]
    program_of(case, model)
    psm = genn.init_postsynaptic("ExpCond", {"tau": 5.0, "E": 0.0}, {}, {"V": genn.create_var_ref(ends[1], "V")})
    connect(model, "Conductance", ends, psm)
    with pytest.raises(GradientError, match="'Conductance', which 'B' gets input from, was added after differentiate"):
        model.build()


@pytest.mark.parametrize("late", [False, True])
def test_dynamic_parameters_that_nothing_follows(late: bool) -> None:
    case = recurrent()
    model = describe(genn, case, threads=1)
    group, message = case.groups["AB"], "'tau' of 'AB' was made dynamic after differentiate"
    if late:
        connect(model, "Alike", (case.groups["A"], case.groups["B"]), genn.init_postsynaptic("ExpCurr", {"tau": 5.0}))
    else:
        ends = case.groups["A"], case.groups["B"]
        psm = genn.init_postsynaptic("ExpCond", {"tau": 5.0, "E": 0.0}, {}, {"V": genn.create_var_ref(ends[1], "V")})
        group = connect(model, "Conductance", ends, psm)
        message = "'Conductance' has the dynamic parameter 'tau', and what it injects into 'B'"
    program_of(case, model)
    group.set_ps_param_dynamic("tau")
    with pytest.raises(GradientError, match=message):
        model.build()


class Dynamic:
    """Two layers whose neurons, postsynaptic models and synapses have parameters that may be dynamic."""

    SCALED = genn.create_weight_update_model("Scaled", params=["k"], vars=["g"], pre_spike_syn_code="addToPost(k * g);")
    SHARE = genn.create_postsynaptic_model("Share", params=["a"], sim_code="injectCurrent(a * inSyn); inSyn *= 0.8;")
    SPIKES = np.random.default_rng(6).uniform(size=(60, 2, 8)) < 0.1

    def __init__(self, values: dict[str, float], *, dynamic: bool) -> None:
        case = Case(self.SPIKES, {"A": 6, "B": 5}, [], ["B"])
        self.model, self.groups = describe(genn, case, threads=1), case.groups
        self.connections = []
        for name, source, weights in (("A", "Input", FIRST), ("B", "A", SECOND)):
            rule = genn.init_weight_update(self.SCALED, {"k": values["k"]}, {"g": weights.ravel()})
            psm = genn.init_postsynaptic(self.SHARE, {"a": values["a"]})
            ends = self.groups[source], self.groups[name]
            self.connections.append(self.model.add_synapse_population(f"To{name}", "DENSE", *ends, rule, psm))
            if dynamic:
                self.groups[name].set_param_dynamic("Vrest")
                self.connections[-1].set_wu_param_dynamic("k")
                self.connections[-1].set_ps_param_dynamic("a")
            else:
                spec = self.groups[name].spec
                self.groups[name]._change(params={**spec.params, "Vrest": values["Vrest"]})
        self.wrt = [*(c.vars["g"] for c in self.connections), (self.groups["A"], "Vrest")]
        self.program = grad.differentiate(
            self.model, self.wrt, {self.groups["B"]: LOSS}, surrogate=FastSigmoid, params={"beta": BETA}, window=60
        )
        self.model.build()
        self.model.load()

    def set(self, values: dict[str, float]) -> None:
        for name in "AB":
            self.groups[name].set_dynamic_param_value("Vrest", values["Vrest"])
        for c in self.connections:
            c.set_dynamic_param_value("k", values["k"])
            c.set_dynamic_param_value("a", values["a"])

    def gradients(self) -> list[Any]:
        self.model.run(60)
        self.program.backward()
        found = [np.array(self.program.grad(w)) for w in self.wrt]
        self.program.zero_grad()
        return found


def test_dynamic_parameters_have_the_values_of_their_window() -> None:
    """Of neurons, postsynaptic models and synapses, as a network has that is built with them."""
    windows = [{"Vrest": -60.0, "a": 1.0, "k": 1.0}, {"Vrest": -60.5, "a": 0.7, "k": 1.2}]
    network = Dynamic(windows[0], dynamic=True)
    start = network.model.state()
    at_first = network.gradients()  # of the values it is built with
    fixed = Dynamic(windows[1], dynamic=False)
    built_with = fixed.gradients()
    fixed.model.unload()
    for values, gradients in ((windows[1], built_with), (windows[0], at_first)):
        network.model.set_state(start)
        network.program.forget()
        network.set(values)
        for found, expected in zip(network.gradients(), gradients, strict=True):
            assert np.abs(expected).max() > 0.0
            np.testing.assert_allclose(found, expected, rtol=0.0, atol=EXACT * np.abs(expected).max())
    assert all(np.any(one != other) for one, other in zip(at_first, built_with, strict=True))
    network.model.run(5)
    network.set(windows[-1])  # as they are
    network.groups["A"].set_dynamic_param_value("Vrest", -61.0)
    with pytest.raises(LifecycleError, match=r"the dynamic parameter .*Vrest.* was changed after the run and before"):
        network.program.backward()
    network.model.unload()
