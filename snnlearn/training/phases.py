"""Training phases: for so long, this optimiser, with a rate and a momentum that go from here to there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from snnlearn.attributes import frozen
from snnlearn.declare import Precision
from snnlearn.declare.optimiser import Optimiser
from snnlearn.errors import TrainingError
from snnlearn.training.decay import Decay, DecayType, Value, describe_decay, resolve_decay
from snnlearn.training.optimisers import resolve_optimiser
from snnlearn.training.rates import PerConnection, Range, Rate, RateLike, as_rate, check_positive, value_of

Course = Union[RateLike, tuple[RateLike, RateLike]]
"""A rate that stays or ends at 0 (one value), or that goes from start to end (a tuple of two)."""

_RATES = Range()
_SHARES = Range(high=1.0)


@frozen
@dataclass(frozen=True)
class TrainingPhase:
    """What holds during one part of a training; a value that checks itself when it is made.

    The model is fastai's ``TrainingPhase``. Wherever one number is meant for all trained connections, a
    `PerConnection`, an array or a list gives one for each instead (discriminative rates); a tuple always is
    ``(start, end)``. A list where the value has a decay is an error, for it looks like a start and an end. Lists and
    arrays are kept as `PerConnection`, numbers as float and the optimiser as an `Optimiser`, so that equal phases are
    ``==``.

    Parameters
    ----------
    epochs : float
        For how many epochs; may be a fraction. Rounded to whole trials once, where the phase ends (see `Learner`).
    optimiser : str or Optimiser
        A name from `OPTIMISERS`, or an optimiser of one's own.
    lr : float, array of shape (connections,), or a tuple of two such; optional
        Learning rate. A single value stays (``lr_decay=NO``) or ends at 0 (any other decay).
        By default the optimiser's.
    lr_decay : DecayType, (DecayType.POLYNOMIAL, power), or function
        How the rate goes from start to end: a function is called as ``(start, end, fraction)``; see `resolve_decay`.
    momentum, momentum_decay
        The same for the momentum (for Adam, beta1), in [0, 1).
    wds : float or array of shape (connections,), optional
        Weight decay.
    beta : float, optional
        The memory of squared gradients, in [0, 1): RMSProp's alpha, Adam's beta2, RMaxProp's gamma.

    Raises
    ------
    TrainingError
        If anything cannot work: epochs that are not positive, a rate that is negative or not finite, a momentum outside
        [0, 1), a pair without a decay, a list with one, EXPONENTIAL with a lone value or a zero, something the
        optimiser does not have, arrays of different lengths.
    """

    epochs: float
    optimiser: str | Optimiser = "RMaxProp"
    lr: Course | None = None
    lr_decay: Decay = DecayType.NO
    momentum: Course | None = None
    momentum_decay: Decay = DecayType.NO
    wds: RateLike | None = None
    beta: float | None = None

    def __post_init__(self) -> None:
        rule = resolve_optimiser(self.optimiser)
        self._set("epochs", check_positive(self.epochs, "epochs"))
        self._set("optimiser", rule)
        self._need("momentum", rule.momentum_param, self.momentum is not None or self.momentum_decay != DecayType.NO)
        self._need("wds", rule.decay_param, self.wds is not None)
        self._need("beta", rule.beta_param, self.beta is not None)
        self._set("lr", _as_course(self.lr, "lr", _RATES, self.lr_decay))
        self._set("momentum", _as_course(self.momentum, "momentum", _SHARES, self.momentum_decay))
        if self.wds is not None:
            self._set("wds", as_rate(self.wds, "wds", _RATES))
        if self.beta is not None:
            self._set("beta", _SHARES.check(self.beta, "beta"))
        self._check_lengths()
        self._check_course("lr")
        self._check_course("momentum")

    @property
    def rule(self) -> Optimiser:
        """The optimiser."""
        return resolve_optimiser(self.optimiser)

    @property
    def signature(self) -> str:
        """What tells it from other phases, the same in every process: a function of the user's own by its name."""
        decays = describe_decay(self.lr_decay), describe_decay(self.momentum_decay)
        values = self.epochs, self.rule.name, self.lr, self.momentum, self.wds, self.beta
        return repr((*values, *decays))

    def lr_at(self, i: int, n: int) -> Value:
        """Return the learning rate of iteration ``i`` of ``n``: a number, or an array of shape (connections,).

        Raises
        ------
        TrainingError
            Unless ``0 <= i < n``; and where a decay of one's own gives a value that the rate cannot have.
        """
        return self._at("lr", _RATES, i, n)

    def momentum_at(self, i: int, n: int) -> Value:
        """Return the momentum of iteration ``i`` of ``n``, as `lr_at`; NaN where the optimiser has none.

        Raises
        ------
        TrainingError
            As `lr_at`.
        """
        if self.rule.momentum_param is None:
            return math.nan
        return self._at("momentum", _SHARES, i, n)

    def constants(self) -> dict[str, Any]:
        """Return, by parameter of the optimiser, what holds all through the phase: where left open, the default.

        Whatever the phase before has made of it. A number, or an array of shape (connections,).
        """
        named = ((self.rule.beta_param, self.beta), (self.rule.decay_param, self.wds))
        return {p: self.rule.default(p) if given is None else value_of(given) for p, given in named if p is not None}

    def check_precision(self, precision: Precision) -> None:
        """Check that the parameters of the optimiser can have the phase's values in a model of this precision.

        Rates and momenta are checked at the ends that are given. What a decay of one's own gives in between is checked
        when it comes.

        Raises
        ------
        TrainingError
            For a value that rounding takes out of its parameter's interval: a beta of 0.99999999 becomes 1.
        """
        rule = self.rule
        given: list[tuple[str, tuple[Value, ...]]] = [(param, (value,)) for param, value in self.constants().items()]
        for name, named in (("lr", rule.lr_param), ("momentum", rule.momentum_param)):
            if named is not None:
                ends = self._span(name)
                given.append((named, ends if isinstance(getattr(self, name), tuple) else ends[:1]))
        for param, values in given:
            for number in (number for value in values for number in np.ravel(value).tolist()):
                rule.check_value(param, number, precision)

    def check_connections(self, num: int) -> None:
        """Check that arrays have one value for each of ``num`` trained connections.

        Raises
        ------
        TrainingError
            If one has not.
        """
        for name, rate in self._rates():
            if isinstance(rate, PerConnection) and len(rate.values) != num:
                raise TrainingError(f"{name} has {len(rate.values)} values for {num} trained connections: {rate!r}")

    # ---- helpers ----

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _need(self, name: str, param: str | None, given: bool) -> None:
        if given and param is None:
            raise TrainingError(f"the optimiser '{self.rule.name}' has no {name}: leave it out")

    def _rates(self) -> list[tuple[str, Any]]:
        named = []
        for name in ("lr", "momentum", "wds"):
            value = getattr(self, name)
            named += [(name, part) for part in (value if isinstance(value, tuple) else (value,))]
        return named

    def _check_lengths(self) -> None:
        arrays = [(name, rate) for name, rate in self._rates() if isinstance(rate, PerConnection)]
        for name, rate in arrays[1:]:
            first, known = arrays[0]
            if len(rate.values) != len(known.values):
                raise TrainingError(
                    f"arrays of different lengths: {first} has {len(known.values)} values, {name} {len(rate.values)}"
                )

    def _span(self, name: str) -> tuple[Value, Value]:
        """Return start and end."""
        rule, given = self.rule, getattr(self, name)
        if given is None:
            given = rule.default(rule.lr_param if name == "lr" else rule.momentum_param)
        start, end = given if isinstance(given, tuple) else (given, 0.0)
        return value_of(start), value_of(end)

    def _check_course(self, name: str) -> None:
        course, decay = getattr(self, name), getattr(self, f"{name}_decay")
        resolve_decay(decay, f"{name}_decay")
        lone = not isinstance(course, tuple)
        if not lone and decay is DecayType.NO:
            raise TrainingError(
                f"{name}={course!r} is a pair, but {name}_decay is NO: name a decay, such as DecayType.LINEAR, "
                "or give a single value (a list, where it is one for each connection)"
            )
        if decay is DecayType.EXPONENTIAL:
            if lone:
                raise TrainingError(
                    f"{name}_decay is EXPONENTIAL and {name} a lone value: it would have to end at 0, which an "
                    "exponential never reaches; give a pair (start, end)"
                )
            if not all(np.all(value) for value in self._span(name)):
                raise TrainingError(f"{name}_decay is EXPONENTIAL, so {name} must not be 0 at either end: {course!r}")
        # A function of the user's own that cannot work is found out here rather than hours into a training.
        if name == "lr" or self.rule.momentum_param is not None:
            self._at(name, _RATES if name == "lr" else _SHARES, 0, 1)

    def _at(self, name: str, allowed: Range, i: int, n: int) -> Value:
        if not 0 <= i < n:
            raise TrainingError(f"there is no iteration {i} of {n}")
        start, end = self._span(name)
        decay = getattr(self, f"{name}_decay")
        value = resolve_decay(decay)(start, end, i / n)
        if isinstance(decay, (DecayType, tuple)):
            return value  # these stay between start and end, which have been checked
        return _checked(value, np.broadcast_shapes(np.shape(start), np.shape(end)), f"{name}_decay {decay!r}", allowed)


def _as_course(given: Any, what: str, allowed: Range, decay: Decay) -> Rate | tuple[Rate, Rate] | None:
    if given is None:
        return None
    if not isinstance(given, tuple):
        rate = as_rate(given, what, allowed)
        if isinstance(given, list) and decay != DecayType.NO:
            raise _ambiguous(given, what)
        return rate
    if len(given) != 2:
        several = "a list" if decay == DecayType.NO else f"PerConnection({list(given)})"
        raise TrainingError(
            f"{what} is a tuple of {len(given)}: a tuple is (start, end); for one value per connection give {several}"
        )
    return as_rate(given[0], f"the start of {what}", allowed), as_rate(given[1], f"the end of {what}", allowed)


def _ambiguous(given: list[Any], what: str) -> TrainingError:
    """Return the error for a list with a decay, which one may mean in two ways."""
    course = f"({given[0]}, {given[1]})" if len(given) == 2 else "(start, end)"
    return TrainingError(
        f"{what}={given} is a list, which has one value for each trained connection, and {what}_decay is set: "
        f"to go from a start to an end give a tuple, {what}={course}; "
        f"for one value a connection, each falling to 0, give {what}=PerConnection({given}) or an array"
    )


def _checked(value: Any, shape: tuple[int, ...], what: str, allowed: Range) -> float | NDArray[np.float64]:
    """Check what a function of the user's own has returned."""
    if np.shape(value) != shape:
        raise TrainingError(f"{what} returned {value!r}, of shape {np.shape(value)} instead of {shape}")
    rate = as_rate(value if shape == () else list(value), f"the value of {what}", allowed)
    return value_of(rate)
