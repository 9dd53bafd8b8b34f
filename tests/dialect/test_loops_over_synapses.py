"""``for_each_synapse``: a loop that C does not have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snnlearn.declare import value_type
from snnlearn.dialect import Scope, Snippet, parse_code, tree
from snnlearn.errors import DialectError

Parse = Callable[..., Snippet]
Refuse = Callable[..., None]


def test_a_loop_and_what_it_brings(parse: Parse) -> None:
    snippet = parse("for_each_synapse { weight = id_post; if (weight > V) remove_synapse(); }")
    assert isinstance(snippet.tree, tree.Block)
    (loop,) = snippet.tree.statements
    assert isinstance(loop, tree.ForEachSynapse)
    assign, condition = loop.body.statements
    id_post = tree.Name("id_post", value_type("unsigned int"))
    target = tree.Name("weight", value_type("scalar"))
    assert assign == tree.Evaluate(tree.Assign("=", target, id_post, target.type))
    assert isinstance(condition, tree.If)
    assert (snippet.reads, snippet.writes) == ({"weight", "id_post", "V"}, {"weight"})
    assert snippet.calls == {"remove_synapse"}


@pytest.mark.parametrize(
    "code",
    [
        "for_each_synapse V = id_post;",
        "for_each_synapse ;",
        "for_each_synapse{ }",
        "if (b) for_each_synapse { V = 1; } else for_each_synapse { continue; }",
        "for (int i = 0; i < 3; i++) { for_each_synapse { break; } }",
        "for_each_synapse { for (int i = 0; i < 3; i++) { if (b) break; V = id_post; } }",
        "for_each_synapse { } for_each_synapse { weight = 1; }",
        "for_each_synapse { switch (n) { case 1: break; default: continue; } }",
        "{ for_each_synapse { const int id_post = 3; V = id_post; } }",
        "for_each_synapse { addSynapse(id_post); addToPost(weight); }",
    ],
)
def test_where_loops_may_stand(parse: Parse, code: str) -> None:
    found = []
    tree.rewrite(parse(code).tree, lambda n: found.append(n) or n if isinstance(n, tree.ForEachSynapse) else n)
    assert len(found) == code.count("for_each_synapse")


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("for_each_synapse { ‸for_each_synapse { } }", "a 'for_each_synapse' cannot be inside another"),
        ("for_each_synapse { if (b) { ‸for_each_synapse ; } }", "a 'for_each_synapse' cannot be inside another"),
        ("V = ‸weight;", "'weight' has a value only inside 'for_each_synapse'"),
        ("for_each_synapse { weight = 1; }\nV = ‸id_post;", "'id_post' has a value only inside"),
        ("for_each_synapse { } ‸remove_synapse();", "remove_synapse can only be called inside 'for_each_synapse'"),
        ("for_each_synapse { V = ‸wight; }", "unknown name 'wight'; did you mean 'weight'"),
        ("for_each_synapse { ‸remove_synaps(); }", "unknown function 'remove_synaps'; did you mean 'remove_synapse'"),
        ("for_each_synapse { ‸id_post = 1; }", "'id_post' is read-only here: it is a built-in number"),
        ("for_each_synapse { remove_synapse(); } ‸break;", "'break' outside a loop or switch"),
        ("do { V = 1; } ‸for_each_synapse;", "expected 'while' before this 'for_each_synapse'"),
        ("V = ‸for_each_synapse;", "syntax error at 'for_each_synapse'"),
        ("‸int for_each_synapse = 3;", "this is not C"),
        ("for_each_synapse (b) ‸{ }", "syntax error at '{'"),
        ("for_each_synapse { V = ‸tua; }", "unknown name 'tua'; did you mean 'tau'"),
        ("{ for_each_synapse { V = 1; }\nfor_each_synaps ‸{ } }", "syntax error at '{'"),
    ],
)
def test_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


def test_no_loop_where_there_are_no_synapses() -> None:
    with pytest.raises(DialectError, match="'for_each_synapse' has no meaning here: there are no synapses to go"):
        parse_code("for_each_synapse { }", Scope({}, {}), "here")


@pytest.mark.parametrize("jump", ["break", "continue"])
def test_a_marker_of_the_parser_is_no_word_of_the_dialect(refuse: Refuse, jump: str) -> None:
    refuse(f"while (‸__synapse) {{ {jump}; }}", "'__synapse' is not part of the dialect")
