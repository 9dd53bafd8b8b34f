"""``printf`` prints numbers, as its format says and no other way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dialect_interpreter import run_snippet
from snnlearn.dialect import Snippet, tree

Parse = Callable[..., Snippet]
Refuse = Callable[..., None]


def call(snippet: Snippet) -> tree.Call:
    assert isinstance(snippet.tree, tree.Block)
    (statement,) = snippet.tree.statements
    assert isinstance(statement, tree.Evaluate)
    assert isinstance(statement.value, tree.Call)
    return statement.value


def test_arguments_have_the_types_that_c_takes_them_to_have(parse: Parse) -> None:
    snippet = parse(r'printf("%d %u%%: %5.2f\n", i8, n, V);')
    printf = call(snippet)
    assert printf.function == "printf"
    assert printf.args[0] == tree.Text("%d %u%%: %5.2f\n")
    assert [arg.type.name for arg in printf.args[1:]] == ["int", "unsigned int", "double"]
    assert [type(arg).__name__ for arg in printf.args[1:]] == ["Cast", "Cast", "Cast"]
    assert snippet.calls == {"printf"}
    assert snippet.reads == {"i8", "n", "V"}
    printed = run_snippet(snippet, {"i8": -3, "n": -1, "V": 0.5})["printf"]
    assert printed == [("%d %u%%: %5.2f\n", -3, 2**32 - 1, 0.5)]


def test_what_needs_no_cast_gets_none(parse: Parse) -> None:
    assert [type(arg).__name__ for arg in call(parse('printf("%d%g%x", n, d, u);')).args[1:]] == ["Name"] * 3


def test_a_text_is_quoted_for_c(parse: Parse) -> None:
    (text,) = call(parse(r'printf("a\tb \"c\" \\ ??/ //no comment /* nor this");')).args
    assert isinstance(text, tree.Text)
    assert text.value == 'a\tb "c" \\ ??/ //no comment /* nor this'
    assert text.quoted == r'"a\tb \"c\" \\ \?\?/ //no comment /* nor this"'


def test_it_may_stand_in_an_expression(parse: Parse) -> None:
    assert parse('printf("V\\n") && V > 1', expression=True).calls == {"printf"}


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("‸printf();", "printf takes 1 to 32 argument\\(s\\), not 0"),
        ("printf(‸V);", "printf needs a text first"),
        ("printf(‸n, n);", "printf needs a text first"),
        ('printf(‸"%d");', "this text prints 1 value\\(s\\), but printf is given 0"),
        ('printf(‸"%%d", n);', "this text prints 0 value\\(s\\), but printf is given 1"),
        ('printf(‸"%d", n, n);', "this text prints 1 value\\(s\\), but printf is given 2"),
        ('printf(‸"%s", n);', "'%s' is not a conversion of the dialect: %d, %u"),
        ('printf(‸"%n", n);', "'%n' is not a conversion"),
        ('printf(‸"%p", n);', "'%p' is not a conversion"),
        ('printf(‸"%*d", n, n);', "'%\\*' is not a conversion"),
        ('printf(‸"%1$d", n);', "'%1\\$' is not a conversion"),
        ('printf(‸"%ld", n);', "'%l' is not a conversion"),
        ('printf(‸"%9999d", n);', "'%9999' is not a conversion"),
        ('printf(‸"100%");', "'%' is not a conversion"),
        ('printf("%d", ‸V);', "this is of type scalar: print it with %f, %g or %e"),
        ('printf("%f", ‸n);', "this is of type int: print it with %d or %u"),
        ('printf("%d", ‸"1");', "a text can only be the first argument of printf"),
        ('printf(‸L"x");', "printf needs a text first"),
        ('V = ‸"text";', "a text can only be the first argument of printf"),
        ('V = exp(‸"text");', "a text can only be the first argument of printf"),
        ('‸"text";', "a text can only be the first argument of printf"),
        ('addToPost(‸"text");', "a text can only be the first argument of printf"),
        ('printf("%d", ‸addToPost(1));', "this gives no value"),
    ],
)
def test_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)
