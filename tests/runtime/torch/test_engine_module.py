"""The engine as a module: what PyTorch does with modules, memory that is shared, graphs that wait, and misuse."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
torch.set_num_threads(1)

import gradient_networks as networks  # noqa: E402
from engine_modules import SHARP, pair  # noqa: E402

import snnlearn.torch  # noqa: E402
from snnlearn import genn, grad  # noqa: E402
from snnlearn.errors import ArgumentError, GradientError, LifecycleError, NetworkError, TorchError  # noqa: E402
from snnlearn.torch import EngineModule  # noqa: E402

W = networks.Weights
STEPS, BATCH, IN, OUT = 30, 2, 6, 3
CONNECTED = np.random.default_rng(4).random((5, OUT)) < 0.6


def case() -> networks.Case:
    spikes = np.random.default_rng(0).random((STEPS, BATCH, IN)) < 0.25
    first = np.random.default_rng(1).normal(4.0, 4.0, (IN, 5))
    second = np.random.default_rng(2).normal(4.0, 6.0, (5, OUT))
    return networks.Case(
        spikes, {"A": 5, "B": OUT}, [W("Input", "A", first), W("A", "B", second, connected=CONNECTED)], ["B"]
    )


@pytest.fixture(scope="module")
def both() -> tuple[Any, Any]:
    return pair(case(), inputs={"Input": ["spikes"], "A": "Isyn"})


@pytest.fixture
def net(both: Any) -> EngineModule:
    """The module, as it was made: a copy with engines of its own where a test before has spoilt them."""
    module: EngineModule = both[1]
    module.load_state_dict({name: value.detach() for name, value in both[0].state_dict().items()})
    module.zero_grad()
    return module


SPIKES = torch.tensor(case().inputs, dtype=torch.float64)


def test_it_is_a_module(net: EngineModule) -> None:
    assert isinstance(net, torch.nn.Module)
    assert {name: tuple(p.shape) for name, p in net.named_parameters()} == {
        "InputA_g": (IN, 5), "AB_g": (int(CONNECTED.sum()),),
    }  # fmt: skip
    outputs = net({"Input": SPIKES})
    assert {name: [*variables] for name, variables in outputs.items()} == {"A": ["V", "spikes"], "B": ["V", "spikes"]}
    assert outputs["B"]["V"].shape == (STEPS, BATCH, OUT)
    assert outputs["B"]["V"].requires_grad
    with torch.no_grad():
        again = net({"Input": {"spikes": SPIKES}}, timesteps=STEPS)
    assert not again["B"]["V"].requires_grad
    assert torch.equal(again["B"]["V"], outputs["B"]["V"]), "each call begins anew"
    assert not net({"Input": SPIKES}, 7).state.arrays.keys() ^ again.state.arrays.keys()


def test_without_a_graph_in_any_mode(both: Any) -> None:
    net = copy.deepcopy(both[1])  # whose engine is made there
    with torch.inference_mode():
        without = net({"Input": SPIKES})["B"]["V"]
        state = net({"Input": SPIKES}).state
    outputs = net({"Input": SPIKES})
    outputs["B"]["V"].sum().backward()
    assert torch.equal(outputs["B"]["V"], without)
    assert net.AB_g.grad.any()
    net({"Input": SPIKES}, state=state)["B"]["V"].sum().backward()
    assert len(net._pool._free) == 1


def test_weights_are_the_memory_of_the_engine(net: EngineModule) -> None:
    net({"Input": SPIKES})
    own = net.model.synapse_populations["InputA"].vars["g"].device_array
    assert own.ctypes.data == net.InputA_g.data_ptr()
    with torch.no_grad():
        net.InputA_g[0, 0] = 17.0
    assert own.flat[0] == 17.0
    other = torch.zeros_like(net.InputA_g)
    outputs = torch.func.functional_call(net, {"InputA_g": other}, ({"Input": SPIKES},))
    assert not outputs["A"]["spikes"].any(), "other memory is taken as it comes"
    assert net({"Input": SPIKES})["A"]["spikes"].any()


def test_a_view_of_weights_in_another_order() -> None:
    """It begins where the engine's memory does, and is another matrix."""
    square = np.random.default_rng(1).normal(4.0, 4.0, (IN, IN))
    both = pair(networks.Case(case().inputs, {"A": IN}, [W("Input", "A", square)], ["A"]))
    found = []
    for module in both:
        module({"Input": SPIKES})
        turned = torch.func.functional_call(module, {"InputA_g": module.InputA_g.T}, ({"Input": SPIKES},))["A"]["V"]
        found.append((turned, torch.autograd.grad((turned**2).sum(), module.InputA_g)[0]))
    torch.testing.assert_close(found[1], found[0], rtol=1e-10, atol=1e-10)


def test_it_learns_inside_of_another_network(net: EngineModule) -> None:
    class Whole(torch.nn.Module):
        def __init__(self, spiking: torch.nn.Module) -> None:
            super().__init__()
            self.encode, self.spiking = torch.nn.Linear(4, 5).double(), spiking
            self.decode = torch.nn.Linear(OUT, 2).double()

        def forward(self, x: Any) -> Any:
            current = self.encode(x).expand(STEPS, *x.shape[:1], 5)
            outputs = self.spiking({"Input": SPIKES, "A": {"Isyn": current}})
            return self.decode(outputs["B"]["V"].mean(0) + 58.0)

    torch.manual_seed(1)
    whole = Whole(net)
    x, y = torch.randn(BATCH, 4, dtype=torch.float64), torch.tensor([0, 1])
    optimiser = torch.optim.Adam(whole.parameters(), 0.05)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, 10, 0.5)
    seen: list[float] = []
    handle = net.InputA_g.register_hook(lambda g: seen.append(float(g.abs().max())))
    first = [p.detach().clone() for p in whole.parameters()]
    losses = []
    for _ in range(25):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(whole(x), y)
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    handle.remove()
    assert losses[-1] < 0.5 * losses[0]
    assert len(seen) == 25
    assert min(seen) > 0.0
    assert all(not torch.equal(a, b) for a, b in zip(first, whole.parameters(), strict=True))
    assert {*whole.state_dict()} >= {"spiking.InputA_g", "encode.weight", "decode.bias"}


def test_graphs_that_wait_have_engines_of_their_own(net: EngineModule) -> None:
    def gradient(*losses: Callable[[], Any]) -> Any:
        net.zero_grad()
        waiting = [loss() for loss in losses]
        for loss in reversed(waiting):
            loss.backward()
        return net.AB_g.grad

    def one() -> Any:
        return net({"Input": SPIKES})["B"]["V"].square().sum()

    def other() -> Any:
        return net({"Input": SPIKES.flip(0)})["B"]["spikes"].sum()

    expected = gradient(one) + gradient(other)
    torch.testing.assert_close(gradient(one, other), expected, rtol=1e-12, atol=0.0)
    known = len(net._pool._free)
    assert known == 2
    dropped = one()  # without backward()
    assert len(net._pool._free) == known - 1
    del dropped
    assert len(net._pool._free) == known
    gradient(one, other)
    assert len(net._pool._free) == known, "and they are used again"


def test_a_second_pass_needs_the_graph(net: EngineModule) -> None:
    loss = net({"Input": SPIKES})["B"]["V"].sum()
    loss.backward(retain_graph=True)
    once = net.AB_g.grad.clone()
    loss.backward()
    torch.testing.assert_close(net.AB_g.grad, 2.0 * once)
    # Without the loss's own saved tensors it is the module that finds out.
    loss = net({"Input": SPIKES})["B"]["V"].sum()
    loss.backward()
    with pytest.raises(LifecycleError, match=r"backward\(retain_graph=True\)"):
        loss.backward()


def test_longer_and_shorter_runs(net: EngineModule) -> None:
    long = torch.cat([SPIKES, SPIKES])
    whole = net({"Input": long})["B"]["V"]
    torch.testing.assert_close(whole[:STEPS], net({"Input": SPIKES})["B"]["V"], rtol=0, atol=0)
    leaf = SPIKES.clone().requires_grad_()
    net({"Input": leaf}, timesteps=10)["B"]["V"].sum().backward()
    assert leaf.grad.shape == leaf.shape
    assert leaf.grad[:8].any()
    assert not leaf.grad[8:].any()
    assert net({"Input": SPIKES}, timesteps=0)["B"]["V"].shape == (0, BATCH, OUT)


def test_copies_and_files(net: EngineModule, tmp_path: Any) -> None:
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.InputA_g.zero_()
    assert net({"Input": SPIKES})["A"]["spikes"].any()
    assert not twin({"Input": SPIKES})["A"]["spikes"].any()
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    twin.load_state_dict(torch.load(tmp_path / "weights.pt"))
    assert torch.equal(net({"Input": SPIKES})["B"]["V"], twin({"Input": SPIKES})["B"]["V"])
    with pytest.raises(TorchError, match=r"save net\.state_dict\(\)"):
        pickle.dumps(net)
    net.eval()
    assert not net.training
    net.train()


def test_second_order_is_refused_where_it_is_asked_for(net: EngineModule) -> None:
    loss = net({"Input": SPIKES})["B"]["V"].square().sum()
    (gradient,) = torch.autograd.grad(loss, net.InputA_g, create_graph=True)
    with pytest.raises(GradientError, match=r"first order.*SpikingModule, snnlearn.torch.to_module"):
        gradient.square().sum().backward()


def test_writes_between_forward_and_backward(net: EngineModule) -> None:
    loss = net({"Input": SPIKES})["B"]["V"].sum()
    with torch.no_grad():
        net.AB_g.mul_(2.0)
    with pytest.raises(LifecycleError, match=r"parameter 'AB_g' was changed in place.*backward\(\) first"):
        loss.backward()


def test_an_engine_that_is_gone(both: Any) -> None:
    net = copy.deepcopy(both[1])
    outputs = net({"Input": SPIKES})
    (engine,) = (lease.engine for lease in [outputs["B"]["V"].grad_fn.next_functions[0][0].lease])
    engine.model.unload()
    with pytest.raises(LifecycleError, match="unloaded or loaded anew between forward and backward"):
        outputs["B"]["V"].sum().backward()
    assert net({"Input": SPIKES})["B"]["V"].requires_grad, "the next call takes another one"


def test_a_state_ends_derivatives(both: Any, net: EngineModule) -> None:
    outputs = net({"Input": SPIKES})
    with pytest.raises(GradientError, match=r"out\.state\.detach\(\)"):
        net({"Input": SPIKES}, state=outputs.state)
    after = net({"Input": SPIKES}, state=outputs.state.detach())
    with torch.no_grad():
        together = net({"Input": torch.cat([SPIKES, SPIKES])})
    assert torch.equal(after["B"]["V"], together["B"]["V"][STEPS:])
    other = both[0]({"Input": SPIKES}).state.detach()
    for module, state in [(net, other), (both[0], outputs.state.detach())]:
        with pytest.raises(TorchError, match="state is of another module"):
            module({"Input": SPIKES}, state=state)
    first = net(timesteps=1, state=net.initial_state())
    assert torch.equal(first["B"]["V"], net(timesteps=1)["B"]["V"])


def test_custom_updates_make_another_state() -> None:
    described = case()
    model = networks.describe(genn, described)
    weights, potential = described.groups["InputA"].vars["g"], described.groups["A"].vars["V"]
    halve = genn.create_custom_update_model("Halve", var_refs=[("w", "scalar")], update_code="w *= 0.5;")
    model.add_custom_update("V", "Potentials", halve, {}, {}, {"w": genn.create_var_ref(potential.group, "V")})
    model.add_custom_update(
        "W", "Weights", halve, {}, {}, {"w": genn.create_wu_var_ref(described.groups["InputA"], "g")}
    )
    options = {**SHARP, "parameters": [weights], "record": {"A": ["V"]}, "detach_reset": True}
    options["inputs"] = {"Input": ["spikes"]}
    found = []
    for net in (snnlearn.torch.to_module(model, **options), EngineModule(model, **options)):
        state = net({"Input": SPIKES}).state.detach()
        with torch.no_grad():
            before, after = (
                net({"Input": SPIKES[:3]}, state=s)["A"]["V"] for s in (state, net.custom_update("Potentials", state))
            )
        found.append((before, after))
    assert not torch.equal(*found[1])
    torch.testing.assert_close(found[1], found[0], rtol=0.0, atol=1e-10)
    kept = net.InputA_g.detach().clone()
    with pytest.raises(TorchError, match=r"custom_update\('Weights'\) writes 'InputA\.g', which is a parameter"):
        net.custom_update("Weights", state)
    assert torch.equal(net.InputA_g, kept)
    with pytest.raises(NetworkError, match="did you mean 'Weights'"):
        net.custom_update("Weight", state)


def test_nan_goes_in_and_comes_out(both: Any) -> None:
    current = torch.zeros((STEPS, BATCH, 5), dtype=torch.float64)
    current[8:14, 0, 2] = float("nan")
    expected, found = (module({"Input": SPIKES, "A": {"Isyn": current}})["A"]["V"].detach() for module in both)
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-10, equal_nan=True)
    assert torch.isnan(found[-1, 0, 2])
    assert not torch.isnan(found[:, 1]).any()


def test_calls_that_do_not_fit(both: Any) -> None:
    slow, fast = both
    current = torch.zeros((STEPS, BATCH, 5), dtype=torch.float64)
    for inputs, error, message in [
        ({"Inputs": SPIKES}, NetworkError, "no population 'Inputs'; did you mean 'Input'"),
        ({"A": {"V": current}}, NetworkError, r"not made for V of 'A': give it inputs=\{'A': \['V'\]\}"),
        ({"Input": SPIKES[:, :, :4]}, NetworkError, r"of shape \(timesteps, 2, 6\), or with fewer patterns, not"),
        ({"Input": SPIKES.repeat(1, 2, 1)}, NetworkError, "batch_size of so many"),
        ({"Input": SPIKES[:, :1], "A": {"Isyn": current}}, NetworkError, "of 1 and of 2 patterns"),
        ({"Input": SPIKES.numpy()}, NetworkError, "must be a tensor, not ndarray"),
        ({"A": {"Isyn": current.float()}}, TorchError, "torch.float32, and the module is made for torch.float64"),
        ({"Input": SPIKES.to("meta")}, TorchError, r"are on meta, the module on cpu: \.to\('cpu'\)"),
        (SPIKES, NetworkError, "inputs is a mapping of populations to spikes"),
        (None, NetworkError, "say how many timesteps"),
    ]:
        for module in (slow, fast):
            with pytest.raises(error, match=message):
                module(inputs)
    with pytest.raises(TorchError, match=r"must be 0 or 1 for an engine.*to_module"):
        fast({"Input": 0.5 * SPIKES})
    with pytest.raises(TorchError, match="state is what another run left"):
        fast({"Input": SPIKES}, state=SPIKES)
    with pytest.raises(TorchError, match=r"parameter 'InputA_g' is torch.float32 on cpu"):
        copy.deepcopy(fast).float()({"Input": SPIKES})


def test_modules_that_cannot_be_made() -> None:
    described = case()
    model = networks.describe(genn, described)
    weights = described.groups["InputA"].vars["g"]
    for arguments, error, message in [
        ({"surrogate": None, "params": None}, GradientError, "needs a surrogate"),
        ({"detach_reset": ["V"]}, GradientError, "True or False for an engine"),
        ({"inputs": {"Inpt": ["spikes"]}}, NetworkError, "did you mean 'Input'"),
        ({"inputs": {"A": ["Isin"]}}, NetworkError, "did you mean 'Isyn'"),
        ({"inputs": {"A": ["V"]}}, TorchError, "READ_ONLY_DUPLICATE"),
        ({"inputs": ["Input"]}, TorchError, "a mapping of populations to names"),
        ({"parameters": [described.groups["AB"].vars["g"]], "record": {"A": ["V"]}}, GradientError, "does not depend"),
        ({"parameters": [(described.groups["A"], "TauM")]}, TorchError, "no dynamic parameter"),
        ({"record": {"AB": ["g"]}}, TorchError, "no variable of neurons, which is what an engine records"),
        ({"record": ["A"]}, NetworkError, "record maps populations to names"),
        ({"record": {"A": "v"}}, NetworkError, "'A' has no variable 'v'; did you mean 'V'"),
        ({"params": [0.5]}, GradientError, "params is a mapping of names to numbers"),
        ({"dtype": torch.int64}, ArgumentError, "torch.float32 or torch.float64"),
    ]:
        with pytest.raises(error, match=message):
            EngineModule(model, **{"parameters": [weights], "inputs": {"Input": ["spikes"]}, **SHARP, **arguments})
    timed = networks.describe(genn, described)
    loss = {described.groups["A"]: grad.Loss("Square", loss_code="loss = V * V;")}
    program = grad.differentiate(timed, [described.groups["InputA"].vars["g"]], loss, method="eventprop", window=9)
    with pytest.raises(GradientError, match="takes a program of method='bptt': of 'eventprop' its outputs"):
        EngineModule(program)
    with pytest.raises(ArgumentError, match="needs a GeNNModel"):
        EngineModule("model", **SHARP)


def test_of_a_program(both: Any) -> None:
    described = case()
    model = networks.describe(genn, described)
    program = networks.program_of(described, model)
    net = EngineModule(program, inputs={"Input": ["spikes"], "A": ["Isyn"]}, record={n: ["V", "spikes"] for n in "AB"})
    outputs, expected = net({"Input": SPIKES}), both[1]({"Input": SPIKES})
    for found in (outputs, expected):
        found["B"]["V"].sum().backward()
    assert torch.equal(outputs["B"]["V"], expected["B"]["V"])
    assert isinstance(program, grad.Program)
    with pytest.raises(GradientError, match="a program has its surrogate"):
        EngineModule(program, **SHARP)
    with pytest.raises(GradientError, match="give EngineModule the program"):
        EngineModule(model, **SHARP)


@pytest.mark.filterwarnings("ignore::snnlearn.errors.GradientWarning")  # of RefracTime, which is recorded
def test_it_goes_on_from_a_loaded_model() -> None:
    described = case()
    model = networks.describe(genn, described)
    model.build()
    model.load()
    try:
        model.run(9)
        weights = described.groups["InputA"].vars["g"]
        weights.view[:] += 1.0
        weights.push_to_device()
        options = {"parameters": [weights], "record": {"A": ["V", "RefracTime"]}, "detach_reset": True}
        slow, fast = snnlearn.torch.to_module(model, **SHARP, **options), EngineModule(model, **SHARP, **options)
    finally:
        model.unload()
    assert torch.equal(slow.InputA_g, fast.InputA_g)
    with torch.no_grad():
        expected, found = slow(timesteps=9), fast(timesteps=9)
    for name in ("V", "RefracTime"):
        torch.testing.assert_close(found["A"][name], expected["A"][name], rtol=0.0, atol=1e-10)
    assert found.state.timestep == expected.state.timestep == 18
