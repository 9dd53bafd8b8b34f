"""Copies of a batch that take turns: each computes what it would alone."""

import numpy as np

from snnlearn import genn
from snnlearn.codegen.plan import build_plan, optimise

COPIES, STEPS = 3, 300  # more than a turn
SCALARS = ["z", "zTilda"]

spiking = genn.create_neuron_model(
    "spiking",
    params=["tau"],
    vars=["V", ("drive", "scalar", genn.VarAccess.READ_ONLY_DUPLICATE), "count"],
    sim_code="V += (Isyn + drive - V) / tau * dt;",
    threshold_condition_code="V >= 1.0",
    reset_code="V = 0.0; count += 1.0;",
)
# A recurrence in matrix form with a closed form for rows without spikes, of which all copies have their own.
learning = genn.create_weight_update_model(
    "learning",
    vars=[("w", "scalar", genn.VarAccess.READ_ONLY), "e", "m"],
    pre_vars=SCALARS,
    post_neuron_var_refs=[("V", "scalar", genn.VarAccessMode.READ_ONLY)],
    pre_spike_syn_code="addToPost(w);",
    pre_spike_code="z += 1.0;",
    pre_dynamics_code="z += -0.125 * z; zTilda += 0.0625 * (z - zTilda);",
    synapse_dynamics_code="e += zTilda * V - 0.125 * e; m += e * V;",
)


def make(drive, batch=1, delay=0, code=None, **preferences):
    model = genn.GeNNModel("float", "turns", **{"threads": 1, **preferences})
    model.dt, model.batch_size = 1.0, batch
    groups = [
        model.add_neuron_population(name, size, spiking, {"tau": 8.0}, {"V": 0.0, "drive": given, "count": 0.0})
        for name, size, given in (("A", 7, drive), ("B", 70, 0.5))
    ]
    refs = {"V": genn.create_var_ref(groups[1], "V")}
    weights = np.linspace(-0.5, 2.0, 490, dtype=np.float32)
    init = genn.init_weight_update(learning, {}, {"w": weights, "e": 0.0, "m": 0.0}, dict.fromkeys(SCALARS, 0.0),
                                   post_var_refs=refs)  # fmt: skip
    s = model.add_synapse_population("S", "DENSE", *groups, init, genn.init_postsynaptic("ExpCurr", {"tau": 4.0}))
    s.axonal_delay_steps = delay
    recording = model.record(groups[1], ["V"], timesteps=STEPS, every=3)
    model.build()
    model.load()
    return model, groups, s, recording


def results(parts):
    _, groups, s, recording = parts
    variables = [s.vars["e"], s.vars["m"], groups[0].vars["V"], groups[1].vars["count"]]
    for variable in variables:
        variable.pull_from_device()
    return [np.array(v.current_values) for v in variables], np.array(recording["V"].values)


def drives():
    return np.random.default_rng(2).uniform(0.9, 1.6, (COPIES, 7)).astype(np.float32)


def test_each_copy_computes_what_it_would_alone():
    """Bit by bit, with what is deferred in blocks of the same timesteps."""
    batch = make(drives(), COPIES)
    assert "turns" in batch[0].explain()
    batch[0].run(STEPS)
    values, rows = results(batch)
    for copy, drive in enumerate(drives()):
        alone = make(drive)
        alone[0].run(STEPS)
        expected, expected_rows = results(alone)
        assert expected[3].min() > 0
        for found, one in zip(values, expected, strict=True):
            np.testing.assert_array_equal(found[copy], one)
        np.testing.assert_array_equal(rows[:, copy], expected_rows[:, 0])


def test_lengths_of_runs_make_no_difference_but_that_of_rounding():
    """Runs of a few timesteps defer nothing; nor do the last few behind a block, which must be done by then."""
    whole, parts = (make(drives(), COPIES, threads=n) for n in (1, 2))
    whole[0].run(STEPS)
    for length in (1, 7, 8, 70, 3, 65, STEPS - 154):
        parts[0].run(length)
    for found, expected in zip(results(parts)[0], results(whole)[0], strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_array_equal(results(parts)[1], results(whole)[1])


def test_without_deferral_they_are_the_same_to_the_last_bit():
    names = ("turns",)
    apart, together = (make(drives(), COPIES, 5, optimise=names[:n]) for n in (1, 0))
    for one in (apart, together):
        one[0].run(STEPS)
    for found, expected in zip(results(apart)[0], results(together)[0], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_copies_that_see_each_other_do_not_take_turns():
    """An array that code writes to is one for all copies."""
    noisy = genn.create_neuron_model(
        "noisy", vars=["x"], extra_global_params=[("log", "scalar*")], sim_code="log[id] += 1.0; x = log[id];"
    )
    model = genn.GeNNModel("float", "seen", threads=1)
    model.batch_size = 2
    group = model.add_neuron_population("N", 2, noisy, {}, {"x": 0.0})
    group.extra_global_params["log"].set_init_values(np.zeros(2))
    plan = build_plan(model._describe())
    assert not optimise(plan).turns
    assert not optimise(build_plan(make(0.0)[0]._describe())).turns, "a single copy"
    model.build()
    model.load()
    model.run(3)
    group.vars["x"].pull_from_device()
    assert group.vars["x"].values.tolist() == [[5.0, 5.0], [6.0, 6.0]]
