"""Built networks: what they are made of, that they learn, what they answer, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn.builders import MeanPotential, Neuron, Rule, feed_forward, recurrent
from snnlearn.errors import TrainingError
from snnlearn.models import LIF
from snnlearn.training import ArrayData

random = np.random.default_rng(2)
Y = np.arange(90) % 3
X = (0.2 * random.uniform(size=(90, 12)) + 0.8 * random.uniform(size=(3, 12))[Y]).clip(0.0, 1.0)
DATA = ArrayData(X, Y)


@pytest.fixture(scope="module")
def trained():
    train, test = DATA.split(0.2, 1)
    network = feed_forward([12, 20, 3], train, batch_size=10)
    learner = network.learner(train, test, quiet=True)
    learner.fit_opt_sched(network.phases(20))
    yield network, learner, test
    network.model.unload()


def test_a_network_learns_and_answers(trained):
    network, learner, test = trained
    last = learner.epochs[-1]
    assert last.loss < 0.3 * learner.epochs[0].loss
    assert last.metrics["accuracy"] == np.mean(network.predict(test) == test.y) > 0.9


def test_answers_depend_on_nothing_but_the_example(trained):
    network, _, test = trained
    before = network.model.state()
    alone = np.concatenate([network.scores(test.part([i])) for i in range(3)])
    np.testing.assert_array_equal(alone, network.scores(test)[:3])
    # The same examples as an array, whose spikes the device does not hold yet.
    np.testing.assert_array_equal(network.scores(X[test.places]), network.scores(test))
    after = network.model.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_more_spikes_than_there_is_room_for_are_refused(trained):
    network, _, _ = trained
    with pytest.raises(TrainingError, match="give fewer at once"):
        network.scores(np.tile(X, (2, 1)))
    with pytest.raises(TrainingError, match="the network is for 12 inputs, and these data have 11"):
        network.predict(X[:, :11])


def test_a_pass_back_follows_the_batch_alone(trained):
    """The gradient of a batch is the mean of its examples', and no example leaves anything behind."""
    network, learner, _ = trained
    weights = [network.connections[name].vars["g"] for name in network.trained]

    def gradient(indices):
        learner.model.custom_update("Rest")
        learner.model.timestep = 0
        learner.data.present_batch(learner.model, np.resize(indices, 10))
        learner.model.run(network.timesteps)
        network.program.program.zero_grad()
        network.program.weigh_copies((np.arange(10) < len(indices)) / len(indices))
        network.program.backward()
        return [w.grad.astype(np.float64) for w in weights]

    batch = gradient(np.arange(4))
    single = [gradient(np.array([i])) for i in range(4)]
    for found, *parts in zip(batch, *single, strict=True):
        assert np.abs(found).max() > 0.0
        np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-5 * np.abs(found).max())


def test_groups_are_there_by_name():
    network = recurrent([12, 8, 6, 3], DATA, neuron="ALIF", readout=MeanPotential(tau=10.0))
    assert list(network.populations) == ["Input", "Hidden1", "Hidden2", "Output"]
    assert network.trained == [
        "InputHidden1", "Hidden1Hidden1", "Hidden1Hidden2", "Hidden2Hidden2", "Hidden2Output",
    ]  # fmt: skip
    assert network.populations["Hidden2"] is network.model.neuron_populations["Hidden2"]
    assert network.connections["Hidden1Hidden1"].trg is network.populations["Hidden1"]
    with pytest.raises(TrainingError, match="no weights yet"):
        network.predict(X)


def test_a_batch_of_spikes_is_classified_by_a_population_in_the_same_state():
    with pytest.raises(TrainingError, match="encoded the other way"):
        feed_forward([12, 5, 3], DATA).learner(ArrayData(X, Y, "current"))


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ([11, 5, 3], {}, "sizes begins with 11, and the data have 12 inputs"),
        ([12, 5, 4], {}, "sizes ends with 4, and the data have 3 classes"),
        ([12, 3], {}, "one hidden layer at least"),
        ([12, 0, 3], {}, "whole numbers above 0, not 0"),
        ([12, 5.0, 3], {}, "whole numbers above 0, not 5.0"),
        ("12", {}, "sizes are those of"),
        ([12, 5, 3], {"neuron": "LFI"}, "there is no neuron 'LFI' .*; did you mean 'LIF'"),
        ([12, 5, 3], {"rule": "bpt"}, "did you mean 'bptt'"),
        ([12, 5, 3], {"rule": Rule("superspike")}, "there is no rule 'superspike'"),
        ([12, 5, 3], {"readout": "maxx"}, "did you mean 'max'"),
        ([12, 5, 3], {"readout": "count", "rule": "eventprop"}, "SpikeCount is trained by 'bptt', not by 'eventprop'"),
        ([12, 5, 3], {"dt": 0.0}, "dt must be finite and above 0"),
        ([12, 5, 3], {"dt": 60.0}, "dt is 60 ms, and an example takes 50 ms"),
        ([12, 5, 3], {"batch_size": 0}, "batch_size must be a whole number"),
        ([12, 5, 3], {"rate": float("nan")}, "rate must be finite"),
    ],
)
def test_what_makes_no_network_is_refused(sizes, options, message):
    with pytest.raises(TrainingError, match=message):
        feed_forward(sizes, DATA, **options)


def test_data_and_neurons_that_are_none_are_refused():
    with pytest.raises(TrainingError, match="data must be ArrayData"):
        feed_forward([12, 5, 3], (X, Y))
    with pytest.raises(TrainingError, match="tau must be finite and above 0"):
        MeanPotential(tau=-1.0)
    with pytest.raises(TrainingError, match="needs a value for its parameter 'C'"):
        Neuron(LIF, {}, {})
    with pytest.raises(TrainingError, match="did you mean 'TauM'"):
        Neuron(LIF, {"TauMm": 1.0}, {})


def test_constant_currents_train_a_network_too():
    data = ArrayData(X, Y, "current")
    network = feed_forward([12, 15, 3], data, batch_size=30)
    learner = network.learner(quiet=True)
    learner.fit_opt_sched(network.phases(12))
    network.model.unload()
    assert learner.epochs[-1].loss < 0.7 * learner.epochs[0].loss
