"""The code of users as the C family has it, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snnlearn.codegen.clike.nests import NestPrinter
from snnlearn.codegen.clike.pieces import text_of
from snnlearn.codegen.lower.expressions import Scope
from snnlearn.codegen.lower.kernel_names import BUILT_IN
from snnlearn.codegen.plan import Code, Kernel
from snnlearn.declare import Precision
from snnlearn.dialect.tree import Block


class PlainPrinter(NestPrinter):
    """Prints what any language of the family does."""

    simulation = "Simulation &sim"


def printed_lines(
    code: Code, kernel: Kernel, precision: Precision, taken: tuple[str, ...] = (), sums: Mapping[Any, Any] | None = None
) -> list[str]:
    """Return a piece of a kernel's code printed; names in ``taken`` are arrays'."""
    arrays: Any = dict.fromkeys(taken)
    scope = Scope(kernel.title, precision, BUILT_IN, {}, sums or {}, arrays, kernel.domain, kernel.local_names)
    printer = PlainPrinter()
    if isinstance(code.tree, Block):
        printer.run(code, scope)
        return text_of(printer.out).split("\n")[1:]
    printer.value(code, scope)
    return [text_of(printer.out)]
