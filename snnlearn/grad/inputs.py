"""What a reversed neuron gets its input from: postsynaptic models and current sources, alone or as part of its step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from snnlearn.declare import CurrentSourceModel, NeuronModel, PostsynapticModel, Var, VarAccessMode, VarRef
from snnlearn.dialect import algebra
from snnlearn.dialect.tree import Name
from snnlearn.errors import GradientError
from snnlearn.grad.coefficients import used
from snnlearn.grad.derivatives import Pullback, pullback
from snnlearn.grad.step import Postsynaptic, Step, step_of

WIRE = NeuronModel("Wire", vars=(Var("injected"),), sim_code="injected = Isyn;")


@dataclass(frozen=True)
class Inputs:
    """Connections whose postsynaptic models are alike, same model, parameters and target input; or a current source.

    Attributes
    ----------
    model : PostsynapticModel or CurrentSourceModel
    target : str
        The input that it injects into.
    name : str
        What the adjoint neuron calls the adjoint of what arrives: a variable. Its parameters begin with it.
    params : tuple of (str, float)
        Those of the model.
    refs : tuple of (str, str)
        What its references to variables are called in the neuron.
    group : str
        The connection or current source, where it is part of the neuron's timestep, as its derivative depends on values
        of its own or of the neuron.
    """

    model: PostsynapticModel | CurrentSourceModel
    target: str = "Isyn"
    name: str = "mu"
    params: tuple[tuple[str, float], ...] = ()
    refs: tuple[tuple[str, str], ...] = ()
    group: str = ""

    @property
    def prefix(self) -> str:
        """What the adjoint neuron calls names of the model by."""
        return f"{self.name}_"

    @property
    def part(self) -> Postsynaptic:
        """It as part of a neuron's timestep."""
        return Postsynaptic(self.model, self.target, self.prefix, dict(self.refs))

    def adjoints(self, names: Mapping[str, str]) -> dict[str, str]:
        """Return the adjoint of each of its variables of a floating type, by what that is called in a step.

        Parameters
        ----------
        names : mapping of str to str
            What its names are called there.
        """
        own = {names[v.name]: f"lam_{names[v.name]}" for v in self.model.vars}
        return own | ({names["inSyn"]: self.name} if "inSyn" in names else {})


def linear_response(model: PostsynapticModel, prefix: str = "") -> tuple[Step, Pullback]:
    """Return a postsynaptic model alone as a step, and what it makes of the adjoints ``injected`` and of its variables.

    The adjoint of a variable is called ``lam_`` and its name; the name of ``inSyn`` in the step ends with that.
    """
    at = step_of(WIRE, Postsynaptic(model, prefix=prefix))
    states = [*(x for x in at.state if x != "injected"), "injected"]
    ends = [(at.after[x], Name(f"lam_{x}", algebra.SCALAR)) for x in states]
    return at, pullback(at, ends, states[:-1])


@lru_cache(maxsize=256)
def is_linear(model: PostsynapticModel) -> bool:
    """Whether a postsynaptic model only adds up, decays and passes on what arrives."""
    if model.neuron_var_refs:
        return False
    try:
        at, found = linear_response(model)
    except GradientError:
        return False
    new = [a.value for a in found.assignments if a.name not in at.by_name and a.value is not None]
    return not used([*new, *found.adjoints.values()]) & {*at.by_name, *at.state}


def witnessed(model: PostsynapticModel, variables: Mapping[str, str]) -> PostsynapticModel:
    """Return a model that shows the neuron, in the neuron's variables, what its own are when a timestep begins.

    Parameters
    ----------
    model : PostsynapticModel
    variables : mapping of str to str
        The neuron's variables by its own, ``inSyn`` for one.
    """
    refs = tuple(VarRef(there, "scalar", VarAccessMode.READ_WRITE) for there in variables.values())
    return replace(
        model,
        name=f"{model.name}Witnessed",
        neuron_var_refs=(*model.neuron_var_refs, *refs),
        sim_code="".join(f"{there} = {own};\n" for own, there in variables.items()) + model.sim_code,
    )
