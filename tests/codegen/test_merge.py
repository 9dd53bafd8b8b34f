"""Functions that differ in nothing but names and numbers become one."""

from __future__ import annotations

from typing import Any

import pytest

from small_networks import network
from snnlearn.codegen.clike.merge import CUDA, Function, Merged, merge
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.plan import build_plan, optimise

_FLOATS = {("sim", name): "float *" for name in ("A_V", "B_V", "C_V")}
TYPES = _FLOATS | {("sim", "A_n"): "int *", ("sim", "D_V"): "double *"}


def function(
    name: str, array: str, size: str = "10u", title: str = "V", code: str = "", scale: str = "2.0f"
) -> Function:
    return Function(
        name,
        f"""// {name}
static void {name}(Simulation &sim)
{{
    const float {name}_scale = {scale};
    float *__restrict__ const {array} = sim.{array};
    // initial values of {title}
    for (unsigned int i = 0; i < {size}; i++) {{
        {code}{array}[i] = sim.check({size}, "{title}") * {name}_scale; // twice
    }}
}}""",
    )


def merged(*functions: Function) -> list[Merged]:
    return merge(functions, TYPES)


def test_what_differs_becomes_an_argument() -> None:
    text = '"b" //'.replace('"', r"\"")
    (one,) = merged(function("a", "A_V"), function("b", "B_V", "20u", text, scale="(-1e-05f)"))
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
    for (unsigned int i = 0; i < args.number; i++) {
        A_V[i] = sim.check(args.number, args.where) * a_scale; // twice
    }
}"""
    )


def test_what_a_function_takes_it_takes_still() -> None:
    taking = [Function(f.name, f.text.replace("&sim)", "&sim, unsigned int batch)")) for f in (A, function("b", "B_V"))]
    (one,) = merged(*taking)
    assert "a(Simulation &sim, const merged_a args, unsigned int batch)" in one.text


A, B = function("a", "A_V"), function("b", "B_V")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(function("b", "B_V", "10"), id="another type of number"),
        pytest.param(function("b", "B_V", "10000000000u"), id="a number that is wider"),
        pytest.param(function("b", "D_V"), id="another type of array"),
        pytest.param(function("b", "B_V", code="i++; "), id="more code"),
        pytest.param(Function("b", B.text.replace("* b", "/ b")), id="another operator"),
        pytest.param(Function("b", B.text.replace("check", "within")), id="another function"),
        pytest.param(Function("b", B.text.replace("sim.B_V", "sim.seed")), id="no array"),
        pytest.param(Function("b", B.text.replace("* b_scale", "* i")), id="another variable"),
    ],
)
def test_what_is_left_alone(other: Function) -> None:
    assert merged(A, other) == []
    assert [m.members for m in merged(A, other, function("c", "C_V"))] == [("a", "c")]


@pytest.mark.parametrize("code", ["float x[{}]; ", "switch (i) {{ case {}: break; }} ", "f<{}>(); "])
def test_numbers_that_the_compiler_has_to_know(code: str) -> None:
    assert merged(*(function(n, f"{n.upper()}_V", code=code.format(k)) for k, n in enumerate("abc"))) == []
    assert len(merged(*(function(n, f"{n.upper()}_V", code=code.format(3)) for n in "abc"))) == 1


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("snn::exp({}_scale); ", 0),  # the compiler knows it, and may round otherwise than the library
        ("snn::pow(random.uniform<float>(), {}_scale); ", 1),
        ("snn::log((double)(random.word()) * {}_scale); ", 1),  # a drawn number, wherever it stands
        ("snn::exp({}_scale > 0.0f ? random.uniform<float>() : 2.0f); ", 0),
        ("const double u = 2.0 * random.uniform<float>();\nconst double v = u * u;\nsnn::exp(v + {}_scale); ", 1),
        ("double u = random.uniform<float>();\nu = 2.0;\nsnn::exp(u + {}_scale); ", 0),
        ("const double v = {}_scale;\nconst double u = random.uniform<float>();\nsnn::exp(v); ", 0),
        ("{{ const double u = 2.0; snn::exp(u); }} {{ const double u = random.uniform<float>(); snn::exp(u); }}", 0),
        ("snn::exp({}_scale) + snn::log(random.uniform<float>()); ", 0),
        ("snn::sqrt({}_scale); ", 1),  # rounded exactly by both
    ],
)
def test_what_a_compiler_could_compute_has_its_constants(code: str, count: int) -> None:
    functions = [function(n, f"{n.upper()}_V", code=code.format(n), scale=f"{n}.0f") for n in ("a", "b")]
    functions = [Function(f.name, f.text.replace("a.0f", "1.0f").replace("b.0f", "2.0f")) for f in functions]
    assert len(merged(*functions)) == count
    same = [function(n, f"{n.upper()}_V", str(k) + "u", code=code.format(n)) for k, n in enumerate("ab")]
    assert len(merged(*same)) == 1


def test_numbers_in_code_that_a_compiler_could_compute_with() -> None:
    code = "{}_scale += snn::exp({}); "
    functions = [function(n, f"{n.upper()}_V", code=code.format(n, x)) for n, x in (("a", "1.5f"), ("b", "2.5f"))]
    assert merged(*functions) == []
    assert len(merged(*(Function(f.name, f.text.replace("exp", "sqrt")) for f in functions))) == 1


def test_names_stand_for_one_name_throughout() -> None:
    swapped = "float x = 1.0f; float y = 2.0f; {} += {}; "
    first = function("a", "A_V", code=swapped.format("x", "y"))
    second = function("b", "B_V", code=swapped.format("y", "x"))
    assert merged(first, second) == []
    renamed = function("b", "B_V", code=swapped.format("z", "y").replace("float x", "float z"))
    assert len(merged(first, renamed)) == 1


@pytest.mark.parametrize("number", ["1.5", "3", "7ull", "(-2ll)", "(-3.5f)"])
def test_types_of_arguments(number: str) -> None:
    ctype = {"1.5": "double", "3": "int", "7ull": "uint64_t", "(-2ll)": "int64_t", "(-3.5f)": "float"}[number]
    other: dict[str, Any] = {"1.5": "2.5", "3": "4", "7ull": "8ull", "(-2ll)": "(-9ll)", "(-3.5f)": "1e-05f"}
    (one,) = merged(function("a", "A_V", number), function("b", "B_V", other[number]))
    assert f"    {ctype} number;" in one.text


def test_merging_is_a_rewrite_like_others() -> None:
    plan = build_plan(network())
    assert "SNN_MERGED static" not in emit_cpp(plan)
    assert "SNN_MERGED static" in emit_cpp(optimise(plan, ["merge"]))


def test_members_of_another_object_are_told_apart_by_their_owner() -> None:
    def launch(name: str, array: str, queue: str) -> Function:
        head = f"static void {name}(const Sim &sim, unsigned int part)"
        return Function(name, f"{head}\n{{\n    snn_arrays.{array}[sim.{queue}] = part;\n}}")

    types = {("snn_arrays", name): "unsigned int *" for name in ("A", "B", "A_q", "B_q")}
    types |= {("sim", name): "unsigned int" for name in ("A_q", "B_q")}
    (m,) = merge([launch("f", "A", "A_q"), launch("g", "B", "B_q")], types, CUDA)
    assert "unsigned int *Arrays::*A;" in m.text
    assert "unsigned int Sim::*A_q;" in m.text
    assert "(snn_arrays.*args.A)[(sim.*args.A_q)] = part;" in m.text
    assert "f(const Sim &sim, const merged_f args, unsigned int part)" in m.text
    assert merge([launch("f", "A", "A_q"), launch("g", "B", "timestep")], types, CUDA) == []


def test_functions_that_differ_in_nothing_but_their_names_need_no_arguments() -> None:
    first, second = function("f", "A_V"), function("g", "A_V")
    (m,) = merged(first, Function("g", second.text))
    assert m.members == ("f", "g")
    assert m.text.count("    {}, // ") == 2
