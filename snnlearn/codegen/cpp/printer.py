"""Loop nests as C++."""

from __future__ import annotations

from typing import ClassVar

from snnlearn.codegen.clike.nests import NestPrinter
from snnlearn.codegen.lower.nest import Prefetch


class CppPrinter(NestPrinter):
    """Prints functions of a `Simulation`."""

    simulation = "Simulation &sim"
    poll = ("sim.poll.due(", ", 64u)")
    hints: ClassVar[dict[str, str]] = {
        "independent": "SNN_INDEPENDENT",
        "no unroll": "SNN_NO_UNROLL",
        "unroll 8": "#pragma GCC unroll 8",
    }

    def _print_prefetch(self, s: Prefetch) -> None:
        self.line("for (size_t n = 0; n < ")
        self.expression(s.count)
        self.out.append(" * sizeof(*(")
        self.expression(s.pointer, top=True)
        self.out.append(")); n += 64) {")
        self.line("    __builtin_prefetch(reinterpret_cast<const char *>(")
        self.expression(s.pointer, top=True)
        self.out.append(f" {s.sign} ")
        self.expression(s.distance)
        self.out.append(f") + n, {int(s.writes)});")
        self.line("}")
