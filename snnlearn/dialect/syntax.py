"""From text to pycparser's syntax tree: exactly one body of statements or one expression, or an error."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from pycparser import c_parser

from snnlearn.declare.types import TYPE_NAMES
from snnlearn.dialect.source import Source
from snnlearn.dialect.tokens import MARK, Token, parser_text, scan, unmarked
from snnlearn.errors import DialectError, did_you_mean

_KEYWORDS = frozenset(["char", "short", "int", "long", "signed", "unsigned", "float", "double"])
_WORDS = _KEYWORDS.union(["const", "do", "else", "for_each_synapse", "if", "while"], TYPE_NAMES)
_TYPEDEFS = "".join(f"typedef int {name}; " for name in TYPE_NAMES if not _KEYWORDS & set(name.split()))
_LOCATED = re.compile(r"code:(\d+):(\d+): (.*)", re.DOTALL)
_FENCE = "@"  # no token of C, so the parser stops at it at the latest


def parse_statements(source: Source, declared: Container[str] = ()) -> list[Any]:
    """Return pycparser's nodes for the statements of a code string, which may use any word that is declared.

    Raises
    ------
    DialectError
        If the text is not C statements, or nests too deeply for the parser.
    """
    return list(_parse(source, scan(source, declared), "{\n", "\n}").block_items or [])


def parse_expression(source: Source, declared: Container[str] = ()) -> Any:
    """Return pycparser's node for a code string that is one expression; a semicolon may end it.

    It may use any word that is declared.

    Raises
    ------
    DialectError
        If the text is not one C expression, or nests too deeply for the parser.
    """
    tokens = scan(source, declared)
    if tokens and tokens[-1].text == ";":
        tokens = tokens[:-1]
    if not tokens:
        raise source.error_at("expected an expression", 0)
    return _parse(source, tokens, "{ return (\n", "\n); }").block_items[0].expr


def _parse(source: Source, tokens: tuple[Token, ...], before: str, after: str) -> Any:
    """Return the body of a function around the code. The code's brackets match, so it cannot leave the function."""
    text = parser_text(source, tokens)
    try:
        body = _run_parser(before, text, after).ext[-1].body
    except RecursionError:
        deepest = tokens[_first_refused(text, tokens, before)]
        raise source.error_at("the code is nested too deeply", deepest.start) from None
    except c_parser.ParseError as error:
        raise _located(source, text, tokens, before, str(error)) from None
    if MARK in text:
        _unmark(body)
    return body


def _unmark(body: Any) -> None:
    """Give names back their first letter."""
    waiting = [body]  # no recursion: a tree may be deep
    while waiting:
        node = waiting.pop()
        for attribute in ("name", "declname"):
            name = getattr(node, attribute, None)
            if isinstance(name, str):
                setattr(node, attribute, unmarked(name))
        waiting += [child for _, child in node.children()]


def _run_parser(before: str, text: str, after: str) -> Any:
    program = f'{_TYPEDEFS}\nvoid snippet(void) {before}#line 1 "code"\n{text}{after}\n'
    return c_parser.CParser().parse(program, "code")


def _located(source: Source, text: str, tokens: tuple[Token, ...], before: str, message: str) -> DialectError:
    """Return the parser's complaint as an error that points at a token, or behind the last one."""
    located = _LOCATED.match(message)
    if located and not located[3].startswith("before: "):  # grammatical, but no declaration
        return source.error(f"this is not C: {located[3]}", int(located[1]), int(located[2]))
    if located:
        line, column = int(located[1]), int(located[2])
        stop = source.offset(line, column) if line <= text.count("\n") + 1 else len(text)
        at = next((i for i, token in enumerate(tokens) if token.start >= stop), len(tokens))
    else:
        at = _first_refused(text, tokens, before)
    end = tokens[at - 1].start + len(tokens[at - 1].text) if at else 0
    if at == len(tokens):
        hint = "; is a ';' missing?" if _accepts(f"{text[:end]};", before) else ""
        return source.error_at(f"the code ends too early{hint}", end)
    hint = _hint(tokens, at)
    if "\n" in source.text[end : tokens[at].start] and _accepts(f"{text[:end]};", before):
        hint = "; is a ';' missing before it?"
    return source.error_at(f"syntax error at '{tokens[at].text}'{hint}", tokens[at].start)


def _hint(tokens: tuple[Token, ...], at: int) -> str:
    """Return what to say of a word that the parser refuses behind one that looks like a type but is none."""
    start, word, refused = [";", ";", *(token.text for token in tokens[: at + 1])][-3:]
    if start not in ";{}(" or not (word.isidentifier() and refused.isidentifier()) or word in _WORDS:
        return ""
    return f"; '{word}' is not a type{did_you_mean(word, TYPE_NAMES)}"


def _first_refused(text: str, tokens: tuple[Token, ...], before: str) -> int:
    """Return the index of the first token that the parser refuses, where it does not say so itself."""
    good, bad = 0, len(tokens)
    while good < bad:
        middle = (good + bad) // 2
        token = tokens[middle]
        if _accepts(text[: token.start + len(token.text)], before):
            good = middle + 1
        else:
            bad = middle
    return good


def _accepts(beginning: str, before: str) -> bool:
    """Whether this can be the beginning of a program: then the parser reaches a fence behind it."""
    beginning += " "
    fence = beginning.count("\n") + 1, len(beginning) - beginning.rfind("\n")
    try:
        _run_parser(before, beginning + _FENCE, "")
    except c_parser.ParseError as error:
        located = _LOCATED.match(str(error))
        return located is not None and (int(located[1]), int(located[2])) == fence
    except RecursionError:
        pass
    return False
