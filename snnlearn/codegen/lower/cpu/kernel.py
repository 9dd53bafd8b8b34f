"""Kernels on a CPU: which threads share them, how long they take, how their work is cut to size."""

from __future__ import annotations

from functools import cached_property

from snnlearn.codegen.lower.expressions import UINT, Call, Expr, Step, Var
from snnlearn.codegen.lower.kernel_names import ZERO
from snnlearn.codegen.lower.lowering import Lowering
from snnlearn.codegen.lower.nest import Assign, Body, Do, Function, If, Jump, Let, Parameter
from snnlearn.codegen.plan import Kernel, Load, Neurons, Plan, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.domains import Once, Rows

# Below, waking a thread costs more than its share of the work; in every timestep anew, or now and then.
MIN_SHARED_EACH_STEP = 1 << 18
MIN_SHARED = 1 << 13
PART = 32  # rows of a deferred kernel that a thread takes at a time; fewer would fetch the kept past more often
ROWS_AT_ONCE = 8  # whose sums go on side by side; measured: of 4, 8 and 16 the fastest
LONG = 1 << 22  # neurons or synapses from which on a kernel's loop asks whether to give up
LINEAR_PART = 256  # rows of a part of a kernel in matrix form: each part finds the responses of its columns anew
# Vectors of sums that a kernel in matrix form keeps in registers: more than half, the rest for what is added.
MAX_SUMS = 18
TILE = 64  # columns of a deferred tile: four vectors of 512 bits, few enough to stay in registers


class CpuKernel(Lowering):
    """A kernel on its way to the nest of a CPU.

    Parameters
    ----------
    kernel : Kernel
    plan : Plan
    any_size : bool
        Whether the nest is to suit populations of any size.
    """

    def __init__(self, kernel: Kernel, plan: Plan, any_size: bool = False) -> None:
        super().__init__(kernel, plan)
        self.any_size = any_size
        self.restricts = not isinstance(kernel.domain, (Rows, Once))

    def function(self, body: Body) -> Function:
        """Return the function of the kernel."""
        names = (["batch"] if self.copies else []) + (["begin", "end"] if self.shared else [])
        return Function(self.kernel.name, self.kernel.title, tuple(Parameter(name, UINT) for name in names), body)

    # ---- time ----

    @property
    def _synapses(self) -> int:
        """How many synapses there is room for."""
        return self.domain.pre * (self.domain.post if self.domain.sparse is None else self.domain.sparse.stride)  # type: ignore[no-any-return]

    @property
    def is_long(self) -> bool:
        """Whether its loop may take so long that it is to be given up when somebody waits for it."""
        if isinstance(self.domain, Neurons):
            return self.domain.size >= LONG
        return isinstance(self.domain, (Synapses, SpikingRows, SpikingColumns)) and self._synapses >= LONG

    def spent(self) -> Body:
        """Begin to count work, in a loop that may take long."""
        return (Let("spent", UINT, ZERO, const=False),) if self.is_long else ()

    def ask(self, work: Expr) -> Body:
        """At the head of such a loop: give up where somebody waits for that."""
        due = Call("sim.poll.due", (Var("spent", UINT), work), "bool")
        return (If(due, (Jump("break"),)),) if self.is_long else ()

    def count_call(self) -> Body:
        """Count the kernel's calls, where numbers are drawn anew in each."""
        return () if self.kernel.calls is None else (Do(Step(self.memory(self.kernel.calls)[ZERO])),)

    # ---- shares ----

    @cached_property
    def shared(self) -> str | None:
        """The end of the synapses along which threads share the work; None where one thread does it all."""
        kernel = self.kernel
        if kernel.stream is not None or not isinstance(self.domain, Synapses):
            return None
        each_step = kernel.name in self.plan.places and kernel.deferral is None
        enough = MIN_SHARED_EACH_STEP if each_step else MIN_SHARED
        return kernel.split if self._synapses >= enough else None

    @property
    def extent(self) -> int:
        """How many rows or columns threads share."""
        found: int = self.domain.pre if self.kernel.split == "pre" else self.domain.post
        return found

    @property
    def rows_at_once(self) -> bool:
        """Whether several rows of synapses are gone through side by side: where all that rows do is to add up."""
        kernel = self.kernel
        if self.domain.sparse is not None or kernel.split != "pre":
            return False
        sums = {a.index for a in kernel.accumulations} == {"pre"}
        others = any(load.store or load.index == "pre" for load in kernel.loads) or "id_pre" in kernel.uses
        return sums and not others and kernel.stream is None

    @property
    def row_sums(self) -> list[str]:
        """The arrays that rows are added up into."""
        return sorted({a.target for a in self.kernel.accumulations})

    # ---- deferred kernels ----

    @property
    def state(self) -> list[Load]:
        """The variables of a synapse that change."""
        return [load for load in self.kernel.loads_at("synapse") if load.store]

    def state_stores(self, s: Expr) -> Body:
        """Write them back to synapse s."""
        return tuple(Assign(self.view(x.array)[s], Var(x.name, self.ctype(x))) for x in self.state)

    def names_at(self, index: str) -> list[str]:
        """Return the arrays that a deferred kernel reads at an index: kept ones where there are."""
        assert self.kernel.deferral is not None
        buffers = {b.array: b.buffer for b in self.kernel.deferral.buffers}
        return list(dict.fromkeys(buffers.get(x.array, x.array) for x in self.kernel.loads_at(index)))

    @property
    def tiles(self) -> list[tuple[int, int, int]]:
        """Columns of a deferred kernel as (first, end, width): whole tiles, and a rest that is no sliver."""
        post = self.domain.post
        # A sliver would take as long as a tile: it joins the last one.
        whole, rest = divmod(post, TILE)
        if whole and 0 < rest <= TILE // 2:
            whole, rest = whole - 1, rest + TILE
        first = whole * TILE
        return ([(0, first, TILE)] if whole else []) + ([(first, post, rest)] if rest else [])

    @property
    def tile_count(self) -> int:
        """How many tiles of columns a deferred kernel has."""
        return sum((end - first) // width for first, end, width in self.tiles)

    @property
    def deferred_rows(self) -> int:
        """How many rows one part of the work on a deferred block spans."""
        pre: int = self.domain.pre
        if self.linear is not None:
            return min(LINEAR_PART, pre)
        return PART if self.shared else pre

    @property
    def deferred_parts(self) -> int:
        """How many parts the work on a deferred block has."""
        chunks: int = -(-self.domain.pre // self.deferred_rows)
        return chunks * self.tile_count if self.linear is not None else chunks

    @property
    def group(self) -> int:
        """How many rows of a kernel in matrix form are added up at a time."""
        assert self.linear is not None
        return max(1, MAX_SUMS // max(1, len(self.linear.sums)))
