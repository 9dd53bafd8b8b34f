"""CUDA source as a whole, and the launches that go with it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from small_networks import network
from snnlearn.codegen.cuda.emit import emit_cuda
from snnlearn.codegen.cuda.program import Launch, Program
from snnlearn.codegen.plan import build_plan, optimise
from snnlearn.models import FixedProbability
from snnlearn.network import Connectivity, SparseConnectInit


def emitted(*rewrites: str, sizes: tuple[int, int] = (3, 5), threads: int = 256) -> Program:
    return emit_cuda(optimise(build_plan(network(sizes=sizes)), rewrites), threads)


def names(launches: tuple[Launch, ...]) -> list[str]:
    return [launch.kernel.removeprefix("launch_") for launch in launches]


def test_the_same_network_gives_the_same_program() -> None:
    assert emitted("defer") == emitted("defer")


def test_a_models_name_cannot_leave_its_comment() -> None:
    plan = replace(build_plan(network()), name='x\n#include "/etc/passwd"\u2028\\')
    source = emit_cuda(plan).source
    assert "\n#include" not in source
    assert source.isascii()


def test_nothing_is_included() -> None:
    assert "#include" not in emitted("defer").source


def test_every_launch_is_of_a_kernel_of_the_source() -> None:
    for program in (emitted(), emitted("defer"), emitted("defer", "linear", "silent")):
        kernels = set(re.findall(r"__global__ void __launch_bounds__\(THREADS(?:, 1)?\) (\w+)\(", program.source))
        launches = [*program.step, *program.phases, *program.deferred, *program.connect, *program.init]
        launches += [
            x for group in (*program.column_indexing.values(), *program.custom_updates.values()) for x in group
        ]
        assert {launch.kernel for launch in launches} | {"snn_run", "snn_close_block"} == kernels
        assert all(launch.blocks > 0 for launch in launches)


def test_a_timestep_is_in_genns_order_and_moves_the_clock_last() -> None:
    assert names(emitted().step) == [
        "synapse_dynamics_S",
        "synapse_dynamics_R",
        "presynaptic_update_S",
        "postsynaptic_update_S",
        "neuron_update_A",
        "neuron_update_B",
        "snn_end_step",
    ]


def test_a_deferred_kernel_leaves_the_timestep_and_keeps_what_it_will_read() -> None:
    program = emitted("defer")
    assert program.depth == 64
    assert names(program.deferred) == ["deferred"]
    assert names(program.step)[:2] == ["keep_0_synapse_dynamics_S", "keep_1_synapse_dynamics_S"]
    assert "synapse_dynamics_S" not in names(program.step)
    assert (emitted().depth, emitted().deferred) == (0, ())


def test_phases_are_fewer_than_kernels() -> None:
    program = emitted("defer")
    assert 2 <= len(program.phases) < len(program.step) - 1
    assert sum(launch.blocks for launch in program.phases) == sum(launch.blocks for launch in program.step[:-1])
    assert program.persistent_blocks == max(launch.blocks for launch in program.phases)


def test_what_is_done_between_timesteps_is_one_launch_where_nothing_waits() -> None:
    program = emitted()
    assert len(program.init) == 1
    assert program.init[0].blocks == len(build_plan(network()).init)


def test_kernels_of_one_structure_are_one_function() -> None:
    source = emitted("merge").source
    assert "SNN_MERGED static void init_" in source
    assert "SNN_MERGED static" not in emitted().source


def test_large_populations_list_their_spikes_in_a_phase_of_its_own() -> None:
    program = emitted(sizes=(5000, 5))
    assert names(program.step)[-4:] == [
        "neuron_update_A",
        "neuron_update_B",
        "list_neuron_update_A",
        "snn_end_step",
    ]
    assert {launch.kernel: launch.blocks for launch in program.step}["launch_neuron_update_A"] == 20


@pytest.mark.parametrize("threads", [0, 16, 48, 100])
def test_threads_are_a_power_of_two_of_whole_warps(threads: int) -> None:
    with pytest.raises(AssertionError):
        emitted(threads=threads)


def test_whether_code_of_a_timestep_can_report_errors_is_known() -> None:
    assert not emitted("defer").reports
    net = network()
    drawn = Connectivity("SPARSE", SparseConnectInit(FixedProbability, {"prob": 0.5}))
    forward = replace(net.synapses["S"], connectivity=drawn)
    built = emit_cuda(build_plan(replace(net, synapses={**net.synapses, "S": forward})))
    assert "sim.check(" in built.source
    assert not built.reports, "what makes connectivity does not run in a timestep"


def test_blocks_wait_for_one_another_without_more_fences_than_it_takes() -> None:
    source = emitted("defer").source
    (wait,) = re.findall(r"static void grid_barrier\(.*?\n}\n", source, re.S)
    assert "__threadfence" not in wait
    assert wait.index("__syncthreads") < wait.index("arrive(") < wait.index("arrived(") < wait.rindex("__syncthreads")
    assert "red.release.gpu" in source
    assert "ld.acquire.gpu" in source


def test_no_kernel_divides_to_find_its_place_in_a_recording() -> None:
    assert emitted().source.count("% recording_timesteps") == 1
    assert "% sim.recording_timesteps" not in emitted().source


def test_the_persistent_kernel_may_have_all_registers_of_its_block() -> None:
    # What does not fit into registers would come from memory again in each timestep.
    assert "__launch_bounds__(THREADS, 1) snn_run(" in emitted().source


def test_spikes_are_asked_for_before_their_number_is_known() -> None:
    source = emitted(sizes=(64, 5)).source
    (update,) = re.findall(r"static void presynaptic_update_S\(.*?\n}\n", source, re.S)
    assert update.index("unsigned int listed = ") < update.index("asm volatile") < update.index("if (count == 0u)")
