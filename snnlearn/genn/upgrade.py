"""Code strings in the syntax of GeNN 4, such as ``$(V) += $(Isyn);``, in today's.

The dialect proper knows nothing of it: what comes out here goes the way of every other code string.
"""

from __future__ import annotations

import warnings

from snnlearn.errors import DeclarationError

# What names and functions that changed are called now.
_NOW = {
    "addToInSyn": "addToPost",
    "addToInSynDelay": "addToPostDelay",
    **{f"{prev}{old}_{side}": f"{prev}{new}_{side}"
       for prev in ("", "prev_") for old, new in (("sT", "st"), ("seT", "set")) for side in ("pre", "post")},
}  # fmt: skip
# What is a function, and was written without parentheses.
_CALLS = ("gennrand_uniform", "gennrand_normal", "gennrand_exponential")
_GONE = {"endRow": "row_build_code", "endCol": "col_build_code"}


def upgrade_code(code: str, model: str) -> str:
    """Return code in today's syntax; warns where that makes a difference.

    Raises
    ------
    DeclarationError
        For ``$(endRow)`` and ``$(endCol)``, which code must do without.
    """
    upgraded = _upgrade(code, model)
    if upgraded != code:
        warnings.warn(
            f"model '{model}': the syntax $(name) is obsolete; write the name alone", FutureWarning, stacklevel=5
        )
    return upgraded


def _upgrade(code: str, model: str) -> str:
    start = code.find("$(")
    if start < 0:
        return code
    end = _closing(code, start + 2)
    if end < 0:
        return code  # the parser will point at it
    name, comma, arguments = code[start + 2 : end].partition(",")
    name = name.strip()
    if name in _GONE:
        raise DeclarationError(
            f"model '{model}': $({name}) has no successor: {_GONE[name]} runs once for a whole row or column, so let "
            "it loop"
        )
    now = _NOW.get(name, name)
    if comma:
        now = f"{now}({_upgrade(arguments.strip(), model)})"
    elif name in _CALLS:
        now = f"{now}()"
    return code[:start] + now + _upgrade(code[end + 1 :], model)


def _closing(code: str, start: int) -> int:
    """Return where the parenthesis that encloses ``start`` closes, or -1."""
    depth = 1
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return -1
