"""The two loops against the same arithmetic in NumPy, by the delta rule; and by a program, pass after pass."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest
from delta_rule import Examples, make, weights
from numpy.typing import NDArray

from snnlearn import genn, grad
from snnlearn.errors import GradientError, LifecycleError, NetworkError, TrainingError
from snnlearn.meta import BiLevel, extract_state, recover_state, stop_gradient
from snnlearn.models import LIF
from snnlearn.training import Callback, Data, Learner, Mean, TrainedConnection, TrainingPhase

INNER = TrainingPhase(2, "MetaSGD", 0.05)
Array = NDArray[np.float64]


class ByHand:
    """Meta-SGD to first order on the delta rule: a trial of 4 timesteps gives 3 times the same gradient."""

    def __init__(self, w: Array, lr: float) -> None:
        self.w, self.alpha, self.lr = w.copy(), np.ones_like(w), lr

    @staticmethod
    def descent(w: Array, x: Array, target: Array) -> Array:
        """Return minus the gradient of half the squared error, a mean over timesteps."""
        return 0.75 * np.outer(x, target - x @ w)

    def episode(self, data: Any, held_out: Any, epochs: int) -> tuple[Array, Array, Array, float]:
        """Return what the rates should move by, what the weights should, the adapted weights and the outer loss."""
        w, path = self.w.copy(), np.zeros_like(self.w)
        for _ in range(epochs):
            for x, target in zip(data.x, data.target, strict=True):
                step = self.lr * self.descent(w, x, target)
                path += step
                w += self.alpha * step
        outer = np.mean([self.descent(w, *pair) for pair in zip(held_out.x, held_out.target, strict=True)], axis=0)
        loss = float(np.mean(np.sum((held_out.x @ w - held_out.target) ** 2, axis=1)))
        return path * outer, outer, w, loss


def learner_of(**settings: Any) -> Learner:
    return make(precision="double", optimisers=[], shuffle=False, **settings)


def alphas(bilevel: BiLevel) -> Array:
    variable = bilevel.learner.model.custom_updates["MetaSGD_Synapses"].vars["alpha"]
    variable.pull_from_device()
    return np.array(variable.values).reshape(4, 2)


def test_rates_and_initial_weights_learn_as_by_hand() -> None:
    """Three rounds of two episodes, each with data of its own."""
    learner = learner_of()
    seen: list[int] = []

    def episode(number: int) -> tuple[Data, Data]:
        seen.append(number)
        return Examples(learner.network, 5, number), Examples(learner.network, 3, 100 + number)

    bilevel = BiLevel(learner, inner=INNER, outer=episode, meta_lr=0.3, weight_lr=0.2, episodes=2)
    learner.build(["MetaSGD"])
    by_hand = ByHand(weights(learner).reshape(4, 2).astype(np.float64), 0.05)
    for number in range(3):
        found = bilevel.round()
        expected = [by_hand.episode(*episode(2 * number + k), epochs=2) for k in range(2)]
        by_hand.alpha += 0.3 * (expected[0][0] + expected[1][0]) / 2
        by_hand.w += 0.2 * (expected[0][1] + expected[1][1]) / 2
        np.testing.assert_allclose(found.outer, [e[3] for e in expected], rtol=1e-6)
        np.testing.assert_allclose(alphas(bilevel), by_hand.alpha, rtol=0, atol=1e-12)
        np.testing.assert_allclose(weights(learner).reshape(4, 2), by_hand.w, rtol=0, atol=1e-12)
        assert (found.number, [len(losses) for losses in found.inner]) == (number, [10, 10])
    assert np.abs(alphas(bilevel) - 1).max() > 0.01
    np.testing.assert_allclose(bilevel.rates()["Synapses"].reshape(4, 2), 0.05 * by_hand.alpha, rtol=0, atol=1e-12)
    assert seen == [0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5]
    assert learner.runner.trial == 0  # back where rounds begin


def test_weights_that_go_on_are_taken_for_given() -> None:
    learner = learner_of()
    held_out = Examples(learner.network, 3, 9)
    bilevel = BiLevel(learner, inner=TrainingPhase(1, "MetaSGD", 0.05), outer=held_out, meta_lr=0.1, restart=False)
    learner.build(["MetaSGD"])
    bilevel.set_meta_lr(0.3)
    by_hand = ByHand(weights(learner).reshape(4, 2).astype(np.float64), 0.05)
    for _ in range(4):
        bilevel.round()
        moved, _, by_hand.w, _ = by_hand.episode(learner.data, held_out, epochs=1)
        by_hand.alpha += 0.3 * moved
        np.testing.assert_allclose(weights(learner).reshape(4, 2), by_hand.w, rtol=0, atol=1e-12)
        np.testing.assert_allclose(alphas(bilevel), by_hand.alpha, rtol=0, atol=1e-12)
    assert learner.runner.trial == 4 * len(learner.data)


def test_any_optimiser_moves_the_rates() -> None:
    """Adam's first step is as long as its rate, whatever the gradient."""
    learner = learner_of()
    bilevel = BiLevel(learner, inner=INNER, outer=Examples(learner.network, 3, 9), meta_lr=0.01, meta_optimiser="Adam")
    bilevel.run(1)
    np.testing.assert_allclose(np.abs(alphas(bilevel) - 1.0), 0.01, rtol=1e-6)


def test_what_fails_leaves_the_learner_where_the_round_began() -> None:
    learner = learner_of()
    bilevel = BiLevel(learner, inner=INNER, outer=Examples(learner.network, 3, 9), meta_lr=0.1, episodes=2)
    bilevel.run(1)
    before = learner.model.state()

    class Breaks(Callback):
        def on_update(self, learner: Any, update: int) -> None:
            if update == 7:
                raise ValueError("enough")

    learner.callbacks.append(Breaks())
    with pytest.raises(TrainingError, match="ValueError: enough"):
        bilevel.round()
    for name, values in learner.model.state().items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
    learner.callbacks.clear()
    assert bilevel.run(1)[0].number == 1


def test_what_is_not_finite() -> None:
    learner = learner_of()

    class Wrong(Examples):
        """Puts infinity where the outer loop finds it: in its target, or in what rates are moved by."""

        rates = False

        def present(self, model: Any, index: int) -> None:
            super().present(model, index)
            if self.rates:
                gradient = model.custom_updates["MetaSGD_Synapses_meta_gradient"].vars["rateGradient"]
                gradient.values = np.nan
                gradient.push_to_device()

    wrong = Wrong(learner.network, 3, 9)
    bilevel = BiLevel(learner, inner=INNER, outer=wrong, meta_lr=0.1)
    wrong.rates = True
    with pytest.raises(TrainingError, match=r"8 of 8 rates of 'Synapses' are no longer finite: a lower"):
        bilevel.round()
    wrong.rates, wrong.target = False, wrong.target + np.float32(np.inf)
    with pytest.raises(TrainingError, match="the outer loss of episode 0 is inf: a lower inner rate"):
        bilevel.round()
    np.testing.assert_array_equal(alphas(bilevel), 1.0)


def test_misuse() -> None:
    def bilevel(**changes: Any) -> BiLevel:
        learner = changes.pop("learner", None) or learner_of()
        return BiLevel(learner, **{"inner": INNER, "outer": Data(), "meta_lr": 0.1, **changes})

    with pytest.raises(GradientError, match=r"order=2: .* snnlearn\.torch\.to_module"):
        bilevel(order=2)
    for optimiser in ("SGD", "IDBD"):
        with pytest.raises(TrainingError, match=f"the optimiser '{optimiser}' has no rates that an outer loop could"):
            bilevel(inner=TrainingPhase(1, optimiser, 0.1))
    with pytest.raises(TrainingError, match="inner has phases of 0 optimisers"):
        bilevel(inner=[])
    with pytest.raises(TrainingError, match="inner is a TrainingPhase, or several"):
        bilevel(inner=["MetaSGD"])
    with pytest.raises(TrainingError, match="inner is a TrainingPhase, or several, not 3"):
        bilevel(inner=3)
    with pytest.raises(TrainingError, match="outer is Data, or a function of an episode's number"):
        bilevel(outer=[Data()])
    for bounds in ((2.0, 1.0), 3.0, ("a", 1.0), (np.nan, 1.0)):
        with pytest.raises(TrainingError, match=r"rate_bounds must be \(low, high\), not "):
            bilevel(rate_bounds=bounds)
    for lr in (np.nan, np.inf, -1.0):
        with pytest.raises(TrainingError, match="lr must be"):
            bilevel(meta_lr=lr)
        with pytest.raises(TrainingError, match="lr must be"):
            bilevel(weight_lr=lr)
    with pytest.raises(TrainingError, match="with restart=False they go on"):
        bilevel(weight_lr=0.1, restart=False)
    with pytest.raises(TrainingError, match="a number of rounds or episodes is a positive integer, not 0"):
        bilevel(episodes=0)
    with pytest.raises(TrainingError, match="BiLevel needs a Learner, not int"):
        bilevel(learner=3)
    built = learner_of()
    built.build(["MetaSGD"])
    with pytest.raises(TrainingError, match="is built: make the BiLevel before its first fit"):
        bilevel(learner=built)
    with pytest.raises(TrainingError, match="lr must be"):
        bilevel().set_meta_lr(np.nan)
    with pytest.raises(LifecycleError):
        bilevel().rates()
    twice = learner_of()
    bilevel(learner=twice)
    with pytest.raises(NetworkError, match="MetaSGD_Synapses_meta_gradient"):
        bilevel(learner=twice)
    learner = learner_of(count=5, update_offset=1)
    uneven = bilevel(learner=learner, outer=Examples(learner.network, 3, 9))
    with pytest.raises(TrainingError, match="the inner loop has to end with an update: it ends at timestep 40"):
        uneven.round()


# ---- by a program ----

LOSS = grad.Loss("Distance", loss_code="loss = 0.5 * (V + 55.0) * (V + 55.0);")
MEMBRANE = {"C": 1.0, "TauM": 10.0, "Vrest": -60.0, "Vreset": -62.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
STEPS = 40


class Distance(Mean):
    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def of_trial(self, data: Any, index: int) -> float:
        self.output.vars["V"].pull_from_device()
        return float(np.mean((self.output.vars["V"].view + 55.0) ** 2))


class Current(Data):
    """Shows the first layer a current."""

    def __init__(self, source: Any, amount: float) -> None:
        self.source, self.amount = source, amount

    def present(self, model: Any, index: int) -> None:
        self.source.vars["x"].values = self.amount * np.linspace(0.5, 1.5, 8)
        self.source.vars["x"].push_to_device()


class Spiking:
    """A layer driven by a layer that spikes, with a program for its gradient."""

    def __init__(self) -> None:
        self.model = genn.GeNNModel("double", "bilevel", threads=1)
        self.model.dt, self.model.seed = 1.0, 1
        drive = genn.create_neuron_model(
            "Driven", vars=["V", "x"], sim_code="V += x;", threshold_condition_code="V >= 10.0", reset_code="V = 0.0;"
        )
        self.source = self.model.add_neuron_population("Source", 8, drive, {}, {"V": 0.0, "x": 0.0})
        rest = {"V": -60.0, "RefracTime": 0.0}
        self.output = self.model.add_neuron_population("Output", 3, LIF, MEMBRANE, rest)
        rule = genn.init_weight_update("StaticPulse", {}, {"g": np.linspace(-0.1, 0.2, 24)})
        psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        self.synapses = self.model.add_synapse_population("S", "DENSE", self.source, self.output, rule, psm)
        self.weights = self.synapses.vars["g"]
        self.program = grad.differentiate(
            self.model, [self.weights], {self.output: LOSS}, surrogate="FastSigmoid", params={"beta": 1.0}, window=STEPS
        )

    def learner(self) -> Learner:
        return Learner(
            genn, self.model, [TrainedConnection(self.synapses, "g")], trial_timesteps=STEPS, update_timesteps=STEPS,
            loss=Distance(self.output), data=Current(self.source, 2.0), quiet=True, gradient=self.program,
        )  # fmt: skip

    def descent(self, current: float) -> Array:
        """Run a trial, and return minus the gradient, a mean over timesteps."""
        Current(self.source, current).present(self.model, 0)
        self.model.timestep = 0
        self.model.run(STEPS)
        self.program.zero_grad()
        self.program.backward()
        return -np.array(self.weights.grad) / STEPS


def test_a_program_goes_back_through_both_loops() -> None:
    spiking, other = Spiking(), Spiking()
    bilevel = BiLevel(
        spiking.learner(), inner=TrainingPhase(2, "MetaSGD", 0.001), outer=Current(spiking.source, 3.0), meta_lr=0.1
    )
    bilevel.run(2)
    other.model.build()
    other.model.load()
    alpha = np.ones(24)
    for _ in range(2):
        stop_gradient(other.model)
        start, path = extract_state(other.model), np.zeros(24)
        for _ in range(2):
            step = 0.001 * other.descent(2.0)
            path += step
            other.weights.pull_from_device()
            other.weights.values = other.weights.values + alpha * step
            other.weights.push_to_device()
        alpha += 0.1 * path * other.descent(3.0)
        recover_state(other.model, start)
    rates = spiking.model.custom_updates["MetaSGD_S"].vars["alpha"]
    rates.pull_from_device()
    assert np.abs(alpha - 1.0).max() > 1e-3
    np.testing.assert_allclose(rates.values, alpha, rtol=0, atol=1e-12)
    for model in (spiking.model, other.model):
        model.unload()


@pytest.mark.parametrize("number", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_many_rounds_take_no_more_memory_than_two(number: int) -> None:
    spiking = Spiking()
    bilevel = BiLevel(
        spiking.learner(), inner=TrainingPhase(1, "MetaSGD", 0.001), outer=Current(spiking.source, 3.0), meta_lr=0.1
    )
    peaks = []
    gc.collect()
    gc.freeze()  # what is there already need not be looked at each time
    tracemalloc.start()
    try:
        for _ in range(number):
            gc.collect()  # of what refers to itself some is always left
            tracemalloc.reset_peak()
            bilevel.round()
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
        gc.unfreeze()
        spiking.model.unload()
    assert peaks[-1] <= 1.05 * peaks[1]


def test_the_tape_lasts_for_any_number_of_rounds_with_stop_gradient_alone() -> None:
    """Rounds whose outer run nothing goes back through: without an end of the window there is no room for the third."""
    spiking = Spiking()
    spiking.model.build()
    spiking.model.load()
    for _ in range(100):
        spiking.descent(2.0)
        spiking.model.run(STEPS // 2)  # the outer loss is only looked at
        stop_gradient(spiking.program)
    with pytest.raises(LifecycleError, match="run the model first"):
        spiking.program.backward()
    spiking.model.run(STEPS)
    with pytest.raises(LifecycleError, match=f"{2 * STEPS} timesteps were run, but the tape holds {STEPS}"):
        spiking.descent(2.0)
    spiking.model.unload()
