"""Identifiers of generated source: unique, and never what a user wrote as it stands.

All start with `PREFIX`; no keyword, no macro of a header, nothing built into a compiler and no name of the templates
does. What templates put together of an identifier starts with a word of theirs: ``tile_v_x``.
"""

from __future__ import annotations

PREFIX = "v_"


class Names:
    """Hands out identifiers, each once."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = set(taken)

    def unique(self, wanted: str, prefix: str = PREFIX) -> str:
        """Return an identifier for what is called so, with a number behind it where that is taken.

        ``prefix`` is empty only for what starts with a word of ours already, such as a kernel's name.
        """
        name, number = prefix + wanted, 2
        while name in self._taken:
            name, number = f"{prefix}{wanted}_{number}", number + 1
        self._taken.add(name)
        return name

    @property
    def taken(self) -> frozenset[str]:
        """All that has been handed out."""
        return frozenset(self._taken)


def label(identifier: str) -> str:
    """Return what an identifier stands for, for people to read."""
    return identifier.removeprefix(PREFIX)
