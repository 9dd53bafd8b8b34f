"""Losses and their derivatives with respect to what a neuron's timestep leaves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from snnlearn.declare import Loss, NeuronModel, value_type
from snnlearn.dialect import algebra, check_loss, tree
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr
from snnlearn.errors import GradientError
from snnlearn.grad.derivatives import derived_along, needed
from snnlearn.grad.single import Assignment, Follower
from snnlearn.grad.step import Step


@dataclass(frozen=True)
class LossGradient:
    """The derivatives of a loss.

    Attributes
    ----------
    partials : mapping of str to expression
        By the variable of the neuron; what the loss does not depend on is missing.
    value : expression
        The loss itself.
    assignments : tuple of Assignment
        All that value and partials need, in order; other names are variables and parameters of the neuron, parameters
        of the loss, ``t`` and ``dt``.
    compared : mapping of str to tuple of Place
        By the variable of the neuron: comparisons of what depends on it, which count as constant.
    """

    partials: Mapping[str, Expr]
    value: Expr
    assignments: tuple[Assignment, ...]
    compared: Mapping[str, tuple[Place, ...]]


def driven_partials(gradient: LossGradient, step: Step) -> dict[str, Expr]:
    """Return the partial derivatives by variables that synapses have an influence on."""
    return {x: e for x, e in gradient.partials.items() if x in step.driven}


def check_not_reset(step: Step, read: Collection[str], variable: str) -> None:
    """Check that what a loss's derivative reads is at the end of sim_code what it is after the timestep.

    Raises
    ------
    GradientError
        If a reset changes it.
    """
    changed = sorted(v for v in read if step.after[v] != step.tilde[v])
    if changed:
        raise GradientError(
            f"the loss's derivative by {variable} depends on {changed[0]}, which a reset changes, and on t or by more "
            f"than sums and products: let {step.neuron.name} keep what the loss needs in a variable"
        )


def loss_gradient(
    loss: Loss, neuron: NeuronModel, taken: frozenset[str] = frozenset(), names: Sequence[Mapping[str, str]] = ()
) -> LossGradient:
    """Return the derivatives of a loss with respect to the variables of a neuron.

    Parameters
    ----------
    loss : Loss
    neuron : NeuronModel
    taken : frozenset of str
        What no value within is called.
    names : sequence of mapping of str to str, optional
        What the parameters of each of the loss's parts are called.

    Raises
    ------
    DialectError
        If its code is wrong.
    GradientError
        If it depends on no variable of the neuron, or on something without a derivative.
    """
    own = {f.name for model in (*loss.parts, neuron) for _, f in model.named_fields()} | {"loss", "t", "dt"}
    follower = Follower({*own, *taken, *(new for part in names for new in part.values())})
    values: list[Expr] = []
    for part, called in zip(loss.parts, names or [{}] * len(loss.parts), strict=True):
        if "loss_code" not in part.codes():
            raise GradientError(f"loss '{part.name}' needs loss_code, such as 'loss = 0.5 * V * V;'")
        block = check_loss(part, neuron).tree
        assert isinstance(block, tree.Block)
        follower.types["loss"] = algebra.SCALAR
        follower.values["loss"] = algebra.number(0.0)
        follower.run(block, called)
        follower.forget_locals()
        values.append(follower.values["loss"])
    value = algebra.total(values)
    chain = needed(follower.assignments, [value])
    floats = [v.name for v in neuron.vars if value_type(v.type).kind == "float"]
    partials, compared = {}, {}
    for name in floats:
        e, compared[name] = derived_along(follower, chain, value, name)
        if not algebra.is_number(e, 0.0):
            partials[name] = e
    if not partials:
        raise GradientError(
            f"loss '{loss.name}' depends on no variable of {neuron.name} by a derivative: "
            f"its variables are {', '.join(floats) or 'none'}"
        )
    return LossGradient(partials, value, needed(follower.assignments, [value, *partials.values()]), compared)
