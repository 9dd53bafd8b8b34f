"""Printing loop nests as CUDA C++."""

from __future__ import annotations

from typing import ClassVar

from snnlearn.codegen.clike.nests import NestPrinter
from snnlearn.codegen.clike.pieces import ARRAY, COMMENT, LOCAL, Hole, Piece
from snnlearn.codegen.lower import nest
from snnlearn.codegen.lower.expressions import UINT, Atomic, Member, Slot

_ATOMICS = {"+": "atomicAdd", "-": "atomicSub"}


class CudaPrinter(NestPrinter):
    """Prints what a GPU has of its own: threads, the memory of a block, atomics."""

    simulation = "const Sim &sim"
    memory_of = "snn_arrays"
    copy, zero = "::memcpy", "::memset"
    restrict = ""
    states: ClassVar[dict[str, str]] = {"thread": "threadIdx.x", "threads": "THREADS"}
    hints: ClassVar[dict[str, str]] = {hint: f'_Pragma("{hint}")' for hint in ("unroll", "unroll 4", "unroll 8")}

    def unit(self, unit: nest.Unit) -> list[Piece]:
        """Return the pieces of a unit."""
        found: list[Piece] = []
        for part in unit.parts:
            found += ["\n"] if found else []
            found += self.function(part) if isinstance(part, nest.Function) else self._global(part)
        return found

    def _global(self, g: nest.Global) -> list[Piece]:
        title: list[Piece] = [Hole(f"// {g.title}", COMMENT), "\n"] if g.title else []
        return [*title, f"__device__ {g.type} ", Hole(g.name, LOCAL), f"[{g.size}];"]

    def _print_scratch(self, s: nest.Scratch) -> None:
        kind = s.name.capitalize()

        def rooms() -> None:
            for room in s.rooms:
                self.line(f"{room.type} ")
                self.out += [Hole(room.name, LOCAL), "".join(f"[{n}]" for n in room.shape) + ";"]

        self.line()
        self.braces(f"struct {kind} ", rooms, "};")
        self.line(f'static_assert(sizeof({kind}) <= sizeof(snn_scratch), "room");')
        self.line(f"{kind} &{s.name} = *({kind} *)snn_scratch;")

    def _print_member(self, e: Member) -> None:
        self.expression(e.base)
        self.out += [".", Hole(e.name, LOCAL)]

    def _print_atomic(self, e: Atomic) -> None:
        self.out.append(f"{_ATOMICS[e.op]}(&")
        self.expression(e.target)
        self.out.append(", ")
        self.expression(e.value, top=True)
        self.out.append(")")

    def _print_slot(self, e: Slot) -> None:
        self.out.append(Hole(f"sim.{e.queue}", ARRAY, UINT, e.queue))
