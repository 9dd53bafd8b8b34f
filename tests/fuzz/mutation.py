"""Mutations of bytes: what damage and malice do to a file that was good."""

from __future__ import annotations

import random
from collections.abc import Sequence

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63, 2**64 - 1)
_TEXTS = (
    b"0 1 -1 1e999 nan -inf 99999999999999999999 0x10 1_0 + \n \r\n \0 \xff \xc3\xa9 , ; # \" ' [ { null true".split(
        b" "
    )
)
_LONGEST = 200_000


def mutated(rng: random.Random, seeds: Sequence[bytes], words: Sequence[bytes] = ()) -> bytes:
    """Return one of the seeds after one to eight changes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(1 << rng.randrange(4)):
        _change(rng, data, seeds, words)
        del data[_LONGEST:]
    return bytes(data)


def _change(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    length = min(rng.choice((1, 2, 4, 8, 16, rng.randrange(len(data) + 1))), len(data) - at)
    what = rng.randrange(9)
    if what == 0 and data:
        data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
    elif what == 1 and data:
        data[min(at, len(data) - 1)] = rng.randrange(256)
    elif what == 2:
        del data[at : at + length]
    elif what == 3:
        data[at:at] = data[at : at + length] * rng.choice((1, 2, 100))
    elif what == 4:
        size = rng.choice((1, 2, 4, 8))
        number = rng.choice(_NUMBERS) % (1 << 8 * size)
        data[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))
    elif what == 5:
        text = rng.choice((*_TEXTS, *words))
        data[at : at + rng.choice((0, 1, len(text)))] = text
    elif what == 6:
        other = rng.choice(seeds)
        start = rng.randrange(len(other) + 1)
        data[at : at + length] = other[start : start + rng.choice((4, 16, 64, len(other)))]
    elif what == 7:
        del data[at:]
    else:
        data[at : at + length] = rng.randbytes(length)
