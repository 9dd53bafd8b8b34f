"""EventProp on the engine, against its event-driven reference, whose spikes lie on no grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from eventprop_networks import AIM, CONNECTIONS, HIDDEN, OUTPUTS, SIZE, WithTarget, describe, reference, whole
from eventprop_reference import Network
from numpy.typing import NDArray

from snnlearn import genn, grad
from snnlearn.errors import GradientError
from snnlearn.models import LIF


def engine_gradient(net: Network, dt: float, **options: Any) -> NDArray[np.float64]:
    """Return the engine's gradient of the integral of the loss."""
    model, groups = describe(net, dt)
    wrt = [groups[c].vars["g"] for c in CONNECTIONS]
    steps = round(net.end / dt)
    program = grad.differentiate(
        model, wrt, {groups[name]: AIM for name in ("Hidden", "Output")}, method="eventprop", window=steps, **options
    )
    model.build()
    model.load()
    model.run(steps)
    program.backward()
    found = whole(net, groups) * dt  # the engine sums over timesteps
    model.unload()
    return found


def error(found: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize(
    ("seed", "refractory", "dt", "bound"),
    [
        pytest.param(4, 2.0, 0.1, 0.1, marks=pytest.mark.slow),
        pytest.param(4, 2.0, 0.01, 0.02, marks=pytest.mark.slow),
        pytest.param(5, 0.0, 0.1, 0.1, marks=pytest.mark.slow),
        pytest.param(5, 0.0, 0.01, 0.02, marks=pytest.mark.slow),
    ],
)
def test_integral_of_a_loss(seed: int, refractory: float, dt: float, bound: float) -> None:
    net = reference(seed, refractory)
    net.run()
    assert sum(map(len, net.times.values())) > 10
    expected = net.gradient() * (net.weights != 0.0)
    assert error(engine_gradient(net, dt), expected) < bound


def test_first_spikes() -> None:
    """The derivative by times of spikes, given by the loss or as an array, against the reference's."""
    net = reference(target=HIDDEN + 1)
    net.run()
    assert all(net.times[i] for i in range(HIDDEN, SIZE))
    expected = net.gradient() * (net.weights != 0.0)
    dt, steps = 0.01, round(net.end / 0.01)
    model, groups = describe(net, dt, output=WithTarget)
    wrt = [groups[c].vars["g"] for c in CONNECTIONS]
    loss = grad.FirstSpikeLoss(tau=3.0)
    program = grad.differentiate(model, wrt, {groups["Output"]: loss}, method="eventprop", window=steps)
    recording = model.record(groups["Output"], timesteps=steps, spikes=True)
    model.build()
    model.load()
    model.run(steps)
    program.backward(retain_tape=True)
    found = whole(net, groups)
    assert error(found, expected) < 0.02
    spikes = recording.spikes.values[:, 0]
    first = spikes.argmax(axis=0)
    given = np.zeros((steps, OUTPUTS))
    given[first, np.arange(OUTPUTS)] = loss.of(first[None] * dt, np.array([[0.0, 1.0, 0.0]]), net.end)[1][0]
    program.zero_grad()
    program.backward({groups["Output"]: given + (spikes == 0)})  # where there is no spike, what is given is ignored
    assert error(whole(net, groups), found) < 1e-12
    model.unload()


def varied(net: Network, **changes: float) -> float:
    """Return the reference's loss with other parameters of neurons."""
    return replace(net, neuron=replace(net.neuron, **changes)).run()


def test_weights_parameters_and_first_values() -> None:
    """Weights; the threshold, the reset, the time constant, the refractory period: differences of the reference."""
    net = reference(5, 2.0)
    net.run()
    dt, steps, c = 0.01, round(net.end / 0.01), net.neuron.tau_m / net.neuron.r
    model, groups = describe(net, dt)
    names = ("Vthresh", "Vreset", "TauM", "TauRefrac")
    wrt: list[Any] = [(groups[population], name) for population in ("Hidden", "Output") for name in names]
    wrt += [groups[c].vars["g"] for c in CONNECTIONS]
    loss = {groups[name]: AIM for name in ("Hidden", "Output")}
    program = grad.differentiate(model, [*wrt, groups["Hidden"].vars["V"]], loss, method="eventprop", window=steps)
    model.build()
    model.load()
    model.run(steps)
    program.backward()
    assert error(whole(net, groups) * dt, net.gradient() * (net.weights != 0.0)) < 0.02
    step = 1e-6
    n = net.neuron
    for name, change in {
        "Vthresh": lambda d: {"threshold": n.threshold + d},
        "Vreset": lambda d: {"reset": n.reset + d},
        "TauM": lambda d: {"tau_m": n.tau_m + d, "r": (n.tau_m + d) / c},
        "TauRefrac": lambda d: {"refractory": n.refractory + d},
    }.items():
        expected = (varied(net, **change(step)) - varied(net, **change(-step))) / (2 * step)
        found = sum(float(program.grad((groups[p], name))) for p in ("Hidden", "Output")) * dt  # type: ignore[arg-type]
        assert found == pytest.approx(expected, rel=0.03), name
    first = groups["Hidden"].vars["V"].grad
    assert first.shape == (HIDDEN,)
    assert np.abs(first).max() > 0.0
    model.unload()


PATTERN = np.random.default_rng(2).uniform(size=(80, 2, 8)) < 0.1


def small(matrix: str = "DENSE", late: str = "axonal", pattern: NDArray[np.bool_] = PATTERN, **options: Any) -> Any:
    """Return the gradients of two layers for a pattern, shape (timesteps, batch, 8)."""
    random = np.random.default_rng(1)
    model = genn.GeNNModel(options.pop("precision", "double"), "small", threads=1)
    model.dt, model.batch_size = 0.5, pattern.shape[1]
    scripted = genn.create_neuron_model(
        "Scripted", vars=[("step", "int")], extra_global_params=[("mask", "uint8_t*")],
        sim_code="const int now = step; step += 1;",
        threshold_condition_code="mask[(now * num_batch + batch) * num_neurons + id] != 0",
    )  # fmt: skip
    source = model.add_neuron_population("Input", 8, scripted, {}, {"step": 0})
    source.extra_global_params["mask"].set_init_values(pattern.astype(np.uint8).ravel())
    params = {"C": 10.0, "TauM": 10.0, "Vrest": 0.0, "Vreset": -0.2, "Vthresh": 1.0, "Ioffset": 0.0, "TauRefrac": 2.0}
    layers = [source]
    for name, size in (("A", 6), ("B", 4)):
        layers.append(model.add_neuron_population(name, size, LIF, params, {"V": 0.0, "RefracTime": 0.0}))
    groups = []
    for name, one, other in (("A", *layers[:2]), ("B", *layers[1:])):
        shape = (one.num_neurons, other.num_neurons)
        w, there = random.normal(2.5, 1.5, shape), random.uniform(size=shape) < 0.7
        psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        chosen = there if matrix == "SPARSE" else np.full(shape, True)
        values: dict[str, Any] = {"g": np.where(there, w, 0.0)[chosen]}
        values |= {"d": np.full(chosen.sum(), 3)} if late == "dendritic" else {}
        rule = "StaticPulseDendriticDelay" if late == "dendritic" else "StaticPulse"
        group = model.add_synapse_population(name, matrix, one, other, genn.init_weight_update(rule, {}, values), psm)
        if matrix == "SPARSE":
            group.set_sparse_connections(*np.nonzero(there))
        if late == "dendritic":
            group.max_dendritic_delay_timesteps = 4
        else:
            group.axonal_delay_steps = 3
        groups.append((group, there, chosen))
    loss, steps = {layers[2]: AIM}, len(pattern)
    wrt = [group.vars["g"] for group, *_ in groups]
    program = grad.differentiate(model, wrt, loss, method="eventprop", window=steps, **options)
    model.build()
    model.load()
    model.run(steps)
    program.backward()
    found = []
    for group, there, chosen in groups:
        whole = np.zeros(there.shape)
        whole[chosen] = group.vars["g"].grad
        found.append(whole[there])
    model.unload()
    return np.concatenate(found)


@pytest.fixture(scope="module")
def plain() -> NDArray[np.float64]:
    found: NDArray[np.float64] = small()
    assert np.count_nonzero(found) > 40
    return found


def close(found: NDArray[Any], expected: NDArray[Any], bound: float = 1e-12) -> bool:
    return bool(np.abs(found - expected).max() <= bound * np.abs(expected).max())


def test_a_batch_is_the_sum_of_its_patterns(plain: NDArray[np.float64]) -> None:
    """With sparse connections and delays along dendrites, too."""
    other = {"matrix": "SPARSE", "late": "dendritic"}
    assert close(sum(small(pattern=PATTERN[:, i : i + 1], **other) for i in range(2)), plain)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        pytest.param({"matrix": "SPARSE", "late": "dendritic"}, 1e-12, marks=pytest.mark.slow),
        ({"checkpoint": 16}, 0.0),
        pytest.param({"precision": "float"}, 1e-4, marks=pytest.mark.slow),
    ],
)
def test_the_same_in_other_ways(plain: NDArray[np.float64], options: dict[str, Any], bound: float) -> None:
    """Sparse connections, delays along dendrites, checkpoints, single precision."""
    assert close(small(**options), plain, bound)


def grazing(least_slope: float) -> float:
    """Return the derivative of the time of a spike whose potential is past its top at the timestep's end."""
    decay = np.exp(-0.5 * np.arange(1, 40) / 5.0), np.exp(-0.5 * np.arange(1, 40) / 20.0)
    top = (5.0 / 15.0 * (decay[1] - decay[0])).max()  # of a neuron without threshold, for a weight of 1
    model = genn.GeNNModel("double", "grazing", threads=1)
    model.dt = 0.5
    params = {"C": 20.0, "TauM": 20.0, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 1.0, "Ioffset": 0.0, "TauRefrac": 50.0}
    source = model.add_neuron_population("Input", 1, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 1})
    source.extra_global_params["spikeTimes"].set_init_values([0.0])
    cells = model.add_neuron_population("Cells", 1, LIF, params, {"V": 0.0, "RefracTime": 0.0})
    update = genn.init_weight_update("StaticPulse", {}, {"g": 1.0001 / top})
    psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
    group = model.add_synapse_population("Weights", "DENSE", source, cells, update, psm)
    program = grad.differentiate(
        model, [group.vars["g"]], method="eventprop", window=40, outputs=[cells], least_slope=least_slope
    )
    recording = model.record(cells, timesteps=40, spikes=True)
    model.build()
    model.load()
    model.run(40)
    assert recording.spikes.values.sum() == 1
    program.backward({cells: np.ones((40, 1))})
    found = float(group.vars["g"].grad[0])
    model.unload()
    return found


def test_grazing_spikes_have_bounded_gradients() -> None:
    """Half of the mean slope within the timestep is the least, unless more is asked for."""
    free = grazing(0.0)
    assert -1e3 < free < 0.0
    assert 0.5 * free < grazing(0.2) < 0.0


def spike_time(weight: float, which: int, cell: dict[str, Any], step: float = 0.01) -> float:
    """Return when a neuron spikes [ms], by Runge-Kutta steps, the last of them cut where the margin is 0."""

    def slope(t: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = cell["slope"](y, weight * np.exp(-t / cell["tau_s"]))
        return found

    def moved(t: float, y: NDArray[np.float64], s: float) -> NDArray[np.float64]:
        k1 = slope(t, y)
        k2 = slope(t + s / 2, y + s / 2 * k1)
        k3 = slope(t + s / 2, y + s / 2 * k2)
        return y + s / 6 * (k1 + 2 * k2 + 2 * k3 + slope(t + s, y + s * k3))

    t, y = 0.0, np.zeros(cell["size"])
    while True:
        after = moved(t, y, step)
        if cell["margin"](after) < 0.0:
            t, y = t + step, after
            continue
        low, high = 0.0, step
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if cell["margin"](moved(t, y, middle)) < 0.0 else (low, middle)
        t, y, which = t + high, cell["reset"](moved(t, y, high)), which - 1
        if which < 0:
            return t


QUADRATIC: dict[str, Any] = {
    "declared": genn.create_neuron_model(
        "Quadratic", vars=["V"], params=["tau"], sim_code="V += dt * (V * V / tau + Isyn);",
        threshold_condition_code="V >= 1.0", reset_code="V = -1.0;",
    ),
    "params": {"tau": 4.0}, "flow": {"V": "V * V / tau + Isyn"}, "weight": 0.9, "size": 1, "tau_s": 5.0,
    "slope": lambda y, current: y * y / 4.0 + current,
    "margin": lambda y: y[0] - 1.0,
    "reset": lambda y: np.array([-1.0]),
}  # fmt: skip
ADAPTIVE: dict[str, Any] = {
    "declared": genn.create_neuron_model(
        "Adaptive", vars=["V", "A"], params=["tau", "tauA", "jump"],
        derived_params=[("e", lambda p, dt: np.exp(-dt / p["tau"])), ("rho", lambda p, dt: np.exp(-dt / p["tauA"]))],
        sim_code="V = e * V + (1.0 - e) * Isyn; A *= rho;", threshold_condition_code="V >= 1.0 + A",
        reset_code="V -= 1.0; A += jump;",
    ),
    "params": {"tau": 10.0, "tauA": 20.0, "jump": 0.5}, "flow": {}, "weight": 8.0, "size": 2, "tau_s": 15.0,
    "slope": lambda y, current: np.array([(current - y[0]) / 10.0, -y[1] / 20.0]),
    "margin": lambda y: y[0] - 1.0 - y[1],
    "reset": lambda y: np.array([y[0] - 1.0, y[1] + 0.5]),
}  # fmt: skip


def one_cell(cell: dict[str, Any], steps: int, dt: float, flow: dict[str, str]) -> tuple[Any, ...]:
    """Describe a neuron with one input, whose spike arrives in the first timestep but one."""
    model = genn.GeNNModel("double", "one_cell", threads=1)
    model.dt = dt
    source = model.add_neuron_population("Input", 1, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 1})
    source.extra_global_params["spikeTimes"].set_init_values([0.0])
    start = {v.name: 0.0 for v in cell["declared"].vars}
    cells = model.add_neuron_population("Cells", 1, cell["declared"], cell["params"], start)
    update = genn.init_weight_update("StaticPulse", {}, {"g": cell["weight"]})
    psm = genn.init_postsynaptic("ExpCurr", {"tau": cell["tau_s"]})
    weight = model.add_synapse_population("Weights", "DENSE", source, cells, update, psm).vars["g"]
    given = {"flow": {cells: flow}} if flow else {}
    program = grad.differentiate(model, [weight], method="eventprop", window=steps, outputs=[cells], **given)
    return model, cells, weight, program


@pytest.mark.parametrize("cell", [QUADRATIC, ADAPTIVE], ids=["declared flow", "relative reset"])
def test_when_the_third_spike_comes(cell: dict[str, Any]) -> None:
    """By way of two resets, and of all that they leave: a flow that is declared; an adaptive threshold."""
    dt, steps, which = 0.005, 3000, 2
    model, cells, weight, program = one_cell(cell, steps, dt, cell["flow"])
    recording = model.record(cells, timesteps=steps, spikes=True)
    model.build()
    model.load()
    model.run(steps)
    third = np.zeros((steps, 1))
    third[np.flatnonzero(recording.spikes.values)[which]] = 1.0
    program.backward({cells: third})
    found = float(weight.grad[0])
    model.unload()
    w, step = cell["weight"], 1e-5
    expected = (spike_time(w + step, which, cell) - spike_time(w - step, which, cell)) / (2 * step)
    assert found == pytest.approx(expected, rel=0.01)


def test_a_flow_that_is_not_declared() -> None:
    with pytest.raises(GradientError, match=r"Declare its time derivative: flow=\{'V': '...'\}"):
        one_cell(QUADRATIC, 10, 0.1, {})


@pytest.mark.slow
def test_the_error_falls_with_the_timestep() -> None:
    """Of first order: over many networks, grazing ones too, the median error follows dt."""
    steps = (0.1, 0.03, 0.01, 0.003)
    found = []
    for seed in range(1, 9):
        net = reference(seed, 2.0 * (seed % 2))
        net.run()
        expected = net.gradient() * (net.weights != 0.0)
        found.append([error(engine_gradient(net, dt), expected) for dt in steps])
    median = np.median(found, axis=0)
    assert (np.diff(median) < 0.0).all()
    assert median[2] < 0.02
    assert median[-1] < 0.006
