"""Which threads of a GPU do what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from small_networks import RULE, network
from snnlearn.codegen.lower.gpu.threads import (
    ThreadMapping,
    columns_per_block,
    fits_one_block,
    mapping_of,
    owned,
    reductions,
    rows_per_part,
    unordered_sums,
    unroll_of,
)
from snnlearn.codegen.plan import Accumulate, Code, Kernel, Load, Neurons, Synapses, build_plan, optimise
from snnlearn.codegen.plan.domains import Sparse, SpikingColumns, SpikingRows
from snnlearn.declare import WeightUpdateModel, value_type
from snnlearn.network import Network

SCALAR = value_type("scalar")


def kernel(name: str, of: Network | None = None, *rewrites: str) -> Kernel:
    plan = optimise(build_plan(of or network()), rewrites)
    return next(k for k in plan.step if k.name == name)


def sending(code: str) -> Network:
    return network(WeightUpdateModel("Sends", vars=["w"], synapse_dynamics_code=code))


@pytest.mark.parametrize(
    ("name", "mapping"),
    [
        ("neuron_update_A", ThreadMapping.NEURONS),
        ("synapse_dynamics_S", ThreadMapping.SYNAPSES),
        ("presynaptic_update_S", ThreadMapping.COLUMNS),
        ("postsynaptic_update_S", ThreadMapping.ROWS),
        ("synapse_dynamics_R", ThreadMapping.COLUMNS),
    ],
)
def test_each_kind_of_loop_has_its_thread_mapping(name: str, mapping: ThreadMapping) -> None:
    assert mapping_of(kernel(name)) is mapping


def test_deferred_kernels_have_mappings_of_their_own() -> None:
    assert mapping_of(kernel("synapse_dynamics_S", None, "defer")) is ThreadMapping.TILES
    linear = RULE.synapse_dynamics_code
    assert linear is not None
    of = network(replace(RULE, post_spike_syn_code=None, synapse_dynamics_code="e += (z * V - e / tau) * dt;"))
    assert mapping_of(kernel("synapse_dynamics_S", of, "defer", "linear")) is ThreadMapping.MATRIX


@pytest.mark.parametrize(
    ("code", "mapping", "mine"),
    [
        ("addToPost(w);", ThreadMapping.COLUMNS, {"v_S_out_post"}),
        ("addToPre(w);", ThreadMapping.ROWS, {"v_S_out_pre"}),
        ("addToPost(w); addToPre(w);", ThreadMapping.SYNAPSES, set()),
    ],
)
def test_sums_belong_to_one_thread_where_they_can(code: str, mapping: ThreadMapping, mine: set[str]) -> None:
    k = kernel("synapse_dynamics_S", sending(code))
    assert mapping_of(k) is mapping
    assert owned(k) == mine
    assert unordered_sums(k) == {a.target for a in k.accumulations} - mine


def test_spikes_along_sparse_connectivity_are_a_warp_each() -> None:
    sparse = Sparse(4, "ind", "row_length", "column_start", "column_synapses")
    rows, columns = kernel("presynaptic_update_S"), kernel("postsynaptic_update_S")
    assert isinstance(rows.domain, SpikingRows)
    assert isinstance(columns.domain, SpikingColumns)
    for k in (
        replace(rows, domain=replace(rows.domain, sparse=sparse)),
        replace(columns, domain=replace(columns.domain, sparse=sparse)),
    ):
        assert mapping_of(k) is ThreadMapping.SPIKES
        assert not owned(k)
        assert unordered_sums(k) == {a.target for a in k.accumulations}


def test_what_many_would_overwrite_is_left_to_one_thread() -> None:
    last = Load("x", SCALAR, "v_A_x", "only", store=True)
    neurons, synapses = kernel("neuron_update_A"), kernel("synapse_dynamics_S")
    assert mapping_of(replace(neurons, loads=(*neurons.loads, last))) is ThreadMapping.SERIAL
    assert mapping_of(replace(neurons, domain=Neurons(1), loads=(*neurons.loads, last))) is ThreadMapping.NEURONS
    assert mapping_of(replace(synapses, loads=(*synapses.loads, last))) is ThreadMapping.SERIAL
    assert mapping_of(replace(synapses, loads=(*synapses.loads, replace(last, index="kernel")))) is ThreadMapping.SERIAL


def test_sums_over_all_are_gathered_by_one_block() -> None:
    total = Load("x", SCALAR, "v_A_x", "only", store=True, how="sum")
    neurons = kernel("neuron_update_A")
    k = replace(neurons, loads=(*neurons.loads, total))
    assert mapping_of(k) is ThreadMapping.NEURONS
    assert reductions(k) == [total]
    assert reductions(replace(k, domain=Neurons(1))) == []


def test_groups_of_threads_share_the_rows_of_columns_where_there_are_many() -> None:
    few, many = kernel("presynaptic_update_S"), kernel("presynaptic_update_S", network(sizes=(64, 5)))
    assert columns_per_block(few, 256) == 256
    assert columns_per_block(many, 256) == 32
    assert columns_per_block(many, 32) == 32
    assert columns_per_block(kernel("neuron_update_A"), 256) == 256
    (code,) = many.body
    assert isinstance(code, Code)
    later = {name: replace(a, delayed=True) for name, a in code.actions.items() if isinstance(a, Accumulate)}
    assert columns_per_block(replace(many, body=(replace(code, actions=later),)), 256) == 256


@pytest.mark.parametrize(
    ("pre", "post", "columns", "rows"),
    [(63, 256, 256, 16), (64, 1, 8, 2), (200, 256, 8, 7), (2000, 2048, 8, 16), (2000, 2049, 16, 16), (64, 9999, 32, 8)],
)
def test_columns_of_all_synapses_are_shared_out_among_many_blocks(pre: int, post: int, columns: int, rows: int) -> None:
    k = replace(kernel("synapse_dynamics_R"), domain=Synapses(pre, post))
    assert columns_per_block(k, 256) == columns
    assert unroll_of(k, 256) == rows
    (*_, load) = k.loads
    assert unroll_of(replace(k, loads=(*k.loads, replace(load, store=True))), 256) == 1


@pytest.mark.parametrize(
    ("pre", "tiles", "rows"), [(3, 1, 3), (200, 8, 64), (256, 16, 64), (257, 16, 128), (2000, 4, 128), (2000, 80, 256)]
)
def test_matrices_are_cut_into_parts_enough_for_a_card_but_not_too_small(pre: int, tiles: int, rows: int) -> None:
    assert rows_per_part(pre, tiles) == rows


def test_one_block_updates_a_small_population_that_spikes() -> None:
    k = kernel("neuron_update_A")
    assert fits_one_block(k)
    assert not fits_one_block(replace(k, domain=Neurons(1025)))
    assert fits_one_block(replace(k, domain=Neurons(1024)))
    assert not fits_one_block(replace(k, body=tuple(p for p in k.body if p not in k.spikes)))
    assert isinstance(kernel("synapse_dynamics_S").domain, Synapses)


def test_what_one_thread_adds_up_is_not_added_to_by_others() -> None:
    plain = kernel("synapse_dynamics_S", sending("addToPost(w); addToPre(w);"))
    assert unordered_sums(plain) == {"v_S_out_post", "v_S_out_pre"}
    sparse = Sparse(4, "ind", "row_length", "column_start", "column_synapses", "kernel_ind")
    spikes = kernel("presynaptic_update_S")
    for k in (plain, spikes):
        assert not isinstance(k.domain, Neurons)
        shared = (*k.loads, Load("k", "v_S_w", SCALAR, "kernel", store=True))
        serial = replace(k, domain=replace(k.domain, sparse=sparse), loads=shared)
        assert mapping_of(serial) is ThreadMapping.SERIAL
        assert unordered_sums(serial) == set()
