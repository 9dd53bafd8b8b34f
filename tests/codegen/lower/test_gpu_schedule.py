"""Loop nests of a GPU: what is true of them whatever language they are printed in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from small_networks import network
from snnlearn.codegen.lower.expressions import UINT, Call, Sum, Var
from snnlearn.codegen.lower.gpu.schedule import Schedule, schedule
from snnlearn.codegen.lower.nest import (
    Barrier,
    Fence,
    Function,
    If,
    Jump,
    Let,
    Room,
    Run,
    Scratch,
    Unit,
    codes_of,
    scratch_bytes,
    walk,
)
from snnlearn.codegen.plan import build_plan, optimise
from snnlearn.models import FixedProbability
from snnlearn.network import Connectivity, SparseConnectInit

REWRITES = [(), ("defer",), ("defer", "linear", "silent")]
TOGETHER = ("list_in_order", "list_marks", "running_sums", "block_sum", "block_max", "ballot")  # all threads call these


def made(*rewrites: str, sizes: tuple[int, int] = (64, 5), threads: int = 256) -> Schedule:
    return schedule(optimise(build_plan(network(sizes=sizes)), rewrites), threads)


def functions(of: Schedule) -> dict[str, Function]:
    return {f.name: f for unit in of.units for f in unit.parts if isinstance(f, Function)}


def waits(node: Any) -> bool:
    """Whether all threads of a block have to come here."""
    return isinstance(node, Barrier) or (isinstance(node, Call) and node.function in TOGETHER)


@pytest.mark.parametrize("rewrites", REWRITES)
@pytest.mark.parametrize("sizes", [(64, 5), (5000, 5)])
def test_no_thread_waits_for_another_that_took_another_branch(
    rewrites: tuple[str, ...], sizes: tuple[int, int]
) -> None:
    found = [f for f in functions(made(*rewrites, sizes=sizes)).values() if any(map(waits, walk(f)))]
    assert found
    for function in found:
        branches = [node for node in walk(function) if isinstance(node, If)]
        assert not any(waits(node) for branch in branches for node in walk((branch.then, branch.other))), function.name


def test_spikes_are_asked_for_before_their_number_is_known() -> None:
    body = functions(made())["presynaptic_update_S"].body
    (listed,) = (n for n, s in enumerate(body) if isinstance(s, Let) and s.name == "listed")
    (fence,) = (n for n, s in enumerate(body) if isinstance(s, Fence))
    (leave,) = (n for n, s in enumerate(body) if isinstance(s, If) and s.then == (Jump("return"),))
    assert listed < fence < leave


def sums_of(function: Function) -> dict[tuple[str, str], Sum]:
    (scope,) = {id(run.scope): run.scope for run in codes_of(function) if isinstance(run, Run)}.values()
    return dict(scope.sums)


def test_a_sum_is_in_a_register_where_a_thread_owns_it() -> None:
    own = Sum(Var("partial_v_S_out_post", "float"))
    assert sums_of(functions(made())["presynaptic_update_S"])["v_S_out_post", "post"] == own


def test_a_sum_is_atomic_where_no_thread_owns_it() -> None:
    net = network(sizes=(64, 5))
    drawn = Connectivity("SPARSE", SparseConnectInit(FixedProbability, {"prob": 0.5}))
    sparse = replace(net, synapses={**net.synapses, "S": replace(net.synapses["S"], connectivity=drawn)})
    sums = sums_of(functions(schedule(build_plan(sparse), 256))["presynaptic_update_S"])
    assert sums["v_S_out_post", "post"] == Sum(Var("v_S_out_post", "float")[Var("j", UINT)], atomic=True)


def test_scratch_is_what_its_functions_declare() -> None:
    of = made()
    declared = [s for f in functions(of).values() for s in walk(f) if isinstance(s, Scratch)]
    assert declared
    assert of.scratch == max(scratch_bytes(unit) for unit in of.units) == 4 * 256
    assert made(sizes=(3, 5), threads=32).scratch == 0


def test_numbers_of_scratch_are_aligned() -> None:
    rooms = (Room("flag", "bool", (3,)), Room("x", "double", ()), Room("n", UINT, (2, 5)))
    unit = Unit("u", (Function("f", "", (), (Scratch("shared", rooms),)),))
    assert scratch_bytes(unit) == 8 + 8 + 40
    assert scratch_bytes(Unit("u", ())) == 0


def test_all_that_is_launched_is_defined() -> None:
    for rewrites in REWRITES:
        of = made(*rewrites)
        assert {work.function for phase in of.launched for work in phase.works} <= functions(of).keys()
