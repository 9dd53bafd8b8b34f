"""Yin-Yang in batches: the mean of its examples by every rule, the last batch of an epoch with fewer of them."""

import numpy as np
import pytest

from snnlearn import datasets, genn
from snnlearn.training import Callback
from snnlearn.userproject import yin_yang, yin_yang_spikes
from snnlearn.userproject.yin_yang_data import BatchedPatterns

BATCH, EXAMPLES, LR = 5, 8, 0.5
TRAIN, VALID = datasets.yin_yang(EXAMPLES, 1), datasets.yin_yang(1, 2)


class Restart(Callback):
    """Puts the first state back after each trial, and keeps the weights that it led to."""

    def __init__(self, connections):
        self.connections, self.found, self.state = connections, [], None

    def on_train_begin(self, trainer, num_trials):
        self.state = trainer.model.state()

    def on_trial_end(self, trainer, trial):
        self.found.append([weights(c) for c in self.connections])
        trainer.model.set_state(self.state)


def weights(connection):
    variable = connection.synapses.vars[connection.weight]
    variable.pull_from_device()
    return variable.values.astype(np.float64)


def singly(learner, program, timesteps):
    """The gradient of each example alone, by connection, from a network that shows one at a time."""
    learner.build(["SGD"])
    model, state, found = learner.model, learner.model.state(), []
    for example in range(EXAMPLES):
        for group in learner.reset_groups:
            model.custom_update(group)
        model.timestep = 0
        if isinstance(learner.data, BatchedPatterns):
            learner.data.present_batch(model, np.array([example]))
        else:
            learner.data.present(model, example)
        model.run(timesteps)
        if program is not None and program.pending:
            program.backward()
        gradients = [c.synapses.vars[c.gradient] for c in learner.connections]
        for m in gradients:
            m.pull_from_device()
        found.append([m.values.astype(np.float64) for m in gradients])
        model.set_state(state)
    return found


SLOW = [pytest.param(rule, marks=pytest.mark.slow) for rule in yin_yang.RULES if rule != "bptt"]


@pytest.mark.parametrize("rule", ["bptt", *SLOW])
def test_a_batch_is_the_mean_of_its_examples(rule):
    timesteps = yin_yang_spikes.TRIAL_TIMESTEPS if rule == "eventprop" else yin_yang.TRIAL_TIMESTEPS
    batched, single = (yin_yang.make_learner(genn, TRAIN, VALID, 12, 3, True, rule, size) for size in (BATCH, 1))
    restart = Restart(batched.connections)
    batched.callbacks.append(restart)
    batched.shuffle, batched.validation = False, None
    batched.build(["SGD"])
    before = [weights(c) for c in batched.connections]
    batched.fit(1, LR, "SGD", momentum=0.0)
    gradients = singly(single, single.runner._gradient, timesteps)
    shown = [range(BATCH), range(BATCH, EXAMPLES)]
    for after, examples in zip(restart.found, shown, strict=True):
        for n, w in enumerate(before):
            expected = LR * np.mean([gradients[i][n] for i in examples], axis=0) / timesteps
            scale = np.abs(expected).max()
            assert scale > 0.0
            # Weights of size 50 have steps of 4e-6: what the difference of two says of a gradient.
            rounding = np.spacing(np.float32(np.abs(w).max()))
            np.testing.assert_allclose(after[n] - w, expected, rtol=0, atol=1e-5 * scale + rounding)
