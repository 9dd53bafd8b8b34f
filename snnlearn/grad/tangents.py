"""The eligibility's recursion: how what a weight has done to a neuron's variables passes through a timestep.

A *tangent* is the derivative of a value with respect to one weight. Each row says which tangents make up another, and
with which coefficients. A row that only has constant coefficients, of rows that only have such, is the same for all
synapses of a presynaptic neuron, up to when its spikes arrive: a trace. The others belong to each synapse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from snnlearn.dialect import algebra, tree
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr, Name
from snnlearn.grad.derivatives import Linear, linear_forms
from snnlearn.grad.step import Step

_LONGEST = 200  # nodes of a coefficient that is written out
_FROM_STEP_TO_STEP: tuple[Literal["before"], Literal["after"]] = ("before", "after")


class Tangent(NamedTuple):
    """Whose derivative: a variable ``before`` or ``after`` the timestep, or ``tilde``, after sim_code; an ``input``.

    Of ``spike``, the name is that of whose spike it is.
    """

    stage: Literal["before", "input", "tilde", "spike", "after"]
    name: str


@dataclass(frozen=True)
class Row:
    """A tangent as a sum of others, each with its coefficient."""

    target: Tangent
    terms: Mapping[Tangent, Expr]


@dataclass(frozen=True)
class Recursion:
    """The rows of a timestep, in order, with what their coefficients mean.

    Attributes
    ----------
    rows : tuple of Row
    arrivals : tuple of str
        The variables that a spike's arrival adds the weight to.
    linear : Linear
        The values that coefficients are made of.
    constants : frozenset of str
        The names that no timestep changes.
    """

    rows: tuple[Row, ...]
    arrivals: tuple[str, ...]
    linear: Linear
    constants: frozenset[str]

    @property
    def by_target(self) -> dict[Tangent, Row]:
        """The rows by what they are about."""
        return {row.target: row for row in self.rows}

    @property
    def traces(self) -> frozenset[Tangent]:
        """The tangents that all synapses of a presynaptic neuron share, those of the arrivals' variables too."""
        found = {t for row in self.rows for t in (row.target, *row.terms)}
        while True:
            wrong = {row.target for row in self.rows if row.target in found and not self._is_trace(row, found)}
            wrong |= {t for t in found if t.stage == "before" and Tangent("after", t.name) in wrong}
            wrong |= {t for t in found if t.stage == "before" and Tangent("after", t.name) not in self.by_target}
            if not wrong & found:
                return frozenset(found)
            found -= wrong

    def _is_trace(self, row: Row, found: set[Tangent]) -> bool:
        return all(t in found and self.is_constant(c) for t, c in row.terms.items())

    def is_constant(self, coefficient: Expr) -> bool:
        """Whether no timestep and no neuron changes a coefficient."""
        return tree.names_in(coefficient) <= self.constants


def recursion_of(
    step: Step,
    constants: Collection[str],
    *,
    detached: bool | Collection[str],
    quiet: bool,
    spike: str = "",
    states: Collection[str] | None = None,
) -> Recursion:
    """Return the recursion of a timestep.

    Parameters
    ----------
    step : Step
    constants : collection of str
        The names that no timestep changes.
    detached, quiet
        As in `linear_forms`.
    spike : str
        What the spike's tangent is called, where it is one of its own: of what follows, only it is driven.
    states : collection of str, optional
        The variables that have tangents; all of a floating type unless said.
    """
    floats = [x for x, vtype in step.state.items() if vtype.kind == "float" and (states is None or x in states)]
    keys: dict[str, Tangent] = {x: Tangent("before", x) for x in floats}
    cuts: dict[str, str] = {}

    def cut(e: Expr | None, tangent: Tangent) -> None:
        if isinstance(e, Name) and e.id in step.by_name and e.id not in cuts:
            key = f"{tangent.stage} {tangent.name}"
            cuts[e.id], keys[key] = key, tangent

    for name, e in step.inputs.items():
        cut(e, Tangent("input", name))
    for x in floats:
        cut(step.tilde[x], Tangent("tilde", x))
    if spike:
        cut(step.spike, Tangent("spike", spike))
    linear = linear_forms(step, {x: {x: algebra.number(1.0)} for x in floats}, cuts, detached=detached, quiet=quiet)

    values = {a.name: a.value for a in linear.assignments}

    def row(target: Tangent, form: Mapping[str, Expr]) -> Row:
        return Row(target, {keys[d]: _written_out(c, values, {*constants}) for d, c in form.items()})

    rows = [row(keys[cuts[a.name]], linear.forms[f"{a.name}~"]) for a in step.assignments if a.name in cuts]
    for x in floats:
        e = step.after[x]
        form = linear.forms.get(e.id, {}) if isinstance(e, Name) else {}
        rows.append(row(Tangent("after", x), form))
    own = {v.name for v in step.neuron.vars}
    arrivals = tuple(x for x in floats if x not in own and x.endswith("inSyn"))
    return Recursion(tuple(rows), arrivals, linear, frozenset(constants))


def _written_out(e: Expr, values: Mapping[str, Expr | None], constants: set[str]) -> Expr:
    """Return a coefficient without names of its own where it is made of constants; as it is where it is not."""
    whole = e
    while not tree.names_in(whole) <= constants:
        inner = {name: values.get(name) for name in tree.names_in(whole) - constants}
        if None in inner.values():
            return e
        whole = tree.substitute(whole, inner)  # type: ignore[arg-type]
        if sum(1 for _ in tree.walk(whole)) > _LONGEST:
            return e
    return whole


def relevant(recursion: Recursion, wanted: Collection[str]) -> Recursion:
    """Return a recursion without the rows that no arrival reaches, or that reach none of these variables."""
    rows = recursion.by_target
    # What arrives has a tangent, even where the timestep leaves nothing of it.
    alive = {Tangent(stage, x) for x in recursion.arrivals for stage in _FROM_STEP_TO_STEP}
    while True:
        new = {t for t, row in rows.items() if t not in alive and alive & row.terms.keys()}
        new |= {Tangent("before", t.name) for t in new | alive if t.stage == "after"} - alive
        if not new:
            break
        alive |= new
    needed: set[Tangent] = set()
    waiting = [Tangent("after", x) for x in wanted]
    while waiting:
        t = waiting.pop()
        if t in needed or t not in alive:
            continue
        needed.add(t)
        waiting += [Tangent("after", t.name)] if t.stage == "before" else [*rows[t].terms] if t in rows else []
    kept = [
        Row(row.target, {t: c for t, c in row.terms.items() if t in alive})
        for row in recursion.rows
        if row.target in needed
    ]
    return replace(recursion, rows=tuple(kept))


def followed_by(recursion: Recursion, second: Recursion, spike: str, prefix: Mapping[str, str]) -> Recursion:
    """Return a recursion whose spike drives another one, that of an error's filter.

    Parameters
    ----------
    recursion, second : Recursion
        ``second`` has a tangent ``spike`` of its own spike; the first one's takes its place.
    spike : str
        What both spikes are called.
    prefix : mapping of str to str
        What the second one's variables are called.
    """

    def moved(t: Tangent) -> Tangent:
        return t if t.stage == "spike" else Tangent(t.stage, prefix[t.name])

    kept = [r for r in second.rows if r.target.stage != "spike"]
    rows = [Row(moved(r.target), {moved(t): c for t, c in r.terms.items()}) for r in kept]
    return replace(recursion, rows=(*recursion.rows, *rows), constants=recursion.constants | second.constants)


def coefficients(rows: Sequence[Row]) -> Iterator[Expr]:
    """Yield the coefficients of rows."""
    for row in rows:
        yield from row.terms.values()


def comparisons_in(recursion: Recursion, needed: Collection[str]) -> tuple[Place, ...]:
    """Return where what has a derivative is compared, in the code that gives these names a value."""
    found = [p for name in needed for p in recursion.linear.comparisons.get(name, ())]
    return tuple(dict.fromkeys(found))
