"""Surrogates as expressions of a timestep."""

from __future__ import annotations

from collections.abc import Mapping

from snnlearn.declare import Surrogate
from snnlearn.dialect import algebra, check_model, tree
from snnlearn.dialect.tree import Expr
from snnlearn.errors import DeclarationError, GradientError
from snnlearn.models import surrogates


def find_surrogate(surrogate: Surrogate | str) -> Surrogate:
    """Return a surrogate, or the library's of a name.

    Raises
    ------
    GradientError
        If it is neither; names the nearest.
    """
    if isinstance(surrogate, Surrogate):
        if "derivative_code" not in surrogate.codes():
            raise GradientError(f"surrogate '{surrogate.name}' needs derivative_code, an expression of h")
        return surrogate
    if not isinstance(surrogate, str):
        raise GradientError(f"a surrogate is a grad.Surrogate or a name, not {type(surrogate).__name__}")
    try:
        return surrogates.find(surrogate)
    except DeclarationError as error:
        raise GradientError(str(error)) from None


def surrogate_derivative(
    surrogate: Surrogate, margin: Expr, names: Mapping[str, str], gate: Expr | None = None
) -> Expr:
    """Return the derivative of a spike where the gate is open, and zero where it is not.

    Parameters
    ----------
    surrogate : Surrogate
    margin : expression
        What ``h`` is: a name, as it may stand several times in the result.
    names : mapping of str to str
        What the surrogate's parameters are called where the expression is used.
    gate : expression, optional
        What else the threshold asks for.
    """
    root = check_model(surrogate).snippets["derivative_code"].tree
    values = {n.id: tree.Name(names.get(n.id, n.id), n.type) for n in tree.walk(root) if isinstance(n, tree.Name)}
    e: Expr = tree.substitute(root, values | {"h": margin})
    return e if gate is None else algebra.select(gate, e, algebra.number(0.0))
