"""The words of a code string: whatever the dialect has no use for is refused here, before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from snnlearn.declare.words import FOREIGN, is_foreign
from snnlearn.dialect.source import Source
from snnlearn.errors import DialectError

LONGEST = 100_000  # characters of code
_DEEPEST = 100  # open brackets
_TOKEN = re.compile(
    r"""
    (?P<blank> [ \t\n]+ | //[^\n]* | /\*.*?\*/ )
  | (?P<text> " (?: [^"\\\n] | \\. )* " )
  | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<number> 0[xX][0-9A-Za-z_.]* | \.?[0-9](?:[eE][+-]|[0-9A-Za-z_.])* )
  | (?P<foreign> -> | /\* )
  | (?P<mark> <<= | >>= | \+\+ | -- | && | \|\| | << | >> | [-+*/%&|^<>=!]= | [-+*/%&|^<>=!~?:;,(){}\[\]] )
    """,
    re.VERBOSE | re.DOTALL,
)
INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|[1-9][0-9]*|0)([uU]?)")
FLOATING = re.compile(r"((?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)([fFdD]?)")
_ABOUT = {
    "#": "there is no preprocessor here",
    '"': "this text is never closed by a '\"' in its line",
    "'": "there are no characters in the dialect",
    "->": "there are no structures in the dialect",
    ".": "there are no structures in the dialect",
    "/*": "this comment is never closed by '*/'",
}
# What the parser sees of words that mean something else to it: as long, and with a mark that no code can have.
MARK = "$"
_MARKED = {MARK + word[1:]: word for word in FOREIGN}
SYNAPSES = "$$synapse"
_LOOP = {"for_each_synapse": f"while({SYNAPSES})"}
_TEXT = re.compile(r'"(?:[ !#-\[\]-~]|\\[nt"\\])*"')
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Token:
    """A word, number, text or mark, and its offset into the code."""

    text: str
    start: int


def scan(source: Source, declared: Container[str] = ()) -> tuple[Token, ...]:
    """Return the tokens of a code string, comments left out.

    Words that are foreign to the dialect are part of it where they are ``declared``.

    Raises
    ------
    DialectError
        For a character, word or number that the dialect does not have, for a bracket without its partner,
        for more than 100 brackets inside each other and for more than 100,000 characters.
    """
    if len(source.text) > LONGEST:
        raise source.error_at(f"the code is longer than {LONGEST:,} characters", LONGEST)
    tokens, at = [], 0
    while at < len(source.text):
        found = _TOKEN.match(source.text, at)
        if found is None or found.lastgroup == "foreign":
            raise _foreign(source, found[0] if found else source.text[at], at)
        if found.lastgroup == "number" and not (FLOATING.fullmatch(found[0]) or INTEGER.fullmatch(found[0])):
            raise source.error_at(f"'{found[0]}' is not a number of the dialect", at)
        if found.lastgroup == "word" and is_foreign(found[0]) and found[0] not in declared:
            raise source.error_at(f"'{found[0]}' is not part of the dialect", at)
        if found.lastgroup == "text" and not _TEXT.fullmatch(found[0]):
            raise source.error_at('a text holds ASCII, and of escapes only \\n, \\t, \\" and \\\\', at)
        if found.lastgroup != "blank":
            tokens.append(Token(found[0], at))
        at = found.end()
    _match_brackets(source, tokens)
    return tuple(tokens)


def parser_text(source: Source, tokens: tuple[Token, ...]) -> str:
    """Return the code for a C parser: tokens where they were, blanks between, no suffix that C does not have."""
    chars = ["\n" if c == "\n" else " " for c in source.text]
    for token in tokens:
        text = _LOOP.get(token.text, token.text)
        if is_foreign(text):  # declared: a keyword of C, perhaps
            text = MARK + text[1:]
        if FLOATING.fullmatch(text) and text[-1] in "dD":
            text = f"{text[:-1]} "
        chars[token.start : token.start + len(text)] = text
    return "".join(chars)


def unmarked(name: str) -> str:
    """Return a name of the parser's text as it is in the code."""
    if name == SYNAPSES or not name.startswith(MARK):
        return name
    return _MARKED.get(name, f"_{name[1:]}")


def _foreign(source: Source, text: str, at: int) -> DialectError:
    what = text if text.isprintable() and text.isascii() else f"U+{ord(text):04X}"
    return source.error_at(_ABOUT.get(text, f"the character {what} is not part of the dialect"), at)


def _match_brackets(source: Source, tokens: list[Token]) -> None:
    opened: list[Token] = []
    for token in tokens:
        if token.text in _CLOSING:
            opened.append(token)
            if len(opened) > _DEEPEST:
                raise source.error_at(f"more than {_DEEPEST} brackets are open here", token.start)
        elif token.text in _CLOSING.values():
            if not opened:
                raise source.error_at(f"this '{token.text}' closes nothing", token.start)
            expected = _CLOSING[opened.pop().text]
            if token.text != expected:
                raise source.error_at(f"expected '{expected}' before this '{token.text}'", token.start)
    if opened:
        raise source.error_at(f"this '{opened[-1].text}' is never closed", opened[-1].start)
