"""A neuron's reversed time where spikes have times: EventProp's adjoint neuron.

Between spikes adjoints go back through timesteps by the chain rule, as in `snnlearn.grad.reverse`. A spike at t has a
derivative of its time by what the neuron was before, as the margin h of its threshold is zero at t:

    dt/dx = -grad h / (grad h . f-)
    lam-  = J_r^T lam+ + grad h / (grad h . f-) [ lam+ . (f+ - J_r f-) + sum w (-dmu/dt) + l+ - l- - dl_p/dt ]

f- and f+ are the time derivatives of variables (`snnlearn.grad.flows`) before and after the reset r, whose Jacobian is
J_r; mu is the adjoint of what the spike brought to its targets, and l and l_p losses of variables and of the spike's
time. The end of a refractory period is an event too, with a condition of sim_code in the threshold's place: that is
what brings the time of a spike to that of the period's end. Where the margin is above zero already, a spike comes with
such an end, whose condition h is then.

Source
------
Wunderlich & Pehle (2021), Scientific Reports 11, 12829; any resets: Pehle (2021), Adjoint equations of spiking neural
networks, dissertation, Heidelberg University; delays: Meszaros, Knight & Nowotny (2025), arXiv:2501.07331.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from snnlearn.declare import DerivedParam, NeuronModel
from snnlearn.dialect import algebra, tree, unparse
from snnlearn.dialect.tree import Binary, Expr, Name, Ternary
from snnlearn.errors import GradientError
from snnlearn.grad.coefficients import Coefficients
from snnlearn.grad.derivatives import decided, pullback, unused
from snnlearn.grad.flows import Flows, at, canonical, comparisons_of, folded, settled, unrounded, written_out
from snnlearn.grad.inputs import Inputs
from snnlearn.grad.reverse import Request, Reversal, Reverser
from snnlearn.grad.rules import tangent
from snnlearn.grad.single import Assignment
from snnlearn.grad.step import Step, located, value_of
from snnlearn.grad.tape import SPIKE_ADJOINT, Line

OF_SPIKES = "ofSpikes"  # the seed that is the derivative by the times of spikes
_SCALAR = algebra.SCALAR
_ZERO, _ONE = algebra.number(0.0), algebra.number(1.0)


def fall_of(inputs: str) -> str:
    """Return what the adjoint neuron calls the derivative of ``Inputs.name`` against time [per ms]."""
    return f"{inputs}Fall"


def check_least_slope(least_slope: Any) -> float:
    """Return the least slope as a float; raise GradientError where it is no number from 0 on."""
    number = isinstance(least_slope, (int, float, np.number)) and not isinstance(least_slope, bool)
    if not (number and 0.0 <= least_slope < math.inf):
        raise GradientError(f"least_slope is a number from 0 on, not {least_slope!r}")
    return float(least_slope)


def event_reverse(
    neuron: NeuronModel, inputs: Sequence[Inputs], request: Request, recorded: Coefficients | None = None
) -> Reversal:
    """Reverse a neuron whose spikes have times.

    Parameters
    ----------
    neuron, inputs, request, recorded
        As of `reverse`, with no surrogate.

    Raises
    ------
    GradientError
        Also where its variables move in a way that is neither linear between spikes nor declared.
    """
    return _EventReverser(neuron, tuple(inputs), request, recorded).result()


@dataclass(frozen=True)
class _Event:
    """What happens at a time that depends on variables.

    Attributes
    ----------
    what : str
    factor : expression
        1 / (grad h . f-) in timesteps where it happens, else 0.
    jumps : mapping of str to expression
        By variable: f+ - J_r f-.
    more : tuple of expression
        Of forward values: what else the loss gains as it comes earlier [per ms].
    resets : mapping of str to expression
        By variable with adjoints from outside: by how much it changes at once [per ms].
    ends : tuple of (expression, expression)
        The values that h is made of, with grad h.
    spike : bool
    """

    what: str
    factor: Expr
    jumps: Mapping[str, Expr]
    more: tuple[Expr, ...]
    resets: Mapping[str, Expr]
    ends: tuple[tuple[Expr, Expr], ...]
    spike: bool


class _EventReverser(Reverser):
    """Puts events in the place of surrogates."""

    def __init__(
        self, neuron: NeuronModel, inputs: tuple[Inputs, ...], request: Request, recorded: Coefficients | None
    ) -> None:
        self.flows: Flows | None = None
        self.active = False
        super().__init__(neuron, inputs, request, recorded)

    # ---- what Reverser asks for ----

    def _states(self) -> tuple[str, ...]:
        self.seeds = tuple(s for s in self.seeds if s != OF_SPIKES)
        self.own = frozenset([*self.step.taken, *(a.name for a in self.assignments)])
        self.active = self._has_times()
        if not self.active:
            return super()._states()
        self.smooth = unrounded(self.step)
        self.flows = Flows(self.smooth, dict(self.request.flow))
        # Where variables are at the end of sim_code, and what a reset makes of that.
        self.tilde = {e.id: x for x, e in self.step.tilde.items() if isinstance(e, Name)}
        spike = self.step.spike
        assert spike is not None
        self.after = {
            x: folded(decided(written_out(e, self.step, [*self.tilde, spike.id]), {spike.id: True}))
            for x, e in self.step.after.items()
        }
        states = super()._states()
        totals = self._totals(states)
        self.events, named = self._found_events(totals)
        self.assignments = [*self.assignments, *named]
        self.coefficients = self._coefficients()
        return states

    def _has_times(self) -> bool:
        """Whether the neuron's spikes have times that depend on anything to differentiate with respect to."""
        step, request = self.step, self.request
        if step.spike is None or not (self.inputs or request.parameters or request.starts):
            return False
        if self.within:
            given = self.within[0]
            raise GradientError(
                f"'{given.model.name}' of '{given.group}' does not only add up, decay and pass on what arrives, as "
                f"ExpCurr does: eventprop does not know how {step.neuron.name} moves between spikes with it; "
                "method='bptt' does"
            )
        if step.margin is None and tree.names_in(value_of(step.by_name[step.spike.id])) & step.driven:
            step.need_margin()
        return step.margin is not None

    def _spike_ends(self, totals: tuple[str, ...], lines: list[Line]) -> list[tuple[Expr, Expr]]:
        if not self.active:
            return []
        ends = []
        for number, event in enumerate(self._found_events(totals)[0]):
            adjoint = Name(f"event{number}", _SCALAR)
            terms = [algebra.multiply(e, Name(f"total_{x}", _SCALAR)) for x, e in event.jumps.items()]
            terms += event.more
            terms += [algebra.multiply(e, Name(f"seed_{x}", _SCALAR)) for x, e in event.resets.items()]
            if event.spike and self.request.spikes_matter:
                terms.append(Name(SPIKE_ADJOINT, _SCALAR))
            if event.spike and OF_SPIKES in self.request.seeds:
                terms.append(algebra.negate(Name(f"seed_{OF_SPIKES}", _SCALAR)))
            total = algebra.total(terms)
            if not algebra.is_number(total, 0.0):
                lines.append((adjoint.id, algebra.multiply(event.factor, total)))
                ends += [(value, algebra.multiply(slope, adjoint)) for value, slope in event.ends]
        return ends

    def _falls(self, given: Inputs, arrived: Expr) -> list[Line]:
        if given.name not in self.request.falls:
            return []
        mu = Name(given.name, _SCALAR)
        if given.name not in tree.names_in(arrived):
            raise GradientError(
                f"'{given.model.name}' passes on at once what arrives, so that {self.step.neuron.name} spikes when "
                "inputs arrive, or not at all: such spikes have no derivative of their times; ExpCurr has one"
            )
        return [(fall_of(given.name), algebra.divide(algebra.subtract(arrived, mu), Name("dt", _SCALAR)))]

    def _compared_states(self) -> tuple[str, ...]:
        if not self.active:
            return self.states
        clocks = set().union(*(tree.names_in(c) for c in self._conditions(self._totals(self.states))))
        return tuple(x for x in self.states if x not in clocks)

    def result(self) -> Reversal:
        """Return both models, and the events in words."""
        if self.flows is None:
            return super().result()
        declared, self.neuron = self.neuron, self.flows.neuron
        self.constants.widen(declared, self.neuron)
        return replace(super().result(), events=tuple(event.what for event in self.events))

    # ---- events ----

    def _totals(self, states: tuple[str, ...]) -> tuple[str, ...]:
        """Return the variables whose adjoints a timestep ends with."""
        return tuple(dict.fromkeys([*states, *self.partials, *self.seeds]))

    def _found_events(self, totals: tuple[str, ...]) -> tuple[list[_Event], list[Assignment]]:
        """Return the events, and what computes their numbers."""
        names = _Names({*self.own})
        spike, there = self._spike(totals, names)
        events = [spike, *self._released(spike, there, names)]
        events += [event for c in self._conditions(totals) for event in self._switches(c, totals, names)]
        return events, names.assignments

    def _rate(self, x: str, values: Mapping[str, Expr], mode: Mapping[str, Expr]) -> Expr:
        """Return the time derivative of a variable: there, while conditions are what they are in ``mode``."""
        assert self.flows is not None
        return at(self.flows.of(x), values, mode)

    def _spike(self, totals: tuple[str, ...], names: _Names) -> tuple[_Event, Expr]:
        """Return the event of the margin's crossing, and what the margin was a timestep before."""
        step, end = self.step, dict(self.step.tilde)
        assert step.margin is not None
        assert step.spike is not None
        slopes = self._margin_slopes()
        terms = [algebra.multiply(e, self._rate(x, end, {})) for x, e in slopes.items() if x]
        slope = names.name("slope", algebra.total([*terms, slopes.get("", _ZERO)]))
        # Where the crossing lies within a timestep, its end may be past the top: half of the mean slope is the least.
        before = tree.substitute(
            written_out(step.margin, step, self.tilde), {e: Name(x, _SCALAR) for e, x in self.tilde.items()}
        )
        mean = algebra.divide(algebra.subtract(step.margin, before), Name("dt", _SCALAR))
        least = algebra.call("fmax", slope, algebra.multiply(algebra.number(0.5), mean))
        steep = names.name("steepness", least)
        limited = steep
        if self.request.least_slope > 0.0:
            limited = algebra.call("fmax", steep, algebra.number(self.request.least_slope))
        # Where the margin was above 0 before, the spike has waited for something else: its time is not the margin's.
        there = algebra.subtract(before, algebra.multiply(slopes.get("", _ZERO), Name("dt", _SCALAR)))
        rises = algebra.both(algebra.binary(">", steep, _ZERO), algebra.binary("<", there, _ZERO))
        crosses = algebra.both(step.spike, rises)
        factor = names.name("perSlope", algebra.select(crosses, algebra.divide(_ONE, limited), _ZERO))
        jumps = {}
        for x in totals:
            jacobian = {y: folded(tangent(self.after[x], {e: _ONE})) for e, y in self.tilde.items()}
            flown = [algebra.multiply(j, self._rate(y, end, {})) for y, j in jacobian.items() if not _is_zero(j)]
            jump = folded(algebra.subtract(self._rate(x, self.after, self.after), algebra.total(flown)))
            if not _is_zero(jump):
                jumps[x] = self._named(names, f"jump_{x}", jump)
        what = f"a spike, as {tree_text(step.margin, step)} becomes 0"
        resets = self._resets(names)
        return _Event(what, factor, jumps, self._loss_jump(), resets, ((step.margin, _ONE),), spike=True), there

    def _released(self, spike: _Event, there: Expr, names: _Names) -> Iterator[_Event]:
        """Yield the spikes that another condition lets through as it ends, where the margin is above 0 already."""
        assert self.flows is not None
        assert self.step.spike is not None
        end, moving = dict(self.step.tilde), [x for x in self._margin_slopes() if x]
        for c, shut in self._gates():
            slopes = self._condition_slopes(c)
            if not slopes or all(_is_zero(settled(self.flows.of(x), c, shut)) for x in moving):
                continue  # the margin stands still until then
            rate = algebra.total(
                [algebra.multiply(tree.substitute(e, end), self._rate(x, end, {})) for x, e in slopes.items()]
            )
            now = c if shut else algebra.negation(c)
            happens = algebra.both(algebra.both(self.step.spike, now), algebra.binary(">=", there, _ZERO))
            factor = self._named(names, "perRate", algebra.select(happens, algebra.divide(_ONE, folded(rate)), _ZERO))
            ends = tuple((self.smooth.tilde[x], tree.substitute(e, end)) for x, e in slopes.items())
            what = f"a spike, at the end of {tree_text(c if shut else algebra.negation(c), self.step)}"
            yield _Event(what, factor, spike.jumps, spike.more, spike.resets, ends, spike=True)

    def _gates(self) -> Iterator[tuple[Binary, bool]]:
        """Yield the conditions without which there is no spike, beside the margin's, and what they are until then."""
        step = self.step
        assert step.spike is not None
        assert step.margin is not None
        back = {e: Name(x, _SCALAR) for e, x in self.tilde.items()}
        margin, threshold = (
            tree.substitute(written_out(e, step, self.tilde), back)
            for e in (step.margin, value_of(step.by_name[step.spike.id]))
        )
        threshold = canonical(threshold)
        for c in dict.fromkeys(n for n in tree.walk(threshold) if isinstance(n, Binary) and n.op == ">"):
            if margin in (algebra.subtract(c.left, c.right), algebra.subtract(c.right, c.left)):
                continue
            for shut in (True, False):
                if settled(threshold, c, shut) == algebra.truth(False):
                    yield c, shut

    def _margin_slopes(self) -> dict[str, Expr]:
        """Return the derivatives of the margin by what variables are at the end of sim_code, and by time (``""``)."""
        step = self.smooth
        assert step.margin is not None
        others = {*step.inputs, *step.state, "t"} - self.tilde.keys()
        found = pullback(step, [(step.margin, _ONE)], [*self.tilde, *others], stops=[*self.tilde])
        local = {a.name: a for a in found.assignments if a.name not in step.by_name}
        slopes = {}
        for name, e in found.adjoints.items():
            while tree.names_in(e) & local.keys():
                e = tree.substitute(e, {n: value_of(local[n]) for n in tree.names_in(e) & local.keys()})
            if name in others and name != "t":
                raise located(
                    step.threshold_at,
                    f"{step.neuron.name}: its threshold depends on '{name}' beside what variables are at the end of "
                    "sim_code: keep the value in a variable",
                )
            slopes["" if name == "t" else self.tilde[name]] = folded(e)
        return slopes

    def _loss_jump(self) -> tuple[Expr, ...]:
        """Return by how much a spike changes the loss of variables at once [per ms]."""
        if self.loss is None:
            return ()
        value = self.loss.value
        for a in reversed(self.loss.assignments):
            value = tree.substitute(value, {a.name: value_of(a)})
        jump = algebra.subtract(tree.substitute(value, self.after), tree.substitute(value, dict(self.step.tilde)))
        if _is_zero(folded(jump)):
            return ()
        return (algebra.divide(jump, Name("dt", _SCALAR)),)

    def _resets(self, names: _Names) -> dict[str, Expr]:
        """Return by how much a spike changes variables with adjoints from outside: these are of sums over time."""
        changes = {x: folded(algebra.subtract(self.after[x], self.step.tilde[x])) for x in self.seeds}
        return {
            x: self._named(names, f"reset_{x}", algebra.divide(change, Name("dt", _SCALAR)))
            for x, change in changes.items()
            if not _is_zero(change)
        }

    def _conditions(self, totals: tuple[str, ...]) -> list[Binary]:
        """Return the conditions that choose how variables move, of what moves."""
        assert self.flows is not None
        flows = [self.flows.of(x) for x in dict.fromkeys([*totals, *(x for x in self._margin_slopes() if x)])]
        found = dict.fromkeys(c for flow in flows for c in comparisons_of(flow))
        return [c for c in found if self._condition_slopes(c)]

    def _condition_slopes(self, c: Binary) -> dict[str, Expr]:
        difference = algebra.subtract(c.left, c.right)
        slopes = {x: folded(tangent(difference, {x: _ONE})) for x in sorted(tree.names_in(c) & self.step.state.keys())}
        slopes = {x: e for x, e in slopes.items() if not _is_zero(e) and self.step.state[x].kind == "float"}
        if slopes and c.op == "==":
            raise located(
                c.at,
                f"{self.step.neuron.name}: what is compared here moves, and chooses how others move where it is equal: "
                "compare it by < or >",
            )
        return slopes

    def _switches(self, c: Binary, totals: tuple[str, ...], names: _Names) -> list[_Event]:
        """Return the events that are a change of a condition, between spikes: one for each direction."""
        assert self.flows is not None
        assert self.step.spike is not None
        end, slopes, found = dict(self.step.tilde), self._condition_slopes(c), []
        later = tree.substitute(c, end)
        for before in (True, False):
            flows = {x: self.flows.of(x) for x in dict.fromkeys([*totals, *slopes])}
            now = {x: at(settled(e, c, before), end, {}) for x, e in flows.items()}
            then = {x: at(settled(e, c, not before), end, {}) for x, e in flows.items()}
            rate = algebra.total([algebra.multiply(tree.substitute(e, end), now[x]) for x, e in slopes.items()])
            if _is_zero(folded(rate)):
                continue
            changes = algebra.both(*((c, algebra.negation(later)) if before else (algebra.negation(c), later)))
            happens = names.name("changes", algebra.both(changes, algebra.negation(self.step.spike)))
            jumps = {x: folded(algebra.subtract(then[x], now[x])) for x in totals}
            jumps = {x: self._named(names, f"jump_{x}", e) for x, e in jumps.items() if not _is_zero(e)}
            factor = self._named(names, "perRate", algebra.select(happens, algebra.divide(_ONE, folded(rate)), _ZERO))
            ends = tuple((self.smooth.tilde[x], tree.substitute(e, end)) for x, e in slopes.items())
            what = f"the end of {tree_text(c if before else algebra.negation(c), self.step)}"
            found.append(_Event(what, factor, jumps, (), {}, ends, spike=False))
        return found

    def _named(self, names: _Names, base: str, e: Expr) -> Expr:
        """Return a number's name; a choice between constants as it stands: the tape needs its condition alone."""
        if isinstance(e, Ternary) and not any(self._moves_with_time(part) for part in (e.then, e.other)):
            return e
        return names.name(base, e) if self._moves_with_time(e) else e

    def _moves_with_time(self, e: Expr) -> bool:
        return bool(tree.names_in(e) - self.step.constants.keys() - {d.name for d in self._derived()} - {"dt"})

    def _derived(self) -> list[DerivedParam]:
        return [] if self.flows is None else self.flows.derived


class _Names:
    """Names for values of the forward timestep.

    Attributes
    ----------
    assignments : list of Assignment
        What they stand for.
    """

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self.assignments: list[Assignment] = []

    def name(self, base: str, e: Expr) -> Expr:
        """Return a name for a value, unless it is one or a number."""
        if isinstance(e, (Name, tree.Literal)):
            return e
        self.assignments.append(Assignment(unused(base, self._taken), e, e.type))
        return Name(self.assignments[-1].name, e.type)


def tree_text(e: Expr, step: Step) -> str:
    """Return an expression of a step's values in the names that are declared."""
    declared = {value.id: Name(x, value.type) for x, value in step.tilde.items() if isinstance(value, Name)}
    return unparse(tree.substitute(written_out(e, step, declared), declared))


def _is_zero(e: Expr) -> bool:
    return algebra.is_number(e, 0.0)
