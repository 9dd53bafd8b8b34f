"""PyGeNN's ``init_*`` functions: a model, by name or as declared, with its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from snnlearn import models
from snnlearn.declare import (
    Model,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.errors import DeclarationError, NetworkError
from snnlearn.genn import obsolete
from snnlearn.genn.arguments import checked_arguments
from snnlearn.genn.deprecated import deprecated
from snnlearn.network import (
    PostsynapticInit,
    Reference,
    SparseConnectInit,
    ToeplitzConnectInit,
    VarInit,
    WeightUpdateInit,
)

AnyModel = TypeVar("AnyModel", bound=Model)
Values = Mapping[str, Any] | None
# A variable of the neurons at that end, by name or made with `create_var_ref`.
LocalReferences = Mapping[str, Reference | str] | None


def resolve(kind: type[AnyModel], model: AnyModel | str) -> AnyModel:
    """Return a declared model, looking names up in the model library.

    Raises
    ------
    DeclarationError
        If the library has no model of that kind and name.
    NetworkError
        If it is neither a name nor a model of that kind.
    """
    if isinstance(model, str):
        try:
            return models.find(kind, model)
        except DeclarationError as error:
            text = obsolete.explain(model, obsolete.BUILT_IN_MODELS)
            if text is None:
                raise
            raise DeclarationError(f"{error}: {text}") from None
    if not isinstance(model, kind):
        raise NetworkError(f"needs a {kind.__name__} or the name of one, not {type(model).__name__}")
    own: Model = model  # else mypy takes what comes of it for Any
    return cast(AnyModel, own.as_kind())


@checked_arguments
def init_var(snippet: VarInitSnippet | str, params: Values = None) -> VarInit:
    """Return an initialiser of a variable.

    Parameters
    ----------
    snippet : VarInitSnippet or str
        Such as ``"Uniform"``, ``"Normal"``, ``"NormalClipped"``.
    params : mapping of str to float

    Raises
    ------
    DeclarationError, NetworkError
        For an unknown snippet or wrong parameters.
    """
    return VarInit(resolve(VarInitSnippet, snippet), dict(params or {}))


@checked_arguments
def init_weight_update(
    snippet: WeightUpdateModel | str,
    params: Values = None,
    vars: Values = None,
    pre_vars: Values = None,
    post_vars: Values = None,
    pre_var_refs: LocalReferences = None,
    post_var_refs: LocalReferences = None,
    psm_var_refs: Mapping[str, str] | None = None,
) -> WeightUpdateInit:
    """Return a weight update model with its values.

    Parameters
    ----------
    snippet : WeightUpdateModel or str
    params, vars, pre_vars, post_vars : mapping of str to value
        A number, an array or an initialiser for each that the model declares. Arrays of ``vars`` are row-major, shape
        (presynaptic * postsynaptic,), where all are connected; else in the order of the connections given.
    pre_var_refs, post_var_refs : mapping of str to Reference or str
        Variables of the neurons at either end: by name, or made with `create_var_ref`.
    psm_var_refs : mapping of str to str
        Variables of the connection's postsynaptic model, by name.

    Raises
    ------
    DeclarationError, NetworkError
        For an unknown model or wrong names.
    """
    return WeightUpdateInit(
        resolve(WeightUpdateModel, snippet),
        dict(params or {}),
        dict(vars or {}),
        dict(pre_vars or {}),
        dict(post_vars or {}),
        dict(pre_var_refs or {}),
        dict(post_var_refs or {}),
        dict(psm_var_refs or {}),
    )


@checked_arguments
def init_postsynaptic(
    snippet: PostsynapticModel | str,
    params: Values = None,
    vars: Values = None,
    var_refs: LocalReferences = None,
) -> PostsynapticInit:
    """Return a postsynaptic model with its values.

    Parameters
    ----------
    snippet : PostsynapticModel or str
    params, vars : mapping of str to value
    var_refs : mapping of str to Reference or str
        Variables of the postsynaptic neurons: by name, or made with `create_var_ref`.

    Raises
    ------
    DeclarationError, NetworkError
        For an unknown model or wrong names.
    """
    return PostsynapticInit(
        resolve(PostsynapticModel, snippet), dict(params or {}), dict(vars or {}), dict(var_refs or {})
    )


@checked_arguments
def init_sparse_connectivity(snippet: SparseConnectInitSnippet | str, params: Values = None) -> SparseConnectInit:
    """Return an initialiser of sparse connectivity.

    Parameters
    ----------
    snippet : SparseConnectInitSnippet or str
        Such as ``"FixedProbability"``, ``"OneToOne"``, ``"Conv2D"``.
    params : mapping of str to float

    Raises
    ------
    DeclarationError, NetworkError
        For an unknown snippet or wrong parameters.
    """
    return SparseConnectInit(resolve(SparseConnectInitSnippet, snippet), dict(params or {}))


@checked_arguments
def init_toeplitz_connectivity(
    init_toeplitz_connect_snippet: ToeplitzConnectInitSnippet | str, params: Values = None
) -> ToeplitzConnectInit:
    """Return an initialiser of a convolution's connectivity.

    Parameters
    ----------
    init_toeplitz_connect_snippet : ToeplitzConnectInitSnippet or str
        Such as ``"Conv2D"``, ``"AvgPoolConv2D"``.
    params : mapping of str to float

    Raises
    ------
    DeclarationError, NetworkError
        For an unknown snippet or wrong parameters.
    """
    return ToeplitzConnectInit(resolve(ToeplitzConnectInitSnippet, init_toeplitz_connect_snippet), dict(params or {}))


@deprecated("init_sparse_connectivity")
def init_connectivity(
    init_sparse_connect_snippet: SparseConnectInitSnippet | str, params: Values = None
) -> SparseConnectInit:
    """Return what `init_sparse_connectivity` does."""
    return init_sparse_connectivity(init_sparse_connect_snippet, params)
