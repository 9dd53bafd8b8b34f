"""Forward rules: eligibilities that run along with the network and need no past.

Each synapse keeps how its weight has changed the neuron's variables, a *tangent* for each, and adds what that means for
the loss: ``eps(t) = J(t) eps(t-1) + what arrives``, ``m -= dl/dx eps``. Paths through spikes of other neurons are cut.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from snnlearn.declare import Loss, NeuronModel, PostsynapticModel, Surrogate, WeightUpdateModel
from snnlearn.dialect import tree
from snnlearn.dialect.tokens import LONGEST
from snnlearn.errors import GradientError, did_you_mean
from snnlearn.grad.assemble import WITH_JACOBIAN, Assembled, assemble
from snnlearn.grad.constants import add_constants, values_of
from snnlearn.grad.credit import Credit, FeedbackLoss, with_feedback, with_own
from snnlearn.grad.explain import explain, warn_of_comparisons
from snnlearn.grad.facts import assume, facts_of
from snnlearn.grad.step import Constant, Step, located, step_of
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.grad.tangents import Tangent, recursion_of, relevant

JacobianKind = Literal["subthreshold", "exact"]
"""``"subthreshold"``: as if the neuron neither spiked nor was refractory, which lets traces be shared; ``"exact"``."""


@dataclass(frozen=True)
class EligibilityRule:
    """A forward rule, as declarations.

    Attributes
    ----------
    weight_update : WeightUpdateModel
        Has the variables ``w`` and ``m``: the weight, and the sum of the direction of descent over the timesteps, from
        which an optimiser reads. What a timestep contributes is added in the next.
    neuron : NeuronModel
        The declared one, or one that does the same and keeps the entries of its Jacobian for the synapses.
    postsynaptic : PostsynapticModel
        The declared one.
    params : dict of str to float
        Of the weight update, as far as they were given.
    neuron_params : dict of str to float
        Of the neuron, beyond its declared ones.
    post_neuron_var_refs : dict of str to str
        What each reference of the weight update is called in the neuron.
    """

    weight_update: WeightUpdateModel
    neuron: NeuronModel
    postsynaptic: PostsynapticModel
    params: dict[str, float]
    neuron_params: dict[str, float]
    post_neuron_var_refs: dict[str, str]
    _text: str

    def explain(self) -> str:
        """Return which tangent is whose and why, and what the rule cuts or approximates."""
        return self._text


def eligibility(
    neuron: NeuronModel,
    postsynaptic: PostsynapticModel,
    *,
    surrogate: Surrogate | str,
    loss: Loss | FeedbackLoss | Sequence[Loss | FeedbackLoss],
    params: Mapping[str, float] | None = None,
    dt: float | None = None,
    jacobian: JacobianKind = "subthreshold",
    detach_reset: bool | Collection[str] = True,
) -> EligibilityRule:
    """Derive the learning rule of a connection's weights from what is declared.

    Parameters
    ----------
    neuron : NeuronModel
        Of the postsynaptic population.
    postsynaptic : PostsynapticModel
        Of the connection.
    surrogate : Surrogate or str
        What stands for the derivative of a spike, or its name in the library.
    loss : Loss or FeedbackLoss, or a sequence of such
        What becomes small: of this neuron, or of a layer whose error signal it receives; several add up.
    params : mapping of str to float, optional
        Values of parameters, which decide branches. A name that several of the declarations have is the neuron's;
        the others' begins with the declaration's name, as in ``ExpCurr_tau``.
    dt : float, optional
        The timestep [ms], where derived parameters decide branches.
    jacobian : "subthreshold" or "exact"
        Of which neuron the traces are: one that neither spikes nor is refractory, so that they are the same for all
        synapses of a presynaptic neuron where its step is linear (Zenke & Ganguli 2018); or the neuron as it is, with
        traces for each synapse and Jacobian entries that the neuron keeps (Williams & Zipser 1989; Bellec et al. 2020).
    detach_reset : bool or collection of str
        Whether the reset by a spike passes no derivative of the spike; or the variables for which it does not.

    Returns
    -------
    EligibilityRule

    Raises
    ------
    GradientError
        If there is no such rule; says why, and what to do instead.
    DialectError
        If a code string is wrong.

    Warns
    -----
    GradientWarning
        For each comparison of what has a derivative that is no test of the neuron's own spike: it counts as constant.
    """
    if jacobian not in get_args(JacobianKind):
        raise GradientError(f"there is no jacobian '{jacobian}'{did_you_mean(str(jacobian), get_args(JacobianKind))}")
    exact, given = jacobian == "exact", dict(params or {})
    losses = (loss,) if isinstance(loss, (Loss, FeedbackLoss)) else tuple(loss)
    surrogate = find_surrogate(surrogate)
    step = step_of(neuron, postsynaptic)
    _check_reset(step, detach_reset)
    constants = {name: c for name, c in step.constants.items() if c.kind != "extra_global_params"}
    for name in constants.keys() & {"w", "m"}:
        raise GradientError(
            f"{neuron.name}: a rule has variables 'w' and 'm'; give the parameter '{name}' another name"
        )
    taken = {*step.taken, "w", "m"}
    surrogate_names = add_constants(constants, taken, surrogate)
    values = values_of(constants, given, dt)
    used = step if exact else assume(step, facts_of(step, values))
    known = {*constants, "dt"}

    def credit_of(states: Collection[str] | None, constants: dict[str, Constant], taken: set[str]) -> Credit:
        spike = "spike" if any(isinstance(one, FeedbackLoss) for one in losses) else ""
        found = Credit(recursion_of(used, known, detached=detach_reset, quiet=not exact, spike=spike, states=states))
        for one in losses:
            if isinstance(one, FeedbackLoss):
                found = with_feedback(found, one, neuron, constants, taken, given, dt)
            else:
                found = with_own(found, one, neuron, constants, taken)
        return found

    # What no weight reaches has no tangent: only then is it known which comparisons matter.
    first = _reached(credit_of(None, dict(constants), set(taken)), step)
    credit = credit_of({t.name for row in first.recursion.rows for t in (row.target, *row.terms)}, constants, taken)
    unknown = sorted(given.keys() - constants.keys())
    if unknown:
        raise GradientError(f"nothing declares a parameter '{unknown[0]}'{did_you_mean(unknown[0], constants)}")
    found = _reached(credit, step)
    made = assemble(step, used, found, surrogate, surrogate_names, constants, given, taken)
    _check_length(made)
    warn_of_comparisons(made.compared)
    text = explain(step, found, made, jacobian, detach_reset, losses, surrogate)
    return _rule(made, neuron, postsynaptic, given, text)


def _check_length(made: Assembled) -> None:
    for model in (made.neuron, made.weight_update):
        for code in model.codes().values():
            if len(code) > LONGEST:
                raise GradientError(
                    f"{made.neuron.name.removesuffix(WITH_JACOBIAN)}: its derived code is longer than {LONGEST:,} "
                    "characters: its loop is too long to be unrolled"
                )


def _rule(
    made: Assembled, neuron: NeuronModel, postsynaptic: PostsynapticModel, given: Mapping[str, float], text: str
) -> EligibilityRule:
    own = {p.name for p in neuron.params}
    return EligibilityRule(
        made.weight_update,
        made.neuron,
        postsynaptic,
        {p.name: float(given[p.name]) for p in made.weight_update.params if p.name in given},
        {p.name: float(given[p.name]) for p in made.neuron.params if p.name in given and p.name not in own},
        dict(made.refs),
        text,
    )


def _check_reset(step: Step, detach_reset: bool | Collection[str]) -> None:
    if isinstance(detach_reset, bool):
        return
    if isinstance(detach_reset, str):
        raise GradientError(f"detach_reset takes several names: ('{detach_reset}',)")
    variables = [v.name for v in step.neuron.vars]
    for name in detach_reset:
        if name not in variables:
            hint = did_you_mean(name, variables)
            raise GradientError(f"detach_reset: {step.neuron.name} has no variable '{name}'{hint}")


def _reached(credit: Credit, step: Step) -> Credit:
    """Return the credit without what no weight or loss has to do with."""
    recursion = relevant(credit.recursion, credit.partials)
    targets = {row.target for row in recursion.rows}
    own = [x for x in step.after if x in credit.partials or Tangent("after", x) in targets]
    for x in own:
        step.need_followed(step.after[x])
    partials = {x: e for x, e in credit.partials.items() if any(t.stage == "after" and t.name == x for t in targets)}
    if not partials:
        variables = " and ".join(credit.partials)
        need = step.margin is None and step.spike is not None
        why = f"; {step.no_margin}" if need else ""
        raise located(
            step.threshold_at if need else None,
            f"{step.neuron.name}: no weight has an influence on {variables} that has a derivative{why}",
        )
    if any("psi" in tree.names_in(c) for row in recursion.rows for c in row.terms.values()):
        step.need_margin()
    compared = {
        x: places
        for x, places in credit.compared.items()
        if places and Tangent("after", x) in relevant(credit.recursion, [x]).by_target
    }
    return replace(credit, recursion=recursion, partials=partials, compared=compared)
