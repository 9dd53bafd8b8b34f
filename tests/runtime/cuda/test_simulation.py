"""A simulation on a device: what it asks of it, and when it waits."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fake_device import COUNTER, REPORTING, SUM, UPDATES, WAITS, FakeModule, X, load, network, program
from snnlearn import genn
from snnlearn.codegen.cuda.program import ARRAYS, SETTINGS, Launch
from snnlearn.codegen.plan import build_plan
from snnlearn.errors import BackendError, LifecycleError, ModelWarning, NetworkError
from snnlearn.network import Location
from snnlearn.runtime.sizes import bytes_by_group, state_bytes

TABLE = Location("P", "egp", "table")


# ---- memory ----


def test_the_program_is_told_where_everything_is() -> None:
    simulation, device = load(net=network(recorded=True), seed=2**64 - 1, recording_timesteps=7)
    for array in simulation.plan.arrays:
        here = device.module.array(array.name)
        if len(here) == len(simulation.read(array.location)):
            assert np.shares_memory(here, simulation.device_array(array.location))
        assert here.size, "an empty one has an address too"
    assert np.frombuffer(device.module.variables[SETTINGS], np.uint64).tolist() == [2**64 - 1, 7]
    assert simulation.read(TABLE).tolist() == [1.0, 2.0, 3.0]
    assert device.module.array("v_P_table").tolist() == [1.0, 2.0, 3.0]


def test_arrays_given_from_outside_may_change_their_length() -> None:
    simulation, device = load()
    before = device.module.variables[ARRAYS]
    simulation.set_extra_global_params([(TABLE, np.array([4.0, 5.0, 6.0]))])
    assert device.module.variables[ARRAYS] == before, "in its place"
    for values in ([7.0] * 9, [], [8.0]):
        simulation.set_extra_global_params([(TABLE, np.array(values))])
        assert simulation.read(TABLE).tolist() == values
        assert device.module.variables[ARRAYS] != before
        assert device.module.array("v_P_table")[: len(values)].tolist() == values


def test_needed_bytes_by_group() -> None:
    net = network(batch_size=3, recorded=True)
    plan = build_plan(net)
    # x and sum in each copy, the spikes and how many; a table of three; a word for each recorded timestep.
    in_copy = 2 * 5 * 8 + 5 * 4 + 4
    assert bytes_by_group(plan, net, 10) == {"P": 3 * in_copy + 3 * 8 + 3 * 10 * 4}
    assert state_bytes(plan) == 3 * in_copy


def test_a_network_too_big_is_refused_before_anything_is_allocated() -> None:
    with pytest.raises(NetworkError, match=r"too big for a fake: it takes 128 bytes and 100 are free.*'P' 128"):
        load(free=100)
    assert load(free=128)[0].timestep == 0


def test_memory_that_runs_out_later() -> None:
    simulation, device = load()
    zeros = device.zeros

    def full(size: int, dtype: str) -> Any:
        if size > 100:
            raise MemoryError("out of memory")
        return zeros(size, dtype)

    device.zeros, device.free = full, 7  # type: ignore[method-assign]
    with pytest.raises(NetworkError, match=r"no memory on a fake for .*table.*: it takes 1,600 bytes and 7 are free"):
        simulation.set_extra_global_params([(TABLE, np.zeros(200))])
    assert simulation.read(TABLE).tolist() == [1.0, 2.0, 3.0], "what was there stays"


def test_a_recording_is_read_in_order_of_time() -> None:
    simulation, device = load(net=network(recorded=True), recording_timesteps=4)
    at = Location("P", "recording")
    simulation.run(3)
    with pytest.raises(LifecycleError, match="holds 4 timesteps and only 3 have passed"):
        simulation.recording(at)
    simulation.run(3)
    device.module.array("v_P_recording")[:] = [4, 5, 2, 3]
    (recording,) = simulation.recording(at)
    assert (recording.first, recording.rows.ravel().tolist()) == (2, [2, 3, 4, 5])


# ---- waiting ----


@pytest.mark.parametrize("way", ["loop", "graph", "persistent"])
def test_running_does_not_wait_but_reading_does(way: str) -> None:
    simulation, device = load(strategy=way)
    device.log.clear()
    simulation.run(18_900)
    assert not set(WAITS) & set(device.log)
    simulation.custom_update("G")
    simulation.timestep = 0
    assert not set(WAITS) & set(device.log)
    assert device.log[-1] == "double"
    simulation.read(X)
    assert device.log[-1] == "read"
    device.log.clear()
    simulation.device_array(SUM)
    assert device.log[-1] == "synchronize"


def test_the_host_does_not_run_away() -> None:
    simulation, device = load()
    device.log.clear()
    simulation.run(100_000)
    assert device.log.count("synchronize") == 5
    for _ in range(30_000):
        simulation.run(1)
    assert device.log.count("synchronize") == 6


def test_times_are_summed_by_timer_and_read_late() -> None:
    simulation, device = load(timing=True)
    device.log.clear()
    simulation.run(9)
    simulation.custom_update("G")
    assert "elapsed" not in device.log
    # The fake's launches take a second: two for a timestep; the update flushes and has one of its own.
    assert simulation.timers() == {"init": 0.0, "neuron_update": 18.0}, "the plan has no other timers"
    assert simulation._launcher.seconds() == {
        "neuron_update": 18.0,
        "synapse_dynamics": 3.0,
        "custom_update_G": 1.0,
    }
    simulation.run(9000)
    assert device.log.count("elapsed") > 9000, "marks do not pile up"
    assert simulation.timers()["neuron_update"] == 18.0 + 18_000.0
    untimed, _ = load()
    untimed.run(3)
    assert not any(untimed.timers().values())


# ---- what goes wrong ----


def reporting(when: int, which: str, kind: int) -> Any:
    def count(module: FakeModule) -> None:
        module.array("v_P_x")[:] += 1
        if int(module.clock["timestep"]) == when:
            module.report(which, kind, b"S: rows", 3, 9)

    return {"count": count}


def test_an_error_is_raised_once_and_may_come_again() -> None:
    simulation, _ = load(program(step=REPORTING), kernels=reporting(2, "error", 1))
    simulation.run(2)
    with pytest.raises(NetworkError, match=r"^S: rows: connects neuron 3 to neuron 9, which does not exist$"):
        simulation.run(1)
    simulation.run(1)
    simulation.timestep = 2
    with pytest.raises(NetworkError, match="connects neuron 3"):
        simulation.run(1)


def test_a_warning_is_given_once_at_the_users_line() -> None:
    simulation, _ = load(program(step=REPORTING), kernels=reporting(2, "warning", 3))
    simulation.run(2)
    with pytest.warns(ModelWarning, match="^S: rows: a delay of 3 timesteps is taken modulo 9") as caught:
        simulation.run(1)
    assert caught[0].filename == __file__
    simulation.timestep = 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulation.run(1)


def test_initial_values_and_updates_report_too() -> None:
    def wrong(module: FakeModule) -> None:
        module.report("error", 4, b"P: update_code")

    checked = Launch("double", 1, "custom_update_G", reports=True)
    simulation, device = load(program(custom_updates={"G": (checked,)}), kernels={"double": wrong})
    with pytest.raises(NetworkError, match="P: update_code: an assertion failed"):
        simulation.custom_update("G")
    assert not device.closed
    with pytest.raises(NetworkError, match="P: update_code: an assertion failed"):
        load(program(connect=(checked,)), kernels={"double": wrong})


def test_what_fails_on_the_way_gives_the_device_back() -> None:
    seen: list[Any] = []

    def fail(module: FakeModule) -> None:
        seen.append(module.device)
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        load(program(init=(Launch("double", 1, "init"),)), kernels={"double": fail})
    assert seen[0].closed


# ---- order ----


def test_initial_values_are_made_in_order() -> None:
    asked = program(connect=(Launch("connect", 1, "init_sparse"),), init=(Launch("make", 1, "init"),))
    seen: list[Any] = []
    kernels = {
        "connect": lambda m: seen.append(("connect", m.array("v_P_table").tolist())),
        "make": lambda m: seen.append(("make", m.array("v_P_x").tolist())),
    }
    net = network()
    load(asked, net, kernels=kernels)
    assert seen == [("connect", [1.0, 2.0, 3.0]), ("make", [0.0] * 5)]


HOST_CODE = genn.create_custom_connectivity_update_model(
    "HostCode", extra_global_params=[("seen", "int*")], host_update_code="seen[0] = seen[0] + 1; pushseenToDevice(2);"
)


def hosted_network() -> Any:
    model = genn.GeNNModel("double", "hosted")
    p = model.add_neuron_population("P", 5, COUNTER, {}, {"x": 0.0, "sum": 0.0})
    p.extra_global_params["table"].set_init_values([0.0])
    s = model.add_synapse_population(
        "S",
        "SPARSE",
        p,
        p,
        genn.init_weight_update("StaticPulseConstantWeight", {"g": 1.0}),
        genn.init_postsynaptic("DeltaCurr"),
        genn.init_sparse_connectivity("OneToOne"),
    )
    update = model.add_custom_connectivity_update("U", "G", s, HOST_CODE)
    update.extra_global_params["seen"].set_init_values([5, 6])
    return model._describe()


def test_host_code_works_on_the_hosts_copies() -> None:
    def host(module: FakeModule) -> None:
        copy = module.array("host v_U_seen")
        copy[0] += 1
        module.array("v_U_seen")[:] = copy  # what pushseenToDevice does

    asked = program(custom_updates={"G": (Launch("host", 1, "custom_update_host_G", ("v_U_seen",)), *UPDATES["G"])})
    simulation, device = load(asked, hosted_network(), kernels={"host": host})
    at = Location("U", "egp", "seen")
    assert simulation.host_locations == [at]
    device.log.clear()
    simulation.custom_update("G")
    assert device.log == ["write", "host", "read", "double"]
    assert simulation.read(at).tolist() == [6, 6]
    mine = np.array([10, 20], np.int32)
    simulation.set_host_array(at, mine)
    simulation.custom_update("G")
    assert mine.tolist() == [11, 20]
    assert simulation.read(at).tolist() == [11, 20]
    net = hosted_network()
    own = bytes_by_group(build_plan(net), net, 0)
    assert own["U"] == 2 * 2 * 4, "both the array and the copy that host code works on"


# ---- life ----


def test_what_is_closed_says_so_and_gives_the_device_back() -> None:
    simulation, device = load()
    simulation.run(3)
    simulation.close()
    simulation.close()
    assert device.closed
    for use in (lambda: simulation.run(1), lambda: simulation.timestep, simulation.timers, lambda: simulation.read(X)):
        with pytest.raises(LifecycleError, match="has been unloaded"):
            use()


def test_a_fork_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation, device = load()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(LifecycleError, match="before this process was forked, and the GPU stayed with the other"):
        simulation.run(1)
    simulation.close()
    assert not device.closed
    assert "synchronize" not in device.log


def test_a_forgotten_simulation_gives_the_device_back() -> None:
    simulation, device = load()
    del simulation
    assert device.closed


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own answer to Ctrl-C, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("way", ["loop", "graph", "persistent"])
def test_ctrl_c_is_heard_between_chunks(way: str) -> None:
    def count(module: FakeModule) -> None:
        module.array("v_P_x")[:] += 1
        if int(module.clock["timestep"]) == 2501:
            os.kill(os.getpid(), signal.SIGINT)

    simulation, device = load(strategy=way, kernels={"count": count})
    with pytest.raises(KeyboardInterrupt):
        simulation.run(10**9)
    assert simulation.timestep == 4000
    assert int(device.module.clock["timestep"]) == 4000
    simulation.run(10)
    assert set(simulation.read(X)) == {4010.0}
    assert set(simulation.read(SUM)) == {4010.0 * 4011.0 / 2}


@pytest.mark.usefixtures("ctrl_c")
def test_an_error_of_an_interrupted_run_is_raised_by_what_comes_next() -> None:
    def count(module: FakeModule) -> None:
        if int(module.clock["timestep"]) == 1:
            module.report("error", 1, b"S: rows", 3, 9)
            os.kill(os.getpid(), signal.SIGINT)

    simulation, _ = load(program(step=REPORTING), kernels={"count": count})
    with pytest.raises(KeyboardInterrupt):
        simulation.run(3)
    with pytest.raises(NetworkError, match="connects neuron 3 to neuron 9"):
        simulation.custom_update("G")


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_no_memory_that_the_program_does_not_know_of() -> None:
    simulation, device = load()
    zeros = device.zeros

    def interrupted(size: int, dtype: str) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return zeros(size, dtype)

    device.zeros = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        simulation.set_extra_global_params([(TABLE, np.arange(9.0))])
    assert simulation.read(TABLE).tolist() == device.module.array("v_P_table").tolist() == [*range(9)]


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_waits_for_the_end_of_a_list_of_columns() -> None:
    seen: list[str] = []

    def count(module: FakeModule) -> None:
        seen.append("count")
        if armed:
            os.kill(os.getpid(), signal.SIGINT)

    armed: list[bool] = []
    steps = tuple(Launch(name, 1, "init") for name in ("tally", "place"))
    simulation, _ = load(
        program(column_indexing={"S": steps}), kernels={"tally": count, "place": lambda _: seen.append("place")}
    )
    armed.append(True)
    with pytest.raises(KeyboardInterrupt):
        simulation._index_columns("S")
    assert seen == ["count", "place"]


def test_the_plans_table_says_how_timesteps_run() -> None:
    simulation, _ = load()
    assert simulation.notes == (
        "timesteps on a fake: strategy 'persistent': 3 blocks and 0.0 MiB are on the chip at once",
    )
    with pytest.raises(BackendError, match="timing_enabled"):
        load(timing=True, strategy="graph")
