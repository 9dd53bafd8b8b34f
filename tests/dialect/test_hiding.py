"""Local variables that hide what is declared: later stages need not know of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dialect_interpreter import run_snippet
from snnlearn.declare import NeuronModel, WeightUpdateModel
from snnlearn.dialect import Snippet, check_model, tree

Parse = Callable[..., Snippet]


@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        ("scalar tau = 2; V = tau;", "", "V"),
        ("V = tau; scalar tau = 2; V = tau;", "tau", "V"),
        ("scalar tau = tau + 1; V = tau;", "tau", "V"),
        ("{ scalar tau = 2; V = tau; } W = tau;", "tau", "V W"),
        ("scalar V = 1; V += 2; W = V;", "", "W"),
        ("int a = 1; V = a;", "", "V"),
        ("for (int n = 0; n < 3; n++) V += n; W = n;", "V n", "V W"),
        ("scalar id_post = 1; V = id_post; for_each_synapse { W = id_post; }", "id_post", "V W"),
        ("for_each_synapse { scalar id_post = 1; V = id_post; }", "", "V"),
        ("scalar total = 1; V = total;", "", "V"),
        ("scalar past = 1; V = past;", "", "V"),
    ],
)
def test_a_hidden_name_is_neither_read_nor_written(parse: Parse, code: str, reads: str, writes: str) -> None:
    snippet = parse(code)
    assert snippet.reads == set(reads.split())
    assert snippet.writes == set(writes.split())


def test_no_local_variable_of_a_tree_has_a_declared_name(parse: Parse) -> None:
    snippet = parse("V = tau; scalar tau = 2; { scalar tau = 3; V += tau; } V += tau; scalar own = tau;")
    declared = []
    tree.rewrite(snippet.tree, lambda n: declared.append(n.name) or n if isinstance(n, tree.Declare) else n)
    assert declared == ["tau.local", "tau.local", "own"]
    after = run_snippet(snippet, {"tau": 10.0, "V": 0.0})
    assert (after["V"], after["own"], after["tau"]) == (15.0, 2.0, 10.0)


def test_a_local_variable_cannot_be_indexed_like_the_array_it_hides(refuse: Callable[..., None]) -> None:
    refuse("int a = 1; V = ‸a[0];", "'a' is a local variable, not an array")
    refuse("int past = 1; V = ‸past[0];", "'past' is a local variable, not an array")
    refuse("const int a = 1; ‸a = 2;", "'a' is read-only here: it is a const local variable")
    refuse("int tau = 1; int ‸tau = 2;", "'tau' is declared twice in this block")


def test_code_of_a_spike_sees_the_local_that_hides() -> None:
    model = NeuronModel(
        "m",
        params=["p"],
        vars=["V"],
        sim_code="V = p; scalar p = 4 * V;",
        threshold_condition_code="p > 3",
        reset_code="V = -p; p = 2;",
    )
    snippets = check_model(model).snippets
    assert [snippets[code].reads for code in model.codes()] == [{"p", "V"}, set(), set()]
    after = run_snippet(snippets["sim_code"], {"p": 1.0, "V": 0.0})
    assert run_snippet(snippets["threshold_condition_code"], after)["return"] is True
    assert run_snippet(snippets["reset_code"], after)["V"] == -4.0


def test_the_classic_rule_calls_a_difference_of_times_dt() -> None:
    code = "const scalar dt = t - st_post; if (dt > 0) g -= exp(-dt);"
    snippet = check_model(WeightUpdateModel("m", vars=["g"], pre_spike_syn_code=code)).snippets["pre_spike_syn_code"]
    assert snippet.reads == {"t", "st_post", "g"}
