"""Which names are likely misspellings of others: close enough to refuse, far enough to leave other names alone."""

from __future__ import annotations

from collections.abc import Iterable

_SHORT, _LONG = 5, 12  # letters: up to the first a name may have one error, from the second on three
_ABBREVIATED = 3  # letters that a word must keep
# Ordinary words that are one error away from a short attribute, and what somebody may well call one of their own.
_ORDINARY = """deed feed heed need reed weed seek seem seen seep sees sender send shed sled sped speed steed used
    time times steps optimiser optimizer views video vales valid valve valves main nature"""
_OTHER_WORDS = frozenset(_ORDINARY.split())


def misspelt(given: str, known: Iterable[str]) -> str | None:
    """Return the known name that another is likely a misspelling of, if there is one.

    Two names are close if they differ in case or underscores alone; if their words, in any order, are pairwise close or
    abbreviations; if one error makes one of the other (two or three in long names); or if the one given is the known
    one's first or last words, two at least. The first letter must be right. Plurals and ordinary words are names of
    their own.
    """
    if given.casefold() in _OTHER_WORDS:
        return None
    found = [(_errors(given, name), name != name.casefold(), name) for name in known if _close(given, name)]
    return min(found)[-1] if found else None


def _close(given: str, known: str) -> bool:
    a, b = _letters(given), _letters(known)
    if a == b:
        return len(a) > 1
    if len(b) <= 2 or len(a) <= 1 or a == b + "s":
        return False
    words, known_words = _words(given), _words(known)
    if len(words) >= 2 and words in (known_words[: len(words)], known_words[-len(words) :]):
        return True
    if len(words) == len(known_words):
        pairs = list(zip(sorted(words), sorted(known_words), strict=True))
        least = 0.5 if len(words) == 1 else 0.0
        wrong = sum(word != other for word, other in pairs)
        if wrong <= 1 + len(words) // 3 and all(_close_words(*pair, least) for pair in pairs):
            return True
        if len(words) == 1:
            return False
    return _same_start(a, b) and distance(a, b) <= (2 if len(b) >= _LONG else 1)


def _close_words(a: str, b: str, least: float) -> bool:
    """Whether two words are close; an abbreviation of a name's only word must keep at least this part of it."""
    short, long = (a, b) if least else sorted((a, b), key=len)
    if a == b or (long.startswith(short) and len(short) >= max(_ABBREVIATED, least * len(long))):
        return True
    if not least and len(short) > _ABBREVIATED and long.endswith(short):
        return True
    allowed = 1 if len(b) <= _SHORT else 2 if len(b) < _LONG else 3
    return len(b) > 2 and _same_start(a, b) and distance(a, b) <= allowed


def _same_start(a: str, b: str) -> bool:
    """Whether the first letters agree, are exchanged, or the first one is missing."""
    return a[0] == b[0] or a[:2] == b[1::-1] or a == b[1:]


def _letters(name: str) -> str:
    return name.replace("_", "").casefold()


def _words(name: str) -> list[str]:
    return [word for word in name.casefold().split("_") if word]


def _errors(given: str, known: str) -> int:
    return distance(_letters(given), _letters(known))


def distance(a: str, b: str) -> int:
    """Return how many letters to put in, leave out, replace or exchange with the next to make one word of another.

    The restricted Damerau-Levenshtein distance (optimal string alignment).
    """
    row, above, before = list(range(len(b) + 1)), [0], [0]
    for i, letter in enumerate(a, 1):
        before, above, row = above, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]
