"""What strangers may write: no code string, name or number brings anything into the generated source but arithmetic."""

from __future__ import annotations

import re
from typing import Any

import pytest

from snnlearn import genn
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.cuda.emit import emit_cuda
from snnlearn.codegen.plan import Plan, build_plan, optimise, with_checks
from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    Loss,
    NeuronModel,
    PostsynapticModel,
    SparseConnectInitSnippet,
    Surrogate,
    ToeplitzConnectInitSnippet,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.dialect import Scope, parse_code
from snnlearn.dialect.scopes import _SCOPES, scopes_of
from snnlearn.errors import DialectError, SnnlearnError

KINDS = (
    NeuronModel,
    WeightUpdateModel,
    PostsynapticModel,
    CurrentSourceModel,
    CustomUpdateModel,
    CustomConnectivityUpdateModel,
    VarInitSnippet,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    Surrogate,
    Loss,
)
PAYLOADS = {
    "calls": """system("id"); | abort(); | ::exit(1); | std::abort(); | snn::exp(1.0); | sim.seed = 1; | this->x = 1;
        | __builtin_trap(); | memcpy(0, 0, 0); | check.index(1); | checked_index(1); | (*exp)(1.0); | exp; | &exp;
        | operator new(1); | [](int a) { return a; }(1); | connect(1, 2, 3); | sim.check(0); | printf("%n", 1);
        | printf("%s", 1); | printf("%*d", 1, 2); | printf(dt); | puts("x");""",
    "includes": """#include <x> | \n#include "/etc/passwd" | %:include <x> | ??=include <x> | import os; | module x;
        | /* */ # include <x>""",
    "pragmas": '_Pragma("x") | #pragma omp parallel | __pragma(x) | #line 3 | #define exp system | #error x',
    "attributes": """[[noreturn]] int x; | int x __attribute__((cleanup(system))); | alignas(8) int x;
        | _Alignas(8) int x;
        | __declspec(x) int x; | __extension__ 1; | noexcept(1);""",
    "assembly": 'asm("nop"); | __asm__ volatile("nop"); | _asm nop; | asm volatile("nop");',
    "trigraphs": "dt; ??/ | ??< ??> | int x = 1; <% %> | a<:0:> = 1; | int x ??( 1 ??);",
    "splices": "sys\\\ntem(); | // \\\nsystem(); | int x = 1; \\ | /\\\n/ hidden\nsystem(); | dt; \\\n",
    "literals": f"{'9' * 5000}; | 0x{'f' * 5000}; | 1e999999; | 1.0e+{'9' * 500}; | 0b1; | 017; | 1ull; | 1'0; | 'a';",
    "characters": "Ｖ = 1; | int é = 1; | dt;\u202e | dt\0; | dt;\x0bsystem(); | dt;\u2028system(); | \ufeff#x | \x1a",
    "statements": """goto x; | x: dt; | typedef int x; | struct x { }; | union x; | enum x { a }; | new int;
        | delete dt; | throw 1; | try { } | using namespace std; | template <int> | extern int x; | static int x;
        | volatile int x; | register int x; | sizeof(int); | int y = ({ 1; }); | &dt; | &&x; | *(int *)0 = 1;
        | (void *)0; | "text"; | R"(x)"; | _Generic(1); | return; | int x[3]; | int f() { } | auto x = 1;
        | decltype(dt) x; | __FILE__; | __LINE__; | NULL; | errno; | int __x = 1; | int _X = 1;
        | co_await 1; | if constexpr (1) { } | int x {1};
        | nullptr;""",
    "brackets": '} system("id"); { | } void f() { | ); } | dt; } | /* | /* // | ) ( | ( | " | @ | `',
}
REFUSED = [(kind, text.strip(" ")) for kind, texts in PAYLOADS.items() for text in re.split(r"\s*\| (?!\|)", texts)]


def model_with(kind: type, **codes: str) -> Any:
    needed = {"derivative_code": "1.0", "integral_code": "h"} if kind is Surrogate else {}
    if kind is Loss:
        needed = {"loss_code": "loss = 1.0;"}
    if "pre_event_syn_code" in codes:
        needed["pre_event_threshold_condition_code"] = "true"
    if "post_event_syn_code" in codes:
        needed["post_event_threshold_condition_code"] = "true"
    return kind("Stranger", **{**needed, **codes})


@pytest.mark.parametrize(
    "kind", [NeuronModel, *(pytest.param(k, marks=pytest.mark.slow) for k in KINDS[1:])], ids=lambda kind: kind.__name__
)
def test_nothing_is_smuggled_into_any_code_string(kind: type) -> None:
    assert set(_SCOPES) == set(KINDS)
    scopes = {id(scope): (attribute, scope) for attribute, scope in scopes_of(model_with(kind)).items()}
    for attribute, scope in scopes.values():
        is_expression = attribute.endswith("condition_code") or kind is Surrogate
        for what, payload in REFUSED:
            for text in (payload, f"dt;\n{payload}"):
                message = refusal(text, scope, is_expression)
                assert message, f"{attribute} takes {what}: {text!r}"
                assert len(message) < 1000, "a message is no place for all of it"


def refusal(text: str, scope: Scope, is_expression: bool) -> str:
    try:
        parse_code(text, scope, "here", expression=is_expression)
    except DialectError as error:
        return str(error)
    return ""


ACCEPTED = r"""
// a comment that ends in a backslash \
V += 1.0; /* "\" #include <x> ??/ */ // ??/
if (V > 3.0) { printf("??/ \\ \"%d\" ??/\n", n); }
"""
WORDS = re.compile(r"[A-Za-z_]\w*")
COMMENTS_AND_TEXTS = re.compile(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"')


def sources(code: str, **names: str) -> list[str]:
    neuron = genn.create_neuron_model("N", vars=["V", ("n", "int")], sim_code=code)
    model = genn.GeNNModel("float", names.get("model", "m"))
    p = model.add_neuron_population("P", 3, neuron, {}, {"V": 0.0, "n": 0})
    uniform = genn.init_var("Uniform", {"min": 0.0, "max": 1.0})
    model.add_synapse_population(
        "S",
        "DENSE",
        p,
        p,
        genn.init_weight_update("StaticPulse", {}, {"g": uniform}),
        genn.init_postsynaptic("DeltaCurr"),
    )
    plan: Plan = with_checks(optimise(build_plan(model._describe())))
    return [emit_cpp(plan), emit_cuda(plan, 256).source]


def skeleton(source: str) -> tuple[set[str], list[str]]:
    """Return the words outside of comments and texts that are not called what users' names are, and directives."""
    assert source.isascii()
    for line in source.splitlines():
        assert not line.rstrip().endswith(("\\", "??/")), "the next line would be hidden"
    bare = COMMENTS_AND_TEXTS.sub("", source)
    words = {word for word in WORDS.findall(bare) if "v_" not in word}
    return words, [line for line in bare.splitlines() if line.lstrip().startswith("#")]


@pytest.mark.parametrize(
    "name", ['x\n#include "/etc/passwd"\n//', "x\\", "x??/", 'x"; system("id"); //', "*/ é\0\u2028"]
)
def test_what_is_accepted_stays_a_comment_or_a_text(name: str) -> None:
    plain = 'V += 1.0; if (V > 3.0) { printf("%d", n); }'
    for given, expected in zip(sources(ACCEPTED, model=name), sources(plain), strict=True):
        assert skeleton(given) == skeleton(expected)


NAMES = [
    "x; system()",
    "x\n",
    "x y",
    "é",
    "",
    "__x",
    "1x",
    "a-b",
    "a.b",
    "x\\",
    "x??/",
    "#x",
    "x\0",
    "operator",
    "check.x",
]
FIELDS: dict[str, Any] = {
    "params": lambda name: [(name, "scalar")],
    "vars": lambda name: [(name, "scalar")],
    "extra_global_params": lambda name: [(name, "scalar*")],
    "additional_input_vars": lambda name: [(name, "scalar", 0.0)],
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", NAMES)
def test_names_are_identifiers(field: str, name: str) -> None:
    try:
        genn.create_neuron_model("N", **{field: FIELDS[field](name)})
    except SnnlearnError:
        return
    assert name in ("operator", "__x"), "words of C++ may be names; they get another one in the source"


@pytest.mark.parametrize(
    "vtype", ["int; system()", "int *", "struct x", "scalar\n#x", "", "auto", "void", "std::string"]
)
def test_types_are_those_of_the_dialect(vtype: str) -> None:
    for field in ("params", "vars"):
        with pytest.raises(SnnlearnError, match="type"):
            genn.create_neuron_model("N", **{field: [("x", vtype)]})


@pytest.mark.parametrize("name", ["x; system()", "x\n#include <x>", "", "é", "x\\"])
def test_names_of_models_and_groups_are_identifiers(name: str) -> None:
    with pytest.raises(SnnlearnError, match="name"):
        genn.create_neuron_model(name)
    with pytest.raises(SnnlearnError, match="name"):
        genn.GeNNModel().add_neuron_population(name, 1, genn.create_neuron_model("N"), {}, {})


@pytest.mark.parametrize("value", ["1.0; system()", "abc", b"1", None, [1.0], float, 1j])
def test_values_are_numbers(value: Any) -> None:
    neuron = genn.create_neuron_model("N", params=["p"])
    model = genn.GeNNModel()
    with pytest.raises(SnnlearnError, match="'p'"):
        model.add_neuron_population("P", 1, neuron, {"p": value}, {})
