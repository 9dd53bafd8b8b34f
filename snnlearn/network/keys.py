"""Names of groups: unique in a network, and as their user calls them in messages."""

from __future__ import annotations


class GroupKey(str):
    """What a group is called in a network where its user's name belongs to a group of another kind already.

    Messages quote a group by ``{name!r}``, which is the user's name for both, or use `called`.

    Parameters
    ----------
    key : str
        Unique over all kinds of groups.
    called : str
        What the user calls the group.
    """

    __slots__ = ("called",)

    called: str

    def __new__(cls, key: str, called: str) -> GroupKey:
        """Return a key that knows what its group's user calls the group."""
        made = super().__new__(cls, key)
        made.called = called
        return made

    def __repr__(self) -> str:
        return repr(self.called)

    def __reduce__(self) -> tuple[type[GroupKey], tuple[str, str]]:
        return GroupKey, (str(self), self.called)


def called(name: str) -> str:
    """Return what the user of a group calls it, for messages."""
    return name.called if isinstance(name, GroupKey) else name
