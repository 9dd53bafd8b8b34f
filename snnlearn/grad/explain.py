"""What a derived rule is, in words: whose each tangent is and why, and what is cut or approximated."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from snnlearn.declare import PostsynapticModel, Surrogate
from snnlearn.dialect import tree, unparse
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr
from snnlearn.errors import GradientWarning
from snnlearn.grad.credit import Credit, FeedbackLoss
from snnlearn.grad.step import Step
from snnlearn.grad.tangents import Tangent

if TYPE_CHECKING:
    from snnlearn.grad.assemble import Assembled


def warn_of_comparisons(places: Collection[Place]) -> None:
    """Warn of comparisons that count as constant."""
    for place in places:
        message = "what is compared here has a derivative, the comparison has none: it counts as constant"
        warnings.warn(GradientWarning(str(place.error(message))), stacklevel=4)


def explain(
    step: Step,
    credit: Credit,
    made: Assembled,
    jacobian: str,
    detach_reset: bool | Collection[str],
    losses: Sequence[Any],
    surrogate: Surrogate,
) -> str:
    """Return what a rule is, in words."""
    name = step.neuron.name
    lines = [f'forward rule of the weights into {name}, jacobian "{jacobian}", surrogate {surrogate.name}', ""]
    lines += ["tangents"]
    lines += [f"  {line}" for line in _tangents(credit, made)]
    values = [*((n, "the connection", e) for n, e in made.posted.items())]
    values += [(n, "the neuron", e) for n, e in made.kept.items()]
    if values:
        lines += ["", "values of the postsynaptic neuron that synapses read"]
        lines += [f"  {n}, kept by {who}: {e}" for n, who, e in values]
    lines += ["", "cut"] + [f"  {line}" for line in _cuts(step, detach_reset, losses)]
    approximated = list(_approximations(step, jacobian, losses, made))
    if approximated:
        lines += ["", "approximated"] + [f"  {line}" for line in approximated]
    return "\n".join(lines) + "\n"


def _tangents(credit: Credit, made: Assembled) -> Iterator[str]:
    recursion = credit.recursion
    shared = recursion.traces
    for t, variable in made.written.variables.items():
        if t in shared:
            yield f"{variable}: of the presynaptic neuron, as no timestep and no neuron changes its coefficients"
            continue
        yield f"{variable}: of each synapse, as {_reason(t, credit, made)}"


def _reason(t: Tangent, credit: Credit, made: Assembled) -> str:
    """Return why a tangent is no trace: a coefficient that changes, or another tangent that is none."""
    recursion = credit.recursion
    rows = recursion.by_target
    waiting, seen, others = [t._replace(stage="after")], set(), []
    while waiting:
        row = rows.get(waiting.pop())
        if row is None or row.target in seen:
            continue
        seen.add(row.target)
        changing = [c for c in row.terms.values() if not recursion.is_constant(c)]
        if changing:
            return f"{_called(changing[0], made)} changes with the postsynaptic neuron"
        waiting += row.terms
        others += [s for s in row.terms if s.stage == "before" and s != t and s not in recursion.traces]
    return f"it follows {made.written.variables[others[0]]}"


def _called(coefficient: Expr, made: Assembled) -> str:
    if isinstance(coefficient, tree.Unary):
        return _called(coefficient.operand, made)
    return made.coefficients.get(coefficient) or unparse(coefficient)


def _cuts(step: Step, detach_reset: bool | Collection[str], losses: Sequence[Any]) -> Iterator[str]:
    yield "paths through spikes of other neurons, and of the neuron's own to itself through synapses"
    reset = [a.resets for a in step.assignments if a.resets is not None]
    cut = [x for x in dict.fromkeys(reset) if detach_reset is True or (detach_reset and x in detach_reset)]
    if cut:
        yield f"the derivative of the spike along the reset of {', '.join(cut)} (detach_reset)"
    spiking = (x for x in losses if isinstance(x, FeedbackLoss) and "threshold_condition_code" in x.neuron.codes())
    for loss in spiking:
        yield f"how {loss.neuron.name}'s own spikes change what it makes of this neuron's (its linear response remains)"


def _approximations(step: Step, jacobian: str, losses: Sequence[Any], made: Assembled) -> Iterator[str]:
    if any("psi" in text for text in (*made.posted, *made.kept, *made.kept.values())):
        yield "the derivative of a spike, by the surrogate"
    if jacobian == "subthreshold":
        gate = "" if step.gate is None else f" and is never kept from spiking ({unparse(_as_declared(step))})"
        yield f"the Jacobian, by that of a neuron that does not spike{gate}: resets leave the tangents as they are"
    fed_back = [loss for loss in losses if isinstance(loss, FeedbackLoss)]
    for loss in (loss for loss in fed_back if not loss.symmetric):
        yield f"the weights from here to the loss, by those through which '{loss.signal}' comes back"
    for loss in (loss for loss in fed_back if not isinstance(loss.via, PostsynapticModel)):
        yield (
            f"how a spike reaches {loss.neuron.name}'s loss, by what a spike of its own would do; "
            f"'{loss.signal}' comes a timestep late"
        )
    for place in made.compared:
        yield "a comparison counts as constant: " + str(place.error("here")).split("\n")[1].strip()


def _as_declared(step: Step) -> Any:
    names = {e.id: tree.Name(x, e.type) for x, e in step.tilde.items() if isinstance(e, tree.Name)}
    return tree.substitute(step.gate, names)
