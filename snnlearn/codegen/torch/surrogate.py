"""A surrogate's code as Python functions of the margin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from snnlearn.codegen.plan import Code, Kernel, Neurons, Plan
from snnlearn.codegen.torch.expressions import Options
from snnlearn.codegen.torch.lines import indented
from snnlearn.codegen.torch.statements import Statements
from snnlearn.codegen.torch.values import SCALAR, Tensor, convert, convert_number
from snnlearn.declare import Surrogate
from snnlearn.dialect import check_model, tree


@dataclass(frozen=True)
class SurrogateValues:
    """A surrogate with the values of its parameters.

    Attributes
    ----------
    surrogate : Surrogate
    values : mapping of str to float
        Of parameters and derived parameters.
    """

    surrogate: Surrogate
    values: Mapping[str, float]


def surrogate_lines(plan: Plan, given: SurrogateValues, smooth: bool) -> Iterator[str]:
    """Yield the lines of a class whose functions are those of a surrogate."""
    yield "class surrogate:"
    yield f"    # {given.surrogate.name}, of the margin"
    snippets = check_model(given.surrogate).snippets
    yield from _function(plan, given, "derivative", snippets["derivative_code"].tree)
    if smooth:
        yield ""
        yield from _function(plan, given, "integral", snippets["integral_code"].tree)


def _function(plan: Plan, given: SurrogateValues, name: str, code: tree.Block | tree.Expr) -> Iterator[str]:
    assert not isinstance(code, tree.Block)
    title = f"{name}_code of surrogate '{given.surrogate.name}'"
    kernel = Kernel(name, title, "", Neurons(1), (), (), (), (), (), frozenset())
    emitter = Statements(plan, kernel, Options())
    emitter.values["h"] = Tensor("h", SCALAR, frozenset(["h"]))
    emitter.values["dt"] = convert_number(plan.dt, plan.timepoint, plan.precision)
    emitter.values |= {n: convert_number(value, SCALAR, plan.precision) for n, value in given.values.items()}
    emitter.code = Code(title, code, {n: n for n in emitter.values})
    value = emitter.tensor(convert(emitter.get(code), SCALAR, plan.precision))
    yield from indented(["@staticmethod", f"def {name}(h):"])
    result = value.text if value.uses else f"{value.text}.expand_as(h)"
    yield from indented([*(line.text for line in emitter.lines), f"return {result}"], 2)
