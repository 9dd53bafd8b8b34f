"""One timestep of a neuron with its postsynaptic models, in the engine's order, as a value that can be differentiated.

Spikes have arrived in ``inSyn``; then come the code of each postsynaptic model, the neuron's ``sim_code``, its
threshold and, with a spike, its reset. Every value has a name of its own (`Assignment`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from snnlearn.declare import CurrentSourceModel, Model, NeuronModel, PostsynapticModel, ValueType, value_type
from snnlearn.declare.built_in_names import BUILT_IN, INJECTS, SENDS
from snnlearn.declare.words import is_reserved
from snnlearn.dialect import algebra, check_model, tree
from snnlearn.dialect.library import MATHS, MESSAGES, RANDOM
from snnlearn.dialect.source import Place
from snnlearn.dialect.tree import Binary, Expr, Name, Snippet
from snnlearn.errors import GradientError
from snnlearn.grad.rules import depends
from snnlearn.grad.single import Assignment, Follower

_SCALAR, _BOOL = algebra.SCALAR, algebra.BOOL
_OWN = ("t", "dt", "id", "num_neurons", "batch", "num_batch", "st")  # what all code of a neuron sees
_WORDS = frozenset([*BUILT_IN, *MATHS, *MESSAGES, *RANDOM, *INJECTS, *SENDS, "psi"]) - {"h", "loss"}
_COMPARISONS = {">=": 1, ">": 1, "<=": -1, "<": -1}


@dataclass(frozen=True)
class Postsynaptic:
    """A postsynaptic model, or a current source's, as part of a neuron's timestep.

    Attributes
    ----------
    model : PostsynapticModel or CurrentSourceModel
    target : str
        The neuron's input that it injects into.
    prefix : str
        What its names begin with in the step.
    refs : mapping of str to str
        Which variable of the neuron each of its references stands for; of the same name unless said here.
    """

    model: PostsynapticModel | CurrentSourceModel
    target: str = "Isyn"
    prefix: str = ""
    refs: Mapping[str, str] = field(default_factory=dict)

    @property
    def snippet(self) -> Snippet | None:
        """Its code."""
        source = isinstance(self.model, CurrentSourceModel)
        return check_model(self.model).snippets.get("injection_code" if source else "sim_code")


@dataclass(frozen=True)
class Constant:
    """What a name stands for that no timestep changes: a parameter, derived parameter or array of a model."""

    model: Model
    kind: Literal["params", "derived_params", "extra_global_params"]
    name: str
    part: str = ""  # which of several uses of the model


@dataclass(frozen=True)
class Step:
    """One timestep; names without an assignment are values before it, inputs, constants and built-in names.

    Attributes
    ----------
    neuron : NeuronModel
    postsynaptic : tuple of Postsynaptic
    names : tuple of mapping of str to str
        What each postsynaptic model's own names are called in the step.
    assignments : tuple of Assignment
        In the engine's order; a name is used only below its assignment.
    state : mapping of str to ValueType
        The variables that last: the neuron's, then ``inSyn`` and the variables of each postsynaptic model, those of
        current sources.
    inputs : mapping of str to expression
        ``Isyn`` and the neuron's further inputs: what they are worth when ``sim_code`` starts. Their names alone stand
        for what others bring.
    tilde, after : mapping of str to expression
        What each variable is worth after ``sim_code``, and after the reset.
    margin : Name or None
        h, the difference that the threshold compares with zero; None where it is no such comparison.
    gate : expression or None
        What else the threshold asks for; None where nothing.
    spike : Name or None
        Whether there is a spike. A test of ``sim_code`` that asks for the same is this name too.
    no_margin : str
        Why there is no margin.
    threshold_at : Place or None
        Where the threshold is.
    constants : mapping of str to Constant
    taken : frozenset of str
        All names that mean something in its code or here.
    outside : frozenset of str
        The variables that get a value from outside in every timestep, and drive the neuron as its inputs do.
    """

    neuron: NeuronModel
    postsynaptic: tuple[Postsynaptic, ...]
    names: tuple[Mapping[str, str], ...]
    assignments: tuple[Assignment, ...]
    state: Mapping[str, ValueType]
    inputs: Mapping[str, Expr]
    tilde: Mapping[str, Expr]
    after: Mapping[str, Expr]
    margin: Name | None
    gate: Expr | None
    spike: Name | None
    no_margin: str
    threshold_at: Place | None
    constants: Mapping[str, Constant]
    taken: frozenset[str]
    outside: frozenset[str] = frozenset()

    @cached_property
    def by_name(self) -> Mapping[str, Assignment]:
        """The assignments by the names that they give a value."""
        return {a.name: a for a in self.assignments}

    @cached_property
    def driven(self) -> frozenset[str]:
        """The names that what synapses send may reach along derivatives; spikes carry them on, conditions do not."""
        return find_driven(self)

    def slice(self, *wanted: Expr) -> tuple[Assignment, ...]:
        """Return the assignments that expressions need, in order.

        Raises
        ------
        GradientError
            If they need what cannot be followed.
        """
        needed = set().union(*(tree.names_in(e) for e in wanted))
        found: list[Assignment] = []
        for a in reversed(self.assignments):
            if a.name in needed:
                needed |= tree.names_in(value_of(a))
                found.append(a)
        return tuple(reversed(found))

    def need_followed(self, e: Expr) -> None:
        """Make sure that all that an expression is made of can be followed.

        Raises
        ------
        GradientError
            At what cannot, unless it is a random number: nothing has an influence on that.
        """
        names = {*tree.names_in(e)}
        for a in reversed(self.assignments):
            if a.name in names and not a.drawn:
                names |= tree.names_in(value_of(a))

    def need_margin(self) -> Name:
        """Return the margin.

        Raises
        ------
        GradientError
            If the threshold has none.
        """
        if self.margin is not None:
            return self.margin
        raise located(self.threshold_at, f"{self.neuron.name}: {self.no_margin}")


def value_of(assignment: Assignment) -> Expr:
    """Return what an assignment assigns.

    Raises
    ------
    GradientError
        If the code cannot be followed there.
    """
    if assignment.value is None:
        raise located(assignment.at, assignment.why)
    return assignment.value


def located(at: Place | None, message: str) -> GradientError:
    """Return an error that shows the code, where its place is known."""
    return GradientError(message if at is None else str(at.error(message)))


def step_of(
    neuron: NeuronModel, *postsynaptic: PostsynapticModel | Postsynaptic, outside: frozenset[str] = frozenset()
) -> Step:
    """Return a timestep of a neuron into which these postsynaptic models inject.

    Variables in ``outside`` get a value from outside in every timestep.

    Raises
    ------
    DialectError
        If a code string is wrong.
    """
    parts = tuple(p if isinstance(p, Postsynaptic) else Postsynaptic(p) for p in postsynaptic)
    return _Builder(neuron, parts, outside).build()


class _Builder:
    def __init__(self, neuron: NeuronModel, postsynaptic: tuple[Postsynaptic, ...], outside: frozenset[str]) -> None:
        self.neuron, self.postsynaptic, self.outside = neuron, postsynaptic, outside
        for model in (neuron, *(p.model for p in postsynaptic)):
            if any(f.name == "psi" for _, f in model.named_fields()):
                raise GradientError(f"{model.name}: 'psi' is the derivative of a spike here; choose another name")
        self.taken = {f.name for _, f in neuron.named_fields()} | _WORDS
        for snippet in check_model(neuron).snippets.values():
            self.taken |= tree.names_in(snippet.tree)
        self.constants: dict[str, Constant] = {}
        self.state: dict[str, ValueType] = {v.name: value_type(v.type) for v in neuron.vars}
        self.own = dict.fromkeys(self.state)
        self.neuron_names = {**{n: n for n in (*self.state, *_OWN)}, **self.add_constants(neuron, "")}
        self.psm_names = [self.add_postsynaptic(p) for p in postsynaptic]
        self.follower = Follower(self.taken)
        inputs = {x.name: value_type(x.type) for x in neuron.additional_input_vars}
        self.inputs = {"Isyn": _SCALAR} | inputs
        self.neuron_names |= {name: name for name in self.inputs}
        self.follower.types.update(self.state | self.inputs)

    def unused(self, prefix: str, name: str, model: Model) -> str:
        found = f"{prefix}{name}"
        if found in self.taken - {"inSyn"} or is_reserved(found):
            found = f"{model.name}_{name}"
        self.taken.add(found)
        return found

    def add_constants(self, model: Model, prefix: str) -> dict[str, str]:
        names = {}
        part = f"{len(self.constants)} {prefix}"
        for kind in ("params", "derived_params", "extra_global_params"):
            for x in getattr(model, kind):
                names[x.name] = x.name if model is self.neuron else self.unused(prefix, x.name, model)
                self.constants[names[x.name]] = Constant(model, kind, x.name, part)
        return names

    def add_postsynaptic(self, p: Postsynaptic) -> dict[str, str]:
        names = {name: name for name in _OWN} | self.add_constants(p.model, p.prefix)
        if isinstance(p.model, PostsynapticModel):
            names["inSyn"] = self.unused(p.prefix, "inSyn", p.model)
            self.state[names["inSyn"]] = _SCALAR
        for v in p.model.vars:
            names[v.name] = self.unused(p.prefix, v.name, p.model)
            self.state[names[v.name]] = value_type(v.type)
        for ref in p.model.neuron_var_refs:
            names[ref.name] = p.refs.get(ref.name, ref.name)
            if names[ref.name] not in self.own:
                raise GradientError(
                    f"{p.model.name} refers to '{names[ref.name]}', which {self.neuron.name} does not have: "
                    "say in refs which variable is meant"
                )
        return names

    def build(self) -> Step:
        f, snippets = self.follower, check_model(self.neuron).snippets
        for p, names in zip(self.postsynaptic, self.psm_names, strict=True):
            snippet = p.snippet
            if snippet is not None:
                f.run(_block(snippet.tree), names, {"injectCurrent": p.target})
                f.forget_locals()
        inputs = {name: f.values.get(name, Name(name, vtype)) for name, vtype in self.inputs.items()}
        condition = snippets.get("threshold_condition_code")
        refractory = self.neuron.auto_refractory_required and condition is not None
        before = f.read(_expression(condition.tree), self.neuron_names) if refractory and condition else None
        if "sim_code" in snippets:
            f.run(_block(snippets["sim_code"].tree), self.neuron_names)
        tilde = self.now()
        spike, test = None, None
        if condition is not None:
            test = f.read(_expression(condition.tree), self.neuron_names)
            full = test if before is None else algebra.both(test, algebra.negation(before))
            name = f.assign("spike", full, _BOOL)
            spike = name if isinstance(name, Name) else None
        if spike is not None and "reset_code" in snippets:
            f.reset(_block(snippets["reset_code"].tree), self.neuron_names, spike)
        at = None if condition is None else getattr(condition.tree, "at", None)
        step = Step(
            neuron=self.neuron,
            postsynaptic=self.postsynaptic,
            names=tuple(self.psm_names),
            assignments=tuple(f.assignments),
            state=self.state,
            inputs=inputs,
            tilde=tilde,
            after=self.now(),
            margin=None,
            gate=None,
            spike=spike,
            no_margin="it has no threshold",
            threshold_at=at,
            constants=self.constants,
            taken=frozenset(),
            outside=self.outside,
        )
        step = step if spike is None or test is None else _finished(step, test, before, f)
        return replace(step, taken=f.taken)

    def now(self) -> dict[str, Expr]:
        return {name: self.follower.values.get(name, Name(name, vtype)) for name, vtype in self.state.items()}


def _block(node: tree.Block | Expr) -> tree.Block:
    assert isinstance(node, tree.Block)
    return node


def _expression(node: tree.Block | Expr) -> Expr:
    assert not isinstance(node, tree.Block)
    return node


def _finished(step: Step, test: Expr, before: Expr | None, follower: Follower) -> Step:
    """Return the step with its margin, and with the spike asked for before anything uses it."""
    assert step.spike is not None
    spike = step.spike
    place = next(i for i, a in enumerate(step.assignments) if a.name == spike.id)
    rest = [*step.assignments[:place], *step.assignments[place + 1 :]]
    if before is None:
        changed = [_own(a, test, spike) for a in rest]
        place = min([place, *(i for i, (new, old) in enumerate(zip(changed, rest, strict=True)) if new is not old)])
        rest = changed
    margin, gates, why = _sort(test, find_driven(step, spikes=False))
    new = [step.by_name[spike.id]]
    names: dict[str, Any] = {"no_margin": why}
    if margin is not None:
        gate = None
        for part in gates if before is None else [*gates, algebra.negation(before)]:
            gate = part if gate is None else algebra.both(gate, part)
        h = Assignment(follower.name("h"), margin, margin.type, at=step.threshold_at)
        new.insert(0, h)
        names |= {"margin": Name(h.name, h.type), "gate": gate}
    return replace(step, assignments=(*rest[:place], *new, *rest[place:]), **names)


def _own(a: Assignment, test: Expr, spike: Name) -> Assignment:
    if a.value is None:
        return a
    value = tree.rewrite(a.value, lambda node: spike if node == test else node)
    return a if value is a.value else replace(a, value=value)


def _sort(test: Expr, driven: frozenset[str]) -> tuple[Expr | None, list[Expr], str]:
    """Return the margin of a threshold, what else it asks for, and why it has no margin."""
    parts = list(_conjuncts(test))
    moving = [p for p in parts if tree.names_in(p) & driven]
    gates = [p for p in parts if p not in moving]
    if not moving:
        return (
            None,
            gates,
            "its threshold depends on nothing that synapses drive, so that its spikes have no derivative",
        )
    if len(moving) > 1:
        return (
            None,
            gates,
            "its threshold compares several values that synapses drive; a surrogate takes one difference",
        )
    (found,) = moving
    if not isinstance(found, Binary) or found.op not in _COMPARISONS:
        return None, gates, "its threshold is no comparison by <, <=, > or >=, whose difference a surrogate could take"
    one, other = (found.left, found.right) if _COMPARISONS[found.op] > 0 else (found.right, found.left)
    return algebra.subtract(one, other), gates, ""


def _conjuncts(e: Expr) -> Iterator[Expr]:
    if isinstance(e, Binary) and e.op == "&&":
        yield from _conjuncts(e.left)
        yield from _conjuncts(e.right)
    else:
        yield e


def find_driven(step: Step, *, spikes: bool = True) -> frozenset[str]:
    """Return the names that what synapses send may reach along derivatives, over any number of timesteps.

    What cannot be followed may be reached by anything.
    """
    given = zip(step.postsynaptic, step.names, strict=True)
    sources = {n for p, names in given if isinstance(p.model, CurrentSourceModel) for n in names.values()}
    own = {v.name for v in step.neuron.vars} | sources
    found = {*step.inputs, *step.outside, *(x for x in step.state if x not in own)}
    found |= {a.name for a in step.assignments if a.value is None and not a.drawn and a.type.kind == "float"}
    while True:
        known = len(found)
        for a in step.assignments:
            if a.value is not None and a.name not in found:
                is_spike = step.spike is not None and a.name == step.spike.id
                reached = tree.names_in(a.value) & found if is_spike and spikes else depends(a.value, found)
                if reached:
                    found.add(a.name)
        found |= {x for x, e in step.after.items() if x not in found and depends(e, found)}
        if len(found) == known:
            return frozenset(found)
