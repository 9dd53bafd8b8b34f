"""PyGeNN's ``create_*_model`` functions for what runs only when called for, in its order of arguments."""

from __future__ import annotations

from snnlearn.declare import CustomConnectivityUpdateModel, CustomUpdateModel
from snnlearn.genn.arguments import checked_arguments
from snnlearn.genn.making import Code, Fields, make


@checked_arguments
def create_custom_update_model(
    class_name: str,
    params: Fields = None,
    param_names: Fields = None,
    vars: Fields = None,
    var_name_types: Fields = None,
    derived_params: Fields = None,
    var_refs: Fields = None,
    update_code: Code = None,
    extra_global_params: Fields = None,
    extra_global_param_refs: Fields = None,
) -> CustomUpdateModel:
    """Declare a custom update model; see `snnlearn.declare.CustomUpdateModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in the code string.
    """
    return make(CustomUpdateModel, locals())


@checked_arguments
def create_custom_connectivity_update_model(
    class_name: str,
    params: Fields = None,
    vars: Fields = None,
    pre_vars: Fields = None,
    post_vars: Fields = None,
    derived_params: Fields = None,
    var_refs: Fields = None,
    pre_var_refs: Fields = None,
    post_var_refs: Fields = None,
    row_update_code: Code = None,
    host_update_code: Code = None,
    extra_global_params: Fields = None,
    extra_global_param_refs: Fields = None,
) -> CustomConnectivityUpdateModel:
    """Declare a custom connectivity update model; see `snnlearn.declare.CustomConnectivityUpdateModel`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in a code string.
    """
    return make(CustomConnectivityUpdateModel, locals())
