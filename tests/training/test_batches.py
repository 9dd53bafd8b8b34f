"""Batches: what they train is what their examples train, and the rest of a training goes on as with single ones."""

import numpy as np
import pytest
from delta_rule import LINE, PHASES, Early, Late, Log, make, weights

from snnlearn import genn
from snnlearn.errors import TrainingError
from snnlearn.training import Data, Learner, Mean, Measure, TrainedConnection

# Sums of a few dozen float32 numbers of order 1, in another order.
CLOSE = {"float": 2e-6, "double": 1e-14}


def singly(learner, size, lr=0.1):
    """The weights after an epoch of SGD, and the loss of each update, from single examples in double precision."""
    data = learner.data
    w, losses = weights(learner).astype(np.float64).reshape(4, 2), []
    for first in range(0, len(data), size):
        shown = range(first, min(first + size, len(data)))
        x, target = data.x.astype(np.float64), data.target.astype(np.float64)
        losses.append(np.mean([np.sum((x[i] @ w - target[i]) ** 2) for i in shown]))
        w = w + lr * np.mean([np.outer(x[i], 3 * (target[i] - x[i] @ w)) / 4 for i in shown], axis=0)
    return w.ravel(), losses


@pytest.mark.parametrize("precision", ["float", "double"])
def test_a_batch_is_the_mean_of_its_examples(precision):
    """The last batch has 5 of 32 examples, and the means are over these."""
    learner = make(69, batch_size=32, shuffle=False, precision=precision)
    learner.build()
    expected, losses = singly(learner, 32)
    learner.fit(1, 0.1, "SGD", momentum=0.0)
    np.testing.assert_allclose(weights(learner), expected, rtol=0, atol=CLOSE[precision])
    np.testing.assert_allclose(learner.sched.losses, losses, rtol=20 * CLOSE[precision])
    assert learner.epochs[0].loss == pytest.approx(np.mean(losses))


def test_it_is_what_single_trials_with_one_update_train():
    single, batched = make(12, every=4), make(12, batch_size=4)
    for learner in (single, batched):
        learner.fit(3, 0.05, "Adam")
    np.testing.assert_allclose(weights(batched), weights(single), rtol=0, atol=2e-6)
    np.testing.assert_allclose(batched.sched.losses, single.sched.losses, rtol=4e-5)
    assert batched.data.presented[0].tolist() == single.data.presented[:4], "the order is the same"


def test_what_is_missing_is_filled_up_with_the_batch():
    learner = make(5, batch_size=3, shuffle=False)
    learner.fit(1, 0.1, "SGD")
    assert [shown.tolist() for shown in learner.data.presented] == [[0, 1, 2], [3, 4, 3]]


def test_what_is_missing_may_be_no_number():
    learner = make(4, batch_size=3, shuffle=False)
    learner.build()
    expected, _ = singly(learner, 3)
    own = learner.data.present_batch

    def present_batch(model, indices):
        own(model, indices)
        if indices[0] == 3:
            learner.network["x"].view[1:] = np.nan
            learner.network["x"].push_to_device()

    learner.data.present_batch = present_batch
    learner.fit(1, 0.1, "SGD", momentum=0.0)
    np.testing.assert_allclose(weights(learner), expected, rtol=0, atol=2e-6)


def test_a_batch_of_one():
    single, batched = make(4), make(4, batch_size=1)
    for learner in (single, batched):
        learner.fit_opt_sched(PHASES)
    np.testing.assert_array_equal(weights(batched), weights(single))
    assert batched.sched.losses.tolist() == single.sched.losses.tolist()


def test_updates_within_trials():
    """The second of two updates a trial begins where the first has cleared all gradients."""
    learner = make(4, batch_size=4, update_timesteps=2, shuffle=False, kind=Early)
    learner.build()
    x, target = learner.data.x.astype(np.float64), learner.data.target.astype(np.float64)
    w = weights(learner).astype(np.float64).reshape(4, 2)
    # A gradient sees the output of the timestep before, and the first timestep none.
    first = np.mean([np.outer(x[i], target[i] - x[i] @ w) / 2 for i in range(4)], axis=0)
    y, w = x @ w, w + 0.1 * first
    second = np.mean([np.outer(x[i], 2 * target[i] - y[i] - x[i] @ w) / 2 for i in range(4)], axis=0)
    learner.fit(1, 0.1, "SGD", momentum=0.0)
    np.testing.assert_allclose(weights(learner), (w + 0.1 * second).ravel(), rtol=0, atol=2e-6)


def test_validation_in_batches():
    """It counts each example once, and leaves no trace."""
    learner, unwatched = make(6, batch_size=4, validation=7, metrics=[]), make(6, batch_size=4)
    for one in (learner, unwatched):
        one.fit(2, 0.05, "SGD")
    np.testing.assert_array_equal(weights(learner), weights(unwatched))
    w = weights(learner).astype(np.float64).reshape(4, 2)
    errors = np.sum((learner.validation.x @ w - learner.validation.target) ** 2, axis=1)
    assert learner.validate()[0] == pytest.approx(errors.mean(), rel=1e-5)
    assert learner.epochs[-1].validation_loss == pytest.approx(errors.mean(), rel=1e-5)


@pytest.mark.parametrize("stop_at", [("update", 3), ("update_end", 4), ("trial_end", 2)])
def test_resuming_a_checkpoint(stop_at, tmp_path):
    whole = make(7, batch_size=3)
    whole.fit_opt_sched(PHASES)
    stopped = make(7, batch_size=3, callbacks=[Log(stop_at)])
    stopped.fit_opt_sched(PHASES)
    assert len(stopped.sched.losses) < len(whole.sched.losses)
    stopped.save(tmp_path / "checkpoint")
    resumed = make(7, batch_size=3)
    resumed.load(tmp_path / "checkpoint")
    for learner in (stopped, resumed):
        learner.fit_opt_sched(PHASES, resume=True)
        np.testing.assert_array_equal(weights(learner), weights(whole))
        assert learner.sched.losses.tolist() == whole.sched.losses.tolist()


def test_an_update_that_failed_is_done_again():
    """An error between the mean and the update leaves the copies' gradients as they were."""
    whole, broken = make(6, batch_size=3), make(6, batch_size=3, callbacks=[Log(("update", 1), KeyError("mine"))])
    whole.fit_opt_sched([LINE])
    with pytest.raises(TrainingError, match="mine"):
        broken.fit_opt_sched([LINE])
    broken.fit_opt_sched([LINE], resume=True)
    np.testing.assert_array_equal(weights(broken), weights(whole))


def test_a_checkpoint_of_another_batch(tmp_path):
    learner = make(6, batch_size=3)
    learner.fit(1, 0.1, "SGD")
    learner.save(tmp_path / "checkpoint")
    with pytest.raises(TrainingError, match="batch_size is 3 there, 2 here"):
        make(6, batch_size=2).load(tmp_path / "checkpoint")
    taken = make(6, batch_size=2)
    taken.load(tmp_path / "checkpoint", weights_only=True)
    np.testing.assert_array_equal(weights(taken), weights(learner))


def test_losses_that_stay_on_the_device():
    """The log keeps the sum over all copies."""
    early, late = (make(8, batch_size=4, kind=kind, read_trials=100) for kind in (Early, Late))
    for learner in (early, late):
        learner.fit(3, 0.01, "SGD")
    assert early.sched.losses.tolist() == late.sched.losses.tolist()
    y = late.network["y"]
    y.pull_from_device()
    assert late.loss.value(0) == pytest.approx(float(y.view.sum()) ** 2, rel=1e-5)


# ---- wrong set-ups ----


@pytest.mark.parametrize("size", [0, -2, 2.0, "4", True])
def test_sizes_that_are_none(size):
    with pytest.raises(TrainingError, match="batch_size must be a whole number and positive"):
        make(batch_size=size)


def test_fewer_examples_than_a_batch():
    learner = make(5, batch_size=6)
    with pytest.raises(TrainingError, match="batch_size is 6, and the data of phase 0 has 5 examples: give it no more"):
        learner.fit(1, 0.1, "SGD")


def test_a_last_batch_within_a_longer_sum():
    learner = make(5, batch_size=2, every=2)
    with pytest.raises(TrainingError, match="the last batch of the data of phase 0 has 1 examples instead of 2, and"):
        learner.fit(1, 0.1, "SGD")
    make(4, batch_size=2, every=2).fit(1, 0.1, "SGD")


def network(batch_size=1, access=genn.VarAccess.READ_ONLY, build=False):
    model = genn.GeNNModel("float", "delta_rule", threads=1)
    model.batch_size = batch_size
    model_x = genn.create_neuron_model("x", vars=["x"])
    model_y = genn.create_neuron_model("y", vars=["y", "target"], sim_code="y = Isyn;")
    rule = genn.create_weight_update_model(
        "own", vars=[("w", "scalar", access), "m"], synapse_dynamics_code="m += 1.0; addToPost(w);"
    )
    x = model.add_neuron_population("X", 2, model_x, {}, {"x": 0.0})
    y = model.add_neuron_population("Y", 2, model_y, {}, {"y": 0.0, "target": 0.0})
    init = genn.init_weight_update(rule, {}, {"w": 1.0, "m": 0.0})
    synapses = model.add_synapse_population("S", "DENSE", x, y, init, genn.init_postsynaptic("DeltaCurr"))
    if build:
        model.build()
    return model, synapses


class Nothing(Measure):
    def value(self, timestep):
        return 0.0


def train(model, synapses, **settings):
    return Learner(
        genn, model, [TrainedConnection(synapses)],
        **{"trial_timesteps": 2, "update_timesteps": 2, "loss": Nothing(), "batch_size": 4, **settings},
    )  # fmt: skip


def test_a_network_of_another_batch():
    with pytest.raises(TrainingError, match=r"batch_size is 4, and the network has a batch of 3: set model.batch_size"):
        train(*network(3))
    with pytest.raises(TrainingError, match="batch_size is 4, and the network is built for a batch of 1"):
        train(*network(build=True))
    assert train(*network(4)).model.batch_size == train(*network()).model.batch_size == 4


def test_weights_that_each_copy_has_its_own_of():
    with pytest.raises(TrainingError, match=r"the weight 'w' of 'S' can be written in each copy of a batch.*READ_ONLY"):
        train(*network(access=genn.VarAccess.READ_WRITE))


class OneByOne(Data):
    def present(self, model, index): ...


class InBatches(Data):
    def present_batch(self, model, indices): ...

    def __len__(self):
        return 8


class Single(Mean):
    def of_trial(self, data, index):
        return 0.0


class Batched(Mean):
    def of_batch(self, data, indices):
        return np.zeros(len(indices))


class AfterTrial(Nothing):
    def after_trial(self, data, index): ...


class TooMany(Batched):
    def of_batch(self, data, indices):
        return np.zeros(len(indices) + 1)


WRONG = {
    "data": ({"data": OneByOne()}, "the data of phase 0: OneByOne has present and no present_batch; a learner asks"),
    "validation": ({"data": InBatches(), "validation": OneByOne()}, "validation: OneByOne has present and no"),
    "mean": ({"loss": Single()}, "'loss': Single has of_trial and no of_batch"),
    "measure": ({"metrics": [AfterTrial()]}, "'loss': AfterTrial has after_trial and no after_batch"),
    "batches": (
        {"batch_size": None, "data": InBatches()},
        "InBatches has present_batch and no present; a learner asks",
    ),
    "batched mean": ({"batch_size": None, "loss": Batched()}, "'loss': Batched has of_batch and no of_trial"),
    "numbers": ({"data": InBatches(), "loss": TooMany()}, "'loss' must give 4 numbers, one an example, not array"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_know_how_examples_are_shown(name):
    settings, message = WRONG[name]
    with pytest.raises(TrainingError, match=message):
        train(*network(), **settings).fit(1, 0.1, "SGD")
