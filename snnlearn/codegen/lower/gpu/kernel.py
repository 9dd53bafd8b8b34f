"""A kernel on a GPU: how many blocks of threads it takes, and what the loop nests of all schedules have in common."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Call,
    Cast,
    Choose,
    Expr,
    Num,
    Operand,
    State,
    Sum,
    Unary,
    Var,
    equal,
    expr,
    size,
    type_of,
    unequal,
)
from snnlearn.codegen.lower.gpu import threads as rules
from snnlearn.codegen.lower.gpu.threads import WARP, ThreadMapping
from snnlearn.codegen.lower.kernel_names import BATCH, IX, JX
from snnlearn.codegen.lower.lowering import Lowering
from snnlearn.codegen.lower.nest import (
    Assign,
    Barrier,
    Block,
    Body,
    Do,
    Function,
    If,
    Jump,
    Let,
    Parameter,
    Unit,
    Unused,
    View,
    flat,
    loop,
)
from snnlearn.codegen.plan import Accumulate, Kernel, Load, Neurons, Plan, SpikingRows, Synapses

THREAD, THREADS = State("thread", UINT), State("threads", UINT)  # the number of a thread in its block, of how many
PART = Var("part", UINT)
MINE = PART * THREADS + THREAD  # which of the neurons, rows or columns a thread has
RESIDENT, BYTES = Var("resident", "unsigned char"), "unsigned char *"
FIRST = equal(THREAD, 0)


class GpuKernel(Lowering):
    """A kernel with the mapping of its iterations to threads.

    Parameters
    ----------
    kernel : Kernel
    plan : Plan
    threads : int
        Of each block.
    resident : mapping of str to int
        The arrays that a block can keep, with the byte at which each starts.
    """

    restricts = False  # other blocks change what a block reads, while a launch goes on that does many timesteps

    def __init__(self, kernel: Kernel, plan: Plan, threads: int, resident: Mapping[str, int] | None = None) -> None:
        super().__init__(kernel, plan)
        self.threads, self.resident = threads, resident or {}

    # ---- threads ----

    @cached_property
    def mapping(self) -> ThreadMapping:
        """What its threads are."""
        return rules.mapping_of(self.kernel)

    @property
    def serial(self) -> bool:
        """Whether one thread does everything."""
        return self.mapping is ThreadMapping.SERIAL

    @cached_property
    def owned(self) -> list[str]:
        """The arrays that it adds to with a thread, or group of threads, for each element, in registers."""
        return sorted(rules.owned(self.kernel))

    def partial(self, name: str) -> Var:
        """Return a thread's own sum of what is added to an array's element."""
        return Var(f"partial_{name}", self.ctype(self.arrays[name]))

    @cached_property
    def reductions(self) -> list[Load]:
        """What it sums up over all neurons or synapses."""
        return rules.reductions(self.kernel)

    @cached_property
    def columns_per_block(self) -> int:
        """How many columns a block has, where a thread has one."""
        return rules.columns_per_block(self.kernel, self.threads)

    @property
    def groups(self) -> int:
        """How many groups of threads share the rows of the same columns."""
        return self.threads // self.columns_per_block

    @property
    def each_copy(self) -> bool:
        """Whether a thread goes through all copies of a batch, in order: they add to the same elements."""
        return self.copies and any(
            x.store and x.how in ("sum", "max") and not self.arrays[x.array].batched for x in self.kernel.loads
        )

    @cached_property
    def parts_of_copy(self) -> int:
        """How many blocks of threads one copy takes."""
        if self.serial or self.reductions:
            return 1
        domain: Any = self.kernel.domain
        if isinstance(domain, Neurons):
            return 1 if rules.fits_one_block(self.kernel) else ceil(domain.size, self.threads)
        if self.mapping is ThreadMapping.TILES:
            return ceil(domain.post, self.threads) * ceil(domain.pre, rules.ROWS_PER_THREAD)
        if self.mapping is ThreadMapping.MATRIX:
            return self.column_tiles * ceil(domain.pre, self.rows_per_part)
        if self.mapping is ThreadMapping.SPIKES:
            number = domain.pre if isinstance(domain, SpikingRows) else domain.post
            return min(rules.MAX_PARTS, ceil(number, max(1, self.threads // WARP)))
        if self.mapping is ThreadMapping.ROWS:
            return ceil(domain.pre, self.threads)
        if self.mapping is ThreadMapping.COLUMNS:
            return ceil(domain.post, self.columns_per_block)
        return ceil(self.synapses, self.threads)

    @property
    def parts(self) -> int:
        """How many blocks of threads it takes."""
        return self.parts_of_copy * (self.plan.batch_size if self.copies and not self.each_copy else 1)

    @property
    def synapses(self) -> int:
        """How many synapses there is room for."""
        domain = self.kernel.domain
        assert isinstance(domain, Synapses)
        return domain.pre * (domain.post if domain.sparse is None else domain.sparse.stride)

    @property
    def lists(self) -> bool:
        """Whether spikes are listed by a launch of their own, since many blocks find them."""
        return bool(self.kernel.spikes) and not rules.fits_one_block(self.kernel)

    # ---- deferred kernels in matrix form ----

    @property
    def column_tiles(self) -> int:
        """How many tiles the columns make."""
        assert isinstance(self.kernel.domain, Synapses)
        return ceil(self.kernel.domain.post, self.width)

    @cached_property
    def width(self) -> int:
        """How many columns a tile has: as many as a block's memory has room for."""
        assert self.kernel.deferral is not None
        return rules.columns_of_tile(self.kernel.deferral, self.plan.precision)

    @property
    def rows_per_part(self) -> int:
        """How many rows a part has."""
        assert isinstance(self.kernel.domain, Synapses)
        return rules.rows_per_part(self.kernel.domain.pre, self.column_tiles)

    # ---- what machines differ in ----

    def view_start(self, name: str, start: Expr) -> Expr:
        """Return where the view of an array begins: in the block's own memory, where that is resident."""
        if name not in self.resident:
            return start
        return Choose(unequal(RESIDENT, Var("nullptr", BYTES)), self._place(name), start)

    def _place(self, name: str) -> Expr:
        return Cast(f"{self.ctype(self.arrays[name])} *", RESIDENT + self.resident[name])

    def sum(self, action: Accumulate, element: Expr) -> Sum:
        """Return where a sum goes to: a register where it is a thread's own, memory that all share otherwise."""
        if not action.delayed and action.target in self.owned:
            return Sum(self.partial(action.target))
        return Sum(element, atomic=not self.serial)

    # ---- functions ----

    def unit(self, *body: Body | Any, before: tuple[Any, ...] = (), after: tuple[Any, ...] = ()) -> Unit:
        """Return the kernel's function, what calls it for copies of a batch, and what fetches its resident state."""
        name, title = self.kernel.name, f"{self.kernel.title}: threads, {self.mapping.value}"
        part, batch = Parameter("part", UINT), Parameter("batch", UINT)
        more = (Parameter("resident", BYTES),) if self.resident else ()
        if not self.copies:
            functions = [Function(name, title, (part, *more), flat(body))]
        else:
            functions = [Function(f"copy_{name}", title, (part, batch, *more), flat(body))]
            if self.each_copy:
                call = Do(Call(f"copy_{name}", (PART, BATCH), own=True))
                every = loop("batch", self.plan.batch_size, call, Barrier())
                functions.append(Function(name, "", (part,), (every,)))
            else:
                place = (PART % self.parts_of_copy, PART / self.parts_of_copy, *([RESIDENT] if more else []))
                functions.append(Function(name, "", (part, *more), (Do(Call(f"copy_{name}", place, own=True)),)))
        if self.resident:
            functions.append(self._fetch(part, *more))
        return Unit(name, (*before, *functions, *after))

    def _fetch(self, *parameters: Parameter) -> Function:
        body: list[Any] = [Let("batch", UINT, PART) if self.copies else Unused(("part",))]
        for name in self.resident:
            ctype = self.ctype(self.arrays[name])
            here, there, n = Var("here", ctype), Var("there", ctype), Var("n", UINT)
            back = (Assign(there[n], here[n]),) if name in self.kernel.writes else ()
            move = If(Unary("!", Var("back", "bool")), (Assign(here[n], there[n]),), back)
            views = [("here", self._place(name)), ("there", self.start_of(self.arrays[name], 0))]
            body.append(
                Block(
                    (
                        *(View(view, ctype, at, writes=True, restrict=False) for view, at in views),
                        loop("n", self.size_of(name), move, begin=THREAD, step=THREADS),
                    )
                )
            )
        title = "Bring the state that a block keeps, or bring it back."
        return Function(f"fetch_{self.kernel.name}", title, (*parameters, Parameter("back", "bool")), tuple(body))

    # ---- pieces of loops ----

    def synapse(self) -> Let:
        """Return the number of a synapse of all-to-all connectivity."""
        return Let("s", SIZE, size(IX) * self.domain.post + JX)

    def spikes_or_nothing(self) -> Body:
        """Return the list of neurons that a kernel follows; without any there is nothing to do."""
        return (*self.spikes, If(equal(Var("count", UINT), 0), (Jump("return"),)))

    def stores_or_reduces(self, *indices: str) -> Body:
        """Return what writes local copies back, or adds them to a thread's own sum over all neurons or synapses."""
        loads = [x for x in self.kernel.loads_at(*indices) if x.store]
        return flat(tuple(self._reduce(x) if x in self.reductions else tuple(self.store(x)) for x in loads))

    def _reduce(self, load: Load) -> Body:
        reduced, local = self._reduced(load), Var(load.name, self.ctype(load))
        return (Assign(reduced, reduced + local if load.how == "sum" else largest(reduced, local)),)

    def _reduced(self, load: Load) -> Var:
        return Var(f"reduced_{load.name}", self.ctype(load))

    def reduction_start(self) -> Body:
        """Return what many threads sum up, each for itself before the block does."""
        return tuple(
            Let(self._reduced(x).name, self.ctype(x), _start(x.how, self.ctype(x)), False) for x in self.reductions
        )

    def reduction_end(self) -> Body:
        """Return what a block makes of it."""
        found: list[Any] = []
        for x in self.reductions:
            reduced, all_of_it = self._reduced(x), Var(x.array, self.ctype(x))[0]
            found.append(Assign(reduced, Call(f"block_{x.how}", (reduced,), self.ctype(x))))
            add = Assign(all_of_it, reduced, "+=") if x.how == "sum" else Assign(all_of_it, largest(all_of_it, reduced))
            found.append(If(FIRST, (add,)))
        return tuple(found)


def _start(how: str, ctype: str) -> Expr:
    """Return the identity of a reduction."""
    return Num(0, ctype) if how == "sum" else Call("lowest", type=ctype, at=(ctype,))


def least(a: Operand, b: Operand) -> Call:
    """Return the smaller of two whole numbers."""
    return Call("min", (expr(a), expr(b)), UINT)


def largest(a: Expr, b: Expr) -> Call:
    """Return the larger of two numbers."""
    return Call("max", (a, b), type_of(a))


def ceil(number: int, divisor: int) -> int:
    """Return a quotient rounded up."""
    return -(-number // divisor)
