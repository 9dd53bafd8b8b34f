"""A timestep in single assignments computes what the declared code does, and refuses what cannot be followed."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest

from dialect_author import FLOATS, PARAMETERS, TYPES, Author
from dialect_interpreter import run_snippet
from snnlearn import models
from snnlearn.declare import NeuronModel, PostsynapticModel
from snnlearn.dialect import Scope, Symbol, algebra, check_model, parse_code, tree, unparse
from snnlearn.dialect.tree import Name, Snippet
from snnlearn.errors import GradientError
from snnlearn.grad.derivatives import linear_forms, pullback
from snnlearn.grad.facts import Facts, assume, facts_of
from snnlearn.grad.single import Assignment
from snnlearn.grad.step import Postsynaptic, Step, step_of
from snnlearn.models import LIF, DeltaCurr, ExpCond, ExpCurr, Izhikevich, SuperSpikeHidden, TraubMiles

BETA = 0.4
PARAMS = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}


def run(assignments: Any, names: dict[str, Any]) -> dict[str, Any]:
    """Return what assignments give the names that they assign, and what they start from."""
    found = dict(names)
    for a in assignments:
        snippet_names = tree.names_in(a.value)
        found[a.name] = _value(a.value, {n: found[n] for n in snippet_names if n in found})
        if a.type.kind == "int":
            found[a.name] = int(found[a.name])
    return found


def _value(e: Any, names: dict[str, Any]) -> Any:
    plain = {n: v for n, v in names.items() if not isinstance(v, list)}
    arrays = {n: v for n, v in names.items() if isinstance(v, list)}
    return run_snippet(Snippet(e, frozenset(names), frozenset(), frozenset()), plain, arrays)["return"]


def constants_of(step: Step, params: dict[str, float], dt: float) -> dict[str, float]:
    values = {}
    for name, c in step.constants.items():
        if c.kind == "params":
            values[name] = params[name]
    for name, c in step.constants.items():
        if c.kind == "derived_params":
            field = next(d for d in c.model.derived_params if d.name == c.name)
            own = {
                c2.name: values[n] for n, c2 in step.constants.items() if c2.model is c.model and c2.kind == "params"
            }
            values[name] = field.func(own, dt)
    return values | {"dt": dt, "t": 3.0, "id": 0, "num_neurons": 1}


CASES: dict[str, tuple[NeuronModel, PostsynapticModel, dict[str, float], dict[str, Any]]] = {
    "hidden": (SuperSpikeHidden, ExpCurr, PARAMS | {"tau": 5.0}, {"V": -52.0, "refracTime": -0.3, "errTilda": 0.1}),
    "lif": (
        LIF,
        ExpCond,
        {"C": 1.0, "TauM": 20.0, "Vrest": -65.0, "Vreset": -68.0, "Vthresh": -50.0, "Ioffset": 0.3, "TauRefrac": 3.0}
        | {"tau": 5.0, "E": 0.0},
        {"V": -51.0, "RefracTime": -0.3},
    ),
    "izhikevich": (Izhikevich, DeltaCurr, {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}, {"V": -55.0, "U": -13.0}),
    "traub-miles": (
        TraubMiles,
        ExpCurr,
        {"gNa": 7.15, "ENa": 50.0, "gK": 1.43, "EK": -95.0, "gl": 0.02672, "El": -63.563, "C": 0.143, "tau": 5.0},
        {"V": -52.0, "m": 0.05, "h": 0.6, "n": 0.3},
    ),
}


@pytest.fixture(params=CASES)
def case(request: Any) -> tuple[Step, dict[str, Any], Any]:
    neuron, psm, params, start = CASES[request.param]
    step = step_of(neuron, psm)
    names = constants_of(step, params, 0.5) | start | {"Isyn": 0.2, "inSyn": 0.04, "ISynFeedback": 0.7}
    return step, names, (neuron, psm)


def test_it_computes_what_the_code_does(case: Any) -> None:
    step, names, (neuron, psm) = case
    found = run(step.assignments, names)
    snippets = check_model(psm).snippets
    first = run_snippet(snippets["sim_code"], {n: v for n, v in names.items() if n in snippets["sim_code"].names})
    inner = {**names, "Isyn": names["Isyn"] + first["injectCurrent"]}
    code = check_model(neuron).snippets["sim_code"]
    after = inner | run_snippet(code, {n: v for n, v in inner.items() if n in code.names})
    for v in neuron.vars:
        assert _value(step.tilde[v.name], found) == after[v.name], v.name
    assert _value(step.tilde["inSyn"], found) == first["inSyn"]
    condition = check_model(neuron).snippets["threshold_condition_code"]
    spike = run_snippet(condition, {n: v for n, v in after.items() if n in condition.names})["return"]
    assert found[step.spike.id] == spike
    assert (found[step.margin.id] >= 0.0) == bool(spike)


def compared(seed: int) -> int:
    """Return of how many variables a random program and its timestep agree."""
    author = Author(seed)
    code = "\n".join(author.statement(2) for _ in range(3))
    neuron = NeuronModel("Random", params=["p", "q", *PARAMETERS.items()], vars=list(TYPES.items()), sim_code=code)
    step, rng = step_of(neuron), np.random.default_rng(seed)
    names: dict[str, Any] = {n: float(rng.normal(0.0, 3.0)) for n in FLOATS} | {"p": 0.25, "q": -4.0, "dt": 0.5}
    names |= {n: int(rng.integers(0, 50)) for n in TYPES if n not in names} | {"k": -77, "h": 7, "tiny": 200}
    names |= {"wide": 2**40, "on": True, "flag": bool(seed % 2), "id": 0, "num_neurons": 3, "t": 0.0, "Isyn": 0.0}
    snippet = check_model(neuron).snippets.get("sim_code")
    expected = {} if snippet is None else run_snippet(snippet, {n: v for n, v in names.items() if n in snippet.names})
    agreed = 0
    for name in expected.keys() & TYPES:
        try:
            chain = step.slice(step.tilde[name])
        except GradientError:
            continue  # a switch, or a loop of unknown length, has to do with it
        found, want = _value(step.tilde[name], run(chain, names)), expected[name]
        assert found == want or (found != found and want != want), (name, code)
        agreed += step.tilde[name] != Name(name, step.state[name])
    return agreed


def test_random_programs_compute_the_same() -> None:
    assert sum(compared(seed) for seed in range(60)) >= 60


# ---- derivatives of a timestep ----


def with_psi(step: Step, found: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
    """Return assignments with psi, of a fast sigmoid, behind the spike."""
    h = step.margin
    size = algebra.add(algebra.number(1.0), algebra.call("fabs", algebra.multiply(algebra.number(BETA), h)))
    psi = algebra.divide(algebra.number(BETA), algebra.multiply(size, size))
    psi = psi if step.gate is None else algebra.select(step.gate, psi, algebra.number(0.0))
    at = next(i for i, a in enumerate(found) if a.name == step.spike.id) + 1
    return (*found[:at], Assignment("psi", psi, algebra.SCALAR), *found[at:])


def without_spike(step: Step, names: dict[str, Any], wrt: str, of: str) -> float:
    """Return a difference quotient of a value; the timestep is one without a spike."""
    results = []
    for move in (1e-6, -1e-6):
        found = run(step.assignments, {**names, wrt: names[wrt] + move})
        assert not found[step.spike.id]
        results.append(_value(step.after[of], found))
    return (results[0] - results[1]) / 2e-6


def test_forward_derivatives_are_difference_quotients(case: Any) -> None:
    step, names, _ = case
    names |= {"V": names["V"] - 1.5}  # no spike, and no removable singularity
    wrt = [x for x in step.state if step.state[x].kind == "float"]
    linear = linear_forms(step, {x: {x: algebra.number(1.0)} for x in wrt}, detached=True)
    found = run(with_psi(step, linear.assignments), names)
    for x in wrt:
        e = step.after[x]
        form = linear.forms.get(e.id, {}) if isinstance(e, Name) else {}
        for y in wrt:
            expected = without_spike(step, names, y, x)
            assert _value(form.get(y, algebra.number(0.0)), found) == pytest.approx(expected, rel=2e-5, abs=1e-7), (
                x,
                y,
            )


def test_reverse_derivatives_are_the_forward_ones(case: Any) -> None:
    """Where the neuron spikes too, with the reset followed; at TraubMiles' singularity V = -52 exactly."""
    step, names, (neuron, _) = case
    if neuron is not TraubMiles:
        names |= {"V": names["V"] + 30.0}
    wrt = [x for x in step.state if step.state[x].kind == "float"]
    for detached in (True, False, ("V",)):
        linear = linear_forms(step, {x: {x: algebra.number(1.0)} for x in wrt}, detached=detached)
        found = run(with_psi(step, linear.assignments), names)
        rng = random.Random(1)
        weights = {x: rng.uniform(-1.0, 1.0) for x in wrt}
        back = pullback(step, [(step.after[x], Name(f"lam_{x}", algebra.SCALAR)) for x in wrt], wrt, detached=detached)
        chain = (*step.assignments, *(a for a in back.assignments if a not in step.assignments))
        values = run(with_psi(step, chain), names | {f"lam_{x}": w for x, w in weights.items()})
        for y in wrt:
            expected = 0.0
            for x in wrt:
                form = linear.forms.get(step.after[x].id, {}) if isinstance(step.after[x], Name) else {}
                expected += weights[x] * _value(form.get(y, algebra.number(0.0)), found)
            got = _value(back.adjoints.get(y, algebra.number(0.0)), values)
            assert got == pytest.approx(expected, rel=1e-9, abs=1e-12), (y, detached)


def test_nothing_not_finite_comes_of_a_branch_that_is_not_taken() -> None:
    neuron = NeuronModel(
        "Safe",
        vars=["V"],
        sim_code="scalar rate = 1.0; if (V > 0.0) { rate = sqrt(V) + 1.0 / V; } V = rate * V + Isyn;",
    )
    step = step_of(neuron, DeltaCurr)
    back = pullback(step, [(step.after["V"], Name("lam", algebra.SCALAR))], ["V", "inSyn"])
    for V in (0.0, -2.0):
        names = {"V": V, "Isyn": 0.0, "inSyn": 0.5, "lam": 2.0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of the interpreter, for the branch not taken
            values = run(back.assignments, names)
        assert _value(back.adjoints["V"], values) == 2.0


# ---- what is followed, and what is not ----


def neuron(code: str, threshold: str = "V >= 1.0", **more: Any) -> NeuronModel:
    return NeuronModel(
        "Test",
        params=["tau"],
        vars=["V", "U", ("n", "int")],
        extra_global_params=[("a", "scalar*")],
        sim_code=code,
        threshold_condition_code=threshold,
        **more,
    )


def test_loops_are_unrolled() -> None:
    step = step_of(neuron("for (int i = 0; i < 3; i++) { V += (i + 1) * Isyn; }"), DeltaCurr)
    code = [unparse(a.value) for a in step.slice(step.tilde["V"])[1:]]
    assert code == ["V + 1 * Isyn_1", "V_1 + 2 * Isyn_1", "V_2 + 3 * Isyn_1"]


@pytest.mark.parametrize(
    ("code", "line", "why"),
    [
        (
            "while (V > 1.0) { V -= Isyn; }",
            "while (V > 1.0) { V -= Isyn; }",
            "how often this loop runs depends on data",
        ),
        ("for (int i = 0; i < n; i++) { V += Isyn; }", "for (int i = 0", "from one whole number to another"),
        ("for (int i = 0; i < 9; i++) { V += Isyn; if (V > 2.0) break; }", "for (int", "left early"),
        ("do { V += Isyn; } while (V < 1.0);", "do {", "write a 'for'"),
        ("switch (n) { case 1: V = Isyn; }", "switch (n)", "write 'if' and 'else'"),
        ("V = Isyn + gennrand_normal();", "gennrand_normal();", "a random number is drawn here"),
        ("a[0] = Isyn; V = a[0];", "V = a[0];", "an array that code writes to"),
        ("scalar *p = a; *p = Isyn; V = p[0];", "V = p[0];", "keep the value in a variable"),
        ("V = n > 1 && n++ ? Isyn : 0.0;", "V = n > 1", "make it a statement of its own"),
    ],
)
def test_what_cannot_be_followed_is_refused_where_it_is_needed(code: str, line: str, why: str) -> None:
    step = step_of(neuron(f"U = 0.5 * U + Isyn;\n{code}"), DeltaCurr)
    assert step.slice(step.after["U"])  # goes on where nothing needs it
    with pytest.raises(GradientError, match="model 'Test', sim_code, line 2: ") as error:
        step.slice(step.after["V"])
    head, shown, caret = str(error.value).split("\n")
    assert why in head
    assert shown[caret.index("^") :].startswith(line)


def test_an_array_is_read_only_where_its_code_would() -> None:
    step = step_of(neuron("if (n >= 0) { V += a[n]; }"), DeltaCurr)
    assert run(step.assignments, {"V": 0.5, "n": -1, "a": [1.0], "Isyn": 0.0, "inSyn": 0.0, "U": 0.0})["spike"] == 0


@pytest.mark.parametrize(
    ("threshold", "margin", "gate"),
    [
        ("V >= 1.0", "V_1 - 1.0", None),
        ("U <= 0.0 && V > tau", "V_1 - tau", "U <= 0.0"),
        ("1.0 < V && U <= 0.0 && n == 2", "V_1 - 1.0", "U <= 0.0 && n == 2"),
        ("tau <= V", "V_1 - tau", None),
        ("V >= tau + 0.5 * U", "V_1 - (tau + 0.5 * U)", None),
    ],
)
def test_margin_and_gate(threshold: str, margin: str, gate: str | None) -> None:
    step = step_of(neuron("V = 0.9 * V + Isyn;", threshold), DeltaCurr)
    assert unparse(step.by_name[step.need_margin().id].value) == margin
    assert (None if step.gate is None else unparse(step.gate)) == gate


@pytest.mark.parametrize(
    ("threshold", "why"),
    [
        ("U >= 1.0", "depends on nothing that synapses drive"),
        ("V >= 1.0 || U > 2.0", "no comparison by"),
        ("V == 1.0", "no comparison by"),
        ("V >= 1.0 && V < 9.0", "compares several values"),
    ],
)
def test_thresholds_without_a_margin(threshold: str, why: str) -> None:
    step = step_of(neuron("V = 0.9 * V + Isyn;", threshold), DeltaCurr)
    with pytest.raises(GradientError, match=f"model 'Test', threshold_condition_code, line 1: Test: .*{why}"):
        step.need_margin()


def test_own_spikes_are_found() -> None:
    code = "V = 0.9 * V + Isyn; const scalar s = U <= 0.0 && V >= 1.0 ? 1.0 : 0.0; U = 0.5 * U;"
    step = step_of(neuron(code, "U <= 0.0 && V >= 1.0"), DeltaCurr)
    own = [
        a for a in step.assignments if a.name != "spike" and a.value is not None and "spike" in tree.names_in(a.value)
    ]
    assert own == []  # U has changed since
    step = step_of(neuron(code.replace("U = 0.5 * U;", ""), "U <= 0.0 && V >= 1.0"), DeltaCurr)
    names = [a.name for a in step.assignments]
    assert unparse(step.by_name["s_1"].value) == "spike ? 1.0 : 0.0"
    assert names.index("spike") < names.index("s_1")


def test_a_refractory_neuron_may_not_have_been_above_before() -> None:
    step = step_of(neuron("V = 0.9 * V + Isyn;", auto_refractory_required=True), DeltaCurr)
    names = {"Isyn": 0.0, "inSyn": 1.0, "U": 0.0, "n": 0, "tau": 1.0}
    assert run(step.assignments, names | {"V": 0.9})["spike"]
    assert not run(step.assignments, names | {"V": 1.1})["spike"]
    assert unparse(step.gate) == "!(V >= 1.0)"


def test_inputs_and_names_of_several_postsynaptic_models() -> None:
    first = Postsynaptic(ExpCurr, prefix="a_")
    second = Postsynaptic(ExpCond, "Extra", prefix="b_", refs={"V": "U"})
    model = NeuronModel(
        "Two", vars=["V", "U"], additional_input_vars=[("Extra", "scalar", 0.0)], sim_code="V += Isyn + Extra;"
    )
    step = step_of(model, first, second)
    assert set(step.state) == {"V", "U", "a_inSyn", "b_inSyn"}
    assert unparse(step.by_name[step.inputs["Isyn"].id].value) == "Isyn + a_init * a_inSyn"
    assert unparse(step.by_name[step.inputs["Extra"].id].value) == "Extra + b_inSyn * (b_E - U)"
    with pytest.raises(GradientError, match="ExpCond refers to 'V', which Bare does not have: say in refs"):
        step_of(NeuronModel("Bare", vars=["U"]), ExpCond)


# ---- facts ----


@pytest.mark.parametrize(
    ("values", "asks"),
    [({"tauRefrac": 5.0}, False), ({"tauRefrac": 0.0}, True), ({"tauRefrac": -1.0}, True), ({}, True)],
)
def test_gates_decide_branches(values: dict[str, float], asks: bool) -> None:
    step = step_of(SuperSpikeHidden, ExpCurr)
    quiet = assume(step, facts_of(step, values))
    names = [a.name for a in quiet.slice(quiet.tilde["V"])]
    assert any(name.startswith("when") for name in names) is asks
    assert len(names) < len(step.slice(step.tilde["V"]))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("x <= 0.0", True),
        ("x < 1.0", True),
        ("x > 0.0", False),
        ("0.0 >= x", True),
        ("x == five", False),
        ("x != five", True),
        ("x < five - 5.0", None),
        ("x <= five - 5.0", True),
        ("-x >= 0.0", True),
        ("!(x > 0.0)", True),
        ("x > 0.0 || y > 0.0", None),
        ("x > 0.0 && y > 0.0", False),
        ("x <= 0.0 || y > 0.0", True),
        ("y > 0.0", None),
        ("five == 5.0", True),
        ("five > 6.0", False),
        ("x * x > 0.0", None),
    ],
)
def test_facts(condition: str, holds: bool | None) -> None:
    scope = Scope({n: Symbol("number", algebra.SCALAR) for n in ("x", "y", "five")}, {})
    facts = Facts({"x": (-np.inf, 0.0), "five": (5.0, 5.0)})
    assert facts.decide(parse_code(condition, scope, "test", expression=True)[0].tree) is holds


@pytest.mark.parametrize("model", [m for m in models.ALL if isinstance(m, NeuronModel)], ids=lambda m: m.name)
def test_every_neuron_of_the_library_has_a_timestep(model: NeuronModel) -> None:
    step = step_of(model, DeltaCurr)
    assert len({a.name for a in step.assignments}) == len(step.assignments)
    defined: set[str] = set()
    for a in step.assignments:
        if a.value is not None:
            later = {b.name for b in step.assignments} - defined
            assert not tree.names_in(a.value) & later
        defined.add(a.name)
