"""A neuron's timestep, reversed: what must be recorded of the forward pass, and the model of the adjoint neuron.

In reversed time the chain rule of a network is a network. Its neurons hold the adjoints (the derivative of the loss
with respect to what a variable is at the end of a timestep), read what the forward pass recorded, and spike when the
forward neuron did; its synapses send adjoints back through the same weights and sum up the weights' gradient.

Source
------
Backpropagation through time with surrogate gradients: Neftci, Mostafa & Zenke (2019), IEEE Signal Processing Magazine
36(6), 51-63.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from snnlearn.declare import InputVar, Loss, NeuronModel, PostsynapticModel, Surrogate, Var
from snnlearn.dialect import algebra, tree
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Expr, Name
from snnlearn.errors import GradientError
from snnlearn.grad.coefficients import Coefficients, used
from snnlearn.grad.constants import RenamedParams, given_to
from snnlearn.grad.derivatives import PSI, linear_forms, needed, pullback
from snnlearn.grad.inputs import Inputs, linear_response
from snnlearn.grad.loss import LossGradient, loss_gradient
from snnlearn.grad.single import Assignment
from snnlearn.grad.step import Postsynaptic, step_of
from snnlearn.grad.surrogate import surrogate_derivative
from snnlearn.grad.tape import SPIKE_ADJOINT, ArrayTape, Line, RecordedTape, Reversed

_SCALAR = algebra.SCALAR
_ZERO = algebra.number(0.0)
EMITTED = "emittedSpike"  # the name, among seeds, of the spike itself
SURROGATE = "surrogate_"  # what the surrogate's parameters begin with in derived models


@dataclass(frozen=True)
class Request:
    """What to reverse, and what for.

    Attributes
    ----------
    surrogate : Surrogate, optional
        The derivative of a spike; none where spikes have times instead.
    loss : Loss, optional
        Of the neuron's variables.
    seeds, kept : frozenset of str
        Variables whose adjoint comes from outside, in every timestep, and `EMITTED` where that of the neuron's spikes
        does; those whose adjoints are to be kept.
    spikes_matter : bool
        Whether the loss depends on the neuron's spikes, by way of other neurons.
    parameters, starts : frozenset of str
        Parameters, derived ones too, and variables at the window's begin, to differentiate with respect to.
    detach_reset : bool
        Whether the derivative takes the times of resets for given.
    arrays : bool
        Whether the tape is in extra global parameters, rather than recorded by the engine.
    outside, given : frozenset of str
        Variables that get a value from outside in every timestep; those whose derivative is to be kept.
    shown, graded : frozenset of str
        Variables that synapses send all the time, whose values as a timestep begins the adjoint neuron is to show;
        those of them whose adjoint comes back.
    falls : frozenset of str
        Of spikes with times: the inputs whose arrivals have a time that the loss depends on, by `Inputs.name`.
    flow : tuple of (str, str)
        Of spikes with times: declared time derivatives of variables.
    least_slope : float
        Of spikes with times: the least slope of the margin at the threshold [1 / ms] that is taken for one.
    """

    surrogate: Surrogate | None
    loss: Loss | None = None
    seeds: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    spikes_matter: bool = False
    parameters: frozenset[str] = frozenset()
    starts: frozenset[str] = frozenset()
    detach_reset: bool = True
    arrays: bool = False
    outside: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    graded: frozenset[str] = frozenset()
    falls: frozenset[str] = frozenset()
    flow: tuple[tuple[str, str], ...] = ()
    least_slope: float = 0.0


@dataclass(frozen=True)
class Reversal:
    """A neuron model and its reversed timestep.

    Attributes
    ----------
    forward : NeuronModel
        The declared model, which also records what the reversed timestep needs.
    adjoint : NeuronModel
    states : mapping of str to str
        The adjoint's variable for each variable of the neuron by which the loss depends on earlier timesteps.
    losses : tuple of str
        The variables that the loss is of, and those whose adjoints may come from outside.
    inputs : tuple of Inputs
        Those that the loss depends on.
    parameters : mapping of str to str
        The adjoint's variable that sums up the derivative with respect to a (derived) parameter.
    tape : ArrayTape or RecordedTape
    compared : tuple of Place
        Comparisons of what has a derivative, which count as constant.
    input_params : mapping of str to float
        The parameters of inputs, by their names in both models.
    witnesses : mapping of str to mapping of str to str
        Which variables of the forward model are to hold what those of a postsynaptic model are as a timestep begins: by
        the connection, and its own variable.
    input_names : mapping of str to mapping of str to str
        By the name of an input: what its parameters are called in both models.
    parts : tuple of Postsynaptic
        What belongs to the neuron's timestep besides.
    given : mapping of str to str
        The adjoint's variable that holds the derivative with respect to what came from outside in a timestep.
    events : tuple of str
        Of spikes with times: what has a time that the loss depends on, in words.
    """

    forward: NeuronModel
    adjoint: NeuronModel
    states: Mapping[str, str]
    losses: tuple[str, ...]
    inputs: tuple[Inputs, ...]
    parameters: Mapping[str, str]
    tape: ArrayTape | RecordedTape
    compared: tuple[Place, ...]
    input_params: Mapping[str, float] = field(default_factory=dict)
    witnesses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    input_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parts: tuple[Postsynaptic, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()

    def values(self, own: Mapping[str, float], given: Mapping[str, float]) -> dict[str, float]:
        """Return the values of parameters by their names in both models.

        Parameters
        ----------
        own : mapping of str to float
            The neuron's.
        given : mapping of str to float
            Of surrogate and losses, by name or as `grad.constants.given_to` takes them.
        """
        found = dict(self.input_params)
        for name, c in self.tape.constants.constants.items():
            value = own.get(c.name) if c.model is self.tape.neuron else given_to(c, given)
            if c.kind == "params" and name not in found and value is not None:
                found[name] = value
        return found


def graded_input(variable: str) -> str:
    """Return the adjoint neuron's input for what the loss depends on a variable by, through synapses that send it."""
    return f"graded_{variable}"


def shown_variable(variable: str) -> str:
    """Return the adjoint neuron's variable that shows what one of the forward neuron was as a timestep began."""
    return f"shown_{variable}_kept"


def reverse(
    neuron: NeuronModel, inputs: Sequence[Inputs], request: Request, recorded: Coefficients | None = None
) -> Reversal:
    """Reverse a neuron's timestep.

    Parameters
    ----------
    neuron : NeuronModel
    inputs : sequence of Inputs
    request : Request
    recorded : Coefficients, optional
        What a forward model records already: of another request for the same neuron.

    Raises
    ------
    GradientError
        For code without a derivative, and for coefficients that are not recorded.
    """
    return Reverser(neuron, tuple(inputs), request, recorded).result()


class Reverser:
    """The derivation, from the end of a timestep to its beginning."""

    def __init__(
        self, neuron: NeuronModel, inputs: tuple[Inputs, ...], request: Request, recorded: Coefficients | None
    ) -> None:
        self.neuron, self.inputs, self.request, self.recorded = neuron, inputs, request, recorded
        self.within = tuple(given for given in inputs if given.group)
        self.step = step_of(neuron, *(given.part for given in self.within), outside=request.outside)
        self.smooth = self.step  # what derivatives are taken of
        self.seeds: tuple[str, ...] = tuple(sorted(request.seeds - {EMITTED}))
        self.names = {given.name: names for given, names in zip(self.within, self.step.names, strict=True)}
        self.constants = RenamedParams()
        self.constants.take(self.step.constants)
        alone = [given for given in inputs if not given.group]
        self.names |= {given.name: self.constants.add(given.prefix, given.model) for given in alone}
        self.constants.reserve(self.step.taken)
        self.surrogate_names = {} if request.surrogate is None else self.constants.add(SURROGATE, request.surrogate)
        self.compared_in_loss: Mapping[str, tuple[Place, ...]] = {}
        self.loss: LossGradient | None = None
        self.partials, more = self._loss_gradient()
        self.assignments = [*self.step.assignments, *self._psi(), *more]
        self.coefficients = self._coefficients()
        self.lines: list[Line] = []
        self.states = self._states()
        self.adjoints = self._pulled(self.states, self.lines)

    def _loss_gradient(self) -> tuple[Mapping[str, Expr], tuple[Assignment, ...]]:
        """Return the derivative of the loss with respect to variables, as values of the forward timestep."""
        loss = self.request.loss
        if loss is None:
            return {}, ()
        if loss.extra_global_params:
            raise GradientError(
                f"loss '{loss.name}' reads the array '{loss.extra_global_params[0].name}'; a reverse pass needs a "
                "loss of the neuron's variables alone: let the neuron read the array into a variable"
            )
        names = [self.constants.add("", part) for part in loss.parts]
        self.loss = found = loss_gradient(loss, self.neuron, frozenset(self.step.by_name), names)
        self.compared_in_loss = {name: places for name, places in found.compared.items() if places}
        after = dict(self.step.after)
        more = [
            Assignment(a.name, tree.substitute(a.value, after), a.type, at=a.at)
            for a in found.assignments
            if a.value is not None
        ]
        partials = {name: e for name, e in found.partials.items() if self._moves(name)}
        return {name: tree.substitute(e, after) for name, e in partials.items()}, tuple(more)

    def _moves(self, name: str) -> bool:
        """Whether a variable depends on anything to differentiate with respect to: by default, on what arrives."""
        anything = bool(self.request.parameters or self.request.starts or self.request.given)
        return anything or name in self.request.seeds or bool(tree.names_in(self.step.after[name]) & self.step.driven)

    def _psi(self) -> list[Assignment]:
        """Return what computes the surrogate's derivative."""
        surrogate = self.request.surrogate
        if self.step.margin is None or surrogate is None:
            return []
        e = surrogate_derivative(surrogate, self.step.margin, self.surrogate_names, self.step.gate)
        return [Assignment(PSI.id, e, _SCALAR)]

    def _coefficients(self) -> Coefficients:
        arrays = (egp.name for egp in self.neuron.extra_global_params)
        names = [*(a.name for a in self.assignments), *self.step.state, *self.step.inputs, *arrays, "t", "st"]
        spike = self.step.spike.id if self.step.spike is not None else ""
        known = ([], []) if self.recorded is None else (list(self.recorded.numbers), list(self.recorded.bits))
        return Coefficients(frozenset(names), spike, *known)

    def _states(self) -> tuple[str, ...]:
        """Return the variables by which the loss depends on earlier timesteps, in the order of their declaration."""
        known: set[str] = set()
        self.reached: tuple[Inputs, ...] = ()
        while True:
            found = self._pulled(tuple(sorted(known)), [])
            lasting = (v.name for v in self.neuron.vars if v.name not in self.request.outside)
            states = {name for name in lasting if name in found and self._moves(name)}
            reached = tuple(given for given in self.within if given.target in found)
            if states <= known and reached == self.reached:
                return tuple(v.name for v in self.neuron.vars if v.name in known)
            known, self.reached = known | states, reached

    def _pulled(self, states: tuple[str, ...], lines: list[Line]) -> Mapping[str, Expr]:
        """Return the adjoints of what the timestep begins with, given those of the states at its end."""
        ends: list[tuple[Expr, Expr]] = []
        totals = tuple(dict.fromkeys([*states, *self.partials, *self.seeds, *sorted(self.request.graded)]))
        for name in totals:
            terms = [Name(f"lam_{name}", _SCALAR)] if name in states else []
            terms += [Name(f"seed_{name}", _SCALAR)] if name in self.seeds else []
            terms += [Name(graded_input(name), _SCALAR)] if name in self.request.graded else []
            lines.append((f"total_{name}", algebra.add(algebra.total(terms), self.partials.get(name, _ZERO))))
            ends.append((self.smooth.after[name], Name(f"total_{name}", _SCALAR)))
        ends += self._spike_ends(totals, lines)
        within = self._within_adjoints()
        ends += [(self.smooth.after[x], Name(to, _SCALAR)) for x, to in within.items()]
        wrt = [v.name for v in self.neuron.vars] + [*self.step.inputs, *sorted(self.request.parameters), *within]
        found = pullback(self.smooth, ends, wrt, detached=self.request.detach_reset)
        known = self.step.by_name
        lines += [(a.name, a.value) for a in found.assignments if a.name not in known and a.value is not None]
        lines += [(f"given_{name}", found.adjoints.get(name, _ZERO)) for name in sorted(self.request.given)]
        return found.adjoints

    def _spike_ends(self, totals: tuple[str, ...], lines: list[Line]) -> list[tuple[Expr, Expr]]:
        """Return what the loss depends on by way of the spike, with its adjoints, given those of variables."""
        if self.step.spike is None or self.step.margin is None:
            return []
        terms = [Name(SPIKE_ADJOINT, _SCALAR)] if self.request.spikes_matter else []
        terms += [Name(f"seed_{EMITTED}", _SCALAR)] if EMITTED in self.request.seeds else []
        return [(self.step.spike, algebra.total(terms))] if terms else []

    def _within_adjoints(self) -> dict[str, str]:
        """Return the adjoints of inputs' variables that are part of the timestep, where the loss depends on them."""
        found: dict[str, str] = {}
        for given in self.reached:
            found |= given.adjoints(self.names[given.name])
        return found

    # ---- the two models ----

    def result(self) -> Reversal:
        """Return both models."""
        updates = [(f"lam_{name}", self.adjoints.get(name, _ZERO)) for name in self.states]
        sums = {name: f"sum_{name}" for name in sorted(self.request.parameters) if name in self.adjoints}
        updates += [(to, algebra.add(Name(to, _SCALAR), self.adjoints[name])) for name, to in sums.items()]
        relevant = tuple(i for i in self.inputs if i.target in self.adjoints)
        lines: list[Line] = [(f"shown_{x}", Name(x, _SCALAR)) for x in sorted(self.request.shown)]
        lines += self.lines
        arrived = []
        for given in relevant:
            if not given.group:
                more, states = self._through(given)
                lines += more
                arrived += states
        arrived += [(to, self.adjoints.get(x, _ZERO)) for x, to in self._within_adjoints().items()]
        code = self._extracted(lines, updates, arrived)
        tape = self._tape()
        self._check_names(code, tape)
        adjoint = tape.adjoint(code)
        graded = tuple(InputVar(graded_input(name), "scalar", 0.0) for name in sorted(self.request.graded))
        adjoint = replace(adjoint, additional_input_vars=(*adjoint.additional_input_vars, *graded))
        states_of = {name: f"lam_{name}" for name in self.states}
        losses = tuple(dict.fromkeys([*self.partials, *self.seeds, *sorted(self.request.seeds & {EMITTED})]))
        params = {self.names[i.name][name]: value for i in self.inputs for name, value in i.params}
        witnesses = self._witnesses(tape)
        forward = tape.forward()
        more_vars = tuple(Var(there) for variables in witnesses.values() for there in variables.values())
        return Reversal(
            replace(forward, vars=(*forward.vars, *more_vars)), adjoint, states_of, losses, relevant, sums,
            tape, self._compared(), params, witnesses, self.names, tuple(given.part for given in self.within),
            {name: f"given_{name}_kept" for name in sorted(self.request.given)},
        )  # fmt: skip

    def _witnesses(self, tape: ArrayTape | RecordedTape) -> dict[str, dict[str, str]]:
        """Return which variables of inputs the coefficients need."""
        needs = used([*self.coefficients.numbers, *self.coefficients.bits, *(a.value for a in tape.lines if a.value)])
        found: dict[str, dict[str, str]] = {}
        for given in self.within:
            own = {"inSyn", *(v.name for v in given.model.vars)}
            names = {x: there for x, there in self.names[given.name].items() if x in own and there in needs}
            arrays = {self.names[given.name][egp.name] for egp in given.model.extra_global_params}
            hidden = needs & (arrays if isinstance(given.model, PostsynapticModel) else arrays | {*names.values()})
            if hidden:
                raise GradientError(
                    f"'{given.model.name}' of '{given.group}' has a derivative that depends on its own "
                    f"'{min(hidden).removeprefix(given.prefix)}', which the neuron does not see: make it a variable of "
                    "the neuron"
                )
            if names:
                found[given.group] = names
        return found

    def _check_names(self, code: Reversed, tape: ArrayTape | RecordedTape) -> None:
        """Raise GradientError where a declared name is one that derived code has for something else."""
        declared = {f.name for _, f in self.neuron.named_fields()}
        self._check_apart(declared & {*tape.tracks})
        self._check_apart(tape.constants.names & {*code.own_names, *tape.adjoint_names})

    def _check_apart(self, clashes: Collection[str]) -> None:
        if clashes:
            raise GradientError(
                f"{self.neuron.name}: '{min(clashes)}' means something else in its reversed timestep; choose another "
                "name"
            )

    def _compared(self) -> tuple[Place, ...]:
        """Return the comparisons of what has a derivative."""
        step, detached = self.step, self.request.detach_reset
        moving = [*self._compared_states(), *self._within_adjoints()]
        moving += [name for name in step.inputs if name in self.adjoints]
        forms = linear_forms(step, {name: {name: algebra.number(1.0)} for name in moving}, detached=detached)
        ends = [step.after[name] for name in dict.fromkeys([*self.states, *self.partials])]
        used_in = needed(step.assignments, [*ends, *([step.margin] if step.margin is not None else [])])
        found = [place for a in used_in for place in forms.comparisons.get(a.name, ())]
        for name, places in self.compared_in_loss.items():
            if pullback(step, [(step.after[name], Name(name, _SCALAR))], moving, detached=detached).adjoints:
                found += places
        return tuple(dict.fromkeys(found))

    def _compared_states(self) -> tuple[str, ...]:
        """Return the variables whose comparisons count as constant."""
        return self.states

    def _through(self, given: Inputs) -> tuple[list[Line], list[Line]]:
        """Return what a postsynaptic model makes of the adjoint of its target: local values, and its own adjoints."""
        assert isinstance(given.model, PostsynapticModel)
        at, found = linear_response(given.model, given.prefix)
        arrived = next(name for name in at.state if name.endswith("inSyn"))
        states = {name: f"lam_{name}" for name in at.state if name != "injected"} | {arrived: given.name}
        injected = Name(f"{given.prefix}injected", _SCALAR)
        new = [a for a in found.assignments if a.name not in at.by_name]
        local = {a.name: Name(given.prefix + a.name, _SCALAR) for a in new}
        called = {own: self.names[given.name][c.name] for own, c in at.constants.items() if c.model is given.model}
        local |= {own: Name(there, _SCALAR) for own, there in called.items() if own != there}
        local |= {f"lam_{arrived}": Name(given.name, _SCALAR), "lam_injected": injected}
        lines = [(injected.id, self.adjoints[given.target])]
        lines += [(local[a.name].id, tree.substitute(a.value, local)) for a in new if a.value is not None]
        before = {s: tree.substitute(found.adjoints.get(s, _ZERO), local) for s in states}
        return lines, [(to, before[s]) for s, to in states.items()] + self._falls(given, before[arrived])

    def _falls(self, given: Inputs, arrived: Expr) -> list[Line]:
        """Return how else what arrives matters, given its adjoint: nothing here."""
        return []

    def _extracted(self, lines: list[Line], updates: list[Line], arrived: list[Line]) -> Reversed:
        """Return the code with coefficients in the place of what depends on the forward pass."""
        request = self.request
        own = (name for name, _ in (*lines, *updates, *arrived))
        linear = frozenset(
            [SPIKE_ADJOINT, *own, *(f"seed_{s}" for s in sorted(request.seeds)), *map(graded_input, request.graded)]
        )
        self._check_apart(linear & self.coefficients.forward)

        psi = next((a.value for a in self.assignments if a.name == PSI.id and a.value is not None), None)
        constant = algebra.number_of(psi) if psi is not None else None
        known_psi = {PSI.id: algebra.number(constant)} if constant is not None else {}

        def extract(these: list[Line]) -> list[Line]:
            return [(name, self.coefficients.extract(tree.substitute(e, known_psi), linear)) for name, e in these]

        known = {name.removeprefix("total_") for name, _ in self.lines if name.startswith("total_")}
        kept = [f"total_{name}" for name in sorted(request.kept & known)]
        kept += [f"given_{name}" for name in sorted(request.given)]
        kept += [f"shown_{name}" for name in sorted(request.shown)]
        return Reversed(extract(lines), extract(updates), extract(arrived), tuple(sorted(request.seeds)), tuple(kept))

    def _recorded_lines(self, wanted: list[Expr]) -> tuple[Assignment, ...]:
        """Return what computes coefficients before the neuron's own code: input is there already, with all injected."""
        injected = {e.id: x for x, e in self.step.inputs.items() if isinstance(e, Name) and e.id != x}
        chain = needed(self.assignments, wanted, injected)
        mentioned = used([*wanted, *(a.value for a in chain if a.value is not None)])
        given = [Assignment(n, Name(x, _SCALAR), _SCALAR) for n, x in injected.items() if n in mentioned]
        return (*given, *chain)

    def _tape(self) -> ArrayTape | RecordedTape:
        found, recorded = self.coefficients, self.recorded
        if recorded is not None and (found.numbers, found.bits) != (recorded.numbers, recorded.bits):
            raise GradientError(
                f"the tape of '{self.neuron.name}' lacks what this gradient needs; name the variables whose "
                "adjoints are given in differentiate(..., outputs=[...])"
            )
        lines = self._recorded_lines([*found.numbers, *found.bits])
        kind = ArrayTape if self.request.arrays else RecordedTape
        return kind(self.neuron, found, lines, self.constants)
