"""PyGeNN's ``create_*_snippet`` functions for initial values and connectivity, in its order of arguments."""

from __future__ import annotations

from snnlearn.declare import SparseConnectInitSnippet, ToeplitzConnectInitSnippet, VarInitSnippet
from snnlearn.genn.arguments import checked_arguments
from snnlearn.genn.deprecated import deprecated
from snnlearn.genn.making import Code, Fields, Function, make


@checked_arguments
def create_var_init_snippet(
    class_name: str,
    params: Fields = None,
    param_names: Fields = None,
    derived_params: Fields = None,
    var_init_code: Code = None,
    extra_global_params: Fields = None,
) -> VarInitSnippet:
    """Declare a variable initialiser; see `snnlearn.declare.VarInitSnippet`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in the code string.
    """
    return make(VarInitSnippet, locals())


@checked_arguments
def create_sparse_connect_init_snippet(
    class_name: str,
    params: Fields = None,
    param_names: Fields = None,
    derived_params: Fields = None,
    row_build_code: Code = None,
    col_build_code: Code = None,
    calc_max_row_len_func: Function = None,
    calc_max_col_len_func: Function = None,
    calc_kernel_size_func: Function = None,
    extra_global_params: Fields = None,
) -> SparseConnectInitSnippet:
    """Declare an initialiser of sparse connectivity; see `snnlearn.declare.SparseConnectInitSnippet`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in a code string.
    """
    return make(SparseConnectInitSnippet, locals())


@checked_arguments
def create_toeplitz_connect_init_snippet(
    class_name: str,
    params: Fields = None,
    param_names: Fields = None,
    derived_params: Fields = None,
    diagonal_build_code: Code = None,
    calc_max_row_len_func: Function = None,
    calc_kernel_size_func: Function = None,
    extra_global_params: Fields = None,
) -> ToeplitzConnectInitSnippet:
    """Declare an initialiser of a convolution's connectivity; see `snnlearn.declare.ToeplitzConnectInitSnippet`.

    Raises
    ------
    DeclarationError
        For bad or duplicate names and unknown types.
    DialectError
        For an error in the code string.
    """
    return make(ToeplitzConnectInitSnippet, locals())


@deprecated("the function itself")
def create_dpf_class(dp_func: Function) -> Function:
    """Return what once had to be made of a derived parameter's function."""
    return lambda: dp_func


@deprecated("the function itself")
def create_cmlf_class(cml_func: Function) -> Function:
    """Return what once had to be made of a function for the longest row or column."""
    return lambda: cml_func


@deprecated("the function itself")
def create_cksf_class(cks_func: Function) -> Function:
    """Return what once had to be made of a function for a kernel's size."""
    return lambda: cks_func
