"""What is emitted for control flow computes what C does, and has the derivatives that it should have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

import snnlearn.torch  # noqa: E402
import torch_models  # noqa: E402, F401
from dialect_interpreter import run_snippet  # noqa: E402
from snnlearn.declare import NeuronModel, WeightUpdateModel  # noqa: E402
from snnlearn.dialect import check_model  # noqa: E402
from snnlearn.genn import GeNNModel, init_postsynaptic, init_weight_update  # noqa: E402

VALUES = np.array([-3.0, -0.5, 0.0, 1.0, 2.5, 7.0, 12.0])
CODES = {
    "if within if": "if (x > 0.0) { if (x > 2.0) { y = x; } else { y = 2.0 * x; } } else { y = -1.0; }",
    "ternary and logic": "y = (x > 0.0 && x < 5.0) || x < -1.0 ? x * x : 1.0; n = !(x > 1.0);",
    "while on tensors": "scalar left = x; while (left > 1.0) { left *= 0.5; n++; } y = left;",
    "do while": "do { y += x; n++; } while (y > 0.0 && y < 9.0);",
    "break and continue": """
        for (int i = 0; i < 12; i++) {
            if (i % 2 == 1) { continue; }
            if (i > x) { break; }
            y += 1.0 / (i + 1.0);
            n = i;
        }""",
    "break within a loop on tensors": """
        int i = 0;
        while (true) {
            i++;
            if (i == 3) { continue; }
            y += x;
            if (y > 10.0 || i > 6) { break; }
        }
        n = i;""",
    "loops within loops": """
        for (int i = 0; i < 3; i++) {
            for (scalar a = x; a > i; a -= 2.0) { y += a; if (y > 20.0) { break; } }
            n++;
        }""",
    "many passes": "for (int i = 0; i < 230; i++) { y = 0.9 * y + 0.01 * x; n++; }",
    "switch": """
        n = (int)fabs(x);
        switch (n) { case 0: y = 1.0; break; case 1: case 2: y = 2.0; break; default: y = x; break; }""",
    "integers": "n = (int)x / 2 + 7 % 4 - (3 << 2) ^ 5; y = (unsigned char)(n * 100); n = -n >> 1;",
    "functions": "y = pow(fabs(x), 1.5) + fmod(x, 2.0) + hypot(x, 1.0) + fmax(x, 1.0) + round(x) + expm1(0.1 * x);",
    "assigning within expressions": "y = (n = 3) + n++; y += --n; scalar a, b; a = b = x; y *= a + b;",
}


def described(code: str) -> tuple[GeNNModel, NeuronModel]:
    model = NeuronModel("Coded", vars=["x", "y", ("n", "int")], sim_code=code)
    made = GeNNModel("double", "coded")
    made.add_neuron_population("N", VALUES.size, model, {}, {"x": VALUES, "y": 0.0, "n": 0})
    return made, model


@pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
def test_code_computes_what_it_says(code: str) -> None:
    made, model = described(code)
    outputs = snnlearn.torch.to_module(made)(timesteps=1)["N"]
    snippet = check_model(model).snippets["sim_code"]
    for number, x in enumerate(VALUES):
        expected = run_snippet(snippet, {"x": x, "y": 0.0, "n": 0})
        assert float(outputs["y"][0, 0, number]) == pytest.approx(float(expected["y"]), rel=1e-14, abs=1e-14)
        assert int(outputs["n"][0, 0, number]) == expected["n"]


@pytest.mark.parametrize(
    "name", ["while on tensors", "break and continue", "loops within loops", "many passes", "functions"]
)
def test_code_has_the_derivatives_of_finite_differences(name: str) -> None:
    made, _ = described(CODES[name])
    net = snnlearn.torch.to_module(made, parameters=[made.neuron_populations["N"].vars["x"]])

    def run(x: Any) -> Any:
        return torch.func.functional_call(net, {"N_x": x}, (None, 1))["N"]["y"]

    values = torch.tensor(VALUES + 0.137, requires_grad=True)  # away from where branches meet
    assert torch.autograd.gradcheck(run, values, atol=1e-8)


def test_a_product_of_the_positive_ones() -> None:
    code = "y = 1.0; if (x > 0.0) { y = y * x; }"
    made, _ = described(code)
    net = snnlearn.torch.to_module(made, parameters=[made.neuron_populations["N"].vars["x"]])
    net(timesteps=1)["N"]["y"].prod().backward()
    positive = VALUES > 0
    expected = np.where(positive, VALUES[positive].prod() / np.where(positive, VALUES, 1.0), 0.0)
    np.testing.assert_allclose(net.N_x.grad.numpy(), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "code",
    [
        "y = x > 0.0 ? sqrt(x) : 0.0;",
        "y = x != 0.0 ? sin(x) / x : 1.0;",
        "if (x > 0.0) { y = log(x) + pow(x, 0.3); } else { y = -x; }",
        "y = x < 5.0 ? exp(x) : exp(5.0);",
        "y = x > 1.0 || x < -1.0 ? 1.0 / (fabs(x) - 1.0 + (fabs(x) == 1.0)) : x;",
    ],
)
def test_no_nan_from_a_branch_that_is_not_taken(code: str) -> None:
    made, _ = described(code)
    net = snnlearn.torch.to_module(made, parameters=[made.neuron_populations["N"].vars["x"]])
    net(timesteps=1)["N"]["y"].sum().backward()
    assert torch.isfinite(net.N_x.grad).all()


def test_spikes_that_have_not_been_still_have_the_derivative_of_what_they_would_do() -> None:
    """A quotient in the code of a spike is computed as it stands where there is none."""
    silent = NeuronModel("Silent", vars=["x"], sim_code="x = x;", threshold_condition_code="x > 1e9")
    rule = WeightUpdateModel("Quotient", vars=["w"], pre_spike_syn_code="if (w > 0.0) { addToPost(1.0 / w); }")
    sums = NeuronModel("Sums", vars=["V"], sim_code="V += Isyn;")
    made = GeNNModel("double", "quotient")
    a = made.add_neuron_population("A", 3, silent, {}, {"x": 0.0})
    b = made.add_neuron_population("B", 1, sums, {}, {"V": 0.0})
    weights = init_weight_update(rule, {}, {"w": np.array([2.0, 4.0, 8.0])})
    made.add_synapse_population("S", "DENSE", a, b, weights, init_postsynaptic("DeltaCurr"))
    net = snnlearn.torch.to_module(made, surrogate="FastSigmoid", params={"beta": 1.0})
    spikes = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    net({"A": spikes})["B"]["V"][-1].sum().backward()
    np.testing.assert_array_equal(spikes.grad.numpy()[0], [0.5, 0.25, 0.125])


def test_what_is_said_twice_is_computed_once() -> None:
    made, _ = described("y = sqrt(fabs(x) + 1.0); n = sqrt(fabs(x) + 1.0) > 2.0;")
    source = snnlearn.torch.to_module(made).source()
    assert source.count("torch.sqrt") <= 2
    made, _ = described("if (x > 1.0) { y = 1.0; } if (x > 1.0) { n = 1; }")
    assert snnlearn.torch.to_module(made).source().count("> 1.0") == 1


def test_numbers_are_computed_when_code_is_emitted() -> None:
    made, _ = described("y = x * exp(-dt / 20.0) * (3 / 2);")
    assert f"{float(np.exp(-0.1 / 20.0))!r}" in snnlearn.torch.to_module(_with_dt(made, 0.1)).source()


def _with_dt(made: GeNNModel, dt: float) -> GeNNModel:
    made.dt = dt
    return made
