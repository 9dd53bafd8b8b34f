"""Functions that differ in nothing but names and numbers become one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from small_networks import network
from snnlearn.codegen.clike.alike import Merged, Printed, merge
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.cpp.printer import CppPrinter
from snnlearn.codegen.cuda.printer import CudaPrinter
from snnlearn.codegen.lower.expressions import (
    UINT,
    Call,
    Check,
    Expr,
    Memory,
    Num,
    Scope,
    Slot,
    State,
    Text,
    Var,
)  # fmt: skip
from snnlearn.codegen.lower.kernel_names import BUILT_IN
from snnlearn.codegen.lower.nest import Assign, Body, Comment, Do, Function, Let, Parameter, Room, Run, View, loop
from snnlearn.codegen.plan import Code, Neurons, build_plan, optimise
from snnlearn.declare import NeuronModel
from snnlearn.dialect import check_model

neuron = Var("i", UINT)


def user(text: str, names: Mapping[str, str], arrays: tuple[str, ...] = ()) -> Run:
    """Return code of a user's, with variables x and y, in which some names stand for the kernel's."""
    model = NeuronModel("M", params=["scale"], vars=["x", "y"], sim_code=text)
    tree = check_model(model).snippets["sim_code"].tree
    meanings: Any = dict.fromkeys(arrays)
    scope = Scope("a kernel", "float", BUILT_IN, {}, {}, meanings, Neurons(1))
    return Run(Code("title", tree, {"x": "x", "y": "y", **names}), scope)


def function(
    name: str,
    array: str,
    size: Expr = Num(10, UINT),  # noqa: B008
    title: str = "V",
    body: Body = (),
    scale: float = 2.0,
    ctype: str = "float",
    kind: str = "NO_SUCH_NEURON",
    start: Expr | None = None,
) -> Function:
    checked = Check(neuron < size, kind, Text(title)) * Var(f"{name}_scale", "float")
    return Function(
        name,
        name,
        (),
        (
            Let(f"{name}_scale", "float", Num(scale, "float")),
            View(array, ctype, start or Memory(array, ctype), writes=True),
            Comment(f"initial values of {title}"),
            loop("i", size, body, Assign(Var(array, ctype)[neuron], checked)),
        ),
    )


def merged(*functions: Function) -> list[Merged]:
    printer = CppPrinter()
    printed = (Printed(f.name, printer.function(f), printer.trees) for f in functions)
    return [m for m in merge(printed, {"sim": "Simulation"}) if len(m.members) > 1]


def test_what_differs_becomes_an_argument() -> None:
    (one,) = merged(function("a", "A_V"), function("b", "B_V", Num(20, UINT), r"\"b\" //", scale=-1e-5))
    assert one.members == ("a", "b")
    assert (
        one.text
        == r"""// The same for 2 kernels, written with the names of the first.
struct merged_a {
    float a_scale;
    float *Simulation::*A_V;
    unsigned int number;
    const char *where;
};
static const merged_a table_a[] = {
    {2.0f, &Simulation::A_V, 10u, "V"}, // a
    {(-1e-05f), &Simulation::B_V, 20u, "\"b\" //"}, // b
};
// a
SNN_MERGED static void a(Simulation &sim, const merged_a args)
{
    const float a_scale = args.a_scale;
    float *__restrict__ const A_V = (sim.*args.A_V);
    // initial values of V
    for (unsigned int i = 0u; i < args.number; i++) {
        A_V[i] = sim.check(i < args.number, snn::NO_SUCH_NEURON, args.where) * a_scale;
    }
}"""
    )


def test_what_a_function_takes_it_takes_still() -> None:
    taking = [Function(f.name, f.title, (Parameter("batch", UINT),), f.body) for f in (A, function("b", "B_V"))]
    (one,) = merged(*taking)
    assert "a(Simulation &sim, const merged_a args, unsigned int batch)" in one.text


A, B = function("a", "A_V"), function("b", "B_V")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(function("b", "B_V", Num(10, "int")), id="another type of number"),
        pytest.param(function("b", "B_V", Num(10**10, UINT)), id="a number that is wider"),
        pytest.param(function("b", "D_V", ctype="double"), id="another type of array"),
        pytest.param(function("b", "B_V", body=(Assign(neuron, Num(1, UINT), "+="),)), id="more code"),
        pytest.param(function("b", "B_V", kind="ASSERTION"), id="another report"),
        pytest.param(
            Function("b", "b", (), (*B.body[:1], View("B_V", "float", State("seed")), *B.body[2:])), id="no array"
        ),
        pytest.param(function("b", "B_V", body=(Do(Call("max", (neuron, neuron))),)), id="a call"),
        pytest.param(
            Function("b", "b", (), (*B.body[:3], loop("i", 10, Assign(Var("B_V", "float")[neuron], neuron)))), id="less"
        ),
    ],
)
def test_what_is_left_alone(other: Function) -> None:
    assert merged(A, other) == []
    assert [m.members for m in merged(A, other, function("c", "C_V"))] == [("a", "c")]


@pytest.mark.parametrize(
    "body",
    [
        lambda n: (Room("x", "float", (n,)),),
        lambda n: (user(f"switch (scale > 1.0 ? 1 : 2) {{ case {n}: break; }}", {"scale": "x"}),),
        lambda n: (Do(Call("f", own=True, at=(n,))),),
    ],
    ids=["size", "case", "template"],
)
def test_numbers_that_the_compiler_has_to_know(body: Any) -> None:
    assert merged(*(function(n, f"{n.upper()}_V", body=body(k)) for k, n in enumerate("abc", 1))) == []
    assert len(merged(*(function(n, f"{n.upper()}_V", body=body(3)) for n in "abc"))) == 1


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("x = exp(scale);", 0),  # the compiler knows it, and may round otherwise than the library
        ("x = pow(gennrand_uniform(), scale);", 1),
        ("x = log((double)gennrand() * scale);", 1),  # a drawn number, wherever it stands
        ("x = exp(scale > 0.0 ? gennrand_uniform() : 2.0);", 0),
        ("const double u = 2.0 * gennrand_uniform(); const double v = u * u; x = exp(v + scale);", 1),
        ("double u = gennrand_uniform(); u = 2.0; x = exp(u + scale);", 0),
        ("const double v = scale; const double u = gennrand_uniform(); x = exp(v);", 0),
        ("{ const double u = 2.0; x = exp(u); } { const double u = gennrand_uniform(); x = exp(u); }", 0),
        ("x = exp(scale) + log(gennrand_uniform());", 0),
        ("x = sqrt(scale);", 1),  # rounded exactly by both
    ],
)
def test_what_a_compiler_could_compute_has_its_constants(code: str, count: int) -> None:
    def alike(n: str, number: int, scale: float) -> Function:
        run = user(code, {"scale": f"{n}_scale"})
        return function(n, f"{n.upper()}_V", Num(number, UINT), body=(run,), scale=scale)

    assert len(merged(alike("a", 10, 1.0), alike("b", 10, 2.0))) == count
    assert len(merged(alike("a", 0, 1.0), alike("b", 1, 1.0))) == 1


def test_numbers_in_code_that_a_compiler_could_compute_with() -> None:
    def alike(call: str) -> list[Merged]:
        codes = {"a": f"x += {call}(1.5);", "b": f"x += {call}(2.5);"}
        return merged(*(function(n, f"{n.upper()}_V", body=(user(code, {}),)) for n, code in codes.items()))

    assert alike("exp") == []
    assert len(alike("sqrt")) == 1


def test_names_stand_for_one_name_throughout() -> None:
    def alike(n: str, declared: str, left: str, right: str) -> Function:
        lets = tuple(Let(name, "float", Num(1, "float"), const=False) for name in (declared, "y"))
        return function(n, f"{n.upper()}_V", body=(*lets, Assign(Var(left, "float"), Var(right, "float"), "+=")))

    first = alike("a", "x", "x", "y")
    assert merged(first, alike("b", "x", "y", "x")) == []
    assert len(merged(first, alike("b", "z", "z", "y"))) == 1


@pytest.mark.parametrize(
    ("ctype", "number", "other"),
    [
        ("double", 1.5, 2.5),
        ("int", 3, 4),
        ("uint64_t", 7, 8),
        ("int64_t", -2, -9),
        ("float", -3.5, 1e-5),
    ],
)
def test_types_of_arguments(ctype: str, number: float, other: float) -> None:
    (one,) = merged(function("a", "A_V", Num(number, ctype)), function("b", "B_V", Num(other, ctype)))
    assert f"    {ctype} number;" in one.text


def test_merging_is_a_rewrite_like_others() -> None:
    plan = build_plan(network())
    assert "SNN_MERGED static" not in emit_cpp(plan)
    assert "SNN_MERGED static" in emit_cpp(optimise(plan, ["merge"]))


def test_members_of_another_object_are_told_apart_by_their_owner() -> None:
    def launch(name: str, array: str, slot: Expr) -> Function:
        return Function(name, "", (Parameter("part", UINT),), (Assign(Memory(array, UINT)[slot], Var("part", UINT)),))

    def alike(*functions: Function) -> list[Merged]:
        printer = CudaPrinter()
        printed = (Printed(f.name, printer.function(f), printer.trees) for f in functions)
        return [m for m in merge(printed, {"snn_arrays": "Arrays", "sim": "Sim"}) if len(m.members) > 1]

    (m,) = alike(launch("f", "A", Slot("A_q")), launch("g", "B", Slot("B_q")))
    assert "unsigned int *Arrays::*A;" in m.text
    assert "unsigned int Sim::*A_q;" in m.text
    assert "(snn_arrays.*args.A)[(sim.*args.A_q)] = part;" in m.text
    assert "f(const Sim &sim, const merged_f args, unsigned int part)" in m.text
    assert alike(launch("f", "A", Slot("A_q")), launch("g", "B", State("timestep"))) == []


def test_functions_that_differ_in_nothing_but_their_names_need_no_arguments() -> None:
    (m,) = merged(function("f", "A_V"), function("g", "A_V"))
    assert m.members == ("f", "g")
    assert m.text.count("    {}, // ") == 2
