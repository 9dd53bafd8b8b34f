"""Networks as PyTorch modules: what goes in, what comes out, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

import snnlearn.torch  # noqa: E402
import torch_models  # noqa: E402, F401
from snnlearn import genn  # noqa: E402
from snnlearn.declare import NeuronModel  # noqa: E402
from snnlearn.errors import ArgumentError, GradientError, NetworkError, TorchError  # noqa: E402
from snnlearn.genn import GeNNModel, init_postsynaptic, init_var, init_weight_update  # noqa: E402
from snnlearn.runtime.torch import support  # noqa: E402

LEAKY = NeuronModel(
    "Leaky",
    params=["tau"],
    vars=["V"],
    sim_code="V += dt * (Isyn - V / tau);",
    threshold_condition_code="V >= 1.0",
    reset_code="V = 0.0;",
)
SILENT = NeuronModel("Silent", vars=["x"], sim_code="x += 1.0;", threshold_condition_code="x < 0.0")
SHARP = {"surrogate": "FastSigmoid", "params": {"beta": 2.0}}


def described(batch: int = 1, model: NeuronModel = LEAKY, delay: int = 0, **preferences: Any) -> Any:
    made = GeNNModel("double", "module", **preferences)
    made.dt, made.seed, made.batch_size = 0.5, 3, batch
    source = made.add_neuron_population("Input", 4, SILENT, {}, {"x": 0.0})
    output = made.add_neuron_population("Output", 3, model, {p.name: 10.0 for p in model.params}, {"V": 0.0})
    weights = init_var("Uniform", {"min": 0.0, "max": 2.0})
    rule, psm = init_weight_update("StaticPulse", {}, {"g": weights}), init_postsynaptic("DeltaCurr")
    synapses = made.add_synapse_population("S", "DENSE", source, output, rule, psm)
    synapses.axonal_delay_steps = delay
    return made, synapses


def spikes(*shape: int, seed: int = 0) -> Any:
    return torch.tensor(np.random.default_rng(seed).random(shape) < 0.3, dtype=torch.float64)


def test_shapes_names_and_state_dict() -> None:
    model, synapses = described()
    net = snnlearn.torch.to_module(model, parameters=[synapses.vars["g"]], **SHARP)
    assert isinstance(net, torch.nn.Module)
    assert {name: tuple(p.shape) for name, p in net.named_parameters()} == {"S_g": (4, 3)}
    assert [*net.state_dict()] == ["S_g"]
    outputs = net({"Input": spikes(20, 4)}, timesteps=20)
    assert set(outputs) == {"Input", "Output"}
    assert {name: tuple(x.shape) for name, x in outputs["Output"].items()} == {"V": (20, 1, 3), "spikes": (20, 1, 3)}
    assert 0 < outputs["Output"]["spikes"].sum() < 60
    assert outputs["Output"]["V"].dtype == torch.float64


def test_a_described_a_built_and_a_loaded_model_make_the_same_module() -> None:
    model, synapses = described()
    before = snnlearn.torch.to_module(model, parameters=[synapses.vars["g"]], **SHARP)
    model.build()
    model.load()
    try:
        synapses.vars["g"].pull_from_device()
        np.testing.assert_array_equal(before.S_g.detach().numpy().ravel(), synapses.vars["g"].values)
        model.run(7)
        after = snnlearn.torch.to_module(model, **SHARP)
    finally:
        model.unload()
    assert after(timesteps=1)["Input"]["x"][0, 0, 0] == 8.0, "it goes on from there"


@pytest.mark.parametrize("delay", [0, 3])
def test_windows_are_one_run(delay: int) -> None:
    model, synapses = described(delay=delay)
    net = snnlearn.torch.to_module(model, parameters=[synapses.vars["g"]], **SHARP)
    given = spikes(30, 1, 4)
    whole = net({"Input": given})
    first = net({"Input": given[:11]})
    second = net({"Input": given[11:]}, state=first.state)
    torch.testing.assert_close(
        torch.cat([first["Output"]["V"], second["Output"]["V"]]), whole["Output"]["V"], rtol=0, atol=0
    )
    cut = net({"Input": given[11:]}, state=first.state.detach())
    joined = torch.autograd.grad(second["Output"]["V"].square().sum(), net.S_g)[0]
    alone = torch.autograd.grad(cut["Output"]["V"].square().sum(), net.S_g)[0]
    assert not torch.equal(joined, alone), "derivatives end where a state is detached"


def test_copies_of_a_batch_are_runs_of_their_own() -> None:
    together, synapses = described(batch=3)
    net = snnlearn.torch.to_module(together, parameters=[synapses.vars["g"]], **SHARP)
    alone, weights = described()
    single = snnlearn.torch.to_module(alone, parameters=[weights.vars["g"]], **SHARP)
    single.load_state_dict(net.state_dict())
    given = spikes(25, 3, 4)
    outputs = net({"Input": given})["Output"]["V"]
    assert tuple(outputs.shape) == (25, 3, 3)
    for number in range(3):
        expected = single({"Input": given[:, number]})["Output"]["V"][:, 0]
        torch.testing.assert_close(outputs[:, number], expected, rtol=0, atol=1e-15)


def test_derivatives_with_respect_to_given_spikes() -> None:
    model, _ = described()
    net = snnlearn.torch.to_module(model, smooth=True, **SHARP)
    given = (0.2 + 0.5 * spikes(5, 4)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: net({"Input": x})["Output"]["V"], given, atol=1e-8)


def test_what_nothing_recorded_depends_on_is_left_out() -> None:
    model, _ = described()
    everything = snnlearn.torch.to_module(model, **SHARP).source()
    some = snnlearn.torch.to_module(model, **SHARP, record={"Input": ["x"]}).source()
    assert "neuron_update_Output" in everything
    assert "neuron_update_Output" not in some


def test_training_with_an_optimiser_of_pytorch() -> None:
    model, synapses = described()
    net = snnlearn.torch.to_module(model, parameters=[synapses.vars["g"]], **SHARP)
    optimiser, given, losses = torch.optim.Adam(net.parameters(), 0.05), spikes(40, 4), []
    for _ in range(25):
        optimiser.zero_grad()
        loss = (net({"Input": given})["Output"]["spikes"].mean() - 0.1).square()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]


def test_copies_have_parameters_of_their_own() -> None:
    model, synapses = described()
    net = snnlearn.torch.to_module(model, parameters=[synapses.vars["g"]], **SHARP)
    given = {"Input": spikes(5, 4)}
    before = net(given)["Output"]["V"]
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.S_g.zero_()
    assert torch.equal(net(given)["Output"]["V"], before)
    assert not twin(given)["Output"]["V"].any()


def test_a_run_without_a_graph_leaves_nothing_that_a_later_one_could_not_use() -> None:
    model, synapses = described()
    net = snnlearn.torch.to_module(model, parameters=[synapses.vars["g"]], **SHARP)
    support._constant.cache_clear()
    support.arange.cache_clear()
    with torch.inference_mode():
        without = net({"Input": spikes(5, 4)})["Output"]["V"]
    outputs = net({"Input": spikes(5, 4)})["Output"]["V"]
    outputs.square().sum().backward()
    assert torch.equal(outputs, without)
    assert net.S_g.grad.abs().max() > 0.0


def test_custom_updates_make_another_state() -> None:
    model, synapses = described()
    halve = genn.create_custom_update_model("Halve", var_refs=[("w", "scalar")], update_code="w *= 0.5;")
    model.add_custom_update("H", "Halve", halve, {}, {}, {"w": genn.create_wu_var_ref(synapses, "g")})
    net = snnlearn.torch.to_module(model)
    start = net.initial_state()
    run = {"Input": spikes(1, 4)}
    after = net(run, state=net.custom_update("Halve", start))
    assert torch.equal(2.0 * after.state.arrays["v_S_g"], start.arrays["v_S_g"])
    with pytest.raises(NetworkError, match="no custom update group 'Halv'; did you mean 'Halve'"):
        net.custom_update("Halv", start)


def test_dynamic_parameters_may_be_parameters() -> None:
    model, _ = described()
    output = model.neuron_populations["Output"]
    with pytest.raises(TorchError, match=r"'tau' of 'Output' is no dynamic parameter: call set_param_dynamic\('tau'\)"):
        snnlearn.torch.to_module(model, parameters=[(output, "tau")])
    output.set_param_dynamic("tau")
    net = snnlearn.torch.to_module(model, parameters=[(output, "tau")], smooth=True, **SHARP)

    def run(tau: Any) -> Any:
        return torch.func.functional_call(net, {"Output_tau": tau}, ({"Input": 0.7 * spikes(6, 4)},))["Output"]["V"]

    assert torch.autograd.gradcheck(run, torch.tensor([9.0], dtype=torch.float64, requires_grad=True), atol=1e-8)


PRINTS = NeuronModel("Prints", vars=["V"], sim_code='V += 1.0; printf("%f", V);')
FALLS = NeuronModel(
    "Falls", vars=["V"], sim_code="switch (id) { case 0: V = 1.0; case 1: V = 2.0; break; default: V = 3.0; }"
)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (PRINTS, r"neurons of Output \(Prints\): printf"),
        (FALLS, r"neurons of Output \(Falls\): a case of a switch runs on"),
    ],
)
def test_what_cannot_be_emitted_is_refused_by_name(model: NeuronModel, message: str) -> None:
    with pytest.raises(TorchError, match=message):
        snnlearn.torch.to_module(described(model=model)[0])


def test_misuse_is_an_error_that_says_what_would_do() -> None:
    model, synapses = described()
    for arguments, error, message in [
        ({"dtype": torch.int64}, ArgumentError, "torch.float32 or torch.float64"),
        ({"smooth": True}, GradientError, "smooth=True needs a surrogate"),
        ({"surrogate": "FastSigmoyd", "params": {}}, GradientError, "FastSigmoid"),
        ({"surrogate": "FastSigmoid"}, GradientError, "needs a value of 'beta'"),
        ({"surrogate": "FastSigmoid", "params": {"beta": "2"}}, GradientError, "beta must be a number, not '2'"),
        ({"parameters": synapses.vars["g"]}, TorchError, "parameters is a sequence"),
        ({"parameters": [described()[1].vars["g"]]}, TorchError, "'S' is no group of this model"),
        ({"detach_reset": ["Vm"]}, TorchError, "no neuron has a variable 'Vm'"),
        ({"surrogate": "FastSigmoid", "params": {"beat": 1.0}}, GradientError, "did you mean 'beta'"),
        ({"parameters": [synapses.vars["g"]] * 2}, TorchError, "two parameters of the module would be called 'S_g'"),
        ({"parameters": ["g"]}, TorchError, r"group.vars\['w'\]"),
        ({"record": {"Outputs": ["V"]}}, NetworkError, "did you mean 'Output'"),
        ({"record": {"Output": ["W"]}}, NetworkError, "'Output' has no variable 'W'"),
    ]:
        with pytest.raises(error, match=message):
            snnlearn.torch.to_module(model, **arguments)
    with pytest.raises(ArgumentError, match="not str"):
        snnlearn.torch.to_module("model")


def test_inputs_that_do_not_fit() -> None:
    net = snnlearn.torch.to_module(described()[0])
    for arguments, message in [
        (({"Inputs": spikes(5, 4)},), "no population 'Inputs'; did you mean 'Input'"),
        (({"Input": spikes(5, 1, 3)},), r"of shape \(timesteps, 1, 4\) or \(timesteps, 4\), not \(5, 1, 3\)"),
        (({"Input": np.zeros((5, 4))},), "must be a tensor, not ndarray"),
        (({"Input": spikes(5, 4)}, 6), "inputs for 5 timesteps, and 6 are to be run"),
        ((), "say how many timesteps"),
        ((None, -1), "an integer of at least 0"),
    ]:
        with pytest.raises(NetworkError, match=message):
            net(*arguments)
