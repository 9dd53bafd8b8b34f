"""Networks from NIR and back: equal graphs, and the same spikes as references and as snnTorch."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nir_graphs import (
    Array,
    affine,
    assert_equal,
    conv2d,
    cuba,
    drawn,
    ends,
    graph,
    graphs,
    integrate_and_fire,
    lif,
    nir,
)
from snnlearn import exchange, genn, grad
from snnlearn.declare import Var
from snnlearn.errors import ArgumentError, ExchangeError, ModelWarning
from snnlearn.models import LIF, ExpCurr

GRAPHS = graphs()
HERE = Path(__file__).parent / "from_snntorch"


# ---- there and back ----


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("precision", ["float", "double"])
def test_there_and_back_is_the_same_graph(name: str, precision: str, tmp_path: Path) -> None:
    expected = GRAPHS[name]
    network = exchange.from_nir(expected, dt=1.0, precision=precision)
    assert_equal(exchange.to_nir(network, tmp_path / "network.nir"), expected)
    again = exchange.from_nir(tmp_path / "network.nir", dt=1.0, precision=precision)
    assert set(again.populations) == set(network.populations)
    assert_equal(exchange.to_nir(again), nir.read(tmp_path / "network.nir", type_check=False))


def test_what_has_changed_is_in_the_graph() -> None:
    network = exchange.from_nir(GRAPHS["pictures"], dt=1.0)
    network.model.build()
    network.model.load()
    assert_equal(exchange.to_nir(network), GRAPHS["pictures"])
    kernel = network.connections["c1"].vars["g"]
    kernel.view[:] *= 2.0
    kernel.push_to_device()
    bias = network.populations["if"].vars["Ioffset"]
    bias.view[: bias.view.size // 4] += 1.0  # one of four channels
    bias.push_to_device()
    found = exchange.to_nir(network)
    np.testing.assert_allclose(found.nodes["c1"].weight, 2.0 * GRAPHS["pictures"].nodes["c1"].weight, rtol=1e-6)
    np.testing.assert_allclose(found.nodes["c1"].bias - GRAPHS["pictures"].nodes["c1"].bias, [1, 0, 0, 0], atol=1e-6)
    assert found.nodes["c1"].bias[1] == GRAPHS["pictures"].nodes["c1"].bias[1]
    bias.view[1] += 1.0
    bias.push_to_device()
    with pytest.raises(ExchangeError, match=r"node 'c1' \(Conv2d\): neurons of one channel have different"):
        exchange.to_nir(network)
    bias.view[1] -= 1.0
    bias.push_to_device()
    product = network.connections["pool -> c2 -> flat -> fc"].vars["g"]
    product.values = product.values + 1.0
    product.push_to_device()
    with pytest.raises(
        ExchangeError, match="'pool_c2_flat_fc' have changed, and they were made of 'pool' and 'c2' and"
    ):
        exchange.to_nir(network)
    network.model.unload()


# ---- what they do ----


def integrated(v: Array, i: Array, drive: Array, node: Any, dt: float) -> tuple[Array, Array]:
    """Return the state of CubaLIF neurons a timestep later, by Runge and Kutta's method: to 1e-11."""

    def slope(s: Array) -> Array:
        return np.array([(node.v_leak - s[0] + node.r * s[1]) / node.tau_mem, (drive - s[1]) / node.tau_syn])

    state, h = np.array([v, i]), dt / 40
    for _ in range(40):
        a = slope(state)
        b = slope(state + h / 2 * a)
        c = slope(state + h / 2 * b)
        state = state + h / 6 * (a + 2 * b + 2 * c + slope(state + h * c))
    return state[0], state[1]


def stepped(x: Array, weight: Array, node: Any, dt: float, method: str, reset: str) -> tuple[Array, Array]:
    """Return spikes and potentials of a layer of CubaLIF neurons: the equations of NIR's documentation."""
    v, i, spiked = node.v_leak.copy(), np.zeros_like(node.r), np.zeros(node.r.size, bool)
    spikes, potentials = [], []
    for row in x:
        drive = node.w_in * (weight @ row)
        if method == "exact":
            v, i = integrated(v, i, drive, node, dt)
        else:
            last = i
            i = i + dt * (drive - i) / node.tau_syn
            seen = i if method == "euler" else last
            v = v + dt * (node.v_leak - v + node.r * seen) / node.tau_mem
        if reset == "delayed-v_reset":
            v = np.where(spiked, node.v_reset, v)
        elif reset == "delayed-subtract":
            v = v - spiked * (node.v_threshold - node.v_reset)
        spiked = v > node.v_threshold
        if reset == "v_reset":
            v = np.where(spiked, node.v_reset, v)
        elif reset == "subtract":
            v = v - spiked * (node.v_threshold - node.v_reset)
        spikes.append(spiked)
        potentials.append(v)
    return np.array(spikes), np.array(potentials)


@pytest.mark.parametrize(
    ("method", "reset"),
    [
        ("exact", "v_reset"),
        ("euler", "delayed-v_reset"),
        ("euler", "subtract"),
        ("forward-euler", "delayed-subtract"),
    ],
)
def test_methods_and_resets_are_what_they_say(method: Any, reset: Any) -> None:
    node, weight = cuba(3), 3.0 * np.abs(drawn(3, 2))
    one = graph("input>a>b>output", **ends(2, 3), a=nir.Linear(weight=weight), b=node)
    network = exchange.from_nir(one, dt=1.0, method=method, reset=reset, inputs="values", precision="double")
    recording = network.model.record(network.populations["b"], "V", 61)
    x = np.random.default_rng(2).uniform(-0.2, 1.0, (60, 2))
    spikes, potentials = stepped(x, weight, node, 1e-3, method, reset)
    np.testing.assert_array_equal(network.run(x)["output"], spikes)
    assert 20 < spikes.sum() < 140
    np.testing.assert_allclose(recording.values[1:, 0], potentials, rtol=0.0, atol=1e-8)
    if (method, reset) == ("exact", "v_reset"):
        np.testing.assert_array_equal(network.run(x[:40])["output"], spikes[:40], "from rest again")
        network.model.unload()


def layer(v: Array, current: Array, node: Any, dt: float) -> Array:
    """Step LIF neurons by Euler's method; the potential is changed in place."""
    v += dt / node.tau * (node.v_leak - v + node.r * current)
    spikes = v > node.v_threshold
    v[spikes] = np.broadcast_to(node.v_reset, v.shape)[spikes]
    return spikes.astype(float)


def test_ways_of_different_lengths_arrive_together() -> None:
    """A skip, a delay, recurrence, biases: stepped layer after layer, with what comes back a timestep later."""
    a, b, skip, rec = affine(4, 6), affine(6, 3), nir.Linear(3.0 * drawn(3, 4)), nir.Linear(drawn(6, 6))
    one, two = lif(6), lif(3)
    late = nir.Delay(delay=np.array([0.0, 2.0, 0.0, 5.0, 1.0, 0.0]) * 1e-3)
    whole = graph(
        "input>a>one>b>two>output input>skip>two one>late>rec>one",
        **ends(4, 3), a=a, b=b, skip=skip, rec=rec, one=one, two=two, late=late,
    )  # fmt: skip
    network = exchange.from_nir(whole, dt=1.0, method="euler", precision="double", batch_size=2)
    assert network.latency == {"input": 0, "one": 1, "two": 2}
    x = (np.random.default_rng(3).random((80, 2, 4)) < 0.3).astype(float)
    found = network.run(x)["output"]
    steps = np.rint(late.delay * 1000).astype(int)
    for copy in range(2):
        v1, v2 = one.v_leak.copy(), two.v_leak.copy()
        before = np.zeros((100, 6))  # spikes of the first layer, by timestep + 10
        for t in range(80):
            back = before[t + 9 - steps, np.arange(6)]
            s1 = before[t + 10] = layer(v1, a.weight @ x[t, copy] + a.bias + rec.weight @ back, one, 1e-3)
            s2 = layer(v2, b.weight @ s1 + b.bias + skip.weight @ x[t, copy], two, 1e-3)
            np.testing.assert_array_equal(found[t, copy], s2, f"timestep {t}")
        assert before.sum() > 40
    assert found.sum() > 40
    network.model.unload()


def naive(x: Array, node: Any) -> Array:
    """Return a convolution, element by element."""
    out, inner, kh, kw = node.weight.shape
    (sh, sw), (ph, pw), (dh, dw) = node.stride, node.padding, node.dilation
    padded = np.pad(x, ((0, 0), (ph, ph), (pw, pw)))
    height = (padded.shape[1] - dh * (kh - 1) - 1) // sh + 1
    width = (padded.shape[2] - dw * (kw - 1) - 1) // sw + 1
    found = np.zeros((out, height, width))
    for o, r, c in np.ndindex(found.shape):
        group = o // (out // node.groups) * inner
        seen = padded[group : group + inner, r * sh : r * sh + dh * kh : dh, c * sw : c * sw + dw * kw : dw]
        found[o, r, c] = (node.weight[o] * seen[:, :kh, :kw]).sum() + node.bias[o]
    return found


@pytest.mark.parametrize("sent", ["spikes", "values"])
def test_convolutions_and_pools(sent: Any) -> None:
    """As kernels where spikes come, as a sparse matrix where values do; in groups, and behind a pool."""
    shape = (4, 7, 6)
    first, second = conv2d(shape, 6, groups=2), conv2d((4, 3, 3), 2)
    mean = nir.AvgPool2d(np.array([3, 2]), np.array([2, 2]), np.array([0, 0]))
    sizes = [naive(np.zeros(shape), first).shape, naive(np.zeros((4, 3, 3)), second).shape]
    both = graph(
        "input>c>one input>p>d>two",
        input=nir.Input(np.array(shape)), c=first, p=mean, d=second,
        one=nir.Output(np.array(sizes[0])), two=nir.Output(np.array(sizes[1])),
    )  # fmt: skip
    network = exchange.from_nir(both, dt=1.0, inputs=sent, precision="double")
    rng = np.random.default_rng(4)
    x = (rng.random((3, *shape)) < 0.5).astype(float) if sent == "spikes" else rng.normal(size=(3, *shape))
    found = network.run(x)
    for t in range(3):
        windows = np.lib.stride_tricks.sliding_window_view(x[t], (3, 2), (1, 2))[:, ::2, ::2].mean((-1, -2))
        np.testing.assert_allclose(found["one"][t], naive(x[t], first).ravel(), atol=1e-12)
        np.testing.assert_allclose(found["two"][t], naive(windows, second).ravel(), atol=1e-12)
    network.model.unload()


def test_a_network_from_nir_has_gradients() -> None:
    """Of weights, of a kernel, of a bias: as without NIR's graph."""
    network = exchange.from_nir(GRAPHS["pictures"], dt=1.0, method="euler", precision="double")
    watched = [network.connections["c1"].vars["g"], network.populations["if"].vars["Ioffset"]]
    square = grad.Loss("Square", loss_code="loss = 0.5 * V * V;")
    last = network.populations[network.outputs["output"]]
    program = grad.differentiate(
        network.model, watched, {last: square}, surrogate="FastSigmoid", params={"beta": 1.0}, window=20
    )
    x = np.random.default_rng(5).random((20, 2, 7, 6)) < 0.4
    network.inputs["input"].values = x.reshape(20, -1).astype(float)
    network.model.build()
    network.model.load()
    network.model.run(20)
    program.backward()
    assert all(np.abs(variable.grad).max() > 0.0 for variable in watched)
    assert_equal(exchange.to_nir(network), GRAPHS["pictures"])
    network.model.unload()


# ---- snnTorch ----


def unpacked(rows: Any, name: str, size: int) -> Array:
    return np.unpackbits(rows[name])[: 100 * 12 * size].reshape(100, 12, size)


def assert_spikes_of_snntorch(folder: Path) -> None:
    with np.load(folder / "spikes.npz") as rows:
        for name, reset in (("feed_forward", "delayed-subtract"), ("recurrent", {"1.lif": "delayed-v_reset"})):
            network = exchange.from_nir(folder / f"{name}.nir", dt=0.1, method="euler", reset=reset, batch_size=12)
            found = network.run(unpacked(rows, "input", 16))["output"]
            expected = unpacked(rows, f"{name}1", 3)
            assert expected.sum() > 200
            # One in a hundred is what rounding may move across a threshold; releases that made the files: none.
            assert np.abs(found.sum(0) - expected.sum(0, dtype=np.int64)).sum() <= 0.01 * expected.sum(), name
            network.model.unload()


def test_trained_networks_of_snntorch_spike_as_they_did() -> None:
    """What make.py has recorded: ``VERSIONS`` in spikes.npz says with which releases."""
    assert_spikes_of_snntorch(HERE)


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning")  # snnTorch's own calls of NIRTorch
def test_trained_networks_of_snntorch_spike_as_they_do_now(tmp_path: Path) -> None:
    pytest.importorskip("snntorch", reason="snnTorch is not installed: pip install snntorch nirtorch")
    pytest.importorskip("nirtorch", reason="NIRTorch is not installed: pip install nirtorch")
    spec = importlib.util.spec_from_file_location("make", HERE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(tmp_path)
    assert_spikes_of_snntorch(tmp_path)


# ---- models that never were a graph ----


def test_a_model_becomes_a_graph() -> None:
    unit = {"C": 10.0, "TauM": 10.0, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 1.0, "Ioffset": 0.2, "TauRefrac": 0.0}
    model = genn.GeNNModel("double", "made")
    model.dt = 1.0
    still = {"V": 0.0, "RefracTime": 0.0}
    source = model.add_neuron_population("Source", 3, "Poisson", {"rate": 50.0}, {"timeStepToSpike": 0.0})
    one = model.add_neuron_population("One", 4, LIF, unit, still)
    two = model.add_neuron_population("Two", 2, LIF, {**unit, "Ioffset": 0.0}, still)
    send = genn.init_weight_update("StaticPulse", {}, {"g": np.arange(12.0)})
    model.add_synapse_population("In", "DENSE", source, one, send, genn.init_postsynaptic("DeltaCurr"))
    some = genn.init_weight_update("StaticPulse", {}, {"g": [1.0, 2.0, 3.0]})
    decay = genn.init_postsynaptic(ExpCurr, {"tau": 4.0})
    sparse = model.add_synapse_population("Out", "SPARSE", one, two, some, decay)
    sparse.set_sparse_connections([0, 1, 3], [1, 0, 1])
    sparse.axonal_delay_steps = 3
    found = exchange.to_nir(model)
    kinds = {name: type(node).__name__ for name, node in found.nodes.items()}
    assert kinds == {
        "Source": "Input", "One": "LIF", "Two": "CubaLIF", "In": "Affine", "Out_delay": "Delay", "Out": "Linear",
        "output": "Output",
    }  # fmt: skip
    np.testing.assert_array_equal(found.nodes["In"].weight, np.arange(12.0).reshape(3, 4).T)
    np.testing.assert_array_equal(found.nodes["In"].bias, np.full(4, 0.2))
    np.testing.assert_array_equal(found.nodes["Out"].weight, [[0, 2, 0, 0], [1, 0, 0, 3]])
    np.testing.assert_allclose(found.nodes["Out_delay"].delay, 0.003)
    np.testing.assert_allclose([found.nodes["Two"].w_in, found.nodes["Two"].tau_syn], [[4.0, 4.0], [0.004, 0.004]])
    np.testing.assert_allclose([found.nodes["One"].r, found.nodes["One"].tau], [[1.0] * 4, [0.01] * 4])
    assert nir.NIRGraph(nodes=found.nodes, edges=found.edges).check_types()
    assert_equal(exchange.to_nir(exchange.from_nir(found, dt=1.0)), found)


# ---- what is refused ----


def adrift(**changes: Any) -> Any:
    """Return a graph with one node changed."""
    nodes = {"a": affine(2, 2), "b": lif(2), **ends(2, 2)}
    return graph("input>a>b>output", **(nodes | changes))


class Resonator:
    """A node of a later version of NIR."""


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (adrift(b=Resonator()), {}, "node 'b' is of the kind Resonator, which is not supported; supported are Input, "),
        (adrift(b=type("CubaLif", (), {})()), {}, "kind CubaLif, which is not supported; did you mean 'CubaLIF'?"),
        (adrift(a=nir.Linear(drawn(2, 2, 2))), {}, r"node 'a' \(Linear\): a weight of shape \(2, 2, 2\) is not"),
        (adrift(a=affine(3, 2)), {}, r"node 'a' \(Affine\): its weight takes \(3,\) numbers, and \(2,\) arrive"),
        (adrift(a=nir.Affine(drawn(2, 2), drawn(3))), {}, r"'a' \(Affine\): a bias of shape \(3,\) does not go with 2"),
        (adrift(a=nir.Linear(np.full((2, 2), np.nan))), {}, r"'a' \(Linear\): weight has numbers that are not finite"),
        (adrift(input=nir.Input({"input": np.array([2.5])})), {}, r"'input' \(Input\): array.* is no shape of up"),
        (adrift(input=nir.Input({"input": np.array([10**12])})), {}, "is no shape of up to 67108864 elements"),
        (adrift(a=nir.Scale(scale=np.zeros(0))), {}, "its parameters are empty"),
        (adrift(b=lif(3)), {}, r"'b' \(LIF\): its parameters have shape \(3,\), and \(2,\) arrives"),
        (adrift(b=lif(2, tau=np.array([0.01, 0.0]))), {}, r"'b' \(LIF\): tau must be above 0 s"),
        (adrift(b=lif(2, tau=np.full(2, 1e-4))), {"method": "euler"}, "'b' .LIF.: Euler's method diverges for a time"),
        (adrift(a=nir.Delay(np.array([0.0012, 0.0]))), {}, "a delay of 1.2 ms is no whole number of timesteps of 1 ms"),
        (adrift(a=nir.Delay(np.array([1e300, 0.0]))), {}, "'a' .Delay.: a delay of 1e.303 ms is more than 65534"),
        (adrift(a=nir.Delay(np.array([-0.001, 0.0]))), {}, "delay of -1 ms is no whole number of .*; the nearest is 0"),
        (graph("input>a>a a>output", **ends(2, 2), a=affine(2, 2)), {}, "'a' .Affine. is in a loop without a neuron"),
        (graph("input>a>input a>output", **ends(2, 2), a=affine(2, 2)), {}, "from 'a' to 'input' leads into an Inp"),
        (graph("input>a>d>c>output", **ends(2, 2), a=affine(2, 3), c=affine(3, 2), d=nir.Delay(np.array([1., 2., 3.]))),
         {}, "delays that differ between two weights, before node 'c' .Affine., are not supported"),
        (graph("b>output", **ends(2, 2) | {"input": nir.Output(np.array([2]))}, b=nir.Flatten(None)), {},
         "nothing says which shape its input has: give the graph an Input"),
        (graph("input>n>output", **ends(2, 2), n=graph("a>b", a=affine(2, 2), b=lif(2))), {},
         "graph 'n' has 0 nodes of the kind Input: an edge needs exactly one"),
        (graph("input>c>output", **ends((2, 5, 5), 2), c=conv2d((3, 5, 5), 2)), {}, "'c' .Conv2d.: a weight of shape"),
        (graph("input>c>output", **ends((2, 2, 2), 2), c=conv2d((2, 2, 2), 2, padding=(0, 0))), {}, "does not fit in"),
        (graph("input>c>output", **ends((2, 5, 5), 2), c=conv2d((2, 5, 5), 2, padding="same")), {}, "a stride of 1"),
        (adrift(), {"method": "exakt"}, "method is one of exact, euler, forward-euler, not 'exakt'"),
        (adrift(), {"reset": "zero"}, "reset: 'b' is given 'zero', which is none of v_reset, subtract, "),
        (adrift(), {"reset": {"c": "subtract"}}, "reset: the graph has no such node 'c'; known: b"),
        (adrift(), {"inputs": {"inputs": "spikes"}}, "the graph has no such node 'inputs'; did you mean 'input'"),
        (adrift(), {"dt": 0.0}, "dt must be a positive number of milliseconds, not 0.0"),
        (lif(2), {}, "a nir.NIRGraph or a file of one was expected, not LIF"),
        (adrift(b=cuba(2)), {"dt": "1 ms"}, "dt must be a positive number"),
    ],
)  # fmt: skip
def test_refused_with_the_nodes_name(given: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ExchangeError, match=message):
        exchange.from_nir(given, **{"dt": 1.0, **options})


def test_an_arguments_name_that_is_nearly_right() -> None:
    with pytest.raises(ArgumentError, match="from_nir takes no argument 'metod'; did you mean 'method'"):
        exchange.from_nir(adrift(), dt=1.0, metod="euler")


def test_a_longer_loop_is_late() -> None:
    """The one that closes the loop as seen from the input, though that is the last node."""
    nodes = {"two": integrate_and_fire(2), "one": lif(2), **{name: affine(2, 2) for name in "abc"}, **ends(2, 2)}
    loop = graph("input>a>one>b>two>c>one two>output", **nodes)
    with pytest.warns(
        ModelWarning, match="from 'two' back to 'one' closes a loop of several connections, .* 1 timestep"
    ):
        network = exchange.from_nir(loop, dt=1.0)
    assert network.latency == {"input": 0, "one": 1, "two": 2}


def test_inputs_of_a_run() -> None:
    network = exchange.from_nir(adrift(), dt=1.0)
    for given, message in [
        ({"in": np.zeros((3, 2))}, "the graph has no Input 'in'; known: input"),
        ({}, "nothing is given to the Input 'input'"),
        (np.zeros((3, 3)), r"Input 'input': an array of shape \(timesteps, 2\) was expected, not \(3, 3\)"),
        ([["a", "b"]], "Input 'input': this is no array of numbers: could not convert"),
        (np.zeros((0, 2)), r"was expected, not \(0, 2\)"),
    ]:
        with pytest.raises(ExchangeError, match=message):
            network.run(given)


def one_of(neuron: Any, refractory: float = 0.0) -> genn.GeNNModel:
    unit = {"C": 10.0, "TauM": 10.0, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 1.0, "Ioffset": 0.0}
    model = genn.GeNNModel("double", "one")
    first = {variable.name: 0.0 for variable in neuron.vars}
    one = model.add_neuron_population("One", 4, neuron, {**unit, "TauRefrac": refractory}, first)
    send = genn.init_weight_update("StaticPulse", {}, {"g": 0.0})
    model.add_synapse_population("Loop", "DENSE", one, one, send, genn.init_postsynaptic("DeltaCurr"))
    return model


def test_what_a_neuron_does_beside_its_membrane_is_left_out() -> None:
    beside = "const scalar before = V;", "score += V - before;", "last = t;"
    watched = replace(
        LIF,
        vars=(*LIF.vars, Var("score"), Var("last")),
        sim_code=f"{beside[0]}\n{LIF.sim_code}\n{beside[1]}",
        reset_code=f"{LIF.reset_code}\n{beside[2]}",
    )
    assert type(exchange.to_nir(one_of(watched)).nodes["One"]).__name__ == "LIF"
    for code in ("V += 0.1;", "if (t > 5.0) { RefracTime = 1.0; }", "Isyn *= 2.0;", "const scalar Vrest = V;", "V++;"):
        for changed in (f"{code}\n{LIF.sim_code}", f"{LIF.sim_code}\n{code}"):
            if "Vrest" in code and changed.endswith(code):
                continue  # a local of this name hides nothing any more
            with pytest.raises(ExchangeError, match="'One': NIR has no node for the model LIF, as it is"):
                exchange.to_nir(one_of(replace(LIF, sim_code=changed)))


def test_models_that_nir_has_no_nodes_for() -> None:
    with pytest.raises(ExchangeError, match="'One': NIR's neurons have no refractory period; set TauRefrac to 0"):
        exchange.to_nir(one_of(LIF, 2.0))
    model = genn.GeNNModel("double", "other")
    model.dt = 1.0
    other = model.add_neuron_population("Two", 4, "RulkovMap", dict.fromkeys(("Vspike", "alpha", "y", "beta"), 1.0),
                                        {"V": 0.0, "preV": 0.0})  # fmt: skip
    stdp = dict.fromkeys(("tauPlus", "tauMinus", "Aplus", "Aminus", "Wmin", "Wmax"), 1.0)
    rule = genn.init_weight_update("STDP", stdp, {"g": 0.0})
    model.add_synapse_population("Plastic", "DENSE", other, other, rule, genn.init_postsynaptic("DeltaCurr"))
    with pytest.raises(ExchangeError, match="'Two': NIR has no node for the model RulkovMap, as it is; supported are"):
        exchange.to_nir(model)
    with pytest.raises(ExchangeError, match="a NirNetwork or GeNNModel was expected, not str"):
        exchange.to_nir("model")  # type: ignore[arg-type]


# ---- files ----


def test_files_that_are_none(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install '.[hdf5]'")
    path = tmp_path / "network.nir"
    with pytest.raises(ExchangeError, match="there is no such file"):
        exchange.from_nir(path, dt=1.0)
    path.write_bytes(b"no HDF5")
    with pytest.raises(ExchangeError, match="no NIR graph can be read: OSError"):
        exchange.from_nir(path, dt=1.0)

    def content(message: str, **members: Any) -> None:
        with h5py.File(path, "w") as file:
            for name, value in members.items():
                file[name.replace("__", "/")] = value
        with pytest.raises(ExchangeError, match=message):
            exchange.from_nir(path, dt=1.0)

    content("this is no file of NIR's: it has no 'node'", other=1)
    content("no NIR graph can be read", node__type="Resonator")
    content("'/node' is a link", node=h5py.ExternalLink("other.nir", "/node"))
    with h5py.File(path, "w") as file:
        weight = file.create_dataset("node/weight", (10**6, 10**6), "f8", chunks=(1000, 1000), compression="gzip")
        assert weight.nbytes > 10**12
    with pytest.raises(ExchangeError, match="more than 4 GB of numbers"):
        exchange.from_nir(path, dt=1.0)
    with h5py.File(path, "w") as file:
        group = file.create_group("node")
        group["again"] = group
    with pytest.raises(ExchangeError, match="levels are not read"):
        exchange.from_nir(path, dt=1.0)
