"""Programs written for PyGeNN run unchanged, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# In the style of PyGeNN's examples: a network that learns by a custom update, replays its input in every trial by
# uploading a host copy that nobody has changed, and passes a preference that only CUDA knows.
PROGRAM = """
import numpy as np
from pygenn import (GeNNModel, VarAccessMode, create_custom_update_model, create_neuron_model,
                    create_postsynaptic_model, create_var_ref, create_weight_update_model, create_wu_var_ref,
                    init_postsynaptic, init_var, init_weight_update)

STEPS = 100
integrator = create_neuron_model(
    "integrator",
    params=["tau", "theta"],
    vars=[("V", "scalar"), ("trace", "scalar"), ("next", "unsigned int"), ("last", "unsigned int")],
    derived_params=[("alpha", lambda pars, dt: np.exp(-dt / pars["tau"]))],
    extra_global_params=[("goal", "scalar*")],
    additional_input_vars=[("Ierr", "scalar", 0.0)],
    sim_code=\"\"\"
    V = (alpha * V) + Isyn;
    trace = (trace * alpha) - Ierr;
    if (next != last && t >= goal[next]) {
        next++;
        trace += 1.0;
    }
    \"\"\",
    threshold_condition_code="V >= theta",
    reset_code="V = 0.0; trace -= 1.0;")
rule = create_weight_update_model(
    "rule",
    params=["tau"],
    vars=[("w", "scalar"), ("m", "scalar")],
    pre_vars=[("z", "scalar")],
    post_neuron_var_refs=[("trace", "scalar", VarAccessMode.READ_ONLY)],
    pre_spike_syn_code="addToPost(w);",
    pre_spike_code="z += 1.0;",
    pre_dynamics_code="z -= z / tau;",
    synapse_dynamics_code="m += z * trace;")
feedback = create_weight_update_model(
    "feedback", vars=[("w", "scalar")], pre_neuron_var_refs=[("trace", "scalar", VarAccessMode.READ_ONLY)],
    synapse_dynamics_code="addToPost(w * trace);")
inject = create_postsynaptic_model("inject", sim_code="injectCurrent(inSyn); inSyn = 0.0;")
learn = create_custom_update_model(
    "learn", params=["rate"], vars=[("steps", "scalar")],
    var_refs=[("m", "scalar"), ("variable", "scalar")],
    update_code="variable += rate * m; steps += fabs(rate * m); m = 0.0;")

rng = np.random.default_rng(1)
trains = [np.sort(rng.uniform(0, STEPS * 0.5, 6)) for _ in range(20)]
ends = np.cumsum([len(train) for train in trains])
starts = np.concatenate(([0], ends[:-1]))

model = GeNNModel("float", "small_demo", generateLineInfo=True)
model.dt = 0.5
model.seed = 4
source = model.add_neuron_population("Source", 20, "SpikeSourceArray", {}, {"startSpike": starts, "endSpike": ends})
source.extra_global_params["spikeTimes"].set_init_values(np.concatenate(trains))
sink = model.add_neuron_population(
    "Sink", 3, integrator, {"tau": 10.0, "theta": 1.0},
    {"V": 0.0, "trace": 0.0, "next": [0, 2, 4], "last": [2, 4, 6]})
sink.extra_global_params["goal"].set_init_values([10.0, 30.0, 5.0, 25.0, 15.0, 35.0])
for population in (source, sink):
    population.spike_recording_enabled = True
forward = model.add_synapse_population(
    "Forward", "DENSE", source, sink,
    init_weight_update(rule, {"tau": 8.0}, {"w": init_var("Normal", {"mean": 0.3, "sd": 0.1}), "m": 0.0}, {"z": 0.0},
                       post_var_refs={"trace": create_var_ref(sink, "trace")}),
    init_postsynaptic("ExpCurr", {"tau": 2.0}))
back = model.add_synapse_population(
    "Back", "DENSE", sink, source,
    init_weight_update(feedback, {}, {"w": 0.0}, pre_var_refs={"trace": create_var_ref(sink, "trace")}),
    init_postsynaptic(inject))
side = model.add_synapse_population(
    "Side", "DENSE", sink, sink,
    init_weight_update(feedback, {}, {"w": 0.001}, pre_var_refs={"trace": create_var_ref(sink, "trace")}),
    init_postsynaptic("DeltaCurr"))
side.post_target_var = "Ierr"
optimiser = model.add_custom_update(
    "Optimiser", "Learn", learn, {"rate": 0.00005}, {"steps": 0.0},
    {"m": create_wu_var_ref(forward, "m"), "variable": create_wu_var_ref(forward, "w", back, "w")})
optimiser.set_param_dynamic("rate")
model.build()
model.load(num_recording_timesteps=STEPS)
assert model.backend_name and model.neuron_update_time == 0.0

inputs = []
for trial in range(3):
    if trial == 2:
        optimiser.set_dynamic_param_value("rate", 0.0)
    model.timestep = 0
    sink.vars["V"].view[:] = 0.0
    sink.vars["V"].push_to_device()
    for i in range(STEPS):
        model.step_time()
        if i == 50:
            before = forward.vars["w"].view.copy()
            model.custom_update("Learn")
    source.vars["startSpike"].push_to_device()
    sink.vars["next"].push_to_device()
    model.pull_recording_buffers_from_device()
    inputs.append(source.spike_recording_data[0])
    forward.vars["w"].pull_from_device()
    back.vars["w"].pull_from_device()
    np.testing.assert_array_equal(back.vars["w"].view, forward.vars["w"].values.reshape(20, 3).T.ravel())
    changed = not np.array_equal(before, forward.vars["w"].view)
    assert changed == (trial < 2), trial
assert len(inputs[0][0]) > 100, inputs
for times, ids in inputs[1:]:
    np.testing.assert_array_equal(times, inputs[0][0])
    np.testing.assert_array_equal(ids, inputs[0][1])
assert len(sink.spike_recording_data[0][0]) > 0
print("finished", len(inputs[2][0]))
"""


def run(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "program.py"
    file.write_text(textwrap.dedent(code))
    command = [sys.executable, "-W", "error", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)


def test_a_program_for_pygenn_runs_unchanged(tmp_path: Path) -> None:
    done = run("import snnlearn.genn\nsnnlearn.genn.install_as_pygenn()\n" + PROGRAM, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("finished 1")
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"], "nothing is written beside the program"


def test_or_after_one_changed_import(tmp_path: Path) -> None:
    done = run(PROGRAM.replace("from pygenn import", "from snnlearn.genn import"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_types_are_there_too(tmp_path: Path) -> None:
    done = run(
        """
        import snnlearn.genn as g
        g.install_as_pygenn()
        g.install_as_pygenn()
        import pygenn
        from pygenn import GeNNModel, create_neuron_model, types
        assert pygenn is g
        neuron = create_neuron_model("N", vars=[("x", types.Double), ("n", types.Uint8)], sim_code="x += 0.5; n++;")
        model = GeNNModel(types.Float, "types", backend="single_threaded_cpu")
        population = model.add_neuron_population("P", 2, neuron, vars={"x": 0, "n": 255})
        model.build()
        model.load()
        model.step_time()
        for variable in population.vars.values():
            variable.pull_from_device()
        print(population.vars["x"].view.dtype, population.vars["n"].view)
        """,
        tmp_path,
    )
    assert (done.stdout, done.stderr) == ("float64 [0 0]\n", "")


def test_never_mixed_with_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "pygenn.py").write_text("")
    done = run("import pygenn, snnlearn.genn\nsnnlearn.genn.install_as_pygenn()", tmp_path)
    assert done.returncode != 0
    assert "LifecycleError: the real pygenn has been imported already" in done.stderr


@pytest.mark.parametrize("call", ['g.install_as_pygenn("cuda:1")', 'g.with_backend("cuda:1").install_as_pygenn()'])
def test_scripts_that_name_no_back_end_run_on_the_one_asked_for(tmp_path: Path, call: str) -> None:
    program = f"""import snnlearn.genn as g
{call}
from pygenn.genn_model import GeNNModel
assert GeNNModel("float", "m").backend_name == "cuda"
assert GeNNModel("float", "m", backend="cpu").backend_name == "cpu"
"""
    done = run(program, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_back_end_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    done = run('import snnlearn.genn\nsnnlearn.genn.install_as_pygenn("cude")', tmp_path)
    assert done.returncode != 0
    assert "cuda" in done.stderr.splitlines()[-1]


def test_programs_import_what_pygenn_has(tmp_path: Path) -> None:
    done = run(
        """
        from importlib.metadata import version, PackageNotFoundError
        try:
            installed = version("pygenn")
        except PackageNotFoundError:
            installed = None
        import snnlearn.genn
        snnlearn.genn.install_as_pygenn()
        snnlearn.genn.install_as_pygenn()
        import pygenn
        import pygenn.cuda_backend
        from pygenn import genn_model, neuron_models, types
        from pygenn._genn import NeuronGroup, SynapseGroup, WUVarReference
        from pygenn.cuda_backend import BlockSizeSelect, DeviceSelect
        from pygenn.genn_groups import NeuronGroupMixin
        from pygenn.genn_model import (CurrentSource, CustomUpdateVarAccess, GeNNModel, SynapseMatrixType, VarAccess,
                                       VarAccessMode, VarLocation, backend_modules, cpu_count, init_var_snippets,
                                       neuron_models, postsynaptic_models, weight_update_models)
        from pygenn.genn_model import *
        from pygenn.model_preprocessor import Array, Variable
        assert version("pygenn") == pygenn.__version__ == "5.4.0", version("pygenn")
        assert version("numpy"), "others are there"
        assert pygenn._genn.WUVarReference is WUVarReference is genn_model.WUVarReference
        assert NeuronGroup is pygenn.NeuronGroup and SynapseMatrixType.SPARSE and cpu_count() >= 1
        print(neuron_models.LIF().name, DeviceSelect.MANUAL.name)
        """,
        tmp_path,
    )
    assert (done.stdout, done.stderr) == ("LIF MANUAL\n", "")


GENN_4 = {
    "from pygenn.genn_model import GeNNModel, create_custom_neuron_class": (
        "ObsoleteImportError",
        "create_neuron_model",
    ),
    "from pygenn import create_custom_postsynaptic_class": ("ObsoleteImportError", "create_postsynaptic_model"),
    "from pygenn.genn_wrapper.Models import VarAccess_READ_ONLY": ("ObsoleteModuleError", "VarAccess.READ_ONLY"),
    "import pygenn.genn_wrapper": ("ObsoleteModuleError", "docs/genn4.md"),
    "import pygenn; pygenn.genn_model.create_dpf": ("UnknownAttributeError", "create_dpf_class"),
    "import pygenn; pygenn.create_custom_neuron_class": ("UnknownAttributeError", "create_neuron_model"),
}


def test_programs_for_genn_4_learn_what_to_write(tmp_path: Path) -> None:
    done = run(
        f"""
        import snnlearn.genn as g
        g.install_as_pygenn()
        for statement, (kind, text) in {GENN_4!r}.items():
            try:
                exec(statement)
            except (ImportError, AttributeError) as error:
                assert type(error).__name__ == kind and text in str(error), error
            else:
                raise AssertionError(statement)
        from pygenn.genn_model import create_custom_neuron_class
        """,
        tmp_path,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "snnlearn.errors.ObsoleteImportError: cannot import 'create_custom_neuron_class': this is of"
    )
