"""One set of properties for every optimiser of the table, run on the embedded engine.

An optimiser that joins the table is tested here at once: without a reference in ``optimiser_references.py`` it fails.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from optimiser_references import REFERENCES, Settings
from snnlearn import genn
from snnlearn.declare.optimiser import Optimiser
from snnlearn.models import RMaxPropSafe
from snnlearn.training.optimisers import OPTIMISERS, attach

ROWS, COLUMNS = 3, 4
SIZE = ROWS * COLUMNS
SCALE = 0.25
LIMIT = 8.0
EPS = float(np.finfo(np.float32).eps)

# The table, and what else its models can do.
CASES = {
    **OPTIMISERS,
    "NesterovSGD": OPTIMISERS["SGD"].variant("NesterovSGD", nesterov=1.0),
    "MomentumRMSProp": OPTIMISERS["RMSProp"].variant("MomentumRMSProp", momentum=0.7),
    "EagerHypergradientSGD": OPTIMISERS["HypergradientSGD"].variant("EagerHypergradientSGD", hyperRate=20.0),
    "EagerIDBD": OPTIMISERS["IDBD"].variant("EagerIDBD", theta=1.0, errorScale=0.5),
}
ADAPTIVE = [name for name in CASES if "SGD" not in name and "IDBD" not in name]


@dataclass
class Bench:
    """One optimiser in a running model, with its weights, gradient and transpose."""

    optimiser: Optimiser
    model: object
    synapses: object
    back: object
    update: object

    def start(self, weights):
        for name, variable in self.update.vars.items():
            variable.view[:] = self.optimiser.initial.get(name, 0.0)
            variable.push_to_device()
        self.synapses.vars["w"].view[:] = weights
        self.synapses.vars["w"].push_to_device()

    def configure(self, settings):
        rule = self.optimiser
        params = {rule.lr_param: settings.lr, rule.momentum_param: settings.momentum}
        params |= {rule.beta_param: settings.beta, rule.decay_param: settings.decay}
        for name, value in params.items():
            if name is not None:
                self.update.set_dynamic_param_value(name, value)

    def step(self, gradients):
        """Run one update; the sum handed over is such that the scaled gradient is the given one."""
        gradient = self.synapses.vars["m"]
        gradient.view[:] = gradients / SCALE
        gradient.push_to_device()
        self.model.custom_update(self.optimiser.name)
        return self.weights()

    def weights(self):
        return self._pull(self.synapses, "w")

    @staticmethod
    def _pull(group, name):
        group.vars[name].pull_from_device()
        return group.vars[name].view.astype(np.float64)

    def state(self):
        return np.array([self._pull(self.update, name) for name in self.update.vars])


NOTHING_NEURON = genn.create_neuron_model("Nothing")
NOTHING_SYNAPSE = genn.create_weight_update_model("NothingToo", vars=[("w", "scalar"), ("m", "scalar")])
SAFE = Optimiser(
    "Safe",
    RMaxPropSafe,
    {"updateTime": 1 / SCALE, "tauRMS": 200.0, "epsilon": 1e-32, "wMin": -LIMIT, "wMax": LIMIT, "r0": 0.05},
    lr_param="r0",
)


@pytest.fixture(scope="module")
def benches():
    """All cases in one model, so that the compiler runs once."""
    model = genn.GeNNModel("float", "optimisers", backend="cpu")
    source = model.add_neuron_population("Source", ROWS, NOTHING_NEURON, {}, {})
    target = model.add_neuron_population("Target", COLUMNS, NOTHING_NEURON, {}, {})
    made = {}
    for name, optimiser in [*CASES.items(), ("Safe", SAFE)]:
        synapses, back = (
            model.add_synapse_population(
                f"{name}{suffix}",
                "DENSE",
                *ends,
                genn.init_weight_update(NOTHING_SYNAPSE, {}, {"w": 0.0, "m": 0.0}),
                genn.init_postsynaptic("DeltaCurr"),
            )
            for suffix, ends in (("", (source, target)), ("Back", (target, source)))
        )
        refs = genn.create_wu_var_ref(synapses, "m"), genn.create_wu_var_ref(synapses, "w", back, "w")
        known = {"gradientScale": SCALE, "wMin": -LIMIT, "wMax": LIMIT}
        overrides = {key: value for key, value in known.items() if key in optimiser.params}
        update = attach(model, optimiser, f"{name}Update", name, *refs, overrides)
        made[name] = Bench(optimiser, model, synapses, back, update)
    model.build()
    model.load()
    yield made
    model.unload()


@pytest.fixture(params=CASES, ids=str)
def bench(request, benches):
    return benches[request.param]


@pytest.fixture(params=ADAPTIVE, ids=str)
def adaptive(request, benches):
    return benches[request.param]


@pytest.fixture
def random():
    return np.random.default_rng(20181)


def float32(values):
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def some_weights(random):
    return float32(random.uniform(-1.0, 1.0, SIZE))


def some_gradients(random, num):
    """Far apart in size from weight to weight, of both signs."""
    return float32(random.normal(size=(num, SIZE)) * 10.0 ** random.uniform(-3.0, 0.0, SIZE))


# ---- against the references ----


def run_both(bench, weights, gradients, schedule):
    """Return the weights' changes by the engine and by the reference, and how far apart rounding can bring them.

    Each update rounds the weight (half a unit in the last place of at most the largest weight) and the step (a dozen
    operations, and a state that has gathered one such error for each update before). The step's error is relative to
    what its terms would sum to without cancelling: the reference's step for absolute gradients and weights. (A gradient
    that an L2 decay nearly cancels would need more before it is divided by its own size; these draws have none.)
    """
    name = bench.optimiser.name
    assert name in REFERENCES, f"the optimiser {name} has no reference: write one from its paper"
    reference = REFERENCES[name]
    bench.start(weights)
    state, majorant_state = {}, {}
    expected, bound = weights.copy(), 0.0
    for number, (gradient, settings) in enumerate(zip(gradients, schedule, strict=True)):
        params = bench.optimiser.params
        settings.nesterov = bool(params.get("nesterov", 0.0))
        settings.hyper = float(np.float32(params.get("theta", params.get("hyperRate", 0.0))))
        settings.error = params.get("errorScale", 1.0)
        bench.configure(settings)
        got = bench.step(gradient)
        expected = expected + reference(state, expected, gradient, settings)
        largest = reference(majorant_state, -np.abs(expected), np.abs(gradient), settings)
        bound = bound + EPS * np.abs(expected) + (12 + 4 * number) * EPS * largest
    return got - weights, expected - weights, bound


def constant(num, **values):
    return [Settings(**values) for _ in range(num)]


def changing(num):
    """Rates, momenta and memories that go up and down; values that no power of two divides."""
    phase = np.linspace(0.0, 2.0 * np.pi, num)
    return [Settings(0.05 + 0.03 * np.sin(x), 0.8 + 0.15 * np.cos(x), 0.95 - 0.04 * np.sin(x)) for x in phase]


@pytest.mark.parametrize(
    "schedule",
    [
        constant(12),
        constant(12, momentum=0.0, beta=0.999),
        changing(12),
        constant(12, decay=0.1),
        constant(1),
    ],
    ids=["constant", "no momentum", "changing", "decay", "first step"],
)
def test_deltas_are_those_of_the_paper(bench, random, schedule):
    weights, gradients = some_weights(random), some_gradients(random, len(schedule))
    got, expected, bound = run_both(bench, weights, gradients, schedule)
    # Otherwise the comparison could hardly fail. Steps of a fixed size may add up to 0: nothing is small beside that.
    with np.errstate(divide="ignore"):
        assert np.median(bound / np.abs(expected)) < 1e-3
    assert np.all(np.abs(got - expected) <= bound)


def test_every_reference_is_for_an_optimiser():
    assert set(REFERENCES) == set(CASES)


def test_r_max_prop_is_the_seeds_rule_with_underflow_mended(benches, random):
    ours, seeds = benches["RMaxProp"], benches["Safe"]
    weights = some_weights(random)
    ours.start(weights)
    seeds.start(weights)
    ours.configure(Settings(lr=0.05, beta=math.exp(-1 / SCALE / 200.0)))
    for gradient in some_gradients(random, 10):
        # A rate of 0.05, a quotient of at most 1, ten updates: a few units in the last place.
        np.testing.assert_allclose(ours.step(gradient), seeds.step(gradient), rtol=0, atol=10 * EPS)


# ---- properties ----


def test_the_accumulated_gradient_is_cleared(bench, random):
    bench.start(some_weights(random))
    bench.configure(Settings())
    bench.step(some_gradients(random, 1)[0])
    assert np.all(bench._pull(bench.synapses, "m") == 0.0)


def test_the_transpose_follows(bench, random):
    bench.start(some_weights(random))
    bench.configure(Settings())
    for gradient in some_gradients(random, 3):
        weights = bench.step(gradient)
    back = bench._pull(bench.back, "w")
    assert np.array_equal(back.reshape(COLUMNS, ROWS), weights.reshape(ROWS, COLUMNS).T)


def test_a_weight_without_gradient_stays(bench, random):
    weights = some_weights(random)
    bench.start(weights)
    bench.configure(Settings())
    for _ in range(3):
        assert np.array_equal(bench.step(np.zeros(SIZE)), weights)


def test_at_rate_zero_nothing_moves_but_the_state(bench, random):
    weights = some_weights(random)
    bench.start(weights)
    bench.configure(Settings(lr=0.0, decay=0.1))
    assert np.array_equal(bench.step(some_gradients(random, 1)[0]), weights)
    if bench.optimiser.rate_var is not None:
        return  # what these keep are steps, of which there were none
    moved = np.any(bench.state() != 0.0, axis=1)
    # RMSProp's and SGD's velocity too: the rate comes after it.
    assert moved.all(), [name for name, m in zip(bench.update.vars, moved, strict=True) if not m]


def test_weights_end_at_their_bounds(bench):
    bench.start(np.zeros(SIZE))
    bench.configure(Settings(lr=3.0))
    direction = np.where(np.arange(SIZE) % 2, 1.0, -1.0)
    for _ in range(6):
        weights = bench.step(direction)
    assert np.array_equal(weights, LIMIT * direction)


def test_steps_go_up_the_gradient(bench, random):
    weights, gradient = some_weights(random), some_gradients(random, 1)[0]
    bench.start(weights)
    bench.configure(Settings())
    assert np.array_equal(np.sign(bench.step(gradient) - weights), np.sign(gradient))


def test_weight_decay_alone_shrinks_every_weight(bench, random):
    weights = some_weights(random)
    bench.start(weights)
    bench.configure(Settings(lr=0.01, decay=0.5))
    shrunk = bench.step(np.zeros(SIZE))
    assert np.all(np.sign(weights) * (weights - shrunk) > 0.0)


@pytest.mark.parametrize("exponent", [-80, -40, 40])
def test_adaptive_steps_do_not_depend_on_the_gradients_unit(adaptive, random, exponent):
    """A power of two rounds nothing. At 2**-80, about 1e-24, squares would vanish in single precision."""
    weights, gradients = some_weights(random), some_gradients(random, 5)
    gradients = np.copysign(np.maximum(np.abs(gradients), 0.01), gradients)
    unit = 2.0**exponent
    trained = []
    for scaled in (gradients, gradients * unit):
        adaptive.start(weights)
        adaptive.configure(Settings())
        trained.append([adaptive.step(gradient) for gradient in scaled][-1])
    # What epsilon may take from 5 steps of at most lr / sqrt(1 - beta) / (1 - momentum) each.
    bound = 5 * 0.05 * 32 * 1e-32 / (0.01 * unit) + 8 * EPS
    assert bound < 1e-4
    assert np.abs(trained[0] - weights).max() > 0.04
    np.testing.assert_allclose(trained[1], trained[0], rtol=0, atol=bound)


def test_plain_steps_grow_with_the_gradient(benches, random):
    bench = benches["SGD"]
    gradients = some_gradients(random, 4)
    trained = []
    for scaled in (gradients, 2.0 * gradients):
        bench.start(np.zeros(SIZE))
        bench.configure(Settings())
        trained.append([bench.step(gradient) for gradient in scaled][-1])
    assert np.array_equal(trained[1], 2.0 * trained[0])


def test_a_broken_gradient_is_seen_in_its_weight_alone(bench, random):
    weights, gradient = some_weights(random), some_gradients(random, 1)[0]
    gradient[5] = math.nan
    bench.start(weights)
    bench.configure(Settings())
    assert np.flatnonzero(np.isnan(bench.step(gradient))).tolist() == [5]
