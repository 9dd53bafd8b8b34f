"""The kernels of a simulation, and the plan that they make up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Union

from snnlearn.codegen.plan.deferral import Deferral
from snnlearn.codegen.plan.domains import BuildDomain, Columns, Domain, Once, SpikingColumns, SpikingDomain, Synapses
from snnlearn.codegen.plan.history import Player, Recorder
from snnlearn.codegen.plan.parts import Accumulate, Array, Code, Constant, Flag, Input, Load, OnSpike, Part
from snnlearn.declare import Precision, ValueType, value_type

_SCALAR = value_type("scalar")


@dataclass(frozen=True)
class Kernel:
    """A loop over neurons or synapses with what it loads, runs and stores.

    Attributes
    ----------
    name : str
        A C identifier, unique in the plan.
    title : str
        One line for the reader.
    timer : str
        Under which name its run time is summed.
    domain : one of `snnlearn.codegen.plan.domains`
    constants, loads, inputs : tuples of Constant, Load and Input
    body : tuple of Code, OnSpike, SavePreviousSpikeTime and Flag
        In order.
    arrays : tuple of str
        Extra global parameters that the code indexes.
    uses : frozenset of str
        Built-in names in use, such as ``t`` and ``id_pre``.
    stream : int or None
        The stream of random numbers to draw from, if it draws any.
    deferral : Deferral or None
    written_arrays : frozenset of str
        Those of ``arrays`` that the code writes to.
    past : tuple of str
        Queues of which the code reads or writes any slot.
    batched : bool
        Whether it runs once for each copy of a batch.
    draws : str
        When random numbers are drawn anew.
    calls : str or None
        The array that counts the kernel's calls, where numbers are drawn anew in each.
    moved : tuple of str
        The arrays of the synapses that ``remove_synapse`` and ``add_synapse`` move.
    recorders : tuple of Recorder
        What its neurons leave in rows.
    players : tuple of Player
        Which rows its neurons take values from.
    """

    name: str
    title: str
    timer: str
    domain: Domain
    constants: tuple[Constant, ...]
    loads: tuple[Load, ...]
    inputs: tuple[Input, ...]
    body: tuple[Part, ...]
    arrays: tuple[str, ...]
    uses: frozenset[str]
    stream: int | None = None
    deferral: Deferral | None = None
    written_arrays: frozenset[str] = frozenset()
    past: tuple[str, ...] = ()
    batched: bool = False
    draws: Literal["once", "each timestep", "each call"] = "once"
    calls: str | None = None
    moved: tuple[str, ...] = ()
    recorders: tuple[Recorder, ...] = ()
    players: tuple[Player, ...] = ()

    @property
    def codes(self) -> Iterator[Code]:
        """Every piece of code in it: of the body, in order, and of its matrix form."""
        for part in self.body:
            if isinstance(part, Code):
                yield part
            elif isinstance(part, Flag):
                yield part.condition
            elif isinstance(part, OnSpike):
                yield part.condition
                yield from part.before
                yield from part.reset
        if self.deferral is not None and self.deferral.linear is not None:
            yield from self.deferral.linear.codes

    @cached_property
    def local_names(self) -> frozenset[str]:
        """What its own constants, copies and variables are called."""
        names = [c.name for c in self.constants] + [x.name for x in self.loads] + [v.name for v in self.inputs]
        return frozenset(names) | {part.name for part in self.body if isinstance(part, Flag)}

    @property
    def spikes(self) -> tuple[OnSpike, ...]:
        """Its tests for spikes and events."""
        return tuple(part for part in self.body if isinstance(part, OnSpike))

    @cached_property
    def accumulations(self) -> frozenset[Accumulate]:
        """What it adds to beside its own locals."""
        actions = [a for code in self.codes for a in code.actions.values() if isinstance(a, Accumulate)]
        return frozenset(a for a in actions if a.index is not None)

    def loads_at(self, *indices: str) -> list[Load]:
        """Return the elements copied at these indices; what is reduced to is copied in the innermost loop."""
        inner = {"neuron", "synapse"} & {*indices}
        found = []
        for load in self.loads:
            scalar = load.index == "only" and load.store
            if not load.direct and ((load.index in indices and not scalar) or (scalar and inner)):
                found.append(load)
        return found

    @cached_property
    def reads(self) -> frozenset[str]:
        """The arrays it reads."""
        names = {load.array for load in self.loads if load.how != "row"} | {*self.arrays} | {*self.past}
        names |= frozenset().union(*(r.reads for r in self.recorders))
        names |= {name for player in self.players for name in (player.numbers, player.rows)}
        if isinstance(self.domain, SpikingDomain):
            names |= {self.domain.spikes, self.domain.count}
        form = self.deferral.linear if self.deferral is not None else None
        if form is not None and form.silent is not None:
            names |= {load.array for load in form.silent.start} | {form.silent.spikes, form.silent.count}
        sparse = getattr(self.domain, "sparse", None)
        if sparse is not None:
            names |= sparse.column_arrays if isinstance(self.domain, SpikingColumns) else sparse.arrays
            if any(load.index == "kernel" for load in self.loads) or any(
                a.index == "kernel" for a in self.accumulations
            ):
                names.add(sparse.kernel_ind)
        return frozenset(names)

    @cached_property
    def writes(self) -> frozenset[str]:
        """The arrays it changes."""
        written = {load.array for load in self.loads if load.store and load.how != "row"}
        written |= {a.target for a in self.accumulations}
        for part in self.spikes:
            written |= {part.spikes, part.count} | ({part.recording} if part.recording else set())
        written |= frozenset().union(*(r.writes for r in self.recorders))
        if isinstance(self.domain, BuildDomain):
            written |= self.domain.sparse.arrays | {*self.moved}
            if self.domain.sparse.kernel_ind is not None:
                written.add(self.domain.sparse.kernel_ind)
        return frozenset(written | self.written_arrays | ({self.calls} if self.calls else set()))

    @property
    def split(self) -> Literal["pre", "post"] | None:
        """Along which end of its synapses threads may share it without touching the same element, if any."""
        if not isinstance(self.domain, Synapses) or self.past or self.written_arrays or self.calls:
            return None
        if any(load.how in ("sum", "max") or (load.store and load.index == "kernel") for load in self.loads):
            return None
        ends = {a.index for a in self.accumulations}
        if "kernel" in ends:
            return None
        if self.domain.sparse is not None:
            return None if "post" in ends else "pre"
        if "pre" in ends:
            return None if "post" in ends else "pre"
        return "post" if "post" in ends else "pre"


@dataclass(frozen=True)
class Transposition:
    """Copy one synapse array, transposed, into another: ``target[j, i] = source[i, j]``; of ``copies`` of a batch."""

    name: str
    timer: str
    source: str
    target: str
    pre: int
    post: int
    copies: int = 1

    @property
    def reads(self) -> frozenset[str]:
        """The arrays it reads."""
        return frozenset([self.source])

    @property
    def writes(self) -> frozenset[str]:
        """The arrays it changes."""
        return frozenset([self.target])


@dataclass(frozen=True)
class Fill:
    """Set all elements of an array to one value, before a reduction."""

    name: str
    timer: str
    array: str
    value: float

    @property
    def reads(self) -> frozenset[str]:
        """The arrays it reads."""
        return frozenset()

    @property
    def writes(self) -> frozenset[str]:
        """The arrays it changes."""
        return frozenset([self.array])


@dataclass(frozen=True)
class IndexColumns:
    """List each postsynaptic neuron's synapses, from the rows."""

    name: str
    timer: str
    domain: Columns

    @property
    def reads(self) -> frozenset[str]:
        """The arrays it reads."""
        return self.domain.sparse.arrays

    @property
    def writes(self) -> frozenset[str]:
        """The arrays it changes."""
        return self.domain.sparse.column_arrays


Operation = Union[Kernel, Transposition, Fill, IndexColumns]


@dataclass(frozen=True)
class Queue:
    """The newest slot of some arrays, which moves on in each timestep.

    Attributes
    ----------
    array : str
        Where its number is.
    slots : int
    first : bool
        Whether it moves on before the synapses' kernels, or after them, before the neurons'.
    """

    array: str
    slots: int
    first: bool


@dataclass(frozen=True)
class Plan:
    """Everything that a simulation computes.

    Attributes
    ----------
    name : str
    dt : float
        Timestep [ms].
    precision : {"float", "double"}
    arrays : tuple of Array
    init : tuple of Kernel
        Run once, before the first timestep.
    step : tuple of Kernel
        Run in each timestep, in this order.
    custom_updates : mapping of str to tuple of Operation
        By group name; run when called for.
    batch_size : int
        How many copies run at once.
    queues : tuple of Queue
    connect : tuple of Kernel
        Run once, before the variables get their initial values; they make connectivity.
    column_indexing : mapping of str to IndexColumns
        By connection; run whenever its rows may have changed.
    merged : bool
        Whether kernels of one structure are to be compiled as one.
    timepoint : ValueType
        Of ``t``, ``dt`` and the times of spikes.
    turns : bool
        Whether the copies of a batch take turns, each for a block of timesteps.
    at_once : mapping of str to Kernel
        Deferred kernels as they run in each timestep, by name: where copies take turns, for runs too short to defer.
    checked : bool
        Whether it is that of a checked build, in which each stage looks at what the last one gives it.
    """

    name: str
    dt: float
    precision: Precision
    arrays: tuple[Array, ...]
    init: tuple[Kernel, ...]
    step: tuple[Kernel, ...]
    custom_updates: Mapping[str, tuple[Operation, ...]]
    batch_size: int = 1
    queues: tuple[Queue, ...] = ()
    connect: tuple[Kernel, ...] = ()
    column_indexing: Mapping[str, IndexColumns] = field(default_factory=dict)
    merged: bool = False
    timepoint: ValueType = _SCALAR
    turns: bool = False
    at_once: Mapping[str, Kernel] = field(default_factory=dict)
    checked: bool = False

    @cached_property
    def arrays_by_name(self) -> Mapping[str, Array]:
        """The arrays, by name."""
        return {a.name: a for a in self.arrays}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where in a timestep each of its kernels comes, by name."""
        return {k.name: n for n, k in enumerate(self.step)}

    @cached_property
    def users(self) -> Mapping[str, list[Kernel]]:
        """The kernels of a timestep that read or write an array, in order, by its name."""
        return _by_name(self.step, lambda k: k.reads | k.writes)

    @cached_property
    def writers(self) -> Mapping[str, list[Kernel]]:
        """The kernels of a timestep that write an array, in order, by its name."""
        return _by_name(self.step, lambda k: k.writes)

    @cached_property
    def unit(self) -> int:
        """Of how many timesteps parts of a run are whole, but for the last: what copies defer ends with a part."""
        deferred = (k.deferral.depth for k in self.step if k.deferral is not None) if self.turns else ()
        return max(deferred, default=1)

    @property
    def timers(self) -> tuple[str, ...]:
        """The names under which run times are summed, each once."""
        kernels: list[Operation] = [*self.connect, *self.init, *self.step]
        for group in self.custom_updates.values():
            kernels.extend(group)
        return tuple(dict.fromkeys(k.timer for k in kernels))

    @property
    def host_arrays(self) -> list[str]:
        """The arrays whose host copies compiled code works on, in the order of their names."""
        kernels = [k for group in self.custom_updates.values() for k in group if isinstance(k, Kernel)]
        return sorted({name for k in kernels if isinstance(k.domain, Once) for name in k.arrays})

    def array(self, name: str) -> Array:
        """Return an array by name."""
        return self.arrays_by_name[name]


def _by_name(kernels: Iterable[Kernel], names: Callable[[Kernel], Iterable[str]]) -> dict[str, list[Kernel]]:
    found: dict[str, list[Kernel]] = {}
    for kernel in kernels:
        for name in names(kernel):
            found.setdefault(name, []).append(kernel)
    return found
