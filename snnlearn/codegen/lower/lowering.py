"""A kernel on its way to loop nests: what the schedules of all machines have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from snnlearn.codegen.lower import history
from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Call,
    Choose,
    Expr,
    Num,
    Operand,
    Scope,
    Slot,
    Sum,
    Unary,
    Value,
    Var,
    both,
    size,
    unequal,
)  # fmt: skip
from snnlearn.codegen.lower.kernel_names import (
    BATCH,
    BUILT_IN,
    IX,
    JX,
    NEWEST,
    SX,
    TIMESTEP,
    ZERO,
    KernelNames,
    view_name,
)  # fmt: skip
from snnlearn.codegen.lower.nest import (
    Assign,
    Body,
    Comment,
    Draws,
    For,
    If,
    Let,
    Run,
    Statement,
    Unused,
    View,
    loop,
)  # fmt: skip
from snnlearn.codegen.plan import Array, Code, Load, Neurons, OnSpike
from snnlearn.codegen.plan.deferral import LinearForm, SilentRows
from snnlearn.codegen.plan.domains import Once, SpikingDomain
from snnlearn.codegen.plan.parts import Accumulate, AddSynapse, Connect, Flag, Index, Input, Part, SavePreviousSpikeTime


class Lowering(KernelNames):
    """Makes the statements of a kernel's nest; schedules override what machines differ in."""

    # ---- what machines differ in ----

    def sum(self, action: Accumulate, element: Expr) -> Sum:
        """Return where a sum goes to, given the element, or the index of a delayed one."""
        return Sum(element)

    def view_start(self, name: str, start: Expr) -> Expr:
        """Return where the view of the newest slot of an array begins, which begins there in the memory of all."""
        return start

    @cached_property
    def scope(self) -> Scope:
        """What names and calls in the code of users stand for."""
        kernel = self.kernel
        direct = {x.name: self.view(x.array)[self.index(x.index)] for x in kernel.loads if x.direct}
        sums = {}
        for a in kernel.accumulations:
            assert a.index is not None
            # Of a delayed one the slot is known where it runs.
            at = self.index(a.index)
            sums[a.target, a.index] = (
                Sum(at, self.sum(a, at).atomic) if a.delayed else self.sum(a, self.view(a.target)[at])
            )
        guards = {x.name: x.guard for x in kernel.loads if x.guard}
        names = {**BUILT_IN, **direct} if direct else BUILT_IN
        precision, own = self.plan.precision, kernel.local_names
        return Scope(kernel.title, precision, names, guards, sums, self.arrays, kernel.domain, own)

    # ---- constants and views ----

    def head(self) -> Body:
        """Return what any kernel begins with."""
        return (*self.constants(), *self.views(), *self.rows(), *self.time(), *self.loads("only"))

    def constants(self) -> Body:
        """Define the constants."""
        found = [
            Let(c.name, ctype, Num(c.value, ctype)) for c in self.kernel.constants if (ctype := self.ctype(c.type))
        ]
        if "dt" in self.kernel.uses:
            found.append(Let("dt", self.time_type, Num(self.plan.dt, self.time_type)))
        return tuple(found)

    def time(self, timestep: Expr = TIMESTEP) -> Body:
        """Define the time, where it is needed."""
        if "t" not in self.kernel.uses:
            return ()
        return (Let("t", self.time_type, Call("time_of", (timestep, self.dt), self.time_type, at=(self.time_type,))),)

    def views(self) -> Body:
        """View the arrays in use."""
        buffers = {b.array: b.buffer for b in self.kernel.deferral.buffers} if self.kernel.deferral is not None else {}
        queues = {name: self.arrays[name].queue for name in self.kernel.past}
        return (
            *(self.view_of(name, delay) for name, delay in self._viewed() if name not in buffers),
            *(Let(NEWEST + name, UINT, Slot(queue)) for name, queue in queues.items() if queue is not None),
            *(self.view_of(name, 0) for name in buffers.values()),
        )

    def _viewed(self) -> list[tuple[str, int | None]]:
        """Return the arrays in use, each with how many timesteps ago, or None for all slots of a queue."""
        kernel = self.kernel
        views: dict[tuple[str, int | None], None] = {}
        for load in kernel.loads:
            if load.how == "replace" and not load.played:
                views[load.array, load.delay] = None
            if load.how == "broadcast" and self.arrays[load.array].slots > 1:
                views[load.array, None] = None
            elif load.store and load.how != "row":
                views[load.array, 0] = None
        views |= {(name, 0): None for name in kernel.arrays}
        views |= {(a.target, 0): None for a in sorted(kernel.accumulations, key=lambda a: a.target) if not a.delayed}
        views |= {(name, None): None for name in kernel.past}
        if isinstance(kernel.domain, SpikingDomain):
            views |= {(name, kernel.domain.delay): None for name in (kernel.domain.spikes, kernel.domain.count)}
        for spike in kernel.spikes:
            views |= {(name, 0): None for name in (spike.spikes, spike.count, spike.recording) if name is not None}
        seen = {name for name, _ in views} | history.rows_of(kernel)
        views |= {(name, 0): None for name in sorted((kernel.reads | kernel.writes) - seen)}
        # A delay means nothing where only the last timestep is kept.
        return list(dict.fromkeys((n, d if d is None or self.arrays[n].slots > 1 else 0) for n, d in views))

    def view_of(self, name: str, delay: int | None) -> View:
        """Return the definition of a view."""
        array = self.arrays[name]
        host = isinstance(self.domain, Once) and name in self.kernel.arrays
        # One that looks back is only read, unless code says where to write.
        writes = (name in self.kernel.writes or host) and not delay
        start = self.view_start(name, self.start_of(array, delay, host))
        return View(view_name(name, delay), self.ctype(array), start, writes, self.restricts)

    def rows(self) -> Body:
        """Find out which rows of kept values the timestep writes and reads."""
        return (*history.recorder_lets(self), *history.player_views(self))

    # ---- local copies ----

    def loads(self, *indices: str) -> Body:
        """Copy the elements at these indices."""
        return tuple(self.copy_of(load) for load in self.kernel.loads_at(*indices))

    def copy_of(self, load: Load) -> Let:
        """Return the definition of a local copy."""
        return Let(load.name, self.ctype(load), self.first_value(load), not load.store)

    def first_value(self, load: Load) -> Expr:
        """Return what a local copy begins with."""
        if load.how in ("sum", "broadcast") or (load.how == "row" and not load.played):
            return ZERO
        if load.how == "max":
            return Call("lowest", (), self.ctype(load), at=(self.ctype(load),))
        if load.played:
            return history.played_element(self, load.played, self.index(load.index))
        element = self.past(load.array, load.delay)[self.index(load.index)]
        if load.arrives_after is not None:
            return Call("arrival", (element, Num(load.arrives_after, "int"), self.dt), self.ctype(load))
        return element

    def stores(self, *indices: str) -> Body:
        """Write back what was changed at these indices."""
        return tuple(s for load in self.kernel.loads_at(*indices) if load.store for s in self.store(load))

    def store(self, load: Load) -> Iterator[Statement]:
        """Yield what writes a local copy back."""
        element, copy = self.view(load.array)[self.index(load.index)], Var(load.name, self.ctype(load))
        array = self.arrays[load.array]
        if load.how == "row":  # by its recorder
            return
        if load.how == "sum":
            yield Assign(element, copy, "+=")
        elif load.how == "max":
            yield Assign(element, Call("max", (element, copy), copy.type))
        elif load.how == "broadcast" and array.slots > 1:
            assert array.size is not None
            place = size(Var("slot", UINT)) * array.size + self.index(load.index)
            yield loop("slot", array.slots, Assign(self.view(load.array, None)[place], copy))
        else:
            yield Assign(element, copy)

    def inputs(self) -> Body:
        """Define the kernel's own variables."""
        return tuple(self.let_input(v) for v in self.kernel.inputs)

    def let_input(self, v: Input, const: bool = False) -> Let:
        """Return the definition of a variable of the kernel."""
        return Let(v.name, self.ctype(v), Num(v.start, self.ctype(v)), const)

    # ---- code ----

    def run(self, code: Code) -> Run:
        """Return a piece of code as a statement."""
        return Run(code, self.scope)

    def body(self, marks: Callable[[int, Expr], Body] | None = None, parts: Iterable[Part] | None = None) -> Body:
        """Run the kernel's code, or some parts of it.

        Parameters
        ----------
        marks : callable, optional
            Takes the number of a test for spikes, and whether it has found one (0 or 1); returns what keeps that.
        parts : iterable of parts of the body, optional
        """
        found: list[Statement] = []
        for part in self.kernel.body if parts is None else parts:
            if isinstance(part, OnSpike):
                found += self._on_spike(part, marks)
            elif isinstance(part, SavePreviousSpikeTime):
                found.append(Comment("the last spike was before this timestep"))
                last, before = Var(part.last, self.time_type), Var(part.before, self.time_type)
                just_now = Call("just_now", (last, TIMESTEP, self.dt), "bool")
                found.append(If(just_now, (Assign(before, last),)))
            elif isinstance(part, Flag):
                found += [Comment(part.condition.title), Let(part.name, "bool", Value(part.condition, self.scope))]
            else:
                found += [Comment(part.title), self.run(part)]
        return tuple(found)

    def _on_spike(self, part: OnSpike, marks: Callable[[int, Expr], Body] | None) -> Body:
        number = self.kernel.spikes.index(part)
        condition: Expr = Value(part.condition, self.scope)
        if part.unless is not None:
            condition = both(condition, Unary("!", Var(part.unless, "bool")))
        spikes = Var(f"spikes_{number}", UINT)
        found: list[Statement] = [Let(spikes.name, UINT, Choose(condition, Num(1, UINT), Num(0, UINT)))]
        found += marks(number, spikes) if marks is not None else ()
        inside: list[Statement] = [s for code in part.before for s in (Comment(code.title), self.run(code))]
        if part.time is not None:
            inside.append(Assign(Var(part.time, self.time_type), Var("t", self.time_type)))
        inside += [s for code in part.reset for s in (Comment(code.title), self.run(code))]
        if inside:
            found.append(If(unequal(spikes, 0), tuple(inside)))
        return tuple(found)

    @property
    def records(self) -> bool:
        """Whether it records spikes or events."""
        return any(spike.recording is not None for spike in self.kernel.spikes)

    # ---- random numbers ----

    def random(self, index: Expr, number: int) -> Body:
        """Begin an element's random numbers, where there are any; ``number`` is how many elements one copy has."""
        kernel = self.kernel
        if kernel.stream is None:
            return ()
        more: tuple[Expr, ...] = ()
        if kernel.draws == "each timestep":
            more = (TIMESTEP,)
        elif kernel.calls is not None:
            more = (self.memory(kernel.calls)[ZERO],)
        return (Draws(kernel.stream, self.random_index(index, number), more),)

    def random_index(self, index: Expr, number: int) -> Expr:
        """Return the number of an element among those of all copies."""
        return size(BATCH) * number + index if self.copies else index

    @property
    def random_rows(self) -> int:
        """How many indices the random numbers of one copy of a population take, in whole blocks."""
        assert isinstance(self.domain, Neurons)
        return -(-self.domain.size // 4) * 4

    # ---- synapses ----

    def along_row(self, *inside: Statement | Body, begin: Operand = 0, end: Operand | None = None) -> For:
        """Go from row i to its synapses s, with the postsynaptic neuron j of each."""
        domain = self.domain
        if domain.sparse is None:
            synapse = Let("s", SIZE, size(IX) * domain.post + JX)
            return loop("j", domain.post if end is None else end, synapse, *inside, begin=begin)
        sparse = domain.sparse
        return loop(
            "n",
            self.view(sparse.row_length)[IX],
            Let("s", SIZE, size(IX) * sparse.stride + Var("n", UINT)),
            Let("j", UINT, self.view(sparse.ind)[SX]),
            Unused(("j",)),
            *inside,
        )

    @property
    def spikes(self) -> Body:
        """Which spikes there are to work on."""
        domain = self.domain
        return (
            View("spikes", UINT, self.past(domain.spikes, domain.delay), restrict=False),
            Let("count", UINT, self.past(domain.count, domain.delay)[ZERO]),
        )

    @property
    def builds(self) -> bool:
        """Whether it makes connectivity, rather than changing it."""
        return any(isinstance(a, Connect) for code in self.kernel.codes for a in code.actions.values())

    @property
    def added(self) -> list[Array]:
        """The arrays whose values ``add_synapse`` takes."""
        actions = (a for code in self.kernel.codes for a in code.actions.values())
        found = next((a for a in actions if isinstance(a, AddSynapse)), None)
        return [] if found is None else [self.arrays[value.array] for value in found.values]

    # ---- deferred kernels ----

    @property
    def linear(self) -> LinearForm | None:
        """The matrix form of a deferred kernel."""
        return self.kernel.deferral.linear if self.kernel.deferral is not None else None

    @property
    def silent(self) -> SilentRows | None:
        """What a deferred kernel does with the rows of silent neurons."""
        return self.linear.silent if self.linear is not None else None

    def buffered(self, load: Load, index: Expr, k: Expr | None) -> Expr | None:
        """Return an element of the kept past of a load's array, if there is one: in the k-th timestep, or the first."""
        assert self.kernel.deferral is not None
        for b in self.kernel.deferral.buffers:
            if b.array == load.array:
                oldest = Var("oldest", SIZE)
                return self.view(b.buffer)[(oldest if k is None else oldest + k) * b.stride + index]
        return None

    def vector_lets(self, index: Index, k: Expr) -> Body:
        """Copy the elements of vectors in the k-th timestep of a block: row i's (``pre``) or column j's."""
        at = IX if index == "pre" else JX
        return tuple(
            Let(x.name, self.ctype(x), self.buffered(x, at, k) or self.view(x.array)[at])
            for x in self.kernel.loads_at(index)
        )
