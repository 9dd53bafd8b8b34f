"""A recursion as declarations: a weight update, and where it needs more than it can see, a neuron that keeps it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from snnlearn.declare import (
    CurrentSourceModel,
    NeuronModel,
    PostsynapticModel,
    Surrogate,
    Var,
    VarAccess,
    VarAccessMode,
    VarRef,
    WeightUpdateModel,
)
from snnlearn.dialect import check_model, tree, unparse
from snnlearn.dialect.algebra import SCALAR
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr, Name
from snnlearn.grad.constants import params_of, with_params
from snnlearn.grad.credit import Credit
from snnlearn.grad.derivatives import PSI, assigned, declared, needed, unused, written_in
from snnlearn.grad.loss import check_not_reset
from snnlearn.grad.single import Assignment
from snnlearn.grad.step import Constant, Step, located, value_of
from snnlearn.grad.surrogate import surrogate_derivative
from snnlearn.grad.tangents import comparisons_in
from snnlearn.grad.writer import Coefficients, Written, write

SENDS = "addToPost(w);\n"  # what synapses do with a spike, first
_SEEN_POST = frozenset(["t", "dt", "num_neurons", "batch", "num_batch"])  # by post_dynamics_code as by sim_code
WITH_JACOBIAN = "WithJacobian"  # how the name of a neuron ends that keeps entries of its Jacobian
_SEEN_NEURON = _SEEN_POST | {"id", "st"}


@dataclass(frozen=True)
class Assembled:
    """What a recursion became.

    Attributes
    ----------
    weight_update : WeightUpdateModel
    neuron : NeuronModel
    refs : mapping of str to str
        What each reference of the weight update is called in the neuron.
    written : Written
    kept : mapping of str to str
        Values that the neuron keeps for the synapses, with what they are, as code.
    posted : mapping of str to str
        Those that the connection computes of its postsynaptic neuron.
    compared : tuple of Place
        Comparisons of what has a derivative.
    coefficients : mapping of expression to str
        What synapses read, with its name.
    """

    weight_update: WeightUpdateModel
    neuron: NeuronModel
    refs: Mapping[str, str]
    written: Written
    kept: Mapping[str, str]
    posted: Mapping[str, str]
    compared: tuple[Place, ...]
    coefficients: Mapping[Expr, str]


def assemble(
    step: Step,
    used: Step,
    credit: Credit,
    surrogate: Surrogate,
    surrogate_names: Mapping[str, str],
    constants: Mapping[str, Constant],
    given: Mapping[str, float],
    taken: set[str],
) -> Assembled:
    """Return the declarations of a rule.

    Parameters
    ----------
    step, used : Step
        As declared, and as the Jacobian takes it.
    credit : Credit
    surrogate, surrogate_names
        With what its parameters are called.
    constants : mapping of str to Constant
        All that code may name.
    given : mapping of str to float
        Values of parameters.
    taken : set of str
        Names that no new one may be.
    """
    return _Assembler(step, used, credit, constants, given, taken).run(surrogate, surrogate_names)


class _Assembler:
    def __init__(
        self,
        step: Step,
        used: Step,
        credit: Credit,
        constants: Mapping[str, Constant],
        given: Mapping[str, float],
        taken: set[str],
    ) -> None:
        self.step, self.used, self.credit, self.constants, self.given = step, used, credit, constants, given
        self.taken = taken
        self.coefficients = Coefficients(taken)
        self.variables = {v.name: v for v in step.neuron.vars}
        self.refs: dict[str, str] = {}  # name in the weight update to variable of the neuron
        self.post_statements: list[tree.Statement] = []
        self.post_vars: list[str] = []
        self.kept: dict[str, Expr] = {}
        self.kept_code: dict[str, str] = {}
        self.posted: dict[str, str] = {}
        self.used_names: set[str] = set()
        self.sources: set[str] = set()  # the assignments that coefficients need

    def run(self, surrogate: Surrogate, surrogate_names: Mapping[str, str]) -> Assembled:
        self.psi = None
        if self.step.margin is not None:
            e = surrogate_derivative(surrogate, self.step.margin, surrogate_names, self.step.gate)
            self.psi = Assignment("psi", e, SCALAR)
        gradient = {x: self.partial(x, e) for x, e in self.credit.partials.items()}
        written = write(self.credit.recursion, gradient, self.coefficients, self.credit.late)
        self.used_names |= written.names
        self.place_coefficients()
        neuron = self.neuron()
        return Assembled(
            self.weight_update(written),
            neuron,
            self.refs,
            written,
            self.kept_code,
            self.posted,
            self.compared(),
            self.coefficients.names,
        )

    def compared(self) -> tuple[Place, ...]:
        """Return the comparisons of what weights have an influence on."""
        in_losses = [place for places in self.credit.compared.values() for place in places]
        return tuple(dict.fromkeys([*comparisons_in(self.credit.recursion, self.sources), *in_losses]))

    # ---- the loss ----

    def partial(self, x: str, e: Expr) -> Expr:
        """Return a derivative of the loss as code of synapses sees it."""
        chain = needed(self.credit.assignments, [e])
        short, wanted = written_in(chain, {x: e})
        e = wanted[x]
        names = tree.names_in(e).union(*(tree.names_in(value_of(a)) for a in short)) - {a.name for a in short}
        own = sorted(names & self.variables.keys())
        if not short and not any(isinstance(n, (tree.Call, tree.Ternary)) for n in tree.walk(e)) and "t" not in names:
            read: Expr = tree.substitute(e, {v: self.reference(v) for v in own})
            return read
        check_not_reset(self.step, own, x)
        name = unused(f"dloss_d{x}", self.taken)
        self.post(name, short, e, {v: self.reference(v) for v in own})
        return Name(name, SCALAR)

    def reference(self, variable: str) -> Name:
        """Return a variable of the neuron as the weight update sees it."""
        known = {there: here for here, there in self.refs.items()}
        if variable not in known:
            name = variable if variable not in ("w", "m") else unused(f"neuron_{variable}", self.taken)
            self.refs[name] = variable
            known[variable] = name
        return Name(known[variable], self.step.state.get(variable, SCALAR))

    # ---- coefficients ----

    def place_coefficients(self) -> None:
        """Find out who computes each coefficient: the connection, or else the neuron."""
        before = {e.id: x for x, e in self.used.tilde.items() if isinstance(e, Name) and x in self.variables}
        seen = {n: x for n, x in before.items() if n != x or self.step.tilde[x] == Name(x, self.step.state[x])}
        chain = self.credit.recursion.linear.assignments
        later: dict[str, Expr] = {}
        with_psi = [name for e, name in self.coefficients.names.items() if "psi" in self.needs(e, seen)]
        psi_at_neuron = bool(with_psi) and not self.visible(*self.psi_parts())
        if with_psi and not psi_at_neuron:
            self.post_psi()
        for e, name in self.coefficients.names.items():
            if e == PSI and not psi_at_neuron:
                continue
            steps = needed(chain, [e], seen)
            if (psi_at_neuron and name in with_psi) or not self.visible(steps, e, seen):
                later[name] = e
                continue
            self.sources |= {a.name for a in steps}
            if isinstance(e, Name) and e.id in seen and self.step.after[seen[e.id]] == self.step.tilde[seen[e.id]]:
                self.refs[name] = seen[e.id]
                continue
            self.post(name, steps, e, {n: self.reference(x) for n, x in seen.items() if n in self.leaves(steps, e)})
        self.kept = later

    def needs(self, e: Expr, stops: Collection[str]) -> frozenset[str]:
        chain = needed(self.credit.recursion.linear.assignments, [e], stops)
        return frozenset(tree.names_in(e)).union(*(tree.names_in(value_of(a)) for a in chain))

    def psi_parts(self) -> tuple[tuple[Assignment, ...], Expr, dict[str, str]]:
        assert self.psi is not None
        psi = value_of(self.psi)
        seen = {e.id: x for x, e in self.step.tilde.items() if isinstance(e, Name) and x in self.variables}
        return needed(self.step.assignments, [psi], seen), psi, seen

    def post_psi(self) -> None:
        """Have the connection compute psi, which other values may need."""
        steps, e, seen = self.psi_parts()
        self.sources |= {a.name for a in steps}
        self.post("psi", steps, e, {n: self.reference(x) for n, x in seen.items() if n in self.leaves(steps, e)})

    def leaves(self, steps: Sequence[Assignment], e: Expr) -> frozenset[str]:
        names = tree.names_in(e).union(*(tree.names_in(value_of(a)) for a in steps))
        return frozenset(names - {a.name for a in steps})

    def visible(self, steps: Sequence[Assignment], e: Expr, seen: Mapping[str, str]) -> bool:
        """Whether post_dynamics_code sees all that a value is made of."""
        return self.leaves(steps, e) <= {*seen, *self.constants, *_SEEN_POST, "psi"}

    def post(self, name: str, steps: Sequence[Assignment], e: Expr, names: Mapping[str, Expr]) -> None:
        """Have the connection compute a value of its postsynaptic neuron in each timestep."""
        short, wanted = written_in(steps, {name: e})
        statements = [*declared(short), assigned(name, wanted[name])]
        statements = [tree.substitute(s, names) for s in statements]
        self.used_names |= tree.names_in(tuple(statements))
        self.post_statements += statements
        self.post_vars.append(name)
        self.posted[name] = unparse(tree.substitute(wanted[name], names))

    # ---- declarations ----

    def weight_update(self, written: Written) -> WeightUpdateModel:
        constants = with_params(self.constants, self.used_names, self.given)
        params, derived = params_of(constants)
        for name in self.kept:
            self.refs[name] = name
        refs = [
            VarRef(name, self.variables[there].type if there in self.variables else "scalar", VarAccessMode.READ_ONLY)
            for name, there in self.refs.items()
        ]
        return WeightUpdateModel(
            f"{self.step.neuron.name}Eligibility",
            params=params,
            derived_params=derived,
            vars=(Var("w", access=VarAccess.READ_ONLY), *map(Var, written.own), Var("m")),
            pre_vars=tuple(map(Var, written.traces)),
            post_vars=tuple(map(Var, self.post_vars)),
            post_neuron_var_refs=tuple(refs),
            pre_spike_syn_code=SENDS + written.synapse_arrival_code,
            pre_spike_code=written.arrival_code,
            pre_dynamics_code=written.pre_code,
            post_dynamics_code=unparse(self.post_statements),
            synapse_dynamics_code=written.synapse_code,
        )

    def neuron(self) -> NeuronModel:
        """Return the neuron, which keeps what the connection cannot compute."""
        if not self.kept:
            return self.step.neuron
        neuron = self.step.neuron
        stops = {e.id for e in self.used.inputs.values() if isinstance(e, Name)}
        chain = self.with_psi(stops)
        steps = needed(chain, self.kept.values(), stops)
        self.sources |= {a.name for a in steps}
        short, wanted = written_in(steps, self.kept)
        statements = [*declared(short), *(assigned(name, e) for name, e in wanted.items())]
        names = set().union(*(tree.names_in(s) for s in statements)) - {a.name for a in short} - wanted.keys()
        saved, moved = self.saved(names)
        statements = [tree.substitute(s, moved) for s in statements]
        self.kept_code = {name: unparse(tree.substitute(e, moved)) for name, e in wanted.items()}
        others = {n: c for n, c in self.constants.items() if c.model is not neuron}
        constants = with_params(others, names, self.given)
        params, derived = params_of(constants)
        return replace(
            neuron,
            name=f"{neuron.name}{WITH_JACOBIAN}",
            params=(*neuron.params, *params),
            derived_params=(*neuron.derived_params, *derived),
            vars=(*neuron.vars, *map(Var, self.kept)),
            sim_code=f"{unparse(saved)}{neuron.sim_code}\n// entries of the Jacobian\n{unparse(statements)}",
        )

    def with_psi(self, stops: Collection[str]) -> tuple[Assignment, ...]:
        """Return all values, psi among them; what it is made of has names of its own where the rest is another step."""
        chain = self.credit.recursion.linear.assignments
        if self.psi is None or self.step.spike is None:
            return chain
        if self.used is self.step:
            at = next(i for i, a in enumerate(chain) if a.name == self.step.spike.id) + 1
            return (*chain[:at], self.psi, *chain[at:])
        steps = (*needed(self.step.assignments, [value_of(self.psi)], stops), self.psi)
        moved = {a.name: unused(f"{a.name}_now", self.taken) for a in steps if a.name != "psi"}
        types = {a.name: a.type for a in steps}
        values: dict[str, Expr] = {n: Name(new, types[n]) for n, new in moved.items()}
        own = [replace(a, name=moved.get(a.name, a.name), value=tree.substitute(value_of(a), values)) for a in steps]
        return (*own, *chain)

    def saved(self, names: Iterable[str]) -> tuple[list[tree.Statement], dict[str, Expr]]:
        """Return declarations that keep what the timestep starts from, and what each name is called then."""
        inputs = {e.id: x for x, e in self.used.inputs.items() if isinstance(e, Name)}
        snippet = check_model(self.step.neuron).snippets.get("sim_code")
        writes = snippet.writes if snippet is not None else frozenset()
        statements: list[tree.Statement] = []
        moved: dict[str, Expr] = {}
        for name in sorted(names):
            own = inputs.get(name, name)
            if own in self.variables or own in self.step.inputs:
                vtype = self.step.state.get(own, SCALAR)
                kept = unused(f"{own}_before", self.taken) if own in writes else own
                if own in writes:
                    statements.append(tree.Declare(kept, vtype, True, Name(own, vtype)))
                moved[name] = Name(kept, vtype)
            elif name not in self.constants and name not in _SEEN_NEURON and name not in self.step.constants:
                model = self.step.postsynaptic[0].model
                raise located(
                    _place_of(model),
                    f"{model.name}: what it injects has a derivative that depends on '{name}', which the neuron cannot "
                    "see; derive rules for postsynaptic models that inject a constant share of inSyn",
                )
        return statements, moved


def _place_of(model: PostsynapticModel | CurrentSourceModel) -> Place | None:
    snippet = check_model(model).snippets.get("sim_code")
    if snippet is None:
        return None
    return next((n.at for n in tree.walk(snippet.tree) if isinstance(n, tree.Call) and n.at is not None), None)
