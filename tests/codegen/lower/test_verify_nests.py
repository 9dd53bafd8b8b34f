"""Loop nests that contradict themselves are refused, by the function's and the array's names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from snnlearn import genn
from snnlearn.codegen.lower.cpu import schedule
from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Expr,
    Member,
    Memory,
    Num,
    State,
    Sum,
    Var,
    equal,
    size,
    unequal,
)
from snnlearn.codegen.lower.nest import (
    Assign,
    Barrier,
    Block,
    Closure,
    Function,
    Global,
    If,
    Jump,
    Let,
    Parameter,
    Room,
    Run,
    Scratch,
    Statement,
    View,
    loop,
)
from snnlearn.codegen.lower.verify import verify_functions
from snnlearn.codegen.plan import DEFAULT, build_plan, optimise
from snnlearn.errors import PlanError
from snnlearn.genn.describe import describe

THREAD = State("thread", UINT)
IX, N, X = Var("i", UINT), Var("n", UINT), Var("v_x", "float")
ONE = Num(1.0, "float")
MINE = Let("i", UINT, Var("part", UINT) * 256 + THREAD)
VIEW = View("v_x", "float", Memory("v_x", "float"), writes=True)
ROOM = Scratch("shared", (Room("sums", "float", (256,)),))
SUMS = Member(Var("shared", ""), "sums", "float")


def function(*body: Statement, **more: Any) -> Function:
    return Function("kernel", "a kernel", more.pop("parameters", (Parameter("part", UINT),)), body, **more)


def share(*body: Statement) -> Function:
    """Return a function of which each thread of a CPU has some rows."""
    return function(*body, parameters=(Parameter("begin", UINT), Parameter("end", UINT)))


def verify(f: Function, blocks: bool) -> None:
    verify_functions([Global("marks", UINT, 8), f], blocks=blocks)


def rows(*body: Statement) -> Any:
    return loop("i", Var("end", UINT), *body, begin=Var("begin", UINT))


VALID: dict[str, tuple[Function, bool]] = {
    "each thread its neuron": (function(VIEW, MINE, If(IX < 9, (Assign(X[IX], ONE),))), True),
    "the first thread of a block": (function(VIEW, If(equal(THREAD, 0), (Assign(X[0], ONE),))), True),
    "the only neuron": (function(VIEW, MINE, If(IX < 1, (Assign(X[0], ONE),))), True),
    "all others return": (function(VIEW, If(unequal(THREAD, 0), (Jump("return"),)), Assign(X[0], ONE)), True),
    "an atomic sum": (function(VIEW, MINE, Assign(X[0], ONE, "+=", atomic=True)), True),
    "a barrier between": (function(ROOM, Assign(SUMS[THREAD], ONE), Barrier(), loop("n", 9, Barrier())), True),
    "a share of the rows": (share(VIEW, rows(Assign(X[IX], ONE))), False),
    "a synapse of a row": (
        share(VIEW, rows(loop("n", 9, Let("s", SIZE, size(IX) * 9 + N), Assign(X[Var("s", SIZE)], ONE)))),
        False,
    ),
    "one thread does it all": (function(VIEW, loop("n", 9, Assign(X[0], ONE)), parameters=()), False),
    "a mark of another function": (function(Let("first", UINT, Var("marks", UINT)[7])), True),
}  # fmt: skip

BROKEN: dict[str, tuple[Function, bool, str]] = {
    "no definition": (function(VIEW, Assign(X[IX], ONE)), False, "kernel mentions i, which nothing defines before"),
    "out of its block": (
        function(Block((Let("n", UINT, Num(0, UINT)),)), Let("m", UINT, N)),
        False,
        "kernel mentions n, which nothing defines",
    ),
    "twice": (function(VIEW, VIEW), False, "kernel defines v_x twice in one block"),
    "another type": (function(VIEW, MINE, Let("y", "double", Var("v_x", "double")[IX])), True, "takes v_x for a"),
    "a constant": (function(MINE, Assign(IX, Num(0, UINT))), True, "kernel assigns to i, which is constant"),
    "a view to read": (
        function(View("v_x", "float", Memory("v_x", "float")), MINE, Assign(X[IX], ONE)),
        True,
        "kernel assigns to v_x, which is constant",
    ),
    "all threads of a block": (function(VIEW, Assign(X[0], ONE)), True, "stores one element of v_x by several threads"),
    "all threads in a loop": (
        function(VIEW, loop("n", 9, Assign(X[N], ONE))),
        True,
        "kernel stores one element of v_x by several threads",
    ),
    "a range of threads": (
        function(VIEW, MINE, If(IX < 9, (Assign(X[0], ONE),))),
        True,
        "kernel stores one element of v_x by several threads",
    ),
    "the wrong block": (
        function(VIEW, If(equal(Var("part", UINT), 0), (Assign(X[0], ONE),))),
        True,
        "kernel stores one element of v_x by several threads",
    ),
    "a column of several shares": (
        share(VIEW, rows(loop("n", 9, Assign(X[N], ONE)))),
        False,
        "kernel stores one element of v_x by several threads",
    ),
    "some threads at a barrier": (
        function(If(THREAD < 9, (Barrier(),))),
        True,
        "kernel has a barrier that not all threads of a block reach",
    ),
    "a barrier in a loop of some": (
        function(loop("n", Num(9, UINT), Barrier(), begin=THREAD)),
        True,
        "kernel has a barrier that not all threads of a block reach",
    ),
    "a barrier behind a return": (
        function(MINE, If(Num(9, UINT) < IX, (Jump("return"),)), Barrier()),
        True,
        "kernel has a barrier that not all threads of a block reach",
    ),
    "no scratch": (
        function(Assign(SUMS[THREAD], ONE)),
        True,
        "kernel mentions shared, which nothing defines before|kernel mentions shared.sums",
    ),
    "beyond the scratch": (
        function(ROOM, If(equal(THREAD, 0), (Assign(SUMS[256], ONE),))),
        True,
        "kernel looks at element 256 of sums, which has 256",
    ),
    "beyond the marks": (function(Let("m", UINT, Var("marks", UINT)[8])), True, "element 8 of marks, which has 8"),
    "shared by all": (function(ROOM, Assign(SUMS[0], ONE)), True, "stores one element of sums by several threads"),
}  # fmt: skip


@pytest.mark.parametrize("name", VALID)
def test_valid_nests_pass(name: str) -> None:
    verify(*VALID[name])


@pytest.mark.parametrize("name", BROKEN)
def test_broken_nests_are_refused(name: str) -> None:
    f, blocks, message = BROKEN[name]
    with pytest.raises(PlanError, match=message):
        verify(f, blocks)


@pytest.fixture(scope="module")
def functions() -> list[Function]:
    """What a plan with code that adds to both ends becomes."""
    model = genn.GeNNModel("float", "nests")
    neuron = genn.create_neuron_model("N", vars=["V"], sim_code="V += Isyn;", threshold_condition_code="V > 1.0")
    a = model.add_neuron_population("A", 600, neuron, {}, {"V": 0.0})
    rule = genn.create_weight_update_model("R", vars=["w"], synapse_dynamics_code="addToPost(w); w *= 0.5;")
    model.add_synapse_population(
        "S", "DENSE", a, a, genn.init_weight_update(rule, {}, {"w": 1.0}), genn.init_postsynaptic("DeltaCurr")
    )
    plan = optimise(build_plan(describe(model)), DEFAULT)
    return [f for k in plan.step for f in schedule.lower(k, plan)]


def replaced(body: Any, change: Any) -> Any:
    """Return statements with each one changed, those within others too."""
    found = []
    for s in body:
        inner = {name: replaced(getattr(s, name), change) for name in ("body", "then", "other") if hasattr(s, name)}
        found.append(change(replace(s, **inner) if inner else s))
    return tuple(found)


def test_the_code_of_users_is_part_of_it(functions: list[Function]) -> None:
    verify_functions(functions)
    dynamics = next(f for f in functions if f.name.startswith("synapse_dynamics"))
    assert [p.name for p in dynamics.parameters] == ["begin", "end"], "threads share it"

    def into(target: Expr) -> Any:
        def change(s: Any) -> Any:
            if not isinstance(s, Run):
                return s
            return replace(s, scope=replace(s.scope, sums={key: Sum(target) for key in s.scope.sums}))

        return change

    one = replace(dynamics, body=replaced(dynamics.body, into(Var("v_S_out_post", "float")[0])))
    with pytest.raises(PlanError, match=r"synapse_dynamics_S stores one element of v_S_out_post by several threads"):
        verify_functions([one])
    unknown = replace(dynamics, body=replaced(dynamics.body, into(Var("v_gone", "float")[0])))
    with pytest.raises(PlanError, match="synapse_dynamics_S mentions v_gone, which nothing defines before"):
        verify_functions([unknown])


def test_closures_see_what_is_around_them() -> None:
    inner = Closure("add", (Parameter("n", UINT),), (Assign(X[N], ONE),))
    verify(function(VIEW, inner), False)
    with pytest.raises(PlanError, match="kernel mentions v_x"):
        verify(function(inner, VIEW), False)
