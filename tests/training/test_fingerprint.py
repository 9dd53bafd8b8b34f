"""A checkpoint belongs to one declared network: what differs is named, what may change is let pass."""

import json

import numpy as np
import pytest
from delta_rule import Log

from snnlearn import genn
from snnlearn.errors import TrainingError
from snnlearn.training import OPTIMISERS, Learner, Measure, TrainedConnection
from snnlearn.training.fingerprint import differences

RULE = """
    m += (target - y) * x * gain;
    trace = trace * fade + x;
    addToPost(w * x);
"""


class Nothing(Measure):
    def value(self, timestep):
        return 0.0


NETWORK = {
    "name": "net",
    "dt": 1.0,
    "precision": "float",
    "seed": 1,
    "size": 4,
    "rule": RULE,
    "rule_vars": ["w", "m", "trace"],
    "gain": 1.0,
    "fade": lambda pars, dt: np.exp(-dt / pars["tau"]),
    "leak": 0.5,
    "psm": "injectCurrent(inSyn); inSyn = 0.0;",
    "delay": 0,
    "kicks": [1.0, 2.0],
    "amplitude": 0.1,
    "decay": "v *= 0.5;",
    "decay_group": "Decay",
    "start": 0.1,
    "matrix": "DENSE",
    "bounds": (-5, 5),
    "weight": "w",
    "optimisers": ["SGD"],
    "nesterov": 0.0,
    "preferences": {},
    "record": [],
    "callbacks": [],
    "trial_timesteps": 4,
    "update_timesteps": 4,
    "shuffle": True,
}


def populations(c, model):
    """Add what sends and what receives, and return both."""
    shown = genn.create_neuron_model("shown", vars=["x"], threshold_condition_code="x > 0.0")
    linear = genn.create_neuron_model(
        "linear",
        params=["leak"],
        vars=["y", "target"],
        extra_global_params=[("kicks", "scalar*")],
        sim_code="y = leak * y + Isyn + kicks[0];",
    )
    pre = model.add_neuron_population("Pre", c["size"], shown, {}, {"x": 1.0})
    post = model.add_neuron_population("Post", 2, linear, {"leak": c["leak"]}, {"y": 0.0, "target": 1.0})
    post.extra_global_params["kicks"].set_init_values(c["kicks"])
    return pre, post


def make(**changed):
    """A learner of a network of which every part can be another."""
    c = {**NETWORK, **changed}
    model = genn.GeNNModel(c["precision"], c["name"], **c["preferences"])
    model.dt, model.seed = c["dt"], c["seed"]
    pre, post = populations(c, model)
    rule = genn.create_weight_update_model(
        "rule",
        params=["gain", "tau"],
        derived_params=[("fade", c["fade"])],
        vars=c["rule_vars"],
        pre_neuron_var_refs=["x"],
        post_neuron_var_refs=["y", "target"],
        synapse_dynamics_code=c["rule"],
    )
    weights = genn.init_weight_update(
        rule,
        {"gain": c["gain"], "tau": 10.0},
        {"w": c["start"], "m": 0.0, "trace": 0.0},
        pre_var_refs={"x": genn.create_var_ref(pre, "x")},
        post_var_refs={k: genn.create_var_ref(post, k) for k in ("y", "target")},
    )
    current = genn.create_postsynaptic_model("current", sim_code=c["psm"])
    connect = [genn.init_sparse_connectivity("FixedProbability", {"prob": 1.0})] if c["matrix"] == "SPARSE" else []
    s = model.add_synapse_population("S", c["matrix"], pre, post, weights, genn.init_postsynaptic(current), *connect)
    s.axonal_delay_steps = c["delay"]
    pre.spike_recording_enabled = bool(c["record"])
    model.add_current_source("Bias", "DC", post, {"amp": c["amplitude"]})
    fall = genn.create_custom_update_model("fall", var_refs=["v"], update_code=c["decay"])
    model.add_custom_update("Fall", c["decay_group"], fall, {}, {}, {"v": genn.create_var_ref(post, "y")})
    optimisers = [OPTIMISERS["SGD"].variant("Mine", nesterov=c["nesterov"]), *c["optimisers"]]
    return Learner(
        genn,
        model,
        [TrainedConnection(s, weight=c["weight"], bounds=c["bounds"])],
        trial_timesteps=c["trial_timesteps"],
        shuffle=c["shuffle"],
        update_timesteps=c["update_timesteps"],
        callbacks=c["callbacks"],
        loss=Nothing(),
        record=c["record"],
        populations=[pre] if c["record"] else [],
        optimisers=optimisers,
        quiet=True,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    learner = make()
    learner.fit(2, 0.05, "SGD")
    return learner.save(tmp_path_factory.mktemp("checkpoint") / "ck"), learner


DIFFERENT = {
    "name": ({"name": "other"}, "name is 'net' there, 'other' here"),
    "dt": ({"dt": 0.37}, "dt is 1.0 there, 0.37 here"),
    "precision": ({"precision": "double"}, "precision is 'float' there, 'double' here"),
    "precision of times": (
        {"preferences": {"time_precision": "double"}},
        "time_precision is 'float' there, 'double' here",
    ),
    "size": ({"size": 5}, "neuron population 'Pre', size is 4 there, 5 here"),
    "code": (
        {"rule": RULE.replace("+ x;", "+ 2.0 * x;")},
        "synapse population 'S', weight update, synapse_dynamics_code, line 3, is 'trace = trace * fade + x;' there, "
        "'trace = trace * fade + 2.0 * x;' here",
    ),
    "line": (
        {"rule": RULE + "m *= 0.5;"},
        "synapse_dynamics_code, line 5, is '' there, 'm *= 0.5;' here",
    ),
    "variables": ({"rule_vars": ["w", "m", ("trace", "double")]}, "weight update, vars is ['w scalar READ_WRITE', "),
    "parameter": ({"gain": 2.0}, "synapse population 'S', weight update, parameters, gain is 1.0 there, 2.0 here"),
    "neuron's": ({"leak": 0.25}, "neuron population 'Post', model, parameters, leak is 0.5 there, 0.25 here"),
    "function": ({"fade": lambda pars, dt: 0.5}, "derived parameters, synapse population 'S', fade is 0.90"),
    "postsynaptic": ({"psm": "injectCurrent(2.0 * inSyn); inSyn = 0.0;"}, "'S', postsynaptic, sim_code, line 1, is"),
    "delay": ({"delay": 3}, "synapse population 'S', axonal_delay_steps is 0 there, 3 here"),
    "array": ({"kicks": [1.0, 2.5]}, "neuron population 'Post', arrays, kicks is '2 values of float32, sha256 "),
    "current": ({"amplitude": 0.2}, "current source 'Bias', model, parameters, amp is 0.1 there, 0.2 here"),
    "update": ({"decay": "v *= 0.25;"}, "custom update 'Fall', model, update_code, line 1, is 'v *= 0.5;' there"),
    "group": ({"decay_group": "Other"}, "custom update 'Fall', group is 'Decay' there, 'Other' here"),
    "matrix": (
        {"matrix": "SPARSE"},
        "synapse population 'S', connectivity, matrix_type is 'DENSE' there, 'SPARSE' here",
    ),
    "bounds": ({"bounds": (-0.2, 5)}, "trained connection 'S', bounds is [-5.0, 5.0] there, [-0.2, 5.0] here"),
    "no bounds": ({"bounds": None}, "trained connection 'S', bounds is [-5.0, 5.0] there, None here"),
    "trained": ({"weight": "trace"}, "trained connection 'S', weight is 'w' there, 'trace' here"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_another_network_is_refused_and_the_difference_named(name, saved):
    changed, message = DIFFERENT[name]
    other = make(**changed)
    with pytest.raises(TrainingError, match="the checkpoint is of another network: ") as caught:
        other.load(saved[0])
    assert message in str(caught.value)
    assert "load(name, force=True)" in str(caught.value)


def test_an_optimiser_with_another_constant_is_another(tmp_path):
    learner = make()
    learner.build()
    learner.save(tmp_path / "mine")
    with pytest.raises(TrainingError, match=r"optimiser 'Mine', parameters, nesterov is 0\.0 there, 1\.0 here"):
        make(nesterov=1.0).load(tmp_path / "mine")


def test_several_differences_are_named_together(saved):
    with pytest.raises(TrainingError) as caught:
        make(dt=0.5, gain=2.0, bounds=(-1, 1)).load(saved[0])
    text = str(caught.value)
    assert "dt is 1.0" in text
    assert "gain is 1.0" in text
    assert "bounds is [-5.0, 5.0]" in text
    assert "derived" not in text, "the dt says why"
    changed = {"dt": 0.5, "gain": 2.0, "leak": 0.1, "delay": 1, "amplitude": 0.3, "decay": "v = 0.0;", "name": "x"}
    with pytest.raises(TrainingError, match="; and 2 more "):
        make(**changed, bounds=(-1, 1)).load(saved[0])


ALLOWED = {
    "the same": {},
    "threads": {"preferences": {"threads": 2}},
    "rewrites": {"preferences": {"optimise": ()}},
    "seed": {"seed": 9},
    "first weights": {"start": genn.init_var("Normal", {"mean": 0.0, "sd": 1.0})},
    "recordings": {"record": [5]},
    "a weight that is declared to be read only": {
        "rule_vars": [("w", "scalar", genn.VarAccess.READ_ONLY), "m", "trace"]
    },
    "numbers of NumPy": {
        "trial_timesteps": np.int64(4),
        "shuffle": np.bool_(True),
        "nesterov": np.float32(0.0),
        "gain": np.float32(1.0),
        "bounds": np.array([-5, 5]),
    },
    "comments and blanks": {"rule": "// the delta rule\n" + RULE.replace("\n    trace", " /* fades */ trace  ")},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_may_change(name, saved):
    path, whole = saved
    learner = make(**ALLOWED[name])
    learner.load(path)
    assert learner.runner.update == whole.runner.update
    connections = learner.connections + whole.connections
    here, there = (c.synapses.vars["w"] for c in connections)
    for variable in (here, there):
        variable.pull_from_device()
    np.testing.assert_array_equal(here.view, there.view)


def test_a_checkpoint_with_numbers_of_numpy(saved, tmp_path):
    learner = make(**ALLOWED["numbers of NumPy"])
    learner.load(saved[0])
    learner.save(tmp_path / "again")
    make().load(tmp_path / "again")


def test_recordings_cannot_begin_within_a_trial(tmp_path):
    half = make(callbacks=[Log(("update_end", 1))], update_timesteps=3)
    half.fit(2, 0.05, "SGD")
    assert half.runner.timesteps_left
    half.save(tmp_path / "half")
    make(update_timesteps=3).load(tmp_path / "half")
    with pytest.raises(TrainingError, match=r"it has no Pre\.recording"):
        make(update_timesteps=3, record=[1]).load(tmp_path / "half")


def test_a_gpu_has_the_same_network():
    assert make(preferences={"backend": "cuda"}).model.description() == make().model.description()


def test_force_loads_another_network(saved):
    other = make(gain=2.0, bounds=(-1, 1), dt=0.5)
    other.load(saved[0], force=True)
    assert other.runner.update == 2
    with pytest.raises(TrainingError, match=r"another network: Pre\.own\.x is float32 of shape \(4,\) there"):
        make(size=5).load(saved[0], force=True)


def test_a_checkpoint_without_fingerprint(saved, tmp_path):
    with np.load(saved[0], allow_pickle=False) as file:
        parts = dict(file)
    progress = json.loads(str(parts["progress"]))
    del progress["fingerprint"]
    progress["format"] = 1
    np.savez(tmp_path / "old.npz", **{**parts, "progress": np.array(json.dumps(progress))})
    with pytest.raises(TrainingError, match=r"no fingerprint of its network, .* load\(name, force=True\)"):
        make().load(tmp_path / "old")
    learner = make()
    learner.load(tmp_path / "old", force=True)
    assert learner.runner.update == 2


def test_a_fingerprint_can_be_read(saved):
    with np.load(saved[0], allow_pickle=False) as file:
        found = json.loads(str(file["progress"]))["fingerprint"]
    assert found["synapse population 'S'"]["weight update"]["synapse_dynamics_code"].split() == RULE.split()
    assert found["trained connection 'S'"]["bounds"] == [-5.0, 5.0]
    assert "custom update 'SGD_S'" not in found, "optimisers are told by themselves"


def test_arrays_that_change_while_training_make_no_other_network(tmp_path):
    learner = make()
    learner.fit(1, 0.05, "SGD")
    kicks = learner.model.neuron_populations["Post"].extra_global_params["kicks"]
    kicks.view[:] = 7.0
    kicks.push_to_device()
    learner.save(tmp_path / "ck")
    make().load(tmp_path / "ck")


def test_what_is_there_or_here_alone():
    assert differences({"a": {"b": 1}}, {}) == ["a is there, not here"]
    assert differences({}, {"a": {"b": 1}}) == ["a is here, not there"]
    assert differences({"x_code": "a  =  b ;"}, {"x_code": "a = b; // so"}) == []
    assert differences({"x_code": "a = 1;"}, {}) == ["x_code, line 1, is 'a = 1;' there, '' here"]
    assert differences({"x_code": "$(a) = 'b';"}, {"x_code": "$(a)  = 'c';"})[0].startswith("x_code, line 1, is")
