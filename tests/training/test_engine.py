"""Training asks of an engine what `snnlearn.training.engine` declares, and nothing else."""

import inspect

import numpy as np
import pytest
from delta_rule import PHASES, make, weights

from snnlearn import genn
from snnlearn.training import Learner, TrainedConnection, engine


def members(protocol):
    """The public members of a protocol and of those that it extends."""
    bases = [base for base in protocol.__mro__ if base.__module__ == engine.__name__]
    return {name: what for base in bases for name, what in vars(base).items() if not name.startswith("_")}


PROTOCOLS = {
    name: protocol for name, protocol in vars(engine).items() if getattr(protocol, "__module__", "") == engine.__name__
}


class Only:
    """Has of an object what a protocol has, and hands the object itself on where it is an argument."""

    def __init__(self, whole, protocol):
        self.__dict__.update(_whole=whole, _protocol=protocol, _members=members(protocol))

    def _check(self, name):
        assert name in self._members, f"{self._protocol.__name__} has no {name}"

    def __getattr__(self, name):
        if name == "scalar_precision":  # the one name that may be absent
            raise AttributeError(name)
        self._check(name)
        found = getattr(self._whole, name)
        if not inspect.isroutine(found):
            return found
        return lambda *args, **kwargs: found(*map(bare, args), **{key: bare(value) for key, value in kwargs.items()})

    def __setattr__(self, name, value):
        self._check(name)
        assert self._members[name].fset is not None, f"{name} is read-only"
        setattr(self._whole, name, value)


def bare(value):
    return value._whole if isinstance(value, Only) else value


class OnlyModel(Only):
    def add_custom_update(self, *args):
        return Only(self._whole.add_custom_update(*args), engine.CustomUpdateApi)


def test_training_needs_nothing_else(tmp_path):
    whole = make(6, validation=3)
    given = make(6, validation=3)
    synapses = given.connections[0].synapses
    learner = Learner(
        Only(genn, engine.EngineApi),
        OnlyModel(given.model, engine.ModelApi),
        [TrainedConnection(Only(synapses, engine.SynapseGroupApi), bounds=(-5, 5))],
        trial_timesteps=4,
        update_timesteps=4,
        loss=given.loss,
        data=given.data,
        validation=given.validation,
        optimisers=["SGD", "Adam"],
        quiet=True,
    )
    learner.network = given.network
    for one in (whole, learner):
        one.fit_opt_sched(PHASES)
        one.check_weights()
        one.load(one.save(tmp_path / "one"))
        one.fit(1, 0.01, "SGD")
    np.testing.assert_array_equal(weights(learner), weights(whole))
    np.testing.assert_array_equal(learner.sched.losses, whole.sched.losses)


def test_the_stand_in_refuses_what_is_not_declared():
    only = Only(make().model, engine.ModelApi)
    with pytest.raises(AssertionError, match="ModelApi has no preferences"):
        only.preferences  # noqa: B018
    with pytest.raises(AssertionError, match="precision is read-only"):
        only.precision = "double"


# Programs, and their tapes, are of this engine's models alone.
@pytest.mark.parametrize("name", sorted(PROTOCOLS.keys() - {"GradientApi", "TapeApi"}))
def test_the_real_genn_has_all_of_it(name):
    pygenn = pytest.importorskip("pygenn", reason="PyGeNN is not installed")
    pygenn_engine = pytest.importorskip("snnlearn.pygenn_engine")
    theirs = {
        "EngineApi": pygenn_engine,
        "ModelApi": pygenn_engine.GeNNModel,
        "SteppedModelApi": pygenn_engine.GeNNModel,
        "NeuronGroupApi": pygenn.NeuronGroup,
        "SynapseGroupApi": pygenn.SynapseGroup,
        "CustomUpdateApi": pygenn.CustomUpdate,
        "VariableApi": pygenn.genn_groups.Variable,
    }
    made = {"vars", "precision"}  # in __init__
    missing = [
        member for member in members(PROTOCOLS[name]) if not hasattr(theirs[name], member) and member not in made
    ]
    assert not missing
