"""Uniform numbers for code that must be as exact in a model of single precision as in one of double precision."""

OPEN_UNIFORM = "(((double)gennrand() + 0.5) * 2.3283064365386963e-10)"
"""Code of a number in (0, 1), in double precision: the middle of one of 2^32 equal parts, one random word each."""
