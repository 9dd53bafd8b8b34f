"""PyGeNN's ``create_*_model`` functions for neurons, synapses and currents, in its order of arguments.

Each takes the fields of the declaration it makes (see `snnlearn.declare`). Arguments that PyGeNN has kept from before
they were renamed warn and work. Errors in code strings are raised here, where the code is written.
"""

from __future__ import annotations

from snnlearn.declare import CurrentSourceModel, NeuronModel, PostsynapticModel, WeightUpdateModel
from snnlearn.errors import DeclarationError
from snnlearn.genn.arguments import checked_arguments
from snnlearn.genn.making import Code, Fields, make


@checked_arguments
def create_neuron_model(
    class_name: str,
    params: Fields = None,
    param_names: Fields = None,
    vars: Fields = None,
    var_name_types: Fields = None,
    derived_params: Fields = None,
    sim_code: Code = None,
    threshold_condition_code: Code = None,
    reset_code: Code = None,
    extra_global_params: Fields = None,
    additional_input_vars: Fields = None,
    auto_refractory_required: bool = False,
) -> NeuronModel:
    """Declare a neuron model; see `snnlearn.declare.NeuronModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in a code string.
    """
    auto_refractory_required = bool(auto_refractory_required)
    return make(NeuronModel, locals())


@checked_arguments
def create_weight_update_model(
    class_name: str,
    params: Fields = None,
    param_names: Fields = None,
    vars: Fields = None,
    var_name_types: Fields = None,
    pre_vars: Fields = None,
    pre_var_name_types: Fields = None,
    post_vars: Fields = None,
    post_var_name_types: Fields = None,
    pre_neuron_var_refs: Fields = None,
    post_neuron_var_refs: Fields = None,
    psm_var_refs: Fields = None,
    derived_params: Fields = None,
    sim_code: Code = None,
    pre_spike_syn_code: Code = None,
    event_code: Code = None,
    pre_event_syn_code: Code = None,
    post_event_syn_code: Code = None,
    learn_post_code: Code = None,
    post_spike_syn_code: Code = None,
    synapse_dynamics_code: Code = None,
    event_threshold_condition_code: Code = None,
    pre_event_threshold_condition_code: Code = None,
    post_event_threshold_condition_code: Code = None,
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
    return make(WeightUpdateModel, locals())


@checked_arguments
def create_postsynaptic_model(
    class_name: str,
    params: Fields = None,
    param_names: Fields = None,
    vars: Fields = None,
    var_name_types: Fields = None,
    neuron_var_refs: Fields = None,
    derived_params: Fields = None,
    sim_code: Code = None,
    decay_code: Code = None,
    apply_input_code: Code = None,
    extra_global_params: Fields = None,
) -> PostsynapticModel:
    """Declare a postsynaptic model; see `snnlearn.declare.PostsynapticModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types, and for GeNN 4's ``decay_code`` and ``apply_input_code``.
    DialectError
        For an error in the code string.
    """
    if decay_code is not None or apply_input_code is not None:
        raise DeclarationError(
            f"model '{class_name}': decay_code and apply_input_code are one now: sim_code, which calls "
            "injectCurrent(x) for what was added to Isyn, and then lets inSyn decay"
        )
    return make(PostsynapticModel, locals())


@checked_arguments
def create_current_source_model(
    class_name: str,
    params: Fields = None,
    param_names: Fields = None,
    vars: Fields = None,
    var_name_types: Fields = None,
    neuron_var_refs: Fields = None,
    derived_params: Fields = None,
    injection_code: Code = None,
    extra_global_params: Fields = None,
) -> CurrentSourceModel:
    """Declare a current source model; see `snnlearn.declare.CurrentSourceModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in the code string.
    """
    return make(CurrentSourceModel, locals())
