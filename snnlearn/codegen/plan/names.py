"""Identifiers of generated source: unique, and never what a user wrote as it stands.

All start with `PREFIX`; no keyword, no macro of a header, nothing built into a compiler and no name of the templates
does. What schedules put together of an identifier starts with a word of theirs: ``tile_v_x``.
"""

from __future__ import annotations

from collections.abc import Container

PREFIX = "v_"


class Names:
    """Hands out identifiers, each once.

    Parameters
    ----------
    *taken : containers of str, such as other `Names`
        Those that are taken already; looked into, not copied: a plan has as many arrays as a network has variables.
    """

    def __init__(self, *taken: Container[str]) -> None:
        self._others = taken
        self._handed_out: set[str] = set()

    def unique(self, wanted: str, prefix: str = PREFIX) -> str:
        """Return an identifier for what is called so, with a number behind it where that is taken.

        ``prefix`` is empty only for what starts with a word of ours already, such as a kernel's name.
        """
        name, number = prefix + wanted, 2
        while name in self:
            name, number = f"{prefix}{wanted}_{number}", number + 1
        self._handed_out.add(name)
        return name

    def __contains__(self, name: object) -> bool:
        return name in self._handed_out or any(name in other for other in self._others)


def label(identifier: str) -> str:
    """Return what an identifier stands for, for people to read."""
    return identifier.removeprefix(PREFIX)
