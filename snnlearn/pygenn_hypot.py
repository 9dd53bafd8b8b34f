"""A stand-in for ``hypot`` in code strings that go to GeNN, which declares it with one argument (5.4).

The squares are taken in double precision, where those of any single-precision number are far from its bounds: that is
what ``hypot`` is for.
"""

from __future__ import annotations

import re

_CALL = re.compile(r"\bhypot\s*\(")


def without_hypot(code: str) -> str:
    """Return code in which each ``hypot(x, y)`` is written out; what is no such call stays as it is."""
    call = _CALL.search(code)
    arguments = _arguments(code, call.end()) if call is not None else None
    if call is None:
        return code
    if arguments is None:
        return code[: call.end()] + without_hypot(code[call.end() :])
    x, y, end = arguments
    x, y = without_hypot(x), without_hypot(y)
    root = f"sqrt((double)({x}) * (double)({x}) + (double)({y}) * (double)({y}))"
    return code[: call.start()] + root + without_hypot(code[end:])


def _arguments(code: str, start: int) -> tuple[str, str, int] | None:
    """Return the two arguments of a call and where it ends, given where its first argument starts."""
    depth, comma = 0, -1
    for at in range(start, len(code)):
        char = code[at]
        if char == ")" and depth == 0:
            return (code[start:comma].strip(), code[comma + 1 : at].strip(), at + 1) if comma >= 0 else None
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(char, 0)
        if char == "," and depth == 0:
            comma = at
    return None
