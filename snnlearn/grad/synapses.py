"""A synapse, reversed: which weight update models there is a derivative of, and the model of the adjoint synapse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from snnlearn.declare import Var, VarAccess, VarAccessMode, VarRef, WeightUpdateModel, value_type
from snnlearn.dialect import algebra, check_model, tree, unparse
from snnlearn.errors import GradientError
from snnlearn.grad.rules import tangent

_TAKEN = "m"
MU = VarRef("mu", "scalar", VarAccessMode.READ_ONLY)  # the adjoint of what arrived at the target
_FALL = VarRef("muFall", "scalar", VarAccessMode.READ_ONLY)  # how fast that falls with time


@dataclass(frozen=True)
class SpikeSynapse:
    """A synapse that sends an amount with each presynaptic spike, at once or some timesteps late.

    Attributes
    ----------
    model : WeightUpdateModel
    amount : Expr
        Of its own variables and parameters.
    delay : Expr, optional
        In timesteps.
    event_driven : bool
        Whether adjoints go back with the presynaptic neuron's spikes alone: by how much the loss falls as those come
        later.
    """

    model: WeightUpdateModel
    amount: tree.Expr
    delay: tree.Expr | None
    event_driven: bool = False

    def backward(self) -> WeightUpdateModel:
        """Return the model of a synapse from the adjoint of the target to that of the source, of the same delay.

        What a row of it sends is added to a vector of neurons, where ``addToPre`` sums up a row to one number.
        """
        value = unparse(algebra.multiply(self.amount, tree.Name("mu", algebra.SCALAR)))
        late = "" if self.delay is None else f", {unparse(self.delay)}"
        send = f"addToPost{'Delay' if late else ''}({value}{late});"
        return WeightUpdateModel(
            f"{self.model.name}Backward",
            params=self.model.params,
            derived_params=self.model.derived_params,
            vars=tuple(read_only(self.model)),
            pre_neuron_var_refs=(MU,),
            synapse_dynamics_code=send,
        )

    def forward(self, wrt: Sequence[str]) -> WeightUpdateModel:
        """Return the model with a variable for the gradient of each of its variables ``wrt``."""
        access = {v.name: v.access for v in self.model.vars}
        more = [Var(gradient_of(name, wrt), "scalar", access[name]) for name in wrt]
        return WeightUpdateModel(
            f"{self.model.name}Trained",
            params=self.model.params,
            derived_params=self.model.derived_params,
            vars=(*self.model.vars, *more),
            pre_spike_syn_code=self.model.pre_spike_syn_code,
        )

    def adjoint(self, wrt: Sequence[str], axonal_delay: int, *, back: bool) -> WeightUpdateModel:
        """Return the model of the adjoint synapse.

        Parameters
        ----------
        wrt : sequence of str
            The variables to differentiate with respect to.
        axonal_delay : int
            Of the connection, in timesteps.
        back : bool
            Whether adjoints go on to the presynaptic neuron.
        """
        mu = arrived("mu", axonal_delay, self.delay)
        sums = []
        for name in wrt:
            slope = tangent(self.amount, {name: algebra.number(1.0)})
            if algebra.is_number(slope, 0.0):
                raise GradientError(f"'{self.model.name}' sends nothing that depends on '{name}' by a derivative")
            sums.append(f"{gradient_of(name, wrt)} -= {unparse(algebra.multiply(slope, mu))};")
        gradients = [Var(gradient_of(name, wrt)) for name in wrt]
        read = arrived("muFall", axonal_delay, self.delay) if self.event_driven else mu
        send = f"addToPre({unparse(algebra.multiply(self.amount, read))});" if back else ""
        return WeightUpdateModel(
            f"{self.model.name}Adjoint",
            params=self.model.params,
            derived_params=self.model.derived_params,
            vars=(*read_only(self.model), *gradients),
            post_neuron_var_refs=(MU, *([_FALL] if back and self.event_driven else [])),
            pre_spike_syn_code="\n".join([*sums, *([send] if self.event_driven else [])]),
            synapse_dynamics_code="" if self.event_driven else send,
        )


def gradient_of(name: str, wrt: Sequence[str]) -> str:
    """Return the variable that the negative gradient of another is summed up in: ``m``, unless there are several."""
    return _TAKEN if len(wrt) == 1 else f"{_TAKEN}_{name}"


def read_only(model: WeightUpdateModel) -> list[Var]:
    """Return the variables of a model as code that reads them alone has them."""
    shared, copied = VarAccess.READ_ONLY, VarAccess.READ_ONLY_DUPLICATE
    return [Var(v.name, v.type, shared if v.access is shared else copied) for v in model.vars]


def arrived(name: str, axonal: int, dendritic: tree.Expr | None) -> tree.Expr:
    """Return a value of where a spike arrived, so many timesteps after it was sent."""
    axon = tree.Literal(str(axonal), value_type("int"))
    if dendritic is None:
        return tree.Index(name, axon, algebra.SCALAR) if axonal else tree.Name(name, algebra.SCALAR)
    late = algebra.binary("+", axon, dendritic) if axonal else dendritic
    return tree.Index(name, late, algebra.SCALAR)


def spike_synapse(model: WeightUpdateModel, owner: str, *, event_driven: bool = False) -> SpikeSynapse:
    """Read a weight update model as a synapse that sends an amount with each spike.

    Raises
    ------
    GradientError
        For any other.
    """
    others = set(model.codes()) - {"pre_spike_syn_code"}
    checked = check_model(model)
    sends = _sends(checked.snippets["pre_spike_syn_code"].tree) if "pre_spike_syn_code" in checked.snippets else None
    if others or sends is None:
        why = (
            f"it has {min(others)}"
            if others
            else "its pre_spike_syn_code is not one call of addToPost or addToPostDelay"
        )
        raise GradientError(
            f"{owner}: the reverse pass knows synapses that send with each spike, as StaticPulse does, and "
            f"'{model.name}' does more: {why}; use StaticPulse or a model like it"
        )
    amount, delay = sends
    own = {*(v.name for v in model.vars), *(p.name for p in model.params), *(d.name for d in model.derived_params)}
    foreign = (tree.names_in(amount) | (tree.names_in(delay) if delay is not None else frozenset())) - own
    if foreign:
        raise GradientError(
            f"{owner}: what '{model.name}' sends depends on '{min(foreign)}', which is no variable of the synapse"
        )
    return SpikeSynapse(model, amount, delay, event_driven)


def _sends(code: tree.Block | tree.Expr) -> tuple[tree.Expr, tree.Expr | None] | None:
    """Return what the only call of a code string sends, and how late."""
    statements = code.statements if isinstance(code, tree.Block) else ()
    call = statements[0].value if len(statements) == 1 and isinstance(statements[0], tree.Evaluate) else None
    if not isinstance(call, tree.Call):
        return None
    if call.function == "addToPost":
        return call.args[0], None
    return (call.args[0], call.args[1]) if call.function == "addToPostDelay" else None
