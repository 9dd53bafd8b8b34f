"""Names, types and assignments: what the checker accepts, what it makes of it, and what it refuses where."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snnlearn.declare import value_type
from snnlearn.dialect import Scope, Snippet, Symbol, parse_code, tree
from snnlearn.errors import DialectError

Parse = Callable[..., Snippet]
Refuse = Callable[..., None]


def of(parse: Parse, code: str) -> tree.Expr:
    """Parse one expression and return its tree."""
    node = parse(code, expression=True).tree
    assert not isinstance(node, tree.Block)
    return node


# ---- types ----


@pytest.mark.parametrize(
    ("code", "name"),
    [
        # literals
        ("1", "int"),
        ("0", "int"),
        ("2147483647", "int"),
        ("0x7fffffff", "int"),
        ("0x80000000", "unsigned int"),
        ("0xFFFFFFFF", "unsigned int"),
        ("1u", "unsigned int"),
        ("4294967295U", "unsigned int"),
        ("2147483648", "int64_t"),
        ("4294967296", "int64_t"),
        ("9223372036854775807", "int64_t"),
        ("0x100000000", "int64_t"),
        ("0x7fffffffffffffff", "int64_t"),
        ("0x8000000000000000", "uint64_t"),
        ("0xFFFFFFFFFFFFFFFF", "uint64_t"),
        ("0x" + "0" * 5000 + "1", "int"),
        ("4294967296u", "uint64_t"),
        ("0x100000000U", "uint64_t"),
        ("18446744073709551615u", "uint64_t"),
        ("u * 2654435761", "int64_t"),
        ("u * 2654435761u", "unsigned int"),
        ("-2147483648", "int64_t"),
        ("true", "bool"),
        ("1.0", "scalar"),
        (".5", "scalar"),
        ("5.", "scalar"),
        ("1e-3", "scalar"),
        ("1.0f", "float"),
        ("1e-3F", "float"),
        ("30.0d", "double"),
        (".5D", "double"),
        # arithmetic meets in the wider type, at least int
        ("b + b", "int"),
        ("i8 + i8", "int"),
        ("-i8", "int"),
        ("+b", "int"),
        ("~i8", "int"),
        ("n + u", "unsigned int"),
        ("u + u64", "uint64_t"),
        ("n * V", "scalar"),
        ("u64 / f", "float"),
        ("f - V", "scalar"),
        ("d * 1.0f", "double"),
        ("n % 3u", "unsigned int"),
        ("n | i8", "int"),
        # a shift has the type of what is shifted
        ("n << u64", "int"),
        ("i8 >> 1", "int"),
        ("u64 << 1", "uint64_t"),
        # tests
        ("V < 1", "bool"),
        ("n == u", "bool"),
        ("V && n", "bool"),
        ("!V", "bool"),
        # the rest
        ("b ? i8 : i8", "int8_t"),
        ("b ? b : i8", "int"),
        ("b ? n : 2.0", "scalar"),
        ("(double)V", "double"),
        ("(unsigned char)3", "uint8_t"),
        ("(const long unsigned int)3", "uint64_t"),
        ("a[0]", "scalar"),
        ("k[n + 1]", "unsigned int"),
        ("exp(V)", "scalar"),
        ("exp(n)", "scalar"),
        ("exp(f)", "float"),
        ("exp(d)", "double"),
        ("pow(f, 2)", "float"),
        ("pow(f, V)", "scalar"),
        ("fma(f, d, 1)", "double"),
        ("ilogb(V)", "int"),
        ("ldexp(f, 3)", "float"),
        ("min(n, u)", "unsigned int"),
        ("min(i8, i8)", "int"),
        ("max(n, V)", "scalar"),
        ("abs(n)", "int"),
        ("abs(u)", "int"),
        ("abs(u64)", "int64_t"),
        ("abs(V)", "scalar"),
        ("gennrand()", "unsigned int"),
        ("gennrand_normal()", "scalar"),
        ("(exp)(f)", "float"),
    ],
)
def test_type_of_an_expression(parse: Parse, code: str, name: str) -> None:
    assert of(parse, code).type == value_type(name)


@pytest.mark.parametrize(
    ("declaration", "name", "const"),
    [
        ("scalar x = 1;", "scalar", False),
        ("const scalar x = 1;", "scalar", True),
        ("scalar const x = 1;", "scalar", True),
        ("unsigned x = 3u;", "unsigned int", False),
        ("unsigned long int x;", "uint64_t", False),
        ("long unsigned x;", "uint64_t", False),
        ("long long x;", "int64_t", False),
        ("signed char x;", "int8_t", False),
        ("size_t x;", "uint64_t", False),
        ("timepoint x;", "scalar", False),
        ("bool x = V > 1;", "bool", False),
        ("int (x) = 3;", "int", False),
    ],
)
def test_type_of_a_declaration(parse: Parse, declaration: str, name: str, const: bool) -> None:
    node = parse(declaration).tree
    assert isinstance(node, tree.Block)
    (declared,) = node.statements
    assert isinstance(declared, tree.Declare)
    assert (declared.name, declared.type, declared.const) == ("x", value_type(name), const)


@pytest.mark.parametrize(("one", "other"), [("30.0d", "30.0"), ("1.50f", "1.50"), ("3U", "3"), ("0xFF", "0xFF")])
def test_a_literal_keeps_its_text_without_suffix(parse: Parse, one: str, other: str) -> None:
    literal = of(parse, one)
    assert isinstance(literal, tree.Literal)
    assert literal.text == other


# ---- what is read, written and called ----


@pytest.mark.parametrize(
    ("code", "reads", "writes", "calls"),
    [
        ("", "", "", ""),
        ("V = 1;", "", "V", ""),
        ("V = W;", "W", "V", ""),
        ("V += W;", "V W", "V", ""),
        ("V++; --n;", "V n", "V n", ""),
        ("V = n = 2;", "", "V n", ""),
        ("V = (n = 2) + W;", "W", "V n", ""),
        ("if (V > tau) W = 1; else n = 2;", "V tau", "W n", ""),
        ("for (n = 0; n < 3; n++) V += a[n];", "V a n", "V n", ""),
        ("for (int i = 0; i < n; i++) V = i;", "n", "V", ""),
        ("while (V) W = exp(g);", "V g", "W", "exp"),
        ("do { V = fmax(V, 1); } while (b);", "V b", "V", "fmax"),
        ("switch (n) { case 1: V = W; break; default: W = g; }", "W g n", "V W", ""),
        ("scalar x = V; x = 2; W = x;", "V", "W", ""),
        ("{ scalar V2 = V; }", "V", "", ""),
        ("addToPost(V); n = gennrand();", "V", "n", "addToPost gennrand"),
        ("V = a[k[n]];", "a k n", "V", ""),
        ("V = b ? W : g, n = 1;", "W b g", "V n", ""),
        ("V = (int)W;", "W", "V", ""),
        ("V;", "V", "", ""),
    ],
)
def test_reads_writes_and_calls(parse: Parse, code: str, reads: str, writes: str, calls: str) -> None:
    snippet = parse(code)
    assert snippet.reads == set(reads.split())
    assert snippet.writes == set(writes.split())
    assert snippet.calls == set(calls.split())
    assert snippet.names == snippet.reads | snippet.writes


# ---- scopes of local variables ----


@pytest.mark.parametrize(
    "code",
    [
        "int x = 1; { int x = 2; V = x; } V = x;",
        "{ int x = 1; } { int x = 2; V = x; }",
        "for (int i = 0; i < 3; i++) V = i; for (int i = 0; i < 3; i++) V = i;",
        "switch (n) { case 1: ; int x = 1; V = x; case 2: ; int x = 2; V = x; }",
        "const scalar exp = exp(V); V = exp;",
        "scalar x = 1, y = x; V = y;",
    ],
)
def test_blocks_have_variables_of_their_own(parse: Parse, code: str) -> None:
    parse(code)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("{ int x = 1; } V = ‸x;", "unknown name 'x'"),
        ("for (int i = 0; i < 3; i++) ; V = ‸i;", "unknown name 'i'"),
        ("V = ‸x; int x = 1;", "unknown name 'x'"),
        ("int x = ‸x;", "unknown name 'x'"),
        ("switch (n) { case 1: ; int x = 1; case 2: V = ‸x; }", "unknown name 'x'"),
        ("int x = 1; int ‸x = 2;", "'x' is declared twice in this block"),
        ("for (int i = 0, ‸i = 1; i < 3; i++) ;", "'i' is declared twice in this block"),
        ("int ‸scalar = 1;", "'scalar' is a word of the language"),
        ("scalar ‸scalar = 1;", "'scalar' is a word of the language"),
        ("int ‸uint8_t = 1;", "'uint8_t' is a word of the language"),
        ("bool ‸true = false;", "'true' is a word of the language"),
        ("const int ‸x;", "'x' is const but has no value"),
        ("const int x = 1; ‸x = 2;", "'x' is read-only here: it is a const local variable"),
        ("const int x = 1; ‸x++;", "'x' is read-only here"),
    ],
)
def test_local_variables_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


def test_locals_of_one_code_are_seen_by_the_next() -> None:
    scope = Scope({"V": Symbol("variable", value_type("scalar"), writable=True)}, {})
    _, seen = parse_code("scalar x = 1; { int y = 2; }", scope, "first")
    assert set(seen) == {"x"}
    snippet, _ = parse_code("V = x;", scope, "second", outer=seen)
    assert snippet.reads == set()
    assert snippet.writes == {"V"}


# ---- what is refused ----


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("‸U = 3;", "unknown name 'U'; did you mean 'u'\\?"),
        ("V = ‸Tau;", "unknown name 'Tau'; did you mean 'tau'\\?"),
        ("V = ‸exp;", "unknown name 'exp'"),
        ("V = ‸Exp(W);", "unknown function 'Exp'; did you mean 'exp'\\?"),
        ("V = ‸system(1);", "unknown function 'system'"),
        ("V = ‸W(3);", "unknown function 'W'"),
        ("V = ‸exp(W, 3);", "exp takes 1 argument\\(s\\), not 2"),
        ("V = ‸exp();", "exp takes 1 argument\\(s\\), not 0"),
        ("‸addToPost();", "addToPost takes 1 argument"),
        ("V = ‸addToPost(W);", "this gives no value"),
        ("V = 1 + ‸addToPost(W);", "this gives no value"),
        ("‸tau = 3;", "'tau' is read-only here: it is a parameter"),
        ("‸g += 3;", "'g' is read-only here: it is a read-only variable"),
        ("++‸g;", "'g' is read-only here"),
        ("‸a = 3;", "'a' is read-only here: it is an extra global parameter"),
        ("‸a[0] = 3;", "'a' is read-only here"),
        ("‸a[0]++;", "'a' is read-only here"),
        ("‸W[0] = 3;", "'W' is a variable, not an array"),
        ("‸n[0]++;", "'n' is a variable, not an array"),
        ("‸3 = V;", "only a variable can be assigned to"),
        ("‸exp(V) = 1;", "only a variable can be assigned to"),
        ("‸3++;", "only a variable can be assigned to"),
        ("V = ‸a;", "'a' is an array: index it, as in a\\[0\\]"),
        ("V = ‸W[0];", "'W' is a variable, not an array"),
        ("V = ‸a[0][1];", "only a declared array can be indexed"),
        ("V = a[‸1.0];", "an index must be an integer, not scalar"),
        ("V = a[‸V];", "an index must be an integer, not scalar"),
        ("V = ‸W % 2;", "'%' needs integers, not scalar; for a remainder use fmod"),
        ("V = n % 2 % ‸W;", "'%' needs integers, not scalar"),
        ("n = n & ‸1.5;", "'&' needs integers, not scalar$|'&' needs integers, not scalar\\n"),
        ("‸V <<= 2;", "'<<=' needs integers, not scalar"),
        ("n %= ‸d;", "'%=' needs integers, not double; for a remainder use fmod"),
        ("V = ~‸W;", "'~' needs integers, not scalar"),
        ("V = ‸&W;", "no such '&' here: there are no addresses in the dialect"),
        ("V = ‸&a[0];", "no such '&' here: there are no addresses in the dialect"),
        ("V = ‸*W;", "no such '\\*' here: it needs a pointer into an array"),
        ("V = ‸*(float*)0;", "no such '\\*' here: it needs a pointer into an array"),
        ("V = ‸(float*)n;", "there are no casts to pointers and arrays"),
        ("V = ‸(int[3])n;", "there are no casts to pointers and arrays"),
        ("V = ‸(int(*)(int))n;", "there are no casts to pointers and arrays"),
        ("V = (‸V + 1)(W);", "only a named function can be called"),
        ("int ‸x[3];", "there are no local arrays and functions"),
        ("int ‸f(int);", "there are no local arrays and functions"),
        ("int x = ‸{3};", "there are no lists of values"),
        ("V = (int)‸{3};", "there are no lists of values"),
        ("V = (‸{ 3; });", "a block has no value"),
        ("‸here: V = 1;", "there are no labels"),
        ("‸break;", "'break' outside a loop or switch"),
        ("if (V) ‸continue;", "'continue' outside a loop"),
        ("while (V) { } ‸break;", "'break' outside a loop or switch"),
        ("‸unsigned float x;", "unknown type 'unsigned float'"),
        ("‸long double x;", "unknown type 'long double'"),
        ("V = ‸9223372036854775808;", "9223372036854775808 is too large for an integer; add a 'u', or write it with"),
        ("V = ‸18446744073709551616;", "18446744073709551616 is too large for an integer; write it with a '.0'"),
        ("V = ‸18446744073709551616u;", "18446744073709551616u is too large for an integer; write it with a '.0'"),
        ("V = ‸0x10000000000000000;", "0x10000000000000000 is too large for an integer; write it with a '.0'"),
        ("V = ‸1e400;", "1e400 is too large for a number"),
    ],
)
def test_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


@pytest.mark.parametrize("spelt", ["7" * 5000, "7" * 5000 + "u", "0x" + "7" * 5000, "7" * 5000 + ".0"])
def test_a_number_of_thousands_of_digits_is_refused_where_it_stands(parse: Callable[..., Snippet], spelt: str) -> None:
    with pytest.raises(DialectError, match=rf"line 1: {spelt[:20]}… is too large for a.*\n.*\n        \^$"):
        parse(f"V = {spelt};")


@pytest.mark.parametrize("before", ["", "\t", "V = 1;\n\t  ", "/* τ\n */ "])
def test_the_caret_is_right_behind_tabs_lines_and_comments(refuse: Refuse, before: str) -> None:
    refuse(before + "W = exp(/* x */ ‸nothing);", "unknown name 'nothing'")


def test_windows_line_ends(parse: Parse) -> None:
    assert parse("V = 1;\r\nW = 2;\r\n") == parse("V = 1;\nW = 2;\n") == parse("V = 1; W = 2;")


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("V ‸= 3", "'=' changes a variable, which this code must not; to compare, write '=='"),
        ("(V ‸= 3) > 2", "'=' changes a variable"),
        ("V > (n ‸+= 3)", "'\\+=' changes a variable, which this code must not\\n"),
        ("‸V++ > 3", "'\\+\\+' changes a variable"),
        ("--‸n > 3", "'--' changes a variable"),
        ("V > 1, ‸V < 3", "expected one expression, not several"),
        ("‸addToPost(V)", "this gives no value"),
    ],
)
def test_an_expression_changes_nothing(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message, expression=True)


# ---- switch and comma ----


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("switch (‸V) { case 1: break; }", "'switch' needs an integer, not scalar"),
        ("switch (n) { ‸V = 3; case 1: break; }", "expected 'case' or 'default'"),
        ("switch (n) ‸V = 3;", "expected 'case' or 'default'"),
        ("switch (n) { case ‸n: break; }", "a case needs a whole number"),
        ("switch (n) { case ‸1.0: break; }", "a case needs a whole number"),
        ("switch (n) { case 1: break; ‸case 1: break; }", "this case is in the switch twice"),
        ("switch (n) { case 1: break; ‸case 0x1: break; }", "this case is in the switch twice"),
        ("switch (n) { default: break; ‸default: break; }", "this case is in the switch twice"),
        ("switch (u) { case -‸1: break; }", "a value of type unsigned int is never -1"),
        ("switch (n) { case ‸0xFFFFFFFF: break; }", "a value of type int is never 4294967295"),
        ("switch (n) { case 1: if (V) { ‸case 2: V = 3; } }", "'case' outside a switch"),
        ("‸case 1: V = 3;", "'case' outside a switch"),
        ("‸default: V = 3;", "'default' outside a switch"),
        ("switch (n) { default: ‸continue; }", "'continue' outside a loop"),
    ],
)
def test_switch_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


def test_switch(parse: Parse) -> None:
    node = parse("while (b) switch (n) { case 1: case -2: V = 1; break; default: continue; }").tree
    assert isinstance(node, tree.Block)
    (loop,) = node.statements
    assert isinstance(loop, tree.While)
    (switch,) = loop.body.statements
    assert isinstance(switch, tree.Switch)
    labels = [case.label for case in switch.cases]
    one, two = tree.Literal("1", value_type("int")), tree.Literal("2", value_type("int"))
    assert labels == [one, tree.Unary("-", two, value_type("int")), None]
    assert [len(case.body.statements) for case in switch.cases] == [0, 2, 1]


def test_comma(parse: Parse) -> None:
    node = parse("for (n = 0, V = 2; n < 3; n++, V--) ;").tree
    assert isinstance(node, tree.Block)
    (loop,) = node.statements
    assert isinstance(loop, tree.For)
    assert isinstance(loop.step, tree.Comma)
    assert loop.step.type == value_type("scalar")
    assert len(loop.step.parts) == 2
