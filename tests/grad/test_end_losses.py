"""Losses of scores at the end: their derivatives are those of differences, in numbers and through a network."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import GradientError
from snnlearn.models import LIF

BATCH, STEPS = 4, 40
MEMBRANE = {"C": 20.0, "TauM": 20.0, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 1.0, "Ioffset": 0.0, "TauRefrac": 0.0}
TARGET = np.eye(3)[[0, 1, 2, 0]]
TARGET[3] = 0.0  # a copy that counts for nothing


@pytest.mark.parametrize("loss", [grad.CrossEntropy(), grad.SquaredError(2.0, -0.5)])
def test_the_derivative_is_that_of_differences(loss):
    scores = np.random.default_rng(1).normal(size=(BATCH, 3))
    value, by = loss.of(scores, TARGET)
    assert value[3] == 0.0
    assert not by[3].any()
    for i in range(3):
        more, less = scores.copy(), scores.copy()
        more[:, i] += 1e-6
        less[:, i] -= 1e-6
        wanted = (loss.of(more, TARGET)[0] - loss.of(less, TARGET)[0]) / 2e-6
        np.testing.assert_allclose(by[:, i], wanted, atol=1e-8)


def network(score: str, loss=None, **options):
    """A hidden layer and a leaky readout, which is linear in its weights."""
    readout = genn.create_neuron_model(
        "readout", vars=["V", "score", "target"], sim_code=f"V = 0.9 * V + Isyn;\n{score}"
    )
    model = genn.GeNNModel("double", "end_losses", threads=1)
    model.dt, model.seed, model.batch_size = 1.0, 3, BATCH
    places = np.arange(5 * BATCH).reshape(BATCH, 5)
    source = model.add_neuron_population("S", 5, "SpikeSourceArray", {}, {"startSpike": places, "endSpike": places + 1})
    source.extra_global_params["spikeTimes"].set_init_values(np.random.default_rng(1).uniform(0.0, 20.0, places.size))
    hidden = model.add_neuron_population("H", 8, LIF, MEMBRANE, {"V": 0.0, "RefracTime": 0.0})
    out = model.add_neuron_population("O", 3, readout, {}, {"V": 0.0, "score": 0.0, "target": TARGET})
    weights = []
    for name, ends, spread in (("SH", (source, hidden), (3.0, 2.0)), ("HO", (hidden, out), (0.0, 0.3))):
        normal = genn.init_var("Normal", dict(zip(("mean", "sd"), spread, strict=True)))
        rule, current = genn.init_weight_update("StaticPulse", {}, {"g": normal}), {"tau": 5.0}
        weights.append(
            model.add_synapse_population(name, "DENSE", *ends, rule, genn.init_postsynaptic("ExpCurr", current)).vars[
                "g"
            ]
        )
    given = {"surrogate": "FastSigmoid", "params": {"beta": 5.0}, "window": STEPS} | options
    program = grad.differentiate(model, weights, {out: grad.CrossEntropy() if loss is None else loss}, **given)
    return model, weights, out, program


def test_a_pass_back_is_the_difference_of_losses():
    # A mean and a maximum, one after the other.
    model, weights, out, program = network("score += V / 40.0; score = (t > 20.0) ? fmax(score, V) : score;")
    model.build()
    model.load()
    w, score = weights[1], out.vars["score"]
    w.pull_from_device()
    first, state = w.values, model.state()

    def loss() -> float:
        model.set_state(state)
        model.timestep = 0
        w.push_to_device()
        with program.no_grad():
            model.run(STEPS)
        score.pull_from_device()
        return float(grad.CrossEntropy().of(score.view, TARGET)[0].sum())

    model.run(STEPS)
    program.backward()
    by = w.grad
    assert np.abs(by).max() > 0.1
    for place in np.argsort(-np.abs(by))[:6]:
        around = []
        for change in (1e-5, -1e-5):
            w.values = first
            w.view[place] += change
            around.append(loss())
        np.testing.assert_allclose((around[0] - around[1]) / 2e-5, by[place], rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (grad.CrossEntropy("scor"), {}, "has no variable 'scor'; did you mean 'score'"),
        (grad.CrossEntropy(target="label"), {}, "has no variable 'label'"),
        ((grad.CrossEntropy(), grad.SquaredError(1.0)), {}, "and one EndLoss"),
        (grad.CrossEntropy(), {"method": "superspike", "window": None}, "is for 'bptt' and 'eventprop'"),
    ],
)
def test_a_loss_that_does_not_fit_is_refused(loss, options, message):
    with pytest.raises(GradientError, match=message):
        network("score = V;", loss, **options)


def test_a_loss_of_no_numbers_is_refused():
    with pytest.raises(GradientError, match="right must be a finite number"):
        grad.SquaredError(float("nan"))
    with pytest.raises(GradientError, match="score is the name of a variable"):
        grad.CrossEntropy(score=3)
