"""The engines' random numbers, one at a time; see `snnlearn.runtime.random_numbers`."""

from __future__ import annotations

from snnlearn.runtime import random_numbers


class _Stream:
    """The random numbers of one neuron or synapse: each begins behind the words that the last one took."""

    def __init__(self, words: random_numbers.Words) -> None:
        self._words, self._drawn = words, 0

    def _take(self, words: int) -> int:
        first = self._drawn
        self._drawn += words
        return first

    def word(self) -> int:
        """Return a word of 32 bits."""
        return int(self._words.word(self._take(1)))

    def uniform(self) -> float:
        """Return a number in (0, 1)."""
        return float(self._words.uniform(self._take(2)))

    def single(self) -> float:
        """Return a number of single precision in (0, 1)."""
        return float(self._words.single(self._take(1)))

    def normal(self) -> float:
        """Return a number of the standard normal distribution."""
        return float(self._words.normal(self._take(2)))

    def exponential(self) -> float:
        """Return a number of the exponential distribution of mean 1."""
        return float(self._words.exponential(self._take(2)))

    def log_normal(self, mean: float, sd: float) -> float:
        """Return a number whose logarithm is of a normal distribution."""
        return float(self._words.log_normal(self._take(2), mean, sd))

    def gamma(self, shape: float) -> float:
        """Return a number of the gamma distribution of scale 1."""
        found, self._drawn = self._words.gamma(self._drawn, shape)
        return float(found)

    def binomial(self, trials: float, probability: float) -> int:
        """Return a number of successes."""
        found, self._drawn = self._words.binomial(self._drawn, trials, probability)
        return int(found)


class _EachStep(random_numbers.EachStep):
    of = random_numbers.PythonNumbers()


class _Once(random_numbers.Once):
    of = random_numbers.PythonNumbers()


class _EachCall(random_numbers.EachCall):
    of = random_numbers.PythonNumbers()


class EachStep(_Stream):
    """Numbers that begin anew with each timestep."""

    def __init__(self, seed: int, stream: int, index: int, timestep: int) -> None:
        super().__init__(_EachStep(seed, stream, index, timestep))


class Once(_Stream):
    """Numbers for what happens once."""

    def __init__(self, seed: int, stream: int, index: int) -> None:
        super().__init__(_Once(seed, stream, index))


class EachCall(_Stream):
    """Numbers that begin anew with each call of a custom update."""

    def __init__(self, seed: int, stream: int, index: int, call: int) -> None:
        super().__init__(_EachCall(seed, stream, index, call))
