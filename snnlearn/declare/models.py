"""The model declarations.

Each is a frozen dataclass that validates itself when it is made. Fields accept PyGeNN's shorthand: a
parameter may be given as its name, a variable as ``(name, type)`` or ``(name, type, access)``, and so on.
Code strings are checked by the next stage (`snnlearn.dialect`), which knows the language.
"""

from __future__ import annotations

import dataclasses
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from snnlearn.attributes import frozen, suggest_attributes
from snnlearn.declare import fields as f
from snnlearn.declare.built_in_names import SEEN
from snnlearn.declare.fields import check_identifier
from snnlearn.declare.types import value_type
from snnlearn.errors import DeclarationError, did_you_mean

AnyModel = TypeVar("AnyModel", bound="Model")

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@suggest_attributes
@frozen
@dataclass(frozen=True)
class Model:
    """What all declarations share.

    Parameters
    ----------
    name : str
        Used in messages and in comments of generated source; a C identifier. A class of the user's that derives from
        a kind of model may leave it out: its own name serves.
    params : sequence of Param, str or (name, type)
        Numbers the same for a whole population.
    derived_params : sequence of DerivedParam or (name, func[, type])
        Numbers computed once from the parameters and dt [ms].
    extra_global_params : sequence of ExtraGlobalParam or (name, type)
        Arrays of any length, shared by a population, which its code may also write to.
    time_type : str, optional
        What ``timepoint``, the type of ``t``, ``dt`` and the times of spikes, stands for: ``scalar``, unless times have
        a precision of their own (see `with_times`).

    Raises
    ------
    DeclarationError
        For a name that is not an identifier, for one declared in the model that is reserved or declared twice, and for
        an unknown type.
    """

    name: str = ""
    params: tuple[f.Param, ...] = ()
    derived_params: tuple[f.DerivedParam, ...] = ()
    extra_global_params: tuple[f.ExtraGlobalParam, ...] = ()
    time_type: str = dataclasses.field(default="scalar", kw_only=True, repr=False)

    def __post_init__(self) -> None:
        if type(self) is Model:
            raise DeclarationError("a Model is abstract: declare a NeuronModel, WeightUpdateModel, …")
        kind = self.kind
        if kind is not type(self) and not self.name:
            object.__setattr__(self, "name", type(self).__name__)
        check_identifier(self.name, "model")
        for field in dataclasses.fields(self):
            value: Any = getattr(self, field.name) if kind is type(self) else self.read_field(field.name)
            what = f"model '{self.name}', {field.name}"
            if field.name in _FIELD_KINDS:
                value = f.as_fields(self._kind_of(field.name), value or (), what)
                value = tuple(f.with_times(v, self.time_type) for v in value)
            elif field.name.endswith("_func"):
                if value is not None and not callable(value):
                    raise DeclarationError(f"{what}: needs a function, not {value!r}")
            elif field.name.endswith("_code"):
                if value is not None and not isinstance(value, str):
                    raise DeclarationError(f"{what}: code must be a string, not {type(value).__name__}")
                value = textwrap.dedent(value or "")
            object.__setattr__(self, field.name, value)
        self._check_unique()

    def read_field(self, field: str) -> Any:
        """Return what a model of the user's class is made with; an API may offer other ways than arguments."""
        return getattr(self, field)

    @property
    def kind(self) -> type[Model]:
        """The class of the library that it is of, or that its own class derives from."""
        return next(cls for cls in type(self).__mro__ if "__dataclass_fields__" in vars(cls))

    def as_kind(self) -> Model:
        """Return the model as one of the library's kind, which it is unless its class is the user's."""
        if self.kind is type(self):
            return self
        return self.kind(**{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})

    def _kind_of(self, attribute: str) -> Any:
        return _FIELD_KINDS[attribute]

    def _check_unique(self) -> None:
        seen = dict.fromkeys(self._taken, "what its code sees anyway")
        for kind, field in self.named_fields():
            if field.name in seen:
                raise DeclarationError(
                    f"model '{self.name}' declares '{field.name}' twice: in {seen[field.name]} and in {kind}; "
                    f"choose another name, such as '{field.name}0'"
                )
            seen[field.name] = kind

    @property
    def _taken(self) -> tuple[str, ...]:
        """The names with a meaning of their own in the code of this kind of model."""
        return SEEN[self.kind.__name__]

    def named_fields(self) -> Iterator[tuple[str, Any]]:
        """Yield ``(attribute, field)`` for every parameter, variable, reference and array declared."""
        for attribute in _FIELD_KINDS:
            for field in getattr(self, attribute, ()):
                yield attribute, field

    def with_times(self: AnyModel, time_type: str) -> AnyModel:
        """Return the model for a network whose times are of a type, such as ``"double"``."""
        return self if time_type == self.time_type else dataclasses.replace(self, time_type=time_type)

    def codes(self) -> dict[str, str]:
        """Return the code strings that hold more than white space and comments, by attribute."""
        codes = ((x.name, getattr(self, x.name)) for x in dataclasses.fields(self) if x.name.endswith("_code"))
        return {name: code for name, code in codes if _COMMENT.sub("", code).strip()}


@frozen
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
        All see the model's own names, ``Isyn``, ``t`` [ms], ``dt`` [ms], ``id``, ``num_neurons``, ``batch`` and
        ``st`` [ms], the time of the last spike before this timestep.
    auto_refractory_required : bool
        Whether a spike needs the condition to have been false before ``sim_code``.
    array_parts : sequence of ArrayPart or (array, begin, end)
        Which part of an array is a neuron's own, and ascends: ``array[begin:end]``, by the names of an array and of two
        variables of an integer type. What is no such part is refused when its values are given.
    """

    vars: tuple[f.Var, ...] = ()
    additional_input_vars: tuple[f.InputVar, ...] = ()
    sim_code: str = ""
    threshold_condition_code: str = ""
    reset_code: str = ""
    auto_refractory_required: bool = False
    array_parts: tuple[f.ArrayPart, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        what = f"model '{self.name}', array_parts"
        parts = f.as_fields(f.ArrayPart, self.array_parts, what)
        arrays = [egp.name for egp in self.extra_global_params]
        places = [v.name for v in self.vars if value_type(v.type).kind == "int"]
        for part in parts:
            for kind, name, known in (
                ("array", part.array, arrays),
                ("integer variable", part.begin, places),
                ("integer variable", part.end, places),
            ):
                if name not in known:
                    raise DeclarationError(f"{what}: there is no {kind} {name!r}{did_you_mean(str(name), known)}")
        object.__setattr__(self, "array_parts", parts)


@frozen
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
    psm_var_refs : sequence of VarRef
        Variables of the connection's postsynaptic model; code of synapses may read them.
    synapse_dynamics_code : str
        Runs for every synapse in every timestep.
    pre_spike_syn_code, post_spike_syn_code : str
        Run for the synapses of a neuron that has spiked.
    pre_event_syn_code, post_event_syn_code : str
        Run for the synapses of a neuron that has emitted a spike-like event. These five see ``addToPost(x)``,
        ``addToPre(x)`` and ``addToPostDelay(x, timesteps)``; ``st_pre`` and ``st_post`` [ms], when the last spike
        arrived; ``prev_st_pre`` and ``prev_st_post`` [ms], when the last one before this timestep did, which is the
        same unless one arrives now; ``set_pre``, … likewise of events.
    pre_event_threshold_condition_code, post_event_threshold_condition_code : str
        Whether a neuron emits a spike-like event in this timestep. Event code needs its condition; a condition alone
        makes events that can be recorded.
    pre_spike_code, post_spike_code, pre_dynamics_code, post_dynamics_code : str
        Run for the pre- or postsynaptic neuron, with the neuron's own update: with a spike, or every timestep.
    """

    vars: tuple[f.Var, ...] = ()
    pre_vars: tuple[f.Var, ...] = ()
    post_vars: tuple[f.Var, ...] = ()
    pre_neuron_var_refs: tuple[f.VarRef, ...] = ()
    post_neuron_var_refs: tuple[f.VarRef, ...] = ()
    psm_var_refs: tuple[f.VarRef, ...] = ()
    pre_event_syn_code: str = ""
    pre_spike_syn_code: str = ""
    post_event_syn_code: str = ""
    post_spike_syn_code: str = ""
    pre_event_threshold_condition_code: str = ""
    post_event_threshold_condition_code: str = ""
    synapse_dynamics_code: str = ""
    pre_spike_code: str = ""
    post_spike_code: str = ""
    pre_dynamics_code: str = ""
    post_dynamics_code: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        codes = self.codes()
        for side in ("pre", "post"):
            code, condition = f"{side}_event_syn_code", f"{side}_event_threshold_condition_code"
            if code in codes and condition not in codes:
                raise DeclarationError(
                    f"model '{self.name}' has {code}, but no {condition}, which says when there is an event"
                )


@frozen
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


@frozen
@dataclass(frozen=True)
class CurrentSourceModel(Model):
    """A current into every neuron of a population.

    Parameters
    ----------
    vars : sequence of Var
        State kept once for each neuron.
    neuron_var_refs : sequence of VarRef
        Variables of the neuron.
    injection_code : str
        Runs for every neuron in every timestep, before the neuron's own code; sees ``injectCurrent(x)``.
    """

    vars: tuple[f.Var, ...] = ()
    neuron_var_refs: tuple[f.VarRef, ...] = ()
    injection_code: str = ""


@frozen
@dataclass(frozen=True)
class CustomUpdateModel(Model):
    """An operation on variables that runs only when called for.

    Parameters
    ----------
    vars : sequence of CustomUpdateVar
        State of the update itself, of the shape of what it refers to.
    var_refs : sequence of VarRef
        The variables it reads and writes.
    extra_global_param_refs : sequence of ExtraGlobalParamRef
        Arrays of other groups.
    update_code : str
        Runs once for each neuron or synapse. What it assigns to the target of a reduction is summed up, or the largest
        found.
    """

    vars: tuple[f.CustomUpdateVar, ...] = ()
    var_refs: tuple[f.VarRef, ...] = ()
    extra_global_param_refs: tuple[f.ExtraGlobalParamRef, ...] = ()
    update_code: str = ""

    def _kind_of(self, attribute: str) -> Any:
        return f.CustomUpdateVar if attribute == "vars" else super()._kind_of(attribute)


@frozen
@dataclass(frozen=True)
class CustomConnectivityUpdateModel(Model):
    """A change to which neurons a sparse connection connects; runs only when called for.

    Parameters
    ----------
    vars : sequence of Var
        State kept once for each synapse, which moves with it.
    pre_vars, post_vars : sequence of Var
        State kept once for each pre- or postsynaptic neuron.
    var_refs, pre_var_refs, post_var_refs : sequence of VarRef
        Variables of synapses, and of neurons at either end.
    extra_global_param_refs : sequence of ExtraGlobalParamRef
        Arrays of other groups.
    row_update_code : str
        Runs once for each presynaptic neuron; sees ``for_each_synapse { }``, within which ``id_post`` and variables of
        synapses have values and ``remove_synapse()`` may be called, and ``add_synapse(id_post, values...)``.
    host_update_code : str
        Runs once, before, on the host's copies: ``pre_vars`` and ``post_vars`` are arrays here, moved by
        ``push<name>ToDevice()`` and ``pull<name>FromDevice()``.
    """

    vars: tuple[f.Var, ...] = ()
    pre_vars: tuple[f.Var, ...] = ()
    post_vars: tuple[f.Var, ...] = ()
    var_refs: tuple[f.VarRef, ...] = ()
    pre_var_refs: tuple[f.VarRef, ...] = ()
    post_var_refs: tuple[f.VarRef, ...] = ()
    extra_global_param_refs: tuple[f.ExtraGlobalParamRef, ...] = ()
    row_update_code: str = ""
    host_update_code: str = ""


@frozen
@dataclass(frozen=True)
class VarInitSnippet(Model):
    """How the initial value of a variable is made.

    Parameters
    ----------
    var_init_code : str
        Assigns to ``value``; may draw random numbers (``gennrand_uniform()``, ``gennrand_normal()``, …).
    check_params_func : callable (params) -> str, optional
        What is wrong with parameters that do not go together, for a message; empty where nothing is.
    """

    var_init_code: str = ""
    check_params_func: Callable[[Mapping[str, float]], str] | None = None


@frozen
@dataclass(frozen=True)
class SparseConnectInitSnippet(Model):
    """Which neurons a sparse connection connects, made row by row or column by column.

    Parameters
    ----------
    row_build_code : str
        Runs once for each presynaptic neuron ``id_pre``; calls ``addSynapse(id_post, kernel_indices...)``.
    col_build_code : str
        Runs once for each postsynaptic neuron ``id_post``; calls ``addSynapse(id_pre, kernel_indices...)``.
    calc_max_row_len_func, calc_max_col_len_func : callable (num_pre, num_post, params) -> int, optional
        How many synapses a row, or a column, can have at most; else as many as there are neurons.
    calc_kernel_size_func : callable (params) -> sequence of int, optional
        The shape of the kernel that ``addSynapse``'s further arguments point into.
    host_init_func : callable (num_pre, num_post, params, random) -> mapping of str to array, optional
        Makes extra global parameters before rows are built; ``random`` is a ``numpy.random.Generator``.
    """

    row_build_code: str = ""
    col_build_code: str = ""
    calc_max_row_len_func: Callable[..., int] | None = None
    calc_max_col_len_func: Callable[..., int] | None = None
    calc_kernel_size_func: Callable[..., Sequence[int]] | None = None
    host_init_func: Callable[..., Mapping[str, Any]] | None = None


@frozen
@dataclass(frozen=True)
class ToeplitzConnectInitSnippet(Model):
    """Which neurons a connection with the structure of a convolution connects, made diagonal by diagonal.

    Parameters
    ----------
    diagonal_build_code : str
        Runs once for each diagonal ``id_diag``; sees ``for_each_synapse { }``, within which ``id_pre`` has a value and
        ``addSynapse(id_post, kernel_indices...)`` may be called.
    calc_max_row_len_func : callable (num_pre, num_post, params) -> int
        How many diagonals there are.
    calc_kernel_size_func : callable (params) -> sequence of int
        The kernel's shape.
    """

    diagonal_build_code: str = ""
    calc_max_row_len_func: Callable[..., int] | None = None
    calc_kernel_size_func: Callable[..., Sequence[int]] | None = None


_FIELD_KINDS: dict[str, Any] = {
    "params": f.Param,
    "derived_params": f.DerivedParam,
    "extra_global_params": f.ExtraGlobalParam,
    "vars": f.Var,
    "pre_vars": f.Var,
    "post_vars": f.Var,
    "var_refs": f.VarRef,
    "pre_var_refs": f.VarRef,
    "post_var_refs": f.VarRef,
    "psm_var_refs": f.VarRef,
    "neuron_var_refs": f.VarRef,
    "pre_neuron_var_refs": f.VarRef,
    "post_neuron_var_refs": f.VarRef,
    "additional_input_vars": f.InputVar,
    "extra_global_param_refs": f.ExtraGlobalParamRef,
}
