"""A dozen networks whose CUDA sources use all that the schedule has; `pytest --nvrtc` compiles all others.

They are compiled with `--nvrtc` too, for each of three generations of GPUs.
"""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np
import pytest

import small_networks
from agreement import scalars
from kept_networks import kept_values
from nvrtc_pool import NvrtcPool
from snnlearn import genn
from snnlearn.codegen.cuda import emit
from snnlearn.codegen.lower.gpu import schedule
from snnlearn.codegen.lower.gpu.threads import ThreadMapping, mapping_of, reductions
from snnlearn.codegen.plan import DEFAULT_GPU, Neurons, Plan, build_plan, optimise
from snnlearn.codegen.plan.kernels import Kernel, Load
from snnlearn.data import target_path
from snnlearn.dialect.library import MATHS
from snnlearn.errors import CompilerNotFoundError
from snnlearn.genn.describe import describe
from snnlearn.io.ras import read_ras
from snnlearn.userproject import superspike, superspike_training

ENGINES = Path(__file__).parents[2] / "engines"
TEMPLATES = Path(emit.__file__).parent / "templates"
RULES = ("threads.py", "phases.py", "residency.py")  # functions of plans, which have tests of their own
SCHEDULE = [path for path in sorted(Path(schedule.__file__).parent.glob("*.py")) if path.name not in RULES]


def plan_of(model: Any, rewrites: tuple[str, ...]) -> Plan:
    return optimise(build_plan(describe(model)), rewrites)


def of_tests(
    module: str,
    name: str,
    *args: Any,
    precision: str = "float",
    copies: int = 1,
    rewrites: tuple[str, ...] = DEFAULT_GPU,
) -> Plan:
    """Return the plan of a network of the tests of engines."""
    model = genn.GeNNModel(precision, name, backend="cuda")
    model.dt, model.batch_size = 1.0, copies
    runpy.run_path(str(ENGINES / f"{module}.py"))[name](genn, model, *args)
    return plan_of(model, rewrites)


def super_spike(size: int, precision: str = "float", learning: bool = False) -> Plan:
    """Return the plan of SuperSpike with so many hidden neurons."""
    target = read_ras(target_path(), superspike.NUM_OUTPUT, superspike.TRIAL_MS)
    api = ModuleType("in another precision")
    vars(api).update(vars(genn), GeNNModel=lambda _, name, **given: genn.GeNNModel(precision, name, **given))
    network = superspike.describe(api, superspike.frozen_poisson(1), target, num_hidden=size, recording=True)
    if learning:
        superspike_training.make_learner(genn, network, target, ["Adam", "RMaxProp"])
    return plan_of(network.model, DEFAULT_GPU)


def every_function() -> Plan:
    """Return the plan of a network that calls all functions of maths, in kernels that are in its source once."""
    model = genn.GeNNModel("float", "functions", backend="cuda")
    model.dt = 1.0
    for name, kind in [("F", "scalar"), ("D", "double")]:
        neuron = genn.create_neuron_model(f"N{name}", vars=[("x", kind)])
        a = model.add_neuron_population(name, 40, neuron, {}, {"x": 1.0})
        integers = {"ldexp", "scalbn"}
        code = [f"x += {call}({', '.join(['x'] * f.arity)});" for call, f in MATHS.items() if call not in integers]
        code += [f"x += {call}(x, 2);" for call in sorted(integers)]
        code += ['printf("%f at %d\\n", x, id);', "assert(x > 0.0);"]
        update = genn.create_custom_update_model(f"U{name}", var_refs=[("x", kind)], update_code="\n".join(code))
        model.add_custom_update(f"U{name}", "U", update, {}, {}, {"x": genn.create_var_ref(a, "x")})
    return plan_of(model, ())


def shared_weights_that_change() -> Plan:
    """Return the plan of a convolution whose weights change with time: one thread goes through its synapses."""
    model = genn.GeNNModel("float", "kernel", backend="cuda")
    model.dt = 1.0
    neuron = genn.create_neuron_model("N", vars=scalars("V"), sim_code="V += Isyn;")
    a = model.add_neuron_population("A", 25, neuron, {}, {"V": 0.0})
    rule = genn.create_weight_update_model(
        "W", vars=scalars("g"), pre_spike_syn_code="g -= 1.0;", synapse_dynamics_code="g += 1.0; addToPost(g);"
    )
    shape = {"conv_kh": 3, "conv_kw": 3, "conv_ih": 5, "conv_iw": 5, "conv_oh": 5, "conv_ow": 5}
    shape |= {f"conv_{name}": 1 for name in ("sh", "sw", "padh", "padw", "ic", "oc")}
    init = genn.init_weight_update(rule, {}, {"g": np.zeros(9)})
    connect = genn.init_sparse_connectivity("Conv2D", shape)
    model.add_synapse_population("S", "PROCEDURAL_KERNELG", a, a, init, genn.init_postsynaptic("DeltaCurr"), connect)
    return plan_of(model, ())


def dynamics() -> Plan:
    """Return the plan of a network whose synapses change in each timestep and add at either end, or at none."""
    model = genn.GeNNModel("float", "dynamics", backend="cuda")
    model.dt = 1.0
    code = {"sim_code": "V += 1.0 + Isyn;", "threshold_condition_code": "V > 5.0", "reset_code": "V = 0.0;"}
    neuron = genn.create_neuron_model("N", vars=scalars("V", "constant"), **code)
    a = model.add_neuron_population("A", 1100, neuron, {}, {"V": 0.0, "constant": 1.0})
    a.spike_recording_enabled = True
    for name, sends in [
        ("None", ""),
        ("Post", "addToPost(e);"),
        ("Pre", "addToPre(e);"),
    ]:
        rule = genn.create_weight_update_model(
            name,
            vars=scalars("w", "e"),
            pre_neuron_var_refs=scalars("constant"),
            post_neuron_var_refs=scalars("V"),
            synapse_dynamics_code=f"e = fmod(e + w * V * constant, 64.0); {sends}",
        )
        refs = {"constant": genn.create_var_ref(a, "constant")}, {"V": genn.create_var_ref(a, "V")}
        init = genn.init_weight_update(rule, {}, {"w": 1.0, "e": 0.0}, {}, {}, *refs)
        model.add_synapse_population(name, "DENSE", a, a, init, genn.init_postsynaptic("DeltaCurr"))
    return plan_of(model, ("defer",))


def nothing() -> Plan:
    return plan_of(genn.GeNNModel("float", "nothing", backend="cuda"), ())


def with_loads(how: Any, wanted: Callable[[Kernel], bool]) -> Plan:
    """Return the plan of a small network some of whose kernels write to what all elements share, as no model can."""
    plan = build_plan(small_networks.network())
    one = Load("one", plan.array("v_A_V").type, "v_A_V", "only", store=True, how=how)

    def change(k: Any) -> Any:
        return replace(k, loads=(*k.loads, one)) if isinstance(k, Kernel) and wanted(k) else k

    return replace(plan, step=tuple(map(change, plan.step)), init=tuple(map(change, plan.init)))


def serial_neurons() -> Plan:
    plan = with_loads("replace", lambda kernel: isinstance(kernel.domain, Neurons) and not kernel.spikes)
    assert ThreadMapping.SERIAL in {mapping_of(k) for k in plan.init if isinstance(k, Kernel)}
    return plan


def sums_over_synapses() -> Plan:
    plan = with_loads("sum", lambda kernel: kernel.name == "synapse_dynamics_S")
    assert any(reductions(k) for k in plan.step if k.name == "synapse_dynamics_S")
    return plan


NETWORKS: dict[str, Callable[[], Plan]] = {
    "queues and deferral": lambda: of_tests("test_deferral_and_delays", "network"),
    "updates": lambda: of_tests("test_updates_agree", "network", rewrites=()),
    "rewiring": lambda: of_tests("test_connectivity_updates", "network", rewrites=()),
    "random rewiring": lambda: of_tests("test_connectivity_updates", "thinned"),
    "many neurons": lambda: of_tests("test_delays", "many_neurons"),
    "convolutions": lambda: of_tests("test_shared_weights", "copied_from_kernel"),
    "drawn connections": lambda: of_tests("test_shared_weights", "drawn"),
    "batch": lambda: of_tests("test_batches", "network", 1.0, copies=3),
    "random numbers": lambda: of_tests("test_random_numbers", "network", precision="double"),
    "functions": every_function,
    "shared weights": shared_weights_that_change,
    "dynamics": dynamics,
    "kept values": lambda: plan_of(kept_values(backend="cuda"), DEFAULT_GPU),
    "nothing": nothing,
    "serial neurons": serial_neurons,
    "sums over synapses": sums_over_synapses,
    "SuperSpike, double": lambda: super_spike(48, "double"),
    "SuperSpike": lambda: super_spike(superspike.NUM_HIDDEN, learning=True),
}


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {name: make() for name, make in NETWORKS.items()}


@pytest.fixture(scope="module")
def results(plans: dict[str, Plan]) -> Iterator[dict[str, dict[str, Future[str | None]]]]:
    """What comes of each, for each architecture."""
    try:
        pool = NvrtcPool()
    except CompilerNotFoundError:
        pytest.skip('NVRTC is not installed: pip install -e ".[test-cuda]"')
    yield {name: pool.submit(emit.emit_cuda(plan).source) for name, plan in plans.items()}
    pool.close()


@pytest.mark.nvrtc
@pytest.mark.parametrize("name", NETWORKS)
def test_compiles(name: str, results: dict[str, dict[str, Future[str | None]]]) -> None:
    assert {target: result.result() for target, result in results[name].items()} == dict.fromkeys(results[name])


def test_every_line_of_the_schedule_makes_one_of_the_sources(plans: dict[str, Plan]) -> None:
    """Who adds to the schedule, or to the template around it, adds a network to those above that uses it."""
    lines: set[tuple[str, int]] = set()
    followed = {str(path) for path in SCHEDULE}

    def note(frame: FrameType, event: str, _: Any) -> Any:
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return note

    def follow(frame: FrameType, event: str, _: Any) -> Any:
        file = frame.f_code.co_filename
        return note if file in followed or file.endswith(".jinja") else None

    emit._environment.cache_clear()
    before = sys.gettrace()
    sys.settrace(follow)
    try:
        for plan in plans.values():
            emit.emit_cuda(plan)
    finally:
        sys.settrace(before)
    assert lines
    seen = {(Path(file).name, line) for file, line in lines}
    missing = [*missing_of_the_template(seen), *missing_of_the_schedule(seen)]
    assert not missing, "\n".join(missing)


def missing_of_the_template(seen: set[tuple[str, int]]) -> Iterator[str]:
    """Yield the lines that no source has, of the Python that templates become."""
    environment = emit._environment()
    for file in sorted(TEMPLATES.glob("*.jinja")):
        template, text = environment.get_template(file.name), file.read_text(encoding="utf-8")
        python = str(environment.compile(text, file.name, raw=True))
        for number, line in enumerate(python.splitlines(), 1):
            if re.match(r"\s+(yield |\w+\.append\(|\w+\.extend\()", line) and (file.name, number) not in seen:
                at = template.get_corresponding_lineno(number)
                yield f"{file.name}, line {at} or the next: {line.strip()}"


def missing_of_the_schedule(seen: set[tuple[str, int]]) -> Iterator[str]:
    """Yield the lines of functions that no network needs."""
    for file in SCHEDULE:
        text = file.read_text(encoding="utf-8")
        waiting = [compile(text, str(file), "exec")]
        while waiting:
            code = waiting.pop()
            waiting += [c for c in code.co_consts if isinstance(c, CodeType)]
            if code.co_flags & CO_OPTIMIZED:  # of a function, and so not run while the module is imported
                lines = {line for *_, line in code.co_lines() if line is not None and line > code.co_firstlineno}
                for line in sorted(lines):
                    if (file.name, line) not in seen:
                        yield f"{file.name}, line {line}: {text.splitlines()[line - 1].strip()}"


def test_threads_are_used_in_every_mapping(plans: dict[str, Plan]) -> None:
    assert {mapping_of(kernel) for plan in plans.values() for kernel in plan.step} == set(ThreadMapping)
