"""Code that is not C of the dialect: every message has its line and its caret, whatever parser is installed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snnlearn.errors import DialectError

Refuse = Callable[..., None]

STATEMENTS = [
    # what is missing or too much
    ("V = 3‸", "the code ends too early; is a ';' missing\\?"),
    ("V = 3‸  \n\n// end", "the code ends too early; is a ';' missing\\?"),
    ("V =‸", "the code ends too early\n"),
    ("if (V)‸", "the code ends too early; is a ';' missing\\?"),
    ("do V -= 1; while (V > 0)‸", "the code ends too early; is a ';' missing\\?"),
    ("V = 3\n  ‸W = 2;", "syntax error at 'W'; is a ';' missing before it\\?"),
    ("if ‸V > 3 W = 2;", "syntax error at 'V'"),
    ("V = ‸;", "syntax error at ';'"),
    ("V = 1 ? 2‸;", "syntax error at ';'"),
    ("V = W ?‸: 3;", "syntax error at ':'"),
    ("‸else V = 3;", "syntax error at 'else'"),
    ("V = 3 ‸4;", "syntax error at '4'"),
    ("V = ‸[3];", "syntax error at '\\['"),
    ("V = exp(‸, 2);", "syntax error at ','"),
    ("V = exp(1, ‸);", "syntax error at '\\)'"),
    ("for (‸) V = 1;", "syntax error at '\\)'"),
    ("for (n = 0; n < 3‸) V = 1;", "syntax error at '\\)'"),
    ("while (‸) V = 1;", "syntax error at '\\)'"),
    ("V = W ‸int;", "syntax error at 'int'"),
    ("V ‸W;", "syntax error at 'W'; 'V' is not a type"),
    ("if (V > 1) {\n  W = 2;\n  V ‸} else { V = 1; }", "syntax error at '}'"),
    # types
    ("foo ‸x = 3;", "syntax error at 'x'; 'foo' is not a type"),
    ("V = 1; Scalar ‸x = 3;", "syntax error at 'x'; 'Scalar' is not a type; did you mean 'scalar'\\?"),
    ("float32_t ‸x = 3;", "'float32_t' is not a type; did you mean 'float'\\?"),
    ("int x ‸y;", "syntax error at 'y'"),
    ("int x ‸: 3;", "syntax error at ':'"),
    # digraphs, trigraphs and other disguises
    ("‸%:include", "syntax error at '%'"),
    ("‸<% V = 3; %>", "syntax error at '<'"),
    ("V = k<‸:0:>;", "syntax error at ':'"),
    ("‸??=include", "syntax error at '\\?'"),
    ("int f(a) ‸int a; { }", "syntax error at 'int'"),
    ("if (‸int x = 3) V = 2;", "syntax error at 'int'"),
]


@pytest.mark.parametrize(("marked", "message"), STATEMENTS)
def test_statements_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


@pytest.mark.parametrize("before", ["", "\t", "V = 1; ", "V = 1;\n\n    ", "/* a\n b */ ", "{ } ;"])
@pytest.mark.parametrize(("marked", "message"), STATEMENTS[6:12])
def test_the_caret_moves_with_the_fault(refuse: Refuse, before: str, marked: str, message: str) -> None:
    refuse(before + marked, message)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("V >‸", "the code ends too early\n"),
        ("‸// never", "expected an expression"),
        ("‸;", "expected an expression"),
        ("V > 1‸;;", "syntax error at ';'"),
        ("V > 1‸; V", "syntax error at ';'"),
        ("‸if (V) V", "syntax error at 'if'"),
        ("int ‸x = 3", "syntax error at 'x'"),
        ("3 ‸3", "syntax error at '3'"),
        ("\n\n  V >\n  ‸* 2", "no such '\\*' here: it needs a pointer into an array"),
    ],
)
def test_expressions_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message, expression=True)


@pytest.mark.parametrize(
    "code", ["V > 1", "V > 1;", "V > 1 // spike", "V > 1; // spike\n", " (V > 1) ", "\nV\n>\n1\n;\n"]
)
def test_a_semicolon_may_end_an_expression(parse: Callable[..., object], code: str) -> None:
    assert parse(code, expression=True) == parse("V > 1", expression=True)


DEEP = {
    "brackets": lambda n: "V = " + "(" * n + "W" + ")" * n + ";",
    "open brackets": lambda n: "V = " + "(" * n,
    "calls": lambda n: "V = " + "exp(" * n + "W" + ")" * n + ";",
    "indices": lambda n: "V = " + "k[" * n + "0" + "]" * n + ";",
    "blocks": lambda n: "{" * n + "}" * n,
    "signs": lambda n: "V = " + "- " * n + "W;",
    "nots": lambda n: "V = " + "!" * n + "W;",
    "casts": lambda n: "V = " + "(int)" * n + "W;",
    "sums": lambda n: "V = " + "W + " * n + "W;",
    "ternaries": lambda n: "V = " + "W ? W : " * n + "W;",
    "assignments": lambda n: "V = " * n + "W;",
    "ifs": lambda n: "if (V) " * n + "W = 1;",
    "elses": lambda n: "if (V) ; else " * n + "W = 1;",
    "loops": lambda n: "while (V) " * n + "W = 1;",
    "switches": lambda n: "switch (n) { case 1: " * n + ";" + "}" * n,
}


@pytest.mark.parametrize("kind", DEEP)
def test_what_nests_a_little_is_fine(parse: Callable[..., object], kind: str) -> None:
    if kind != "open brackets":
        parse(DEEP[kind](20))


@pytest.mark.parametrize("depth", [101, 400, 3000])
@pytest.mark.parametrize("kind", DEEP)
def test_what_nests_deeply_is_an_error_like_any_other(parse: Callable[..., object], kind: str, depth: int) -> None:
    message = (
        r"^here, line 1: (the code is nested (too|more than 100 levels) deep|more than 100 brackets are open here)"
    )
    with pytest.raises(DialectError, match=message) as caught:
        parse(DEEP[kind](depth))
    assert str(caught.value).split("\n")[2].endswith("^")


def test_long_code_is_read_in_time_that_grows_with_its_length(parse: Callable[..., object], refuse: Refuse) -> None:
    parse("V += W * 2.0;\n" * 500)
    refuse("V += W * 2.0;\n" * 500 + "V = ‸;", "syntax error at ';'")
