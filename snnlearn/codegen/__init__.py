"""Stages 4 and 5, *plan* and *emit*: a network becomes an ordered list of kernels, and those become source text."""
