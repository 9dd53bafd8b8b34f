"""Error signals: what sends a loss's derivative to other layers, and the neurons that receive it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from snnlearn.declare import (
    DerivedParam,
    InputVar,
    Loss,
    NeuronModel,
    Param,
    PostsynapticModel,
    Var,
    VarAccess,
    VarAccessMode,
    VarRef,
    WeightUpdateModel,
)
from snnlearn.dialect import algebra, tree, unparse
from snnlearn.dialect.library import VOID
from snnlearn.dialect.tree import Expr, Name
from snnlearn.errors import GradientError
from snnlearn.grad.constants import params_of, with_params
from snnlearn.grad.credit import gradient_among
from snnlearn.grad.derivatives import assigned, declared, needed, unused, written_in
from snnlearn.grad.loss import check_not_reset, driven_partials
from snnlearn.grad.step import step_of

SIGNAL_INPUT = "ErrorInput"  # of a neuron that receives an error signal
SIGNAL = "errorSignal"


def with_error_signal(neuron: NeuronModel, number: int = 0) -> NeuronModel:
    """Return a neuron with a further input, `SIGNAL_INPUT`, whose value it keeps in a variable, `SIGNAL`.

    Parameters
    ----------
    neuron : NeuronModel
    number : int
        Which of several it is: the names end with it where it is not the first.
    """
    where, variable = signal_names(number)
    return replace(
        neuron,
        name=f"{neuron.name}WithError{number or ''}",
        vars=(*neuron.vars, Var(variable)),
        additional_input_vars=(*neuron.additional_input_vars, InputVar(where, "scalar", 0.0)),
        sim_code=f"{neuron.sim_code}\n{variable} = {where};\n",
    )


def signal_names(number: int) -> tuple[str, str]:
    """Return what the input of an error signal and the variable that keeps it are called."""
    return f"{SIGNAL_INPUT}{number or ''}", f"{SIGNAL}{number or ''}"


def signal_input(neuron: NeuronModel, variable: str = "errTilda") -> str | None:
    """Return the further input of a neuron that a variable of it is; None where it is none."""
    step = step_of(neuron)
    e = step.after.get(variable)
    e = step.by_name[e.id].value if isinstance(e, Name) and e.id in step.by_name else e
    further = {x.name for x in neuron.additional_input_vars}
    return e.id if isinstance(e, Name) and e.id in further else None


def error_feedback(
    neuron: NeuronModel, postsynaptic: PostsynapticModel, loss: Loss, params: Mapping[str, float] | None = None
) -> tuple[WeightUpdateModel, dict[str, str], dict[str, float]]:
    """Return the weight update that sends a loss's derivative to the layers before, in every timestep.

    Its own postsynaptic model is to pass on what arrives, as ``DeltaCurr`` does. Names of parameters are those of the
    layer's rule.

    Returns
    -------
    weight_update : WeightUpdateModel
        With the weight ``w``; it reads what the neurons' last timestep has left, and keeps in a variable of its
        presynaptic neurons what depends on the time of that.
    refs : dict of str to str
        What its references are called in the neuron.
    params : dict of str to float
        Of it, as far as they were given.

    Raises
    ------
    GradientError
        If the loss depends on several variables, or on time and on a variable that a reset changes.
    """
    found = error_sent(neuron, postsynaptic, loss, params or {}, {"w", "m"})
    sent = algebra.multiply(Name("w", algebra.SCALAR), found.signal)
    model = WeightUpdateModel(
        f"{neuron.name}Feedback",
        params=found.params,
        derived_params=found.derived_params,
        vars=(Var("w", access=VarAccess.READ_ONLY),),
        pre_vars=tuple(map(Var, found.kept)),
        pre_neuron_var_refs=found.references,
        pre_dynamics_code=found.dynamics,
        synapse_dynamics_code=found.code("addToPost", sent),
    )
    return model, found.refs, found.values


@dataclass(frozen=True)
class ErrorSent:
    """What a connection needs to send a loss's derivative, which it sees at one of its ends.

    Attributes
    ----------
    signal : expression
        The derivative, of the values of a neuron's last timestep.
    statements : tuple of Statement
        What it is made of.
    kept : tuple of str
        The variable of the neuron that keeps it for the synapses, if it depends on time.
    dynamics : str
        The code that gives that its value in each timestep.
    params, derived_params : tuples of Param and DerivedParam
    references : tuple of VarRef
    refs : dict of str to str
        What the references are called in the neuron.
    values : dict of str to float
        Of the parameters, as far as they were given.
    """

    signal: Expr
    statements: tuple[tree.Statement, ...]
    kept: tuple[str, ...]
    dynamics: str
    params: tuple[Param, ...]
    derived_params: tuple[DerivedParam, ...]
    references: tuple[VarRef, ...]
    refs: dict[str, str]
    values: dict[str, float]

    def code(self, action: str, sent: Expr) -> str:
        """Return the code of a synapse that sends something."""
        return unparse([*self.statements, tree.Evaluate(tree.Call(action, (sent,), VOID))])


def error_sent(
    neuron: NeuronModel, postsynaptic: PostsynapticModel, loss: Loss, params: Mapping[str, float], used: Collection[str]
) -> ErrorSent:
    """Return what sends a loss's derivative.

    Parameters
    ----------
    neuron, postsynaptic : NeuronModel and PostsynapticModel
        Of the layer that has the loss.
    loss : Loss
    params : mapping of str to float
        By the names of the layer's rule.
    used : collection of str
        The names that mean something in the connection's code already.

    Raises
    ------
    GradientError
        If the loss depends on several variables, or on time and on a variable that a reset changes.
    """
    step = step_of(neuron, postsynaptic)
    constants = {name: c for name, c in step.constants.items() if c.kind != "extra_global_params"}
    taken = {*step.taken, "w", "m"}
    gradient, _ = gradient_among(loss, neuron, constants, taken, used)
    taken |= {*used}
    partials = driven_partials(gradient, step)
    if len(partials) != 1:
        several = " and ".join(partials) or "nothing that synapses drive"
        raise GradientError(f"loss '{loss.name}' depends on {several}: one variable can be fed back")
    ((variable, e),) = partials.items()
    short, wanted = written_in(needed(gradient.assignments, [e]), {"signal": e})
    mentioned = set().union(tree.names_in(wanted["signal"]), *(tree.names_in(s) for s in declared(short)))
    own = [v for v in neuron.vars if v.name in mentioned]
    names = {v.name: v.name if v.name not in used else unused(f"neuron_{v.name}", taken) for v in own}
    constants = with_params(constants, mentioned, params)
    again = {name: name if name not in used else unused(f"loss_{name}", taken) for name in constants}
    changed = {old: new for old, new in (names | again).items() if old != new}
    moved: dict[str, Expr] = {old: Name(new, step.state.get(old, algebra.SCALAR)) for old, new in changed.items()}
    statements = [tree.substitute(s, moved) for s in declared(short)]
    signal, kept, dynamics = tree.substitute(wanted["signal"], moved), "", ""
    if "t" in mentioned:
        # Synapses read it a timestep later: the connection keeps what was the derivative at its own time.
        check_not_reset(step, [v.name for v in own], variable)
        kept = unused(f"dloss_d{variable}", taken)
        dynamics = unparse([*statements, assigned(kept, signal)])
        statements, signal = [], Name(kept, algebra.SCALAR)
    fields, derived = params_of({again[name]: c for name, c in constants.items()})
    return ErrorSent(
        signal,
        tuple(statements),
        (kept,) if kept else (),
        dynamics,
        fields,
        derived,
        tuple(VarRef(names[v.name], v.type, VarAccessMode.READ_ONLY) for v in own),
        {names[v.name]: v.name for v in own},
        {again[name]: float(params[name]) for name, c in constants.items() if c.kind == "params" and name in params},
    )
