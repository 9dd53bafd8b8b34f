"""Recipes: well-known schedules as plain lists of phases, to be used as they are, cut or joined."""

from __future__ import annotations

import math
from functools import partial
from operator import mul

from snnlearn.declare.optimiser import Optimiser
from snnlearn.errors import TrainingError
from snnlearn.training.decay import DecayType
from snnlearn.training.phases import TrainingPhase
from snnlearn.training.rates import Range, RateLike, as_rate, check_positive, scale


def phases_sgdr(
    lr: RateLike, optimiser: str | Optimiser, num_cycle: int, cycle_len: float, cycle_mult: float
) -> list[TrainingPhase]:
    """Return stochastic gradient descent with warm restarts: cosines from ``lr`` to 0, one after the other.

    The first twentieth of the first cycle is a warm-up at ``lr/100``; cycle ``i`` is ``cycle_len cycle_mult^i`` long.

    Parameters
    ----------
    lr : float, or PerConnection, list or array of shape (connections,)
        The largest learning rate.
    optimiser : str or Optimiser
    num_cycle : int
        How many cycles.
    cycle_len : float
        Length of the first [epochs].
    cycle_mult : float
        How many times as long as the one before each further cycle is.

    Returns
    -------
    list of TrainingPhase
        ``num_cycle + 1`` phases, as in fastai's notebook.

    Raises
    ------
    TrainingError
        If there is not at least one cycle, a length is not positive, or the phases cannot be (see
        `TrainingPhase`).

    Notes
    -----
    Source: Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR; and the warm-up of
    fastai's notebook.
    """
    if isinstance(num_cycle, bool) or not isinstance(num_cycle, int) or num_cycle < 1:
        raise TrainingError(f"num_cycle must be a positive whole number, not {num_cycle!r}")
    check_positive(cycle_len, "cycle_len")
    check_positive(cycle_mult, "cycle_mult")
    highest = as_rate(lr, "lr", Range())
    phases = [
        TrainingPhase(cycle_len / 20, optimiser, scale(lr, lambda rate: rate / 100, "lr")),
        TrainingPhase(cycle_len * 19 / 20, optimiser, highest, DecayType.COSINE),
    ]
    for i in range(1, num_cycle):
        phases.append(TrainingPhase(cycle_len * cycle_mult**i, optimiser, highest, DecayType.COSINE))
    return phases


def phases_1cycle(
    cycle_len: float,
    lr: RateLike,
    div: float,
    pct: float,
    max_mom: float | None,
    min_mom: float | None,
    optimiser: str | Optimiser = "SGD",
) -> list[TrainingPhase]:
    """Return Smith's 1cycle: the rate up and down again on a line, the momentum down and up, and a fading out.

    Parameters
    ----------
    cycle_len : float
        Length of the whole [epochs].
    lr : float, or PerConnection, list or array of shape (connections,)
        The largest learning rate; the cycle starts and ends at ``lr/div``, the fading at ``lr/(100 div)``.
    div : float
        By how much to divide it.
    pct : float
        How many per cent of the whole are the fading, between 0 and 100.
    max_mom, min_mom : float or None
        Momentum at the lowest and at the highest learning rate; None, both, for an optimiser without.
    optimiser : str or Optimiser

    Returns
    -------
    list of TrainingPhase
        Three phases, as in fastai's notebook.

    Raises
    ------
    TrainingError
        If ``pct`` does not leave all three phases some time, ``div`` is not positive, only one momentum is None, or the
        phases cannot be (see `TrainingPhase`): with momenta for an optimiser that has none, say.

    Notes
    -----
    Source: Smith (2018), A disciplined approach to neural network hyper-parameters: part 1, arXiv:1803.09820.
    """
    check_positive(cycle_len, "cycle_len")
    check_positive(div, "div")
    if not 0 < pct < 100:
        raise TrainingError(f"pct must lie between 0 and 100, both excluded, not {pct!r}")
    tri_cyc = (1 - pct / 100) * cycle_len
    low = scale(lr, lambda rate: rate / div, "lr")
    lowest = scale(lr, lambda rate: rate / (100 * div), "lr")
    linear = DecayType.LINEAR
    if max_mom is None or min_mom is None:
        if max_mom is not min_mom:
            raise TrainingError(f"max_mom={max_mom!r} and min_mom={min_mom!r}: give both, or None for both")
        return [
            TrainingPhase(tri_cyc / 2, optimiser, (low, lr), linear),
            TrainingPhase(tri_cyc / 2, optimiser, (lr, low), linear),
            TrainingPhase(cycle_len - tri_cyc, optimiser, (low, lowest), linear),
        ]
    return [
        TrainingPhase(tri_cyc / 2, optimiser, (low, lr), linear, (max_mom, min_mom), linear),
        TrainingPhase(tri_cyc / 2, optimiser, (lr, low), linear, (min_mom, max_mom), linear),
        TrainingPhase(cycle_len - tri_cyc, optimiser, (low, lowest), linear, max_mom),
    ]


def phases_step(
    lr: RateLike,
    every: float,
    factor: float,
    num_epochs: float | None = None,
    optimiser: str | Optimiser = "RMaxProp",
) -> list[TrainingPhase]:
    """Return a learning rate that falls in steps: in epochs ``k every`` to ``(k + 1) every`` it is ``lr factor^k``.

    Parameters
    ----------
    lr : float, or PerConnection, list or array of shape (connections,)
        The first learning rate.
    every : float
        How long each step is [epochs].
    factor : float
        What each step multiplies the rate by: 0.1 for a tenth.
    num_epochs : float, optional
        Length of the whole, of which the last step gets what is left; three steps by default.
    optimiser : str or Optimiser

    Raises
    ------
    TrainingError
        If a length is not positive and finite, the factor not in (0, 1], or the phases cannot be (see `TrainingPhase`).
    """
    check_positive(every, "every")
    if not 0 < factor <= 1:
        raise TrainingError(
            f"factor must be in (0, 1]: what each step multiplies lr by, 0.1 for a tenth; not {factor!r}"
        )
    total = 3 * every if num_epochs is None else num_epochs
    check_positive(total, "num_epochs")
    # A rest that is mere rounding (0.3 / 0.1) makes no step of its own.
    steps = math.ceil(total / every - 1e-9)
    lengths = [every] * (steps - 1) + [total - (steps - 1) * every]
    rates = [scale(lr, partial(mul, factor**k), "lr") for k in range(steps)]
    return [TrainingPhase(length, optimiser, rate) for length, rate in zip(lengths, rates, strict=True)]
