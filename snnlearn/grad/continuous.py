"""A synapse that sends in every timestep, or at events, what depends on its presynaptic neuron's variable; reversed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from snnlearn.declare import Param, Var, VarAccessMode, VarRef, WeightUpdateModel
from snnlearn.dialect import algebra, check_model, tree, unparse
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr
from snnlearn.errors import GradientError
from snnlearn.grad.derivatives import declared, derived_along, needed, unused
from snnlearn.grad.single import Assignment, Follower
from snnlearn.grad.synapses import MU, arrived, gradient_of, read_only

_KINDS = (
    {"synapse_dynamics_code"},
    {"pre_event_threshold_condition_code", "pre_event_syn_code"},
)


@dataclass(frozen=True)
class ContinuousSynapse:
    """A synapse that sends an amount in every timestep, or where a condition of the presynaptic neuron holds.

    Attributes
    ----------
    model : WeightUpdateModel
    variable : str
        The reference to the presynaptic neuron that the amount depends on.
    assignments : tuple of Assignment
    amount : Expr
        Of its own variables and parameters, the reference, and what is assigned above.
    condition : Expr, optional
        That of events.
    """

    model: WeightUpdateModel
    variable: str
    assignments: tuple[Assignment, ...]
    amount: Expr
    condition: Expr | None
    delay: None = None  # of its own, along a dendrite

    @property
    def switch(self) -> str:
        """The adjoint's parameter that says whether there were events, 1 or 0; empty for one that has none."""
        taken = {f.name for _, f in self.model.named_fields()}
        return unused("anyEvents", taken) if self.condition is not None else ""

    def forward(self, wrt: Sequence[str]) -> WeightUpdateModel:
        """Return the model with a variable for the gradient of each of its variables ``wrt``."""
        access = {v.name: v.access for v in self.model.vars}
        more = [Var(gradient_of(name, wrt), "scalar", access[name]) for name in wrt]
        return replace(self.model, name=f"{self.model.name}Trained", vars=(*self.model.vars, *more))

    def adjoint(self, wrt: Sequence[str], axonal_delay: int, *, back: bool) -> WeightUpdateModel:
        """Return the model of the adjoint synapse, which sees what the presynaptic variable was in the reference.

        Parameters
        ----------
        wrt : sequence of str
            The variables to differentiate with respect to.
        axonal_delay : int
            Of the connection, in timesteps.
        back : bool
            Whether adjoints go on to the presynaptic neuron: by ``addToPre``, to its variable's.
        """
        mu = arrived("mu", axonal_delay, None)
        partials, chain, _ = self._partials(wrt)
        for name in wrt:
            if algebra.is_number(partials[name], 0.0):
                raise GradientError(f"'{self.model.name}' sends nothing that depends on '{name}' by a derivative")
        wanted = {name: partials[name] for name in wrt} | ({self.variable: partials[self.variable]} if back else {})
        lines = [unparse(list(declared(needed(chain, wanted.values()))))]
        lines += [f"{gradient_of(name, wrt)} -= {unparse(algebra.multiply(partials[name], mu))};\n" for name in wrt]
        if back:
            lines.append(f"addToPre({unparse(algebra.multiply(partials[self.variable], mu))});\n")
        code = "".join(lines)
        more: tuple[Param, ...] = ()
        if self.condition is not None:
            more = (Param(self.switch),)
            code = f"if ({self.switch} > 0.5 && ({unparse(self.condition)})) {{\n{code}}}\n"
        return WeightUpdateModel(
            f"{self.model.name}Adjoint",
            params=(*self.model.params, *more),
            derived_params=self.model.derived_params,
            vars=(*read_only(self.model), *(Var(gradient_of(name, wrt)) for name in wrt)),
            pre_neuron_var_refs=(VarRef(self.variable, "scalar", VarAccessMode.READ_ONLY),),
            post_neuron_var_refs=(MU,),
            synapse_dynamics_code=code,
        )

    def compared(self, wrt: Sequence[str]) -> tuple[Place, ...]:
        """Return the comparisons, but for events' own, of what has a derivative."""
        return self._partials(wrt)[2]

    def _partials(self, wrt: Sequence[str]) -> tuple[dict[str, Expr], tuple[Assignment, ...], tuple[Place, ...]]:
        """Return the derivatives of the amount, what they are made of, and comparisons."""
        follower = Follower(
            [*(f.name for _, f in self.model.named_fields()), "mu", *(a.name for a in self.assignments)]
        )
        follower.assignments = list(self.assignments)
        partials: dict[str, Expr] = {}
        places: list[Place] = []
        for name in (*wrt, self.variable):
            partials[name], found = derived_along(follower, self.assignments, self.amount, name)
            places += found
        return partials, tuple(follower.assignments), tuple(dict.fromkeys(places))


def is_continuous(model: WeightUpdateModel) -> bool:
    """Whether a weight update model has code for every timestep or for events alone."""
    return set(model.codes()) in _KINDS


def continuous_synapse(model: WeightUpdateModel, owner: str) -> ContinuousSynapse:
    """Read a weight update model as a synapse that sends what depends on a variable of its presynaptic neuron.

    Raises
    ------
    GradientError
        If it does anything else.
    """
    snippets = check_model(model).snippets
    events = "pre_event_syn_code" in snippets
    snippet = snippets["pre_event_syn_code" if events else "synapse_dynamics_code"]
    own = {*(v.name for v in model.vars), *(p.name for p in model.params), *(d.name for d in model.derived_params)}
    references = [ref.name for ref in model.pre_neuron_var_refs]
    block = snippet.tree
    assert isinstance(block, tree.Block)
    fault = ""
    if snippet.writes & {v.name for v in model.vars}:
        fault = f"it changes '{min(snippet.writes & {v.name for v in model.vars})}'"
    elif snippet.calls & {"addToPre", "addToPostDelay"}:
        fault = f"it calls {min(snippet.calls & {'addToPre', 'addToPostDelay'})}"
    elif "addToPost" not in snippet.calls:
        fault = "it sends nothing"
    elif len(references) != 1:
        fault = f"it has {len(references)} references to the presynaptic neuron"
    elif snippet.reads - own - {*references, "dt"}:
        fault = f"it depends on '{min(snippet.reads - own - {*references, 'dt'})}'"
    if fault:
        raise GradientError(
            f"{owner}: the reverse pass knows synapses that send what depends on one variable of the presynaptic "
            f"neuron, as StaticGraded does, and '{model.name}' does more: {fault}"
        )
    follower = Follower([*own, *references, "mu", "dt"])
    sent = unused("sent", {*own, *references, *snippet.reads, "mu"})
    follower.types[sent], follower.values[sent] = algebra.SCALAR, algebra.number(0.0)
    follower.run(block, {}, {"addToPost": sent})
    condition = snippets["pre_event_threshold_condition_code"].tree if events else None
    assert not isinstance(condition, tree.Block)
    amount = follower.values[sent]
    return ContinuousSynapse(model, references[0], needed(follower.assignments, [amount]), amount, condition)
