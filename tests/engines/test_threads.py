"""A second thread that reads or changes a simulation while one runs it: it waits or is refused, and nothing mixes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.errors import LifecycleError

STEPS = 100  # no whole number of blocks of deferred timesteps
USES = 5
SIZE = 20
TICK = genn.create_neuron_model(
    "Tick", params=["more"], vars=["x"], sim_code="x += 1.0 + more;", threshold_condition_code="true"
)
# Each synapse counts timesteps; nothing else touches its variable, so that the kernel is deferred.
COUNT = genn.create_weight_update_model("Count", vars=["m", "w"], synapse_dynamics_code="m += 1.0;")
LIFT = genn.create_custom_update_model("Lift", var_refs=[("v", "scalar")], update_code="v += 1000.0;")


def counting(engine: Any, **preferences: Any) -> Any:
    """Return a loaded model whose ``x`` and ``m`` are the number of timesteps."""
    model = engine.model("counting", "double", **preferences)
    a, b = (model.add_neuron_population(name, SIZE, TICK, {"more": 0.0}, {"x": 0.0}) for name in "AB")
    a.set_param_dynamic("more")
    a.spike_recording_enabled = b.spike_recording_enabled = True
    init = genn.init_weight_update(COUNT, {}, {"m": 0.0, "w": 0.0})
    s = model.add_synapse_population("S", "DENSE", a, b, init, genn.init_postsynaptic("DeltaCurr"))
    sparse = genn.init_sparse_connectivity("OneToOne")
    model.add_synapse_population("T", "SPARSE", a, b, init, genn.init_postsynaptic("DeltaCurr"), sparse)
    model.add_custom_update("LiftM", "Lift", LIFT, {}, {}, {"v": genn.create_wu_var_ref(s, "m")})
    model.add_custom_update("LiftX", "Lift", LIFT, {}, {}, {"v": genn.create_var_ref(a, "x")})
    model.build()
    model.load(num_recording_timesteps=STEPS)
    return model


def pulled(model: Any) -> tuple[float, float]:
    """Return ``x`` and ``m``, each the same everywhere."""
    found = []
    for variable in (model.neuron_populations["A"].vars["x"], model.synapse_populations["S"].vars["m"]):
        variable.pull_from_device()
        (value,) = set(np.unique(variable.values))
        found.append(float(value))
    return found[0], found[1]


def beside(model: Any, use: Callable[[], Any], running: Callable[[], Any] | None = None) -> tuple[int, int]:
    """Run a model in one thread while another one uses it; return how often they did."""
    enough, errors, runs = threading.Event(), [], 0

    def run() -> None:
        nonlocal runs
        try:
            while not enough.is_set():
                (running or partial(model.run, STEPS))()
                runs += 1
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    uses = 0
    while thread.is_alive() and (uses < USES or runs < USES):
        use()
        uses += 1
    enough.set()
    thread.join()
    assert not errors
    return runs, uses


def whole_runs(values: Any) -> None:
    """Check that values are those of the end of a run."""
    assert (np.asarray(values) % STEPS == 0.0).all()


def look_at_m(model: Any) -> None:
    m = model.synapse_populations["S"].vars["m"]
    m.pull_from_device()
    whole_runs(m.values)


def look_at_device(model: Any) -> None:
    array = model.synapse_populations["S"].vars["m"].device_array
    assert array.shape == (SIZE * SIZE,)


def look_at_state(model: Any) -> None:
    state = model.state()
    x, m = state["A.own.x"], state["S.synapse.m"]
    whole_runs(x)
    assert set(x) == set(m)


def look_at_recordings(model: Any) -> None:
    with suppress(LifecycleError):  # not full yet
        model.pull_recording_buffers_from_device()
        data = [model.neuron_populations[name].spike_recording_data[0] for name in "AB"]
        assert {(times.min() % STEPS, times.size) for times, _ in data} == {(0.0, STEPS * SIZE)}
        assert len({times.min() for times, _ in data}) == 1, "of one moment"


LOOKS: dict[str, Callable[[Any], Any]] = {
    "pull": look_at_m,
    "device_array": look_at_device,
    "state": look_at_state,
    "recordings": look_at_recordings,
    "timestep": lambda model: whole_runs(model.timestep),
    "t": lambda model: whole_runs(model.t),
    "time spent": lambda model: model.neuron_update_time,
    "connectivity": lambda model: model.synapse_populations["T"].pull_connectivity_from_device(),
}


@pytest.mark.parametrize("what", LOOKS)
def test_looking_changes_nothing_and_sees_the_end_of_a_run(engine: Any, what: str) -> None:
    model = counting(engine)
    runs, _ = beside(model, partial(LOOKS[what], model))
    assert pulled(model) == (STEPS * runs, STEPS * runs)


def test_what_is_changed_is_changed_between_runs(engine: Any) -> None:
    model = counting(engine)
    assert pulled(model) == (0.0, 0.0)
    runs, lifts = beside(model, partial(model.custom_update, "Lift"))
    assert pulled(model) == (STEPS * runs + 1000.0 * lifts,) * 2


def test_a_push_is_whole(engine: Any) -> None:
    model = counting(engine)
    m = model.synapse_populations["S"].vars["m"]
    m.values = 1e6
    beside(model, m.push_to_device)
    _, found = pulled(model)
    assert found >= 1e6
    assert (found - 1e6) % STEPS == 0.0, "so many runs since the last push, none of them torn"


def test_a_parameter_changes_between_runs(engine: Any) -> None:
    model = counting(engine)
    a = model.neuron_populations["A"]
    values = iter([1.0, 3.0] * 100_000)
    runs, _ = beside(model, lambda: a.set_dynamic_param_value("more", next(values)))
    x, m = pulled(model)
    assert m == STEPS * runs
    assert x % STEPS == 0.0


def test_a_state_is_put_back_between_runs(engine: Any) -> None:
    model = counting(engine)
    model.run(64)
    state = model.state()
    beside(model, partial(model.set_state, state))
    x, m = pulled(model)
    assert x == m
    assert (x - 64) % STEPS == 0.0


def test_a_jump_in_time_waits(engine: Any) -> None:
    model = counting(engine)
    jumps = iter(range(10**6, 10**9, 1000))
    runs, _ = beside(model, lambda: setattr(model, "timestep", next(jumps)))
    assert pulled(model) == (STEPS * runs,) * 2
    assert model.timestep % STEPS == 0


def test_a_loop_of_single_timesteps_lets_others_in(engine: Any) -> None:
    model = counting(engine)
    runs, _ = beside(model, partial(look_at_m_and_x, model), lambda: [model.step_time() for _ in range(STEPS)])
    assert pulled(model) == (STEPS * runs,) * 2


def look_at_m_and_x(model: Any) -> None:
    x, m = pulled(model)
    assert x <= m, "they were looked at in this order"


def test_two_threads_step(engine: Any) -> None:
    model = counting(engine)
    runs, steps = beside(model, model.step_time, lambda: [model.step_time() for _ in range(STEPS)])
    assert pulled(model) == (STEPS * runs + steps,) * 2
    assert model.timestep == STEPS * runs + steps


def test_two_threads_run(engine: Any) -> None:
    model = counting(engine)
    ran: list[int] = []
    errors: set[str] = set()

    def run(steps: int) -> None:
        try:
            model.run(steps)
            ran.append(steps)
        except LifecycleError as error:
            errors.add(str(error))

    beside(model, partial(run, 7), partial(run, STEPS))
    assert errors <= {"another thread is running this model"}
    assert pulled(model) == (sum(ran),) * 2


def unload_while_it_runs(engine: Any, model: Any) -> str | None:
    """Return what is said to an attempt to unload during a run; None where the run was over before it."""
    thread = threading.Thread(target=lambda: model.run(1000 * STEPS if engine.backend == "cpu" else STEPS))
    thread.start()
    while not model._runtime._running and thread.is_alive():
        time.sleep(0.0)
    try:
        model.unload()
    except LifecycleError as error:
        return str(error)
    finally:
        thread.join()
    model.load(num_recording_timesteps=STEPS)
    return None


def test_unloading_is_refused_while_it_runs(engine: Any) -> None:
    model = counting(engine)
    # On a busy machine this thread may sleep through a whole run.
    said = next(filter(None, (unload_while_it_runs(engine, model) for _ in range(50))), "nothing")
    assert "another thread is running this model: it cannot be unloaded now" in said
    model.unload()
    with pytest.raises(LifecycleError, match="the model is not loaded"):
        model.run(1)


@pytest.fixture
def alarm() -> Iterator[Callable[[Callable[[], Any], float], None]]:
    """Have the operating system interrupt the main thread some seconds after it asks for it."""

    def start(call: Callable[[], Any], after: float) -> None:
        signal.signal(signal.SIGALRM, lambda *_: call())
        signal.setitimer(signal.ITIMER_REAL, after)

    before = signal.getsignal(signal.SIGALRM)
    yield start
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the operating system knows no interval timers")
def test_a_signal_handler_looks_or_is_refused(engine: Any, alarm: Any) -> None:
    model = counting(engine)
    seen: list[Any] = []

    def look() -> None:
        try:
            seen.append(pulled(model))
        except LifecycleError as error:
            seen.append(str(error))

    total = 0
    while len(seen) < 5:
        alarm(look, 0.001)
        before = len(seen)
        while len(seen) == before:
            model.run(STEPS)
            total += STEPS
    refusal = "in the midst of another call to this model by the same thread"
    assert all(refusal in one if isinstance(one, str) else one[0] == one[1] for one in seen)
    assert engine.backend != "cpu" or not any(isinstance(one, str) for one in seen), "the CPU's are whole"
    assert pulled(model) == (total,) * 2


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the operating system knows no interval timers")
def test_what_is_interrupted_gives_the_model_back(engine: Any, alarm: Any) -> None:
    model = counting(engine)
    m = model.synapse_populations["S"].vars["m"]

    class Interrupted(Exception):
        pass

    def interrupt() -> None:
        raise Interrupted

    interrupted = 0
    for use in (
        model.step_time,
        m.pull_from_device,
        m.push_to_device,
        model.state,
        partial(model.custom_update, "Lift"),
    ):
        for _ in range(10 if engine.backend == "cpu" else 2):
            alarm(interrupt, 0.003)
            with suppress(Interrupted):
                try:
                    for _ in range(200_000):
                        use()
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0.0)
            interrupted += 1
        other = threading.Thread(target=m.pull_from_device, daemon=True)
        other.start()
        other.join(60.0)
        assert not other.is_alive(), "the lock was not given back"


FORK = """
import os, sys, threading, time
sys.path.insert(0, {tests!r})
sys.path.insert(0, {here!r})
from conftest import Engine
from test_threads import counting, pulled

model = counting(Engine("cpu", {{"threads": {threads}}}))
running = threading.Event()

def run():
    running.set()
    model.run(5_000_000)  # well past the fork, on a fast machine too

thread = threading.Thread(target=run)
thread.start()
running.wait()
time.sleep(0.05)
child = os.fork()
if child == 0:
    for use in (lambda: model.run(1), model.step_time, lambda: pulled(model), lambda: model.timestep, model.state):
        try:
            use()
            print("no error", flush=True)
        except Exception as error:
            print(type(error).__name__, error, flush=True)
    model.unload()
    model.load(100)
    model.run(10)
    print("child", *pulled(model), flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0, "the child ends as it should"
thread.join()
print("parent", *pulled(model))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the operating system knows no fork")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_fork_while_it_runs(threads: int) -> None:
    here = Path(__file__).parent
    script = FORK.format(tests=str(here.parent), here=str(here), threads=threads)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    *refused, child, parent = done.stdout.splitlines()
    assert len(refused) == 5
    start = "LifecycleError the simulation was loaded before this process was forked, and another thread was at work"
    assert all(line.startswith(start) for line in refused)
    assert (child, parent) == ("child 10.0 10.0", "parent 5000000.0 5000000.0")
