"""Only the dialect's characters, words and numbers get as far as the parser."""

from __future__ import annotations

import re
import string
from collections.abc import Callable

import pytest

from snnlearn.declare import value_type
from snnlearn.dialect import Scope, Symbol, parse_code, tree
from snnlearn.dialect.source import Source
from snnlearn.dialect.tokens import parser_text, scan
from snnlearn.errors import DialectError

Refuse = Callable[..., None]

NUMBERS = """0 7 10 2147483647 3u 3U 0xff 0XFFu 1. .5 1.5 1e3 1E+3 1e-3 1.e2 .5e2 1.0f 1.F 1e3f 30.0d 1e3D"""
NOT_NUMBERS = """010 00 1L 1l 1ul 1uu 1LL 1f 1d 0x 0xg 0x1p3 0x1.8 0b11 1e 1e+ 1.5.2 1..2 1.0l 1.0ff 1.0df 1_000 1.x
    123abc 1i 1.0e3.2 09 1'000"""
NOT_WORDS = """asm auto enum extern goto inline register restrict return sizeof static struct typedef union void
    volatile alignas constexpr nullptr offsetof static_assert thread_local typeof _Alignas _Atomic
    _Bool _Complex _Generic _Noreturn _Pragma _Static_assert _Thread_local __asm__ __attribute__
    __builtin_trap __extension__ __func__ __int128 __FILE__"""


def texts(code: str) -> list[str]:
    return [token.text for token in scan(Source(code, "here"))]


@pytest.mark.parametrize(
    ("code", "tokens"),
    [
        ("", []),
        ("a+++b", ["a", "++", "+", "b"]),
        ("a<<=b>>c", ["a", "<<=", "b", ">>", "c"]),
        ("x!=y&&!z||w", ["x", "!=", "y", "&&", "!", "z", "||", "w"]),
        ("a/b/*c*/d//e\nf", ["a", "/", "b", "d", "f"]),
        ("/* a // b */c", ["c"]),
        ("// a /* b\nc", ["c"]),
        ("/**/a/***/b/*/ c */d", ["a", "b", "d"]),
        ("// τ, \"quoted\", 'c', #, \\ and ☃\na", ["a"]),
        ("1.5e-3f-2", ["1.5e-3f", "-", "2"]),
        ("0x1e+2", ["0x1e", "+", "2"]),
        ("1-.5", ["1", "-", ".5"]),
        ("a?b:c", ["a", "?", "b", ":", "c"]),
        ("a\tb\r\nc\rd", ["a", "b", "c", "d"]),
    ],
)
def test_tokens(code: str, tokens: list[str]) -> None:
    assert texts(code) == tokens


@pytest.mark.parametrize(
    "number",
    NUMBERS.split(),
)
def test_numbers(number: str) -> None:
    assert texts(number) == [number]


@pytest.mark.parametrize(
    "number",
    NOT_NUMBERS.split(),
)
def test_numbers_refused(refuse: Refuse, number: str) -> None:
    spelt = number.split("'")[0]
    if spelt == number:
        refuse(f"V = ‸{number};", f"'{re.escape(number)}' is not a number of the dialect")
    else:
        refuse(f"V = {spelt}‸'000;", "there are no characters in the dialect")


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ('printf(‸"text);', "this text is never closed by a '\"' in its line"),
        ('printf(‸"te\nxt");', "this text is never closed"),
        ('printf(‸"τ");', "a text holds ASCII"),
        ('printf(‸"\\x41");', "a text holds ASCII, and of escapes only"),
        ("V = ‸'c';", "there are no characters"),
        ("‸#include <unistd.h>", "there is no preprocessor here"),
        ("V = 1;\n  ‸#pragma omp parallel", "there is no preprocessor here"),
        ("V = 3; ‸# define x", "there is no preprocessor here"),
        ("V = V ‸\\\n + 1;", r"the character \\ is not part"),
        ("V ‸@= 1;", "the character @ is not part"),
        ("V = ‸$x;", r"the character \$ is not part"),
        ("‸`ls`;", "the character ` is not part"),
        ("int ‸é = 3;", r"U\+00E9 is not part"),
        ("V = V‸\u2028+ 1;", r"U\+2028 is not part"),
        ("V = ‸\uff11;", r"U\+FF11 is not part"),
        ("V‸\u200b = 1;", r"U\+200B is not part"),
        ("V = ‸\x001;", r"U\+0000 is not part"),
        ("V = 1;‸\x0cW = 2;", r"U\+000C is not part"),
        ("V = 1;‸\xa0W = 2;", r"U\+00A0 is not part"),
        ("‸\ufeffV = 1;", r"U\+FEFF is not part"),
        ("V = W‸.x;", "there are no structures"),
        ("V = W‸->x;", "there are no structures"),
        ("V = 1; ‸/* V = 2;\n", r"this comment is never closed by '\*/'"),
        ("V = 1; ‸/*/", "this comment is never closed"),
    ],
)
def test_characters_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


@pytest.mark.parametrize("char", sorted({chr(i) for i in range(256)} - set(string.ascii_letters + string.digits)))
def test_every_other_byte_is_a_mark_or_refused(char: str) -> None:
    if char in " \t\r\n":
        assert texts(f"a{char}b") == ["a", "b"]
    elif char == "_":
        assert texts(f"a{char}b") == ["a_b"]
    elif char in "+-*/%&|^<>=!~?:;,":
        assert texts(f"a{char}b") == ["a", char, "b"]
    elif char in "(){}[]":
        with pytest.raises(DialectError, match=r"closes nothing|never closed"):
            texts(f"a{char}b")
    else:
        with pytest.raises(DialectError, match=r"there (is|are) no |this text is never|is not part of the dialect"):
            texts(f"a{char}b")


@pytest.mark.parametrize(
    "word",
    NOT_WORDS.split(),
)
def test_words_refused(refuse: Refuse, word: str) -> None:
    refuse(f"V = 1;\n\t‸{word} V;", f"'{word}' is not part of the dialect")


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("V = ‸(1;", r"this '\(' is never closed"),
        ("V = (1 + ‸(2;", r"this '\(' is never closed"),
        ("V = 1‸);", r"this '\)' closes nothing"),
        ("‸} V = 3; {", "this '}' closes nothing"),
        ("V = 3; ‸} int x; {", "this '}' closes nothing"),
        ("if (V) ‸{", "this '{' is never closed"),
        ("V = a[(1‸];", r"expected '\)' before this '\]'"),
        ("{ V = (1; ‸}", r"expected '\)' before this '}'"),
    ],
)
def test_brackets_match(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


def test_an_expression_cannot_leave_its_brackets(refuse: Refuse) -> None:
    refuse("V‸) || (W", r"this '\)' closes nothing", expression=True)
    refuse("1‸); V = 3; (1", r"this '\)' closes nothing", expression=True)


def test_the_parser_sees_every_token_where_it_was() -> None:
    source = Source("V\t= 2.5d /* τ */ + 1.0f; // end\r\n  W = .5D;", "here")
    tokens = scan(source)
    text = parser_text(source, tokens)
    assert text == "V = 2.5          + 1.0f;       \n  W = .5 ;"
    for token in tokens:
        assert text.startswith(token.text.rstrip("dD"), token.start)


def test_code_has_a_largest_size() -> None:
    assert len(texts("V;" * 50_000)) == 100_000
    with pytest.raises(DialectError, match=r"^here, line 2: the code is longer than 100,000 characters\n"):
        texts("\n" + "V;" * 50_000)


@pytest.mark.parametrize("word", [*NOT_WORDS.split(), "a__b"])
def test_words_refused_are_names_where_they_are_declared(word: str) -> None:
    scope = Scope(
        {word: Symbol("parameter", value_type("scalar")), "V": Symbol("variable", value_type("scalar"), True)}, {}
    )
    code = f"scalar x = {word}; {{ scalar {word} = 2.0; V = {word} + (scalar){word}; }} V += exp({word}); // {word}"
    snippet, local = parse_code(code, scope, "here")
    assert (snippet.reads, snippet.writes, set(local)) == ({word, "V"}, {"V"}, {"x"})
    assert tree.names_in(snippet.tree) == {word, f"{word}.local", "V", "x"}
    with pytest.raises(DialectError, match=r"line 2: .*\n    V = 1 1;"):
        parse_code(f"V = {word};\nV = 1 1;", scope, "here")
