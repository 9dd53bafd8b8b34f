"""The model declarations.

Each is a frozen dataclass that validates itself when it is made. Fields accept PyGeNN's shorthand: a
parameter may be given as its name, a variable as ``(name, type)`` or ``(name, type, access)``, and so on.
Code strings are checked by the next stage (`snnlearn.dialect`), which knows the language.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from snnlearn.declare import fields as f
from snnlearn.declare.fields import check_name
from snnlearn.errors import DeclarationError


@dataclass(frozen=True)
class Model:
    """What all declarations share.

    Parameters
    ----------
    name : str
        Used in messages and in generated source; a C identifier.
    params : sequence of Param, str or (name, type)
        Numbers the same for a whole population.
    derived_params : sequence of DerivedParam or (name, func[, type])
        Numbers computed once from the parameters and dt [ms].
    extra_global_params : sequence of ExtraGlobalParam or (name, type)
        Read-only arrays shared by a population.

    Raises
    ------
    DeclarationError
        For a name that is not an identifier, is reserved or declared twice, and for an unknown type.
    """

    name: str
    params: tuple[f.Param, ...] = ()
    derived_params: tuple[f.DerivedParam, ...] = ()
    extra_global_params: tuple[f.ExtraGlobalParam, ...] = ()

    def __post_init__(self) -> None:
        if type(self) is Model:
            raise DeclarationError("a Model is abstract: declare a NeuronModel, WeightUpdateModel, …")
        check_name(self.name, "model")
        for field in dataclasses.fields(self):
            value: Any = getattr(self, field.name)
            what = f"model '{self.name}', {field.name}"
            if field.name in _FIELD_KINDS:
                value = f.as_fields(_FIELD_KINDS[field.name], value or (), what)
            elif field.name.endswith("_code"):
                if value is not None and not isinstance(value, str):
                    raise DeclarationError(f"{what}: code must be a string, not {type(value).__name__}")
                value = textwrap.dedent(value or "")
            object.__setattr__(self, field.name, value)
        self._check_unique()

    def _check_unique(self) -> None:
        seen = dict.fromkeys(self._taken, "what its code sees anyway")
        for kind, field in self.named_fields():
            if field.name in seen:
                raise DeclarationError(
                    f"model '{self.name}' declares '{field.name}' twice: in {seen[field.name]} and in {kind}"
                )
            seen[field.name] = kind

    @property
    def _taken(self) -> tuple[str, ...]:
        """The names with a meaning of their own in this kind of model only."""
        return ()

    def named_fields(self) -> Iterator[tuple[str, Any]]:
        """Yield ``(attribute, field)`` for every parameter, variable, reference and array declared."""
        for attribute in _FIELD_KINDS:
            for field in getattr(self, attribute, ()):
                yield attribute, field

    def codes(self) -> dict[str, str]:
        """Return the code strings that are not blank, by attribute."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name.endswith("_code") and getattr(self, field.name).strip()
        }


@dataclass(frozen=True)
class NeuronModel(Model):
    """How one kind of neuron moves on by a timestep, when it spikes and what a spike resets.

    Parameters
    ----------
    vars : sequence of Var
        State of each neuron.
    additional_input_vars : sequence of InputVar
        Inputs beside ``Isyn``, which synapses reach through ``post_target_var``.
    sim_code, threshold_condition_code, reset_code : str
        Statements, an expression, statements. Locals of ``sim_code`` are visible in the other two.
        All see the model's own names, ``Isyn``, ``t`` [ms], ``dt`` [ms], ``id`` and ``num_neurons``.
    """

    vars: tuple[f.Var, ...] = ()
    additional_input_vars: tuple[f.InputVar, ...] = ()
    sim_code: str = ""
    threshold_condition_code: str = ""
    reset_code: str = ""


@dataclass(frozen=True)
class WeightUpdateModel(Model):
    """What a synapse does each timestep and with each spike.

    Parameters
    ----------
    vars : sequence of Var
        State of each synapse.
    pre_vars, post_vars : sequence of Var
        State kept once for each pre- or postsynaptic neuron of the connection.
    pre_neuron_var_refs, post_neuron_var_refs : sequence of VarRef
        Variables of the neurons at either end; code of synapses may read them, not write.
    synapse_dynamics_code : str
        Runs for every synapse in every timestep.
    pre_spike_syn_code, post_spike_syn_code : str
        Run for the synapses of a neuron that has spiked. These three see ``addToPost(x)`` and ``addToPre(x)``.
    pre_spike_code, post_spike_code, pre_dynamics_code, post_dynamics_code : str
        Run for the pre- or postsynaptic neuron, with the neuron's own update: with a spike, or every timestep.
    """

    vars: tuple[f.Var, ...] = ()
    pre_vars: tuple[f.Var, ...] = ()
    post_vars: tuple[f.Var, ...] = ()
    pre_neuron_var_refs: tuple[f.VarRef, ...] = ()
    post_neuron_var_refs: tuple[f.VarRef, ...] = ()
    pre_spike_syn_code: str = ""
    post_spike_syn_code: str = ""
    synapse_dynamics_code: str = ""
    pre_spike_code: str = ""
    post_spike_code: str = ""
    pre_dynamics_code: str = ""
    post_dynamics_code: str = ""


@dataclass(frozen=True)
class PostsynapticModel(Model):
    """How the summed input ``inSyn`` of a connection becomes a current.

    Parameters
    ----------
    vars : sequence of Var
        State kept once for each postsynaptic neuron.
    neuron_var_refs : sequence of VarRef
        Variables of the postsynaptic neuron.
    sim_code : str
        Runs for every neuron in every timestep, before its own code; sees ``inSyn`` and ``injectCurrent(x)``.
    """

    vars: tuple[f.Var, ...] = ()
    neuron_var_refs: tuple[f.VarRef, ...] = ()
    sim_code: str = ""


@dataclass(frozen=True)
class CustomUpdateModel(Model):
    """An operation on variables that runs only when called for.

    Parameters
    ----------
    vars : sequence of Var
        State of the update itself, of the shape of what it refers to.
    var_refs : sequence of VarRef
        The variables it reads and writes.
    update_code : str
        Runs once for each neuron or synapse.
    """

    vars: tuple[f.Var, ...] = ()
    var_refs: tuple[f.VarRef, ...] = ()
    update_code: str = ""


@dataclass(frozen=True)
class VarInitSnippet(Model):
    """How the first value of a variable is made.

    Parameters
    ----------
    var_init_code : str
        Assigns to ``value``; may draw random numbers with ``gennrand_uniform()``, ``gennrand_normal()`` and
        ``gennrand_exponential()``.
    """

    var_init_code: str = ""

    @property
    def _taken(self) -> tuple[str, ...]:
        return ("value",)


_FIELD_KINDS: dict[str, Any] = {
    "params": f.Param,
    "derived_params": f.DerivedParam,
    "extra_global_params": f.ExtraGlobalParam,
    "vars": f.Var,
    "pre_vars": f.Var,
    "post_vars": f.Var,
    "var_refs": f.VarRef,
    "neuron_var_refs": f.VarRef,
    "pre_neuron_var_refs": f.VarRef,
    "post_neuron_var_refs": f.VarRef,
    "additional_input_vars": f.InputVar,
}
