"""PyGeNN's ``create_*`` functions: declarations under other names, checked at once.

Each takes the fields of the model it makes (see `snnlearn.declare`) as keywords. Only the model's name and its
parameters may be positional: PyGeNN has obsolete arguments between the others. Errors in code strings are raised here,
where the code is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from snnlearn.declare import (
    CustomUpdateModel,
    NeuronModel,
    PostsynapticModel,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.dialect import check_model

Fields = Sequence[Any] | None
Code = str | None


def create_neuron_model(
    class_name: str,
    params: Fields = None,
    *,
    vars: Fields = None,
    derived_params: Fields = None,
    sim_code: Code = None,
    threshold_condition_code: Code = None,
    reset_code: Code = None,
    extra_global_params: Fields = None,
    additional_input_vars: Fields = None,
) -> NeuronModel:
    """Declare a neuron model; see `snnlearn.declare.NeuronModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in a code string.
    """
    model = NeuronModel(
        class_name,
        params=_tuple(params),
        derived_params=_tuple(derived_params),
        extra_global_params=_tuple(extra_global_params),
        vars=_tuple(vars),
        additional_input_vars=_tuple(additional_input_vars),
        sim_code=sim_code or "",
        threshold_condition_code=threshold_condition_code or "",
        reset_code=reset_code or "",
    )
    check_model(model)
    return model


def create_weight_update_model(
    class_name: str,
    params: Fields = None,
    *,
    vars: Fields = None,
    pre_vars: Fields = None,
    post_vars: Fields = None,
    pre_neuron_var_refs: Fields = None,
    post_neuron_var_refs: Fields = None,
    derived_params: Fields = None,
    pre_spike_syn_code: Code = None,
    post_spike_syn_code: Code = None,
    synapse_dynamics_code: Code = None,
    pre_spike_code: Code = None,
    post_spike_code: Code = None,
    pre_dynamics_code: Code = None,
    post_dynamics_code: Code = None,
    extra_global_params: Fields = None,
) -> WeightUpdateModel:
    """Declare a weight update model; see `snnlearn.declare.WeightUpdateModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in a code string.
    """
    model = WeightUpdateModel(
        class_name,
        params=_tuple(params),
        derived_params=_tuple(derived_params),
        extra_global_params=_tuple(extra_global_params),
        vars=_tuple(vars),
        pre_vars=_tuple(pre_vars),
        post_vars=_tuple(post_vars),
        pre_neuron_var_refs=_tuple(pre_neuron_var_refs),
        post_neuron_var_refs=_tuple(post_neuron_var_refs),
        pre_spike_syn_code=pre_spike_syn_code or "",
        post_spike_syn_code=post_spike_syn_code or "",
        synapse_dynamics_code=synapse_dynamics_code or "",
        pre_spike_code=pre_spike_code or "",
        post_spike_code=post_spike_code or "",
        pre_dynamics_code=pre_dynamics_code or "",
        post_dynamics_code=post_dynamics_code or "",
    )
    check_model(model)
    return model


def create_postsynaptic_model(
    class_name: str,
    params: Fields = None,
    *,
    vars: Fields = None,
    neuron_var_refs: Fields = None,
    derived_params: Fields = None,
    sim_code: Code = None,
    extra_global_params: Fields = None,
) -> PostsynapticModel:
    """Declare a postsynaptic model; see `snnlearn.declare.PostsynapticModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in the code string.
    """
    model = PostsynapticModel(
        class_name,
        params=_tuple(params),
        derived_params=_tuple(derived_params),
        extra_global_params=_tuple(extra_global_params),
        vars=_tuple(vars),
        neuron_var_refs=_tuple(neuron_var_refs),
        sim_code=sim_code or "",
    )
    check_model(model)
    return model


def create_custom_update_model(
    class_name: str,
    params: Fields = None,
    *,
    vars: Fields = None,
    derived_params: Fields = None,
    var_refs: Fields = None,
    update_code: Code = None,
    extra_global_params: Fields = None,
) -> CustomUpdateModel:
    """Declare a custom update model; see `snnlearn.declare.CustomUpdateModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in the code string.
    """
    model = CustomUpdateModel(
        class_name,
        params=_tuple(params),
        derived_params=_tuple(derived_params),
        extra_global_params=_tuple(extra_global_params),
        vars=_tuple(vars),
        var_refs=_tuple(var_refs),
        update_code=update_code or "",
    )
    check_model(model)
    return model


def create_var_init_snippet(
    class_name: str,
    params: Fields = None,
    *,
    derived_params: Fields = None,
    var_init_code: Code = None,
) -> VarInitSnippet:
    """Declare a variable initialiser; see `snnlearn.declare.VarInitSnippet`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in the code string.
    """
    model = VarInitSnippet(
        class_name,
        params=_tuple(params),
        derived_params=_tuple(derived_params),
        var_init_code=var_init_code or "",
    )
    check_model(model)
    return model


def _tuple(fields: Fields) -> tuple[Any, ...]:
    return tuple(fields or ())
