"""The engine as a module has the gradients of the exact one: weights, inputs, first values, delays, batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
torch.set_num_threads(1)

import gradient_networks as networks  # noqa: E402
from engine_modules import SHARP, assert_same, gradients, mixed, pair  # noqa: E402

import snnlearn.torch  # noqa: E402
from cuda_on_host import HostDevice  # noqa: E402
from snnlearn import genn  # noqa: E402
from snnlearn.declare import NeuronModel  # noqa: E402
from snnlearn.genn import GeNNModel, VarAccess, init_postsynaptic, init_weight_update  # noqa: E402
from snnlearn.runtime import cuda  # noqa: E402

W, STEPS = networks.Weights, 60


def strong(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.default_rng(seed).normal(0.8, 6.0 / np.sqrt(shape[0]), shape)


def chosen(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.default_rng(seed).random(shape) < 0.4


def inputs(batch: int) -> Any:
    return np.random.default_rng(0).random((STEPS, batch, 12)) < 0.2


def everything(detach_reset: bool = True) -> networks.Case:
    """A batch of a recurrent, sparse network with axonal and dendritic delays, and a second layer."""
    chain = [
        W("Input", "A", strong((12, 10), 1), axonal=2),
        W("A", "A", strong((10, 10), 2), axonal=3, connected=chosen((10, 10), 5)),
        W("A", "B", strong((10, 4), 3), dendritic=np.random.default_rng(6).integers(0, 5, (10, 4))),
    ]
    return networks.Case(inputs(3), {"A": 10, "B": 4}, chain, ["A", "B"], detach_reset=detach_reset)


def current(case: networks.Case) -> Any:
    timesteps, batch, _ = case.inputs.shape
    generator = torch.Generator().manual_seed(3)
    return 0.3 * torch.randn((timesteps, batch, case.sizes["A"]), generator=generator, dtype=torch.float64)


def with_first_values(case: networks.Case) -> tuple[Any, Any]:
    """Return both modules with the first potentials of a layer among the parameters, and a current as an input."""
    model = networks.describe(genn, case)
    parameters = [*(case.groups[w.name].vars["g"] for w in case.weights), case.groups["A"].vars["V"]]
    options = {
        **SHARP,
        "parameters": parameters,
        "inputs": {"Input": ["spikes"], "A": ["Isyn"]},
        "record": dict.fromkeys(case.sizes, ("V", "spikes")),
        "detach_reset": case.detach_reset,
    }
    return snnlearn.torch.to_module(model, **options), snnlearn.torch.EngineModule(model, **options)


@pytest.fixture(scope="module")
def both() -> tuple[Any, Any]:
    return with_first_values(everything())


def test_all_at_once(both: tuple[Any, Any]) -> None:
    case = everything()
    slow, fast = both
    given = {"Input": {"spikes": torch.tensor(case.inputs, dtype=torch.float64)}, "A": {"Isyn": current(case)}}
    expected = gradients(slow, given)
    assert min(int(expected[0][name]["spikes"].sum()) for name in case.sizes) > 30
    assert {*expected[1]} == {"InputA_g", "AA_g", "AB_g", "A_V", "Input.spikes", "A.Isyn"}
    assert_same(expected, gradients(fast, given))
    few = {name: {k: v[:, :2] for k, v in own.items()} for name, own in given.items()}
    assert_same(gradients(slow, few), gradients(fast, few))  # fewer patterns than the batch has copies


# An encoder with an input, a weight and a time constant of its own, shared by all copies of a batch.
ENCODER = NeuronModel(
    "Encoder",
    vars=[
        ("V", "scalar"),
        ("x", "scalar", VarAccess.READ_ONLY_DUPLICATE),
        ("gain", "scalar", VarAccess.READ_ONLY),
        ("decay", "scalar", VarAccess.READ_ONLY_DUPLICATE),
    ],
    sim_code="V = V * decay + gain * x;",
    threshold_condition_code="V >= 1.0",
    reset_code="V -= 1.0;",
)
READOUT = NeuronModel("Readout", params=["tau"], vars=["V"], sim_code="V += dt * (Isyn - V / tau);")


def encoded(detach_reset: bool, batch: int = 2) -> tuple[Any, Any]:
    """Return both modules of neurons that read what is given, and of a readout behind them."""
    model = GeNNModel("double", "encoded")
    model.dt, model.seed, model.batch_size = 1.0, 1, batch
    rng = np.random.default_rng(2)
    first = {"V": 0.0, "x": 0.0, "gain": rng.uniform(0.3, 1.0, 5), "decay": rng.uniform(0.7, 0.95, (batch, 5))}
    encoder = model.add_neuron_population("Encoder", 5, ENCODER, {}, first)
    readout = model.add_neuron_population("Readout", 3, READOUT, {"tau": 8.0}, {"V": 0.0})
    readout.set_param_dynamic("tau")
    rule = init_weight_update("StaticPulse", {}, {"g": rng.normal(size=15)})
    model.add_synapse_population("Out", "DENSE", encoder, readout, rule, init_postsynaptic("DeltaCurr"))
    weights = [
        model.synapse_populations["Out"].vars["g"],
        *(encoder.vars[name] for name in ("gain", "decay")),
        (readout, "tau"),
    ]
    options = {
        **SHARP,
        "parameters": weights,
        "inputs": {"Encoder": "x"},
        "record": {"Encoder": ["spikes"], "Readout": ["V"]},
        "detach_reset": detach_reset,
    }
    return snnlearn.torch.to_module(model, **options), snnlearn.torch.EngineModule(model, **options)


@pytest.mark.parametrize("detach_reset", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_variables_that_are_given_and_parameters_of_neurons(detach_reset: bool) -> None:
    slow, fast = encoded(detach_reset)
    generator = torch.Generator().manual_seed(5)
    given = {"Encoder": {"x": torch.rand((40, 2, 5), generator=generator, dtype=torch.float64)}}
    expected = gradients(slow, given)
    assert int(expected[0]["Encoder"]["spikes"].sum()) > 20
    assert_same(expected, gradients(fast, given))


def test_going_on_from_a_state(both: tuple[Any, Any]) -> None:
    slow, fast = both
    spikes = torch.tensor(everything().inputs, dtype=torch.float64)
    with torch.no_grad():  # what is still on its way is on the tape all the same
        after = [net({"Input": spikes[:25]}).state for net in (slow, fast)]
    for begin, end in [(25, 27), (27, 60)]:  # a window that is shorter than the delays, and a long one
        found = []
        for net, state in zip((slow, fast), after, strict=True):
            net.zero_grad()
            outputs = net({"Input": spikes[begin:end]}, state=state)
            mixed(outputs).backward()
            assert outputs.state.timestep == end
            # What is in dendrites has its weight already, which counts no longer where PyTorch's state is detached.
            found.append((outputs, {name: getattr(net, name).grad for name in ("InputA_g", "AA_g")}))
        assert_same(*found)
        after = [outputs.state.detach() for outputs, _ in found]


@pytest.mark.slow
def test_elements_of_a_kernel_and_shared_rows() -> None:
    model = GeNNModel("double", "convolution")
    model.dt, model.seed = 1.0, 1
    source = model.add_neuron_population("Input", 16, networks.scripted(genn), {}, {"step": 0})
    source.extra_global_params["mask"].set_init_values(np.zeros(16, np.uint8))
    hidden = model.add_neuron_population("Hidden", 16, "LIF", networks.MEMBRANE, {"V": -60.0, "RefracTime": 0.0})
    sizes = {"conv_kh": 3, "conv_kw": 3, "conv_ih": 4, "conv_iw": 4, "conv_ic": 1}
    sizes |= {"conv_oh": 4, "conv_ow": 4, "conv_oc": 1}
    connectivity = genn.init_toeplitz_connectivity("Conv2D", sizes)
    rule = init_weight_update("StaticPulse", {}, {"g": np.random.default_rng(3).normal(3.0, 3.0, 9)})
    psm = init_postsynaptic("ExpCurr", {"tau": 5.0})
    connection = model.add_synapse_population("Conv", "TOEPLITZ", source, hidden, rule, psm, connectivity)
    options = {**SHARP, "parameters": [connection.vars["g"]], "inputs": {"Input": "spikes"}, "detach_reset": True}
    options["record"] = {"Hidden": ["V"]}
    slow, fast = snnlearn.torch.to_module(model, **options), snnlearn.torch.EngineModule(model, **options)
    given = {"Input": {"spikes": torch.tensor(np.random.default_rng(1).random((40, 1, 16)) < 0.2).double()}}
    assert_same(gradients(slow, given), gradients(fast, given))


@pytest.mark.slow
def test_memory_of_a_gpu_is_shared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "open_device", lambda index=0: HostDevice(resident=256))  # the CPU stands in for it
    case = everything()
    slow, _ = pair(case)
    model = networks.describe(genn, case, backend="cuda:999", strategy="loop")
    parameters = [case.groups[w.name].vars["g"] for w in case.weights]
    options = {"inputs": {"Input": ["spikes"]}, "record": dict.fromkeys("AB", ("V", "spikes")), "detach_reset": True}
    fast = snnlearn.torch.EngineModule(model, parameters=parameters, **SHARP, **options)
    given = {"Input": {"spikes": torch.tensor(case.inputs, dtype=torch.float64)}}
    assert_same(gradients(slow, given), gradients(fast, given))
    memory = fast.model._loaded_simulation().memory
    name = fast.model._loaded_simulation().name_of(parameters[0].location)
    assert memory(name).ctypes.data == fast.InputA_g.data_ptr()


LAYERS = networks.Case(
    inputs(1), {"A": 10, "B": 4}, [W("Input", "A", strong((12, 10), 1)), W("A", "B", strong((10, 4), 2))], ["B"]
)
CASES = {
    "layers": LAYERS,
    "recurrent": networks.recurrent(),
    "detach_reset=False": everything(detach_reset=False),
    "delays": everything(),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::snnlearn.errors.GradientWarning")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("precision", ["double", "float"])
def test_gradients_are_those_of_the_exact_module(name: str, precision: str) -> None:
    kind = {"double": torch.float64, "float": torch.float32}[precision]
    slow, fast = pair(CASES[name], dtype=kind)
    given = {"Input": {"spikes": torch.tensor(CASES[name].inputs, dtype=kind)}}
    # In single precision both round on their own, and a spike may come a timestep later in one of them.
    bound = 1e-10 if precision == "double" else 2e-3
    assert_same(gradients(slow, given), gradients(fast, given), bound)
