"""What a rule makes small: a loss of the neuron itself, those of other layers, whose error signals are fed back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from snnlearn.declare import Loss, NeuronModel, PostsynapticModel
from snnlearn.dialect import algebra, tree, unparse
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr, Name
from snnlearn.errors import GradientError, did_you_mean
from snnlearn.grad.constants import add_constants, values_of
from snnlearn.grad.facts import assume, facts_of
from snnlearn.grad.loss import LossGradient, driven_partials, loss_gradient
from snnlearn.grad.single import Assignment
from snnlearn.grad.step import Constant, step_of
from snnlearn.grad.tangents import Recursion, Row, Tangent, followed_by, recursion_of, relevant


@dataclass(frozen=True)
class FeedbackLoss:
    """The loss of another layer, of which each neuron receives an error signal: a weighted sum of its derivatives.

    What a spike of the neuron does to the loss follows the other layer's linear response, without its weights and
    without what its spikes change; the signal stands for both.

    Parameters
    ----------
    neuron : NeuronModel
        Of the layer that has the loss.
    loss : Loss
        Depends on one variable of it.
    signal : str
        The variable of the neuron at hand that holds the signal.
    via : "spike" or PostsynapticModel, optional
        How a spike reaches the loss: as one of the layer's own would (Zenke & Ganguli 2018), or as it arrives through
        a postsynaptic model (Bellec et al. 2020).
    symmetric : bool
        Whether the signal comes back through the weights that lead to the layer, one timestep after what it is of. The
        rule then pairs it with what a spike has done by that timestep, unless it counts as one of the layer's own.
    delay : int
        How many timesteps more than one a spike takes to the postsynaptic model; each takes a variable of synapses.
    """

    neuron: NeuronModel
    loss: Loss
    signal: str = "errTilda"
    via: Literal["spike"] | PostsynapticModel = "spike"
    symmetric: bool = False
    delay: int = 0

    @property
    def late(self) -> bool:
        """Whether the signal is to be paired with the tangents of the timestep before."""
        return self.symmetric and isinstance(self.via, PostsynapticModel)


@dataclass(frozen=True)
class Credit:
    """A recursion up to the loss.

    Attributes
    ----------
    recursion : Recursion
    partials : mapping of str to expression
        The loss's derivative by variables after the timestep.
    assignments : tuple of Assignment
        What those are made of.
    late : frozenset of str
        The variables of which the derivative is that of a timestep before.
    compared : mapping of str to tuple of Place
        By the variable: comparisons in the losses of what depends on it.
    """

    recursion: Recursion
    partials: Mapping[str, Expr] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()
    late: frozenset[str] = frozenset()
    compared: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)


def with_own(
    credit: Credit, loss: Loss, neuron: NeuronModel, constants: dict[str, Constant], taken: set[str]
) -> Credit:
    """Return a credit that has that of a loss of the neuron's own variables too."""
    gradient, names = gradient_among(loss, neuron, constants, taken)
    recursion = replace(credit.recursion, constants=credit.recursion.constants | names)
    return replace(
        credit,
        recursion=recursion,
        partials={**credit.partials, **gradient.partials},
        assignments=(*credit.assignments, *gradient.assignments),
        compared={**credit.compared, **gradient.compared},
    )


def gradient_among(
    loss: Loss, neuron: NeuronModel, constants: dict[str, Constant], taken: set[str], apart: Collection[str] = ()
) -> tuple[LossGradient, frozenset[str]]:
    """Return the derivatives of a loss, and what its constants are called there: they become some of ``constants``.

    No value within is called as one of the names ``taken`` and ``apart``.
    """
    names = [add_constants(constants, taken, part) for part in loss.parts]
    gradient = loss_gradient(loss, neuron, frozenset([*taken, *apart]), names)
    return gradient, frozenset(new for part in names for new in part.values())


def _renamed(e: Expr, names: Mapping[str, str]) -> Expr:
    found: Expr = tree.rewrite(
        e, lambda n: Name(names[n.id], n.type) if isinstance(n, Name) and names.get(n.id, n.id) != n.id else n
    )
    return found


def with_feedback(
    credit: Credit,
    feedback: FeedbackLoss,
    neuron: NeuronModel,
    constants: dict[str, Constant],
    taken: set[str],
    params: Mapping[str, float],
    dt: float | None,
) -> Credit:
    """Return a credit that has that of a loss of another layer too.

    Raises
    ------
    GradientError
        If that layer does not respond linearly to a spike, or its loss depends on several variables.
    """
    variables = [v.name for v in neuron.vars]
    if feedback.signal not in variables:
        hint = did_you_mean(feedback.signal, variables)
        raise GradientError(f"{neuron.name} has no variable '{feedback.signal}' for the error signal{hint}")
    gradient = loss_gradient(feedback.loss, feedback.neuron)
    partials = driven_partials(gradient, step_of(feedback.neuron))
    if len(partials) != 1:
        several = " and ".join(partials) or "nothing that synapses drive"
        raise GradientError(f"loss '{feedback.loss.name}' depends on {several}: one variable can be fed back")
    (variable,) = partials
    known = {row.target.name for row in credit.recursion.rows}
    second, prefix = _response(feedback, constants, taken, known, params, dt)
    together = followed_by(credit.recursion, second, "spike", prefix)
    _check_linear(relevant(together, [prefix[variable]]), {*prefix.values()}, feedback)
    signal = Name(feedback.signal, next(tree.walk(gradient.partials[variable])).type)
    return replace(
        credit,
        recursion=together,
        partials={**credit.partials, prefix[variable]: signal},
        late=credit.late | {prefix[variable]} if feedback.late else credit.late,
    )


def _check_linear(recursion: Recursion, names: Collection[str], feedback: FeedbackLoss) -> None:
    for row in recursion.rows:
        for source, c in row.terms.items():
            if row.target.name in names and row.target.stage != "spike" and not recursion.is_constant(c):
                raise GradientError(
                    f"{feedback.neuron.name} does not respond linearly to a spike: the derivative of {row.target.name} "
                    f"by {source.name} is {unparse(c)}, no constant; values of its parameters (params) may decide that"
                )


def _response(
    feedback: FeedbackLoss,
    constants: dict[str, Constant],
    taken: set[str],
    known_tangents: set[str],
    params: Mapping[str, float],
    dt: float | None,
) -> tuple[Recursion, dict[str, str]]:
    """Return how a layer responds to a spike, and what its variables are called."""
    model = feedback.via if isinstance(feedback.via, PostsynapticModel) else None
    step = step_of(feedback.neuron, *([model] if model is not None else []))
    names: dict[str, str] = {}
    for part in (feedback.neuron, *([model] if model is not None else [])):
        moved = add_constants(constants, taken, part)
        names |= {own: moved[c.name] for own, c in step.constants.items() if c.model is part and c.name in moved}
    here = {own: params[new] for own, new in names.items() if new in params}
    values = values_of(step.constants, here, dt)
    quiet = assume(step, facts_of(step, values))
    known = {name for name, c in step.constants.items() if c.kind != "extra_global_params"} | {"dt"}
    second = recursion_of(quiet, known, detached=True, quiet=True, spike="spike" if model is None else "")
    rows = [Row(r.target, {t: _renamed(c, names) for t, c in r.terms.items()}) for r in second.rows]
    prefix = {}
    waiting = [f"sent{number}" for number in range(1, feedback.delay + 1)] if model is not None else []
    for x in [*step.state, *step.inputs, *waiting]:
        prefix[x] = f"{feedback.neuron.name}_{x}" if x in taken else x
        while prefix[x] in known_tangents:  # of another layer, of the same model
            prefix[x] += "_"
    if model is not None:
        rows = [*_on_their_way(waiting), *(_with_arrival(r, second.arrivals, waiting) for r in rows)]
    constant = frozenset(names.values()) | {"dt"}
    return replace(second, rows=tuple(rows), constants=constant), prefix


def _on_their_way(waiting: Sequence[str]) -> list[Row]:
    """Return what keeps spikes for the timesteps that they take."""
    before = [Tangent("spike", "spike"), *(Tangent("before", name) for name in waiting)]
    return [Row(Tangent("after", x), {t: algebra.number(1.0)}) for x, t in zip(waiting, before, strict=False)]


def _with_arrival(row: Row, arrivals: tuple[str, ...], waiting: Sequence[str]) -> Row:
    """Return a row in which a spike arrives behind the timestep in which it is sent, or later."""
    if row.target.stage != "after" or row.target.name not in arrivals:
        return row
    arriving = Tangent("before", waiting[-1]) if waiting else Tangent("spike", "spike")
    return Row(row.target, {**row.terms, arriving: algebra.number(1.0)})
