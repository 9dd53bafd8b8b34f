"""How much work a plan's kernels are, and how fast a machine could do it.

Flops are counted from the typed trees: ``+ - * /`` and functions of the maths library are one, ``fma`` is two; what is
the same along a row of synapses is counted once a row, what is the same everywhere not at all, and of two branches the
longer. Bytes come from the loads and stores: every element that is touched, once a pass, from the level that holds all
that a pass touches; what a loop fetches again from the first cache is not counted, as registers may hold it. The pass
of a deferred kernel is a block of many timesteps. One in matrix form adds up products for the rows of neurons that
spike in the block, and goes through the others once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from machine import Machine

from snnlearn.codegen.plan import Kernel, Neurons, Plan, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.deferral import LinearForm
from snnlearn.codegen.plan.parts import Code, Index, OnSpike
from snnlearn.dialect import tree

# How often an expression is evaluated: never again once known, once a row (or timestep), for each element.
_NEVER, _ROW, _ELEMENT = 0, 1, 2
_ARITHMETIC = frozenset(["+", "-", "*", "/"])
_FREE = frozenset(["fabs", "abs", "copysign"])  # a bit is changed


@dataclass(frozen=True)
class Flops:
    """Floating point operations: in fused multiply-adds (two each), and others."""

    fused: float = 0.0
    separate: float = 0.0

    def __add__(self, other: Flops) -> Flops:
        return Flops(self.fused + other.fused, self.separate + other.separate)

    def __mul__(self, times: float) -> Flops:
        return Flops(self.fused * times, self.separate * times)

    @property
    def total(self) -> float:
        return self.fused + self.separate


@dataclass(frozen=True)
class Bytes:
    """Memory traffic: of arrays that are only read, and of those that are written, both ways counted."""

    read: float = 0.0
    update: float = 0.0

    def __add__(self, other: Bytes) -> Bytes:
        return Bytes(self.read + other.read, self.update + other.update)

    @property
    def total(self) -> float:
        return self.read + self.update


@dataclass(frozen=True)
class Work:
    """What one timestep of a kernel is.

    Attributes
    ----------
    flops : Flops
    traffic : Bytes
        Between the core and the level that holds ``footprint``.
    footprint : float
        All that is touched in a timestep by the kernels that are not deferred; in a block by those that are [bytes].
    """

    flops: Flops
    traffic: Bytes
    footprint: float


@dataclass(frozen=True)
class Bound:
    """What holds a kernel up on a machine, and the shortest time for a timestep [s]."""

    name: str
    seconds: float


def work_of(plan: Plan, spikes: Mapping[str, float]) -> dict[str, Work]:
    """Return the work of each kernel of the timestep.

    Parameters
    ----------
    plan : Plan
    spikes : mapping of str to float
        How many neurons of a group spike in a timestep, on average.
    """
    itemsize = {a.name: _itemsize(a, plan) for a in plan.arrays}
    sizes = {a.name: a.size or 0 for a in plan.arrays}
    groups = {a.name: a.location.group for a in plan.arrays}
    found = {}
    for deferred in (False, True):
        kernels = [k for k in plan.step if (k.deferral is not None) == deferred]
        touched = frozenset().union(*(_arrays_of(k) for k in kernels))
        footprint = float(sum(itemsize[name] * sizes[name] for name in touched))
        for k in kernels:
            count = _Counter(k, itemsize, spikes, groups)
            found[k.name] = Work(count.flops(), count.traffic(), footprint)
    return {k.name: found[k.name] for k in plan.step}


def bound_of(work: Work, machine: Machine) -> Bound:
    """Return the roof over a kernel: the longer of its times for arithmetic and for memory."""
    level = machine.level_of(work.footprint)
    traffic = work.traffic
    arithmetic = work.flops.fused / machine.fused + work.flops.separate / machine.separate
    memory = traffic.read / machine.read[level] + traffic.update / machine.update[level]
    return Bound("arithmetic", arithmetic) if arithmetic >= memory else Bound(level, memory)


def _itemsize(array: Any, plan: Plan) -> int:
    ctype = array.type.ctype_for(plan.precision)
    return 8 if ctype in ("double", "int64_t", "uint64_t") else 1 if ctype in ("bool", "int8_t", "uint8_t") else 4


def _arrays_of(kernel: Kernel) -> frozenset[str]:
    kept = {b.array: b.buffer for b in kernel.deferral.buffers} if kernel.deferral else {}
    return frozenset(kept.get(name, name) for name in kernel.reads | kernel.writes)


class _Counter:
    """Counts one kernel."""

    def __init__(
        self, kernel: Kernel, itemsize: Mapping[str, int], spikes: Mapping[str, float], groups: Mapping[str, str]
    ) -> None:
        self.kernel, self.itemsize, self.spikes, self.groups = kernel, itemsize, spikes, groups
        domain = kernel.domain
        self.pre, self.post = (0, 0) if isinstance(domain, Neurons) else (domain.pre, domain.post)
        self.rows, self.inner = 1.0, 0.0  # how often the outer loop runs, and the inner one in it
        if isinstance(domain, Neurons):
            self.inner = float(domain.size)
        elif isinstance(domain, Synapses):
            self.rows, self.inner = float(domain.pre), float(domain.post)
        elif isinstance(domain, SpikingRows):
            self.rows, self.inner = spikes.get(groups[domain.spikes], 0.0), float(domain.post)
        else:
            assert isinstance(domain, SpikingColumns)
            self.rows, self.inner = spikes.get(groups[domain.spikes], 0.0), float(domain.pre)
        self.outer: Index = "post" if isinstance(domain, SpikingColumns) else "pre"
        self.spiking = 0.0  # share of the neurons that spike
        spike = next((part for part in kernel.body if isinstance(part, OnSpike)), None)
        if spike is not None:
            self.spiking = spikes.get(groups[spike.spikes], 0.0) / max(self.inner, 1.0)

    # ---- bytes ----

    def traffic(self) -> Bytes:
        kernel, total = self.kernel, Bytes()
        passes = 1.0 / kernel.deferral.depth if kernel.deferral is not None else 1.0
        kept = {b.array for b in kernel.deferral.buffers} if kernel.deferral is not None else set()
        for load in kernel.loads:
            # A kept vector has a row for each timestep; all else is fetched once a pass.
            nbytes = self.itemsize[load.array] * self.distinct(load.index) * (1.0 if load.array in kept else passes)
            total += Bytes(update=2 * nbytes) if load.store else Bytes(read=nbytes)
        for action in kernel.accumulations:
            assert action.index is not None
            total += Bytes(update=2 * self.itemsize[action.target] * self.distinct(action.index))
        return total

    def distinct(self, index: Index) -> float:
        """Return how many elements of an array at this index a pass touches."""
        if index == "only":
            return 1.0
        if index == "synapse":
            return self.rows * self.inner
        if index == self.outer:
            return self.rows
        return self.inner if self.rows >= 1.0 else self.rows * self.inner

    # ---- flops ----

    def flops(self) -> Flops:
        form = self.kernel.deferral.linear if self.kernel.deferral is not None else None
        if form is not None:
            return self.linear_flops(form)
        names = self.ranks()
        total = Flops()
        for part in self.kernel.body:
            codes = [(part, 1.0)]
            if isinstance(part, OnSpike):
                codes = [(part.condition, 1.0), *((c, self.spiking) for c in (*part.before, *part.reset))]
            for code, share in codes:
                walk = _Walk({name: names.get(target, _ELEMENT) for name, target in code.names.items()}, names)
                element, row = walk.count(code.tree, frozenset(code.actions))
                total += (element * (self.rows * self.inner) + row * self.rows) * share
        return total

    def linear_flops(self, form: LinearForm) -> Flops:
        """Return the flops of a kernel in matrix form: of its columns, of the products, of the rows once a block."""
        assert self.kernel.deferral is not None
        depth, rows = self.kernel.deferral.depth, self.rows
        if form.silent is not None:
            rate = self.spikes.get(self.groups[form.silent.spikes], 0.0) / self.rows
            rows = self.rows * (1.0 - (1.0 - rate) ** depth)  # a neuron spikes in a timestep or does not
        once = self.rows * self.inner / depth
        total = self.each(form.backward) * self.inner + self.each(form.products) * (rows * self.inner)
        total += self.each(form.finish) * once
        if form.silent is not None:
            total += self.each(form.silent.backward) * self.inner
            total += self.each(form.silent.sums) * (once * (1.0 - rows / self.rows))
        return total

    def each(self, code: Code) -> Flops:
        """Return the flops of a piece of code for one element; what is the same for others is not taken out."""
        names = {c.name: _NEVER for c in self.kernel.constants}
        element, _ = _Walk(names, {}).count(code.tree, frozenset())
        return element

    def ranks(self) -> dict[str, int]:
        """Return how often what a name of the kernel stands for changes."""
        ranks = dict.fromkeys(("dt", "num_pre", "num_post"), _NEVER) | {"t": _ROW}
        ranks |= {c.name: _NEVER for c in self.kernel.constants}
        for load in self.kernel.loads:
            ranks[load.name] = _ROW if load.index in ("only", self.outer) else _ELEMENT
        return ranks


class _Walk:
    """Counts the flops of a tree: those for each element and those for each row."""

    def __init__(self, names: Mapping[str, int], kernel: Mapping[str, int]) -> None:
        self.rank_of = {**kernel, **names}
        self.counts = {_NEVER: Flops(), _ROW: Flops(), _ELEMENT: Flops()}
        self.actions: frozenset[str] = frozenset()

    def count(self, code: Any, actions: frozenset[str]) -> tuple[Flops, Flops]:
        self.actions = actions
        self.visit(code)
        return self.counts[_ELEMENT], self.counts[_ROW]

    def add(self, rank: int, flops: Flops) -> None:
        self.counts[rank] = self.counts[rank] + flops

    def visit(self, node: Any) -> int:
        """Count a node and return its rank."""
        if isinstance(node, tuple):
            return max((self.visit(item) for item in node), default=_NEVER)
        if isinstance(node, tree.Name):
            return self.rank_of.get(node.id, _ELEMENT)
        if isinstance(node, (tree.If, tree.Ternary)):
            return self.branch(node)
        if isinstance(node, tree.Declare):
            self.rank_of[node.name] = self.visit(node.value)
            return self.rank_of[node.name]
        if isinstance(node, tree.Assign):
            return self.assign(node)
        if not hasattr(node, "__dataclass_fields__") or isinstance(node, tree.Literal):
            return _NEVER
        rank = max((self.visit(getattr(node, name)) for name in _children(node)), default=_NEVER)
        if isinstance(node, (tree.Index, tree.Step)):
            rank = _ELEMENT
        self.add(rank, self.own(node))
        return rank

    def own(self, node: Any) -> Flops:
        """Return the flops of a node alone."""
        if isinstance(node, tree.Binary) and node.type.kind == "float" and node.op in _ARITHMETIC:
            return Flops(separate=1.0)
        if isinstance(node, tree.Call):
            if node.function == "fma":
                return Flops(fused=2.0)
            if node.function in self.actions:
                return Flops(separate=1.0)
            if node.type.kind == "float" and node.function not in _FREE:
                return Flops(separate=1.0)
        return Flops()

    def assign(self, node: tree.Assign) -> int:
        rank = self.visit(node.value)
        compound = node.op.removesuffix("=")
        if compound:
            rank = max(rank, self.visit(node.target))
            if compound in _ARITHMETIC and node.type.kind == "float":
                self.add(rank, Flops(separate=1.0))
        self.rank_of[node.target.id] = max(rank, self.rank_of.get(node.target.id, _NEVER))
        return rank

    def branch(self, node: Any) -> int:
        """Count the condition and the longer branch."""
        rank = self.visit(node.condition)
        counts = []
        for part in (node.then, node.other):
            before = dict(self.counts)
            rank = max(rank, self.visit(part))
            counts.append(self.counts)
            self.counts = before
        self.counts = max(counts, key=lambda c: sum(flops.total for flops in c.values()))
        return rank


def _children(node: Any) -> list[str]:
    return [name for name in node.__dataclass_fields__ if name not in ("type", "op", "function", "text", "word")]
