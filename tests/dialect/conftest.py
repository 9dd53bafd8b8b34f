"""A scope to check code in, and codes that show where they are wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snnlearn.declare import value_type
from snnlearn.dialect import Scope, Snippet, Symbol, parse_code
from snnlearn.dialect.library import ADD_SYNAPSE, RANDOM, action
from snnlearn.dialect.scope import SynapseLoop
from snnlearn.errors import DialectError

SCOPE = Scope(
    {
        "V": Symbol("variable", value_type("scalar"), writable=True),
        "W": Symbol("variable", value_type("scalar"), writable=True),
        "f": Symbol("variable", value_type("float"), writable=True),
        "d": Symbol("variable", value_type("double"), writable=True),
        "n": Symbol("variable", value_type("int"), writable=True),
        "u": Symbol("variable", value_type("unsigned int"), writable=True),
        "b": Symbol("variable", value_type("bool"), writable=True),
        "i8": Symbol("variable", value_type("int8_t"), writable=True),
        "u64": Symbol("variable", value_type("uint64_t"), writable=True),
        "tau": Symbol("parameter", value_type("scalar")),
        "g": Symbol("read-only variable", value_type("scalar")),
        "a": Symbol("extra global parameter", value_type("scalar"), array=True),
        "k": Symbol("extra global parameter", value_type("unsigned int"), array=True),
        "store": Symbol("extra global parameter", value_type("int"), writable=True, array=True),
        "past": Symbol("postsynaptic variable", value_type("scalar"), indexable=True),
        "total": Symbol("target of a reduction", value_type("scalar"), writable=True, readable=False),
    },
    {"addToPost": action(), "addSynapse": ADD_SYNAPSE, **RANDOM},
    SynapseLoop(
        {
            "id_post": Symbol("built-in number", value_type("unsigned int")),
            "weight": Symbol("variable", value_type("scalar"), writable=True),
        },
        {"remove_synapse": action(0)},
        frozenset(["break", "continue"]),
    ),
)

Parse = Callable[..., Snippet]


@pytest.fixture
def parse() -> Parse:
    """Check code in a scope with a name of most kinds."""

    def call(text: str, *, expression: bool = False) -> Snippet:
        return parse_code(text, SCOPE, "here", expression=expression)[0]

    return call


@pytest.fixture
def refuse(parse: Parse) -> Callable[..., None]:
    """Check that code is refused with this message and the caret where ``‸`` stands in it."""

    def call(marked: str, message: str, *, expression: bool = False) -> None:
        at = marked.index("‸")
        code = marked.replace("‸", "")
        line, column = marked.count("\n", 0, at) + 1, at - (marked.rfind("\n", 0, at) + 1)
        with pytest.raises(DialectError, match=f"^here, line {line}: .*{message}") as caught:
            parse(code, expression=expression)
        _, shown, caret = str(caught.value).split("\n")
        assert caret == " " * (4 + column) + "^"
        expected = code.split("\n")[line - 1].replace("\t", " ")
        assert shown == "    " + "".join(c if c.isprintable() else "\ufffd" for c in expected)

    return call
