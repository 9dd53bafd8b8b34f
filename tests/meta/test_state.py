"""A learner whose state is put back trains on as it did; misuse is refused before anything changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from delta_rule import PHASES, Late, Log, make, weights

from snnlearn import genn
from snnlearn.errors import ArgumentError, LifecycleError, NetworkError, StateError, TrainingError
from snnlearn.meta import State, extract_state, recover_state
from snnlearn.training import Callback, TrainingPhase

EVENTS = ["train_begin", "phase_begin", "trial_begin", "update", "update_end", "trial_end", "epoch_end", "phase_end"]


class Take(Log):
    """Takes the learner's state when an event comes for the second time, or for the only one."""

    def __init__(self, event: str, by: str = "copy") -> None:
        super().__init__()
        self.event, self.by, self.learner, self.state = event, by, None, None

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("on_"):
            return super().__getattribute__(name)
        event = name.removeprefix("on_")

        def note(learner: Any, *args: Any) -> None:
            first = event in (e for e, *_ in self.events)
            self.events.append((event, *args))
            if event == self.event and self.state is None and (first or event == "train_begin"):
                self.state = extract_state(learner, self.by)

        return note


def outcome(learner: Any) -> list[Any]:
    epochs = [(e.epoch, e.loss, e.validation_loss) for e in learner.epochs]
    return [learner.model.state(), weights(learner), learner.sched.losses, epochs, learner.sched.lrs.tolist()]


def assert_same(found: list[Any], expected: list[Any]) -> None:
    for one, other in zip(found[0].values(), expected[0].values(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(found[1:3], expected[1:3], strict=True):
        np.testing.assert_array_equal(one, other)
    assert found[3:] == expected[3:]


@pytest.mark.parametrize("kind", [None, Late], ids=["read at once", "on the device"])
@pytest.mark.parametrize("event", EVENTS)
def test_a_fit_goes_on_from_the_midst_of_itself(event: str, kind: Any) -> None:
    learner = make(validation=3 if kind is None else 0, update_offset=1, kind=kind)
    take = Take(event)
    learner.callbacks.append(take)
    learner.fit_opt_sched(PHASES)
    expected = outcome(learner)
    assert take.state is not None
    for more in (0, 2):  # further training in between makes no difference
        if more:
            learner.fit(more, 0.3, "Adam")
        recover_state(learner, take.state)
        learner.fit_opt_sched(PHASES, resume=True)
        assert_same(outcome(learner), expected)


def test_within_a_fit_only_the_model_can_be_put_back() -> None:
    learner = make()
    learner.build()
    state = extract_state(learner)
    network = extract_state(learner.model)

    class Back(Callback):
        def __init__(self, target: Any, state: State) -> None:
            self.target, self.state = target, state

        def on_trial_end(self, learner: Any, trial: int) -> None:
            recover_state(self.target, self.state)

    learner.callbacks.append(Back(learner, state))
    with pytest.raises(TrainingError, match="a fit is under way: end it first, by raising StopTraining"):
        learner.fit(1, 0.1, "SGD")
    learner.callbacks[:] = [Back(learner.model, network)]
    before = weights(learner).copy()
    learner.fit(1, 0.1, "SGD")
    assert np.any(before)


def test_a_rate_is_set_anew_after_the_model_alone_was_put_back() -> None:
    """The model's rates go back with it, and are not those that its learner has set."""
    learner, other = make(shuffle=False), make(shuffle=False)
    learner.fit(1, 0.2, "SGD", momentum=0.0)
    state = extract_state(learner.model)
    learner.fit(1, 0.01, "SGD", momentum=0.0)
    recover_state(learner.model, state)
    other.fit(1, 0.2, "SGD", momentum=0.0)
    for one in (learner, other):
        one.fit(1, 0.01, "SGD", momentum=0.0)
    np.testing.assert_array_equal(weights(learner), weights(other))


def test_what_is_no_state_of_this_training() -> None:
    learner, longer = make(), make(every=2)
    for one in (learner, longer):
        one.build()
    state = extract_state(longer)
    assert repr(state) == f"State(of a learner, by='copy', timestep=0, nbytes={state.nbytes})"
    with pytest.raises(StateError, match="the state is of another training: update_timesteps is 8 there, 4 here"):
        recover_state(learner, state)
    with pytest.raises(StateError, match="the state is that of a learner, and this is a model"):
        recover_state(learner.model, state)
    with pytest.raises(StateError, match="the state is that of a model, and this is a learner"):
        recover_state(learner, extract_state(learner.model))
    fewer = make(optimisers=["SGD"])
    fewer.build()
    with pytest.raises(StateError, match=r"the state is of another network: it has 'Adam_Synapses\.mean', and this"):
        recover_state(fewer, extract_state(learner))
    with pytest.raises(StateError, match=r"the state is of another network: it has no 'Adam_Synapses\.mean'"):
        recover_state(learner, extract_state(fewer))


def test_the_first_variable_that_differs_is_named() -> None:
    def model_of(size: int, delayed: bool = False, records: int = 0, plays: bool = False) -> Any:
        model = genn.GeNNModel("float", "sizes")
        counts = genn.create_neuron_model(
            "Counts", vars=[("x", "scalar", genn.VarAccess.READ_ONLY), "y"], sim_code="y += x;",
            threshold_condition_code="y > 3.0",
        )  # fmt: skip
        a = model.add_neuron_population("A", size, counts, {}, {"x": 1.0, "y": 0.0})
        if delayed:
            rule = genn.init_weight_update("StaticPulseConstantWeight", {"g": 1.0})
            c = model.add_synapse_population("AA", "DENSE", a, a, rule, genn.init_postsynaptic("DeltaCurr"))
            c.axonal_delay_steps = 3
        if records:
            model.record(a, ["y"], records)
        if plays:
            model.play(a, "x", np.ones((9, size)))
        model.build()
        model.load()
        return model

    plain = model_of(5)
    for other, message in (
        (model_of(6), r"'A\.x' has 6 values of float32 there, 5 of float32 here"),
        (model_of(5, delayed=True), "it has .* and this one has not"),
        (model_of(5, records=4), "it records other variables of 'A', or another number of timesteps"),
        (model_of(5, plays=True), r"'A\.x' plays rows in one of the two|it has no 'A\.x'"),
    ):
        with pytest.raises(StateError, match=message):
            recover_state(plain, extract_state(other))
        with pytest.raises(StateError, match="the state is of another network: "):
            recover_state(other, extract_state(plain))
        other.unload()
    plain.unload()


def test_arguments() -> None:
    learner = make()
    with pytest.raises(LifecycleError, match=r"call build\(\) and load\(\) first"):
        extract_state(learner)
    learner.build()
    state = extract_state(learner)
    with pytest.raises(ArgumentError, match='by is "copy" or "reference", not \'clone\''):
        extract_state(learner, by="clone")
    with pytest.raises(ArgumentError, match=r"that of a Learner or of a GeNNModel of snnlearn\.genn, not of int"):
        extract_state(3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"recover_state puts back what extract_state took, not \{\}"):
        recover_state(learner, {})  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="keep is a sequence of variables"):
        recover_state(learner, state, keep=learner.network["w"])
    with pytest.raises(ArgumentError, match=r"keep takes variables, such as connection\.vars"):
        recover_state(learner, state, keep=["w"])  # type: ignore[list-item]
    with pytest.raises(ArgumentError, match=r"keep: 'Synapses\.w' is no variable of this model"):
        recover_state(learner, state, keep=[make().network["w"]])


def test_a_reference_is_worth_nothing_after_training_or_unloading() -> None:
    learner = make()
    learner.build()
    state = extract_state(learner, by="reference")
    recover_state(learner, state)
    learner.fit_opt_sched([TrainingPhase(1, "SGD", 0.1)])
    before = learner.progress()
    with pytest.raises(
        StateError, match=r"the state was taken by reference, and .* has been overwritten since, by .*: take"
    ):
        recover_state(learner, state)
    assert learner.progress() == before
    state = extract_state(learner.model, by="reference")
    learner.model.unload()
    learner.model.load()
    with pytest.raises(StateError, match="its model is another one or has been unloaded since"):
        recover_state(learner.model, state)


def test_spike_times_are_checked_after_a_state_is_put_back() -> None:
    """The places of spikes in an array come back, and the array, which is the caller's, may hold others."""
    model = genn.GeNNModel("float", "sources")
    times = {"startSpike": 0, "endSpike": [5]}
    source = model.add_neuron_population("Source", 1, "SpikeSourceArray", {}, times)
    array = source.extra_global_params["spikeTimes"]
    array.set_init_values(np.arange(5.0))
    model.build()
    model.load()
    state = extract_state(model)
    source.vars["endSpike"].values = 2
    source.vars["endSpike"].push_to_device()
    array.values = [7.0, 8.0, 6.0, 5.0, 4.0]
    array.push_to_device()
    model.run(1)
    recover_state(model, state)
    with pytest.raises(NetworkError, match="does not ascend: sort it"):
        model.run(1)
    array.values = np.arange(5.0)
    array.push_to_device()
    model.run(1)
