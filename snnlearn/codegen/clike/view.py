"""Kernels in the form that templates of the C family want: lines of code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from snnlearn.codegen.clike import history
from snnlearn.codegen.clike.printer import ANY_SLOT, NEWEST, Printer, literal, spell_index
from snnlearn.codegen.plan import Array, Code, Kernel, Load, Neurons, OnSpike, Plan
from snnlearn.codegen.plan.deferral import LinearForm, SilentRows
from snnlearn.codegen.plan.domains import Columns, Diagonals, Once, Rows, SpikingDomain
from snnlearn.codegen.plan.parts import AddSynapse, Connect, Flag, SavePreviousSpikeTime
from snnlearn.declare import value_type


@dataclass(frozen=True)
class KernelView:
    """A kernel with its code printed; what languages spell in ways of their own is overridden."""

    kernel: Kernel
    plan: Plan
    printer: ClassVar[type[Printer]] = Printer  # the language's

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kernel, name)

    @property
    def arrays_by_name(self) -> Mapping[str, Array]:
        """All arrays of the plan."""
        return self.plan.arrays_by_name

    @property
    def copies(self) -> bool:
        """Whether it is called once for each copy of a batch."""
        return self.kernel.batched and self.plan.batch_size > 1

    @property
    def linear(self) -> LinearForm | None:
        """The matrix form of a deferred kernel."""
        return self.kernel.deferral.linear if self.kernel.deferral is not None else None

    @property
    def silent(self) -> SilentRows | None:
        """What a deferred kernel does with the rows of silent neurons."""
        return self.linear.silent if self.linear is not None else None

    def code_lines(self, code: Code) -> list[str]:
        """Return a piece of code printed."""
        return self._printer().lines(code)

    def _printer(self) -> Printer:
        return Printer(self.kernel, self.plan.precision, self.arrays_by_name, self.arrays_by_name)

    # ---- what languages differ in ----

    def place(self, array: str) -> str:
        """Return what the pointer to the memory of an array is called outside of kernels."""
        return f"{self.printer.memory}.{array}"

    def slot(self, queue: str) -> str:
        """Return the number of a queue's newest slot."""
        return f"{self.place(queue)}[0]"

    @property
    def restrict(self) -> str:
        """What tells a compiler that a pointer is the only way to its memory."""
        return "" if isinstance(self.kernel.domain, (Rows, Once)) else "__restrict__ "

    # ---- constants and pointers ----

    @property
    def constant_lines(self) -> list[str]:
        """Definitions of the constants."""
        precision = self.plan.precision
        lines = [
            f"const {c.type.ctype_for(precision)} {c.name} = {literal(c.value, c.type, precision)};"
            for c in self.kernel.constants
        ]
        if "dt" in self.kernel.uses:
            lines.append(f"const {self.time} dt = {literal(self.plan.dt, self.plan.timepoint, precision)};")
        return lines

    @property
    def time(self) -> str:
        """The C type of times."""
        return self.plan.timepoint.ctype_for(self.plan.precision)

    @property
    def dt(self) -> str:
        """The timestep as a literal, as the network has it."""
        return literal(self.plan.dt, value_type("double"), self.plan.precision)

    @property
    def pointer_lines(self) -> list[str]:
        """Pointers to the arrays in use, each known to be the only way to its memory."""
        kept = {}
        if self.kernel.deferral is not None:
            kept = {b.array: b.buffer for b in self.kernel.deferral.buffers}
        lines = [self._pointer(name, delay) for name, delay in self._views() if name not in kept]
        queues = {name: self.arrays_by_name[name].queue for name in self.kernel.past}
        lines += [f"const unsigned int {NEWEST}{name} = {self.slot(q)};" for name, q in queues.items() if q is not None]
        return lines + [self._pointer(name, 0) for name in kept.values()]

    def _views(self) -> list[tuple[str, int | None]]:
        """Return the arrays in use, each with how many timesteps ago, or None for all slots of a queue."""
        kernel = self.kernel
        views: dict[tuple[str, int | None], None] = {}
        for load in kernel.loads:
            if load.how == "replace" and not load.played:
                views[load.array, load.delay] = None
            if load.how == "broadcast" and self.arrays_by_name[load.array].slots > 1:
                views[load.array, None] = None
            elif load.store and load.how != "row":
                views[load.array, 0] = None
        views |= {(name, 0): None for name in kernel.arrays}
        accumulations = sorted(kernel.accumulations, key=lambda a: a.target)
        views |= {(a.target, 0): None for a in accumulations if not a.delayed}
        views |= {(name, None): None for name in kernel.past}
        if isinstance(kernel.domain, SpikingDomain):
            views |= {(name, kernel.domain.delay): None for name in (kernel.domain.spikes, kernel.domain.count)}
        for spike in kernel.spikes:
            views |= {(name, 0): None for name in (spike.spikes, spike.count, spike.recording) if name is not None}
        seen = {name for name, _ in views} | self._rows
        views |= {(name, 0): None for name in sorted((kernel.reads | kernel.writes) - seen)}
        # A delay means nothing where only the last timestep is kept.
        return list(dict.fromkeys((n, d if d is None or self.arrays_by_name[n].slots > 1 else 0) for n, d in views))

    @property
    def _rows(self) -> frozenset[str]:
        """The arrays of kept values, and where in them it is."""
        players = {name for p in self.kernel.players for name in (p.numbers, p.rows)}
        return frozenset().union(players, *({r.numbers, *r.writes} for r in self.kernel.recorders))

    @property
    def row_lines(self) -> list[str]:
        """Whether it writes rows of kept values, and pointers to those that it reads."""
        k, plan, copies = self.kernel, self.plan, self.copies
        lines = history.recorder_lines(k, self.place)
        return [*lines, *history.player_lines(k, plan, self.place, copies, self.restrict)]

    @property
    def recorders(self) -> list[dict[str, Any]]:
        """What it records: whether it does, which row, the arrays and where their rows begin, and so of spikes."""
        views = []
        for n, r in enumerate(self.kernel.recorders):
            flags = history.row_of(self.kernel, r.flags, n, self.place, bits=True) if r.flags is not None else None
            copied = history.recorded(self.kernel, r, n, self.place)
            number = history.number_lines(r, n, self.plan, self.place, self.copies)
            due = history.recording(n)
            views.append({"due": due, "number": number, "copied": copied, "flags": flags, "plan": r})
        return views

    @property
    def played(self) -> list[tuple[str, bool, int]]:
        """The pointers to rows that it reads, whether the next row is the one before, and elements in a row."""
        return [(history.played_view(p), p.reverse, history.width(self.kernel, p.bits)) for p in self.kernel.players]

    @property
    def flag_words(self) -> int:
        """How many words the flags of the neurons of one copy take."""
        return history.width(self.kernel, bits=True)

    @property
    def spike_test(self) -> int:
        """Which of its tests is that for a spike: the last, behind those for events."""
        return len(self.kernel.spikes) - 1

    def _pointer(self, name: str, delay: int | None) -> str:
        array = self.arrays_by_name[name]
        host = isinstance(self.kernel.domain, Once) and name in self.kernel.arrays
        writes = name in self.kernel.writes or host
        # One that looks back is only read, unless code says where to write.
        written = writes and (not delay)
        ctype = array.type.ctype_for(self.plan.precision)
        start = self.place(f"host_{name}" if host else name) + self._offset(array, delay)
        return f"{'' if written else 'const '}{ctype} *{self.restrict}const {view_name(name, delay)} = {start};"

    def _offset(self, array: Array, delay: int | None) -> str:
        text = ""
        if array.size is None:
            return text
        if self.copies and array.batched:
            text += f" + size_t(batch) * {array.size * array.slots}u"
        if array.queue is not None and delay is not None:
            slot = self.slot(array.queue) + (f" + {array.slots - delay}u" if delay else "")
            text += f" + size_t(({slot}) % {array.slots}u) * {array.size}u"
        return text

    # ---- local copies ----

    def loads_at(self, *indices: str) -> list[Load]:
        """Return the elements copied at these indices; what is reduced to is copied in the innermost loop."""
        inner = {"neuron", "synapse"} & {*indices}
        found = []
        for load in self.kernel.loads:
            scalar = load.index == "only" and load.store
            if not load.direct and ((load.index in indices and not scalar) or (scalar and inner)):
                found.append(load)
        return found

    def load_lines(self, *indices: str) -> list[str]:
        """Local copies of the elements at these indices."""
        return [
            f"{'' if load.store else 'const '}{self.ctype(load)} {load.name} = {self._value(load)};"
            for load in self.loads_at(*indices)
        ]

    def _value(self, load: Load) -> str:
        if load.how in ("sum", "broadcast") or (load.how == "row" and not load.played):
            return "0"
        if load.how == "max":
            return f"snn::lowest<{self.ctype(load)}>()"
        if load.played:
            return history.played_element(self.kernel, load.played, spell_index(self.kernel, load.index))
        element = f"{view_name(load.array, self._delay(load))}[{spell_index(self.kernel, load.index)}]"
        if load.arrives_after is not None:
            return f"snn::arrival({element}, {load.arrives_after}, {self.dt})"
        return element

    def _delay(self, load: Load) -> int:
        return load.delay if self.arrays_by_name[load.array].slots > 1 else 0

    def store_lines(self, *indices: str) -> list[str]:
        """Write back what was changed at these indices."""
        return [line for load in self.loads_at(*indices) if load.store for line in self.store(load)]

    def store(self, load: Load) -> Iterator[str]:
        """Yield what writes a local copy back."""
        index = spell_index(self.kernel, load.index)
        element = f"{load.array}[{index}]"
        array = self.arrays_by_name[load.array]
        if load.how == "row":  # by its recorder
            return
        if load.how == "sum":
            yield f"{element} += {load.name};"
        elif load.how == "max":
            yield f"{element} = snn::max({element}, {load.name});"
        elif load.how == "broadcast" and array.slots > 1:
            yield f"for (unsigned int slot = 0; slot < {array.slots}u; slot++) {{"
            yield f"    {ANY_SLOT}{load.array}[size_t(slot) * {array.size}u + {index}] = {load.name};"
            yield "}"
        else:
            yield f"{element} = {load.name};"

    def ctype(self, item: Any) -> str:
        """Return the C type of a load, input or array."""
        text: str = item.type.ctype_for(self.plan.precision)
        return text

    @property
    def input_lines(self) -> list[str]:
        """Definitions of the kernel's own variables."""
        precision = self.plan.precision
        return [f"{self.ctype(v)} {v.name} = {literal(v.start, v.type, precision)};" for v in self.kernel.inputs]

    # ---- code ----

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The body: printed code, and the tests for spikes and events with their own printed code."""
        printer = self._printer()
        parts: list[dict[str, Any]] = []
        for part in self.kernel.body:
            if isinstance(part, OnSpike):
                condition = printer.condition(part.condition)
                parts.append(
                    {
                        "spike": part,
                        "number": self.kernel.spikes.index(part),
                        "condition": condition if part.unless is None else f"({condition}) && !{part.unless}",
                        "before": [(c.title, printer.lines(c)) for c in part.before],
                        "reset": [(c.title, printer.lines(c)) for c in part.reset],
                    }
                )
            elif isinstance(part, SavePreviousSpikeTime):
                line = f"if (snn::just_now({part.last}, sim.timestep, {self.dt})) {{ {part.before} = {part.last}; }}"
                parts.append({"spike": None, "title": "the last spike was before this timestep", "lines": [line]})
            elif isinstance(part, Flag):
                line = f"const bool {part.name} = {printer.condition(part.condition)};"
                parts.append({"spike": None, "title": part.condition.title, "lines": [line]})
            else:
                parts.append({"spike": None, "title": part.title, "lines": printer.lines(part)})
        return parts

    @property
    def records(self) -> bool:
        """Whether it records spikes or events."""
        return any(spike.recording is not None for spike in self.kernel.spikes)

    @property
    def recording_words(self) -> int:
        """How many words one timestep of one copy's recording has."""
        assert isinstance(self.kernel.domain, Neurons)
        return (self.kernel.domain.size + 31) // 32

    # ---- random numbers ----

    @property
    def random_arguments(self) -> str:
        """What the stream of random numbers starts from, beside its own number and the element's."""
        if self.kernel.draws == "each timestep":
            return ", sim.timestep"
        return f", {self.place(self.kernel.calls)}[0]" if self.kernel.calls is not None else ""

    @property
    def random_rows(self) -> int:
        """How many indices the random numbers of one copy of a batch take, in whole blocks."""
        assert isinstance(self.kernel.domain, Neurons)
        return -(-self.kernel.domain.size // 4) * 4

    def random_index(self, index: str, number: int) -> str:
        """Return the number of an element among those of all copies."""
        return f"size_t(batch) * {number}u + {index}" if self.copies else index

    # ---- connectivity ----

    @property
    def edits(self) -> str:
        """What it goes through when it makes or changes connectivity."""
        return {Rows: "rows", Columns: "columns", Diagonals: "diagonals"}[type(self.kernel.domain)]

    def delay_of(self, name: str) -> int:
        """Return how many timesteps ago an array of spikes is read."""
        assert isinstance(self.kernel.domain, SpikingDomain)
        return self.kernel.domain.delay if self.arrays_by_name[name].slots > 1 else 0

    @property
    def builds(self) -> bool:
        """Whether it makes connectivity, rather than changing it."""
        return any(isinstance(a, Connect) for code in self.kernel.codes for a in code.actions.values())

    @property
    def added(self) -> list[tuple[str, str]]:
        """The values that ``add_synapse`` takes: arrays and their types."""
        actions = (a for code in self.kernel.codes for a in code.actions.values())
        found = next((a for a in actions if isinstance(a, AddSynapse)), None)
        arrays = [] if found is None else [self.arrays_by_name[value.array] for value in found.values]
        return [(a.name, self.ctype(a)) for a in arrays]

    def copies_of(self, name: str) -> list[int]:
        """Return where the copies of a synapse array start."""
        array = self.arrays_by_name[name]
        assert array.size is not None
        return [n * array.size for n in range(self.plan.batch_size if array.batched else 1)]

    # ---- deferred kernels ----

    def buffer_of(self, load: Load) -> str | None:
        """Return where the past of a load's array is kept in a deferred kernel."""
        assert self.kernel.deferral is not None
        return next((b.buffer for b in self.kernel.deferral.buffers if b.array == load.array), None)

    def stride_of(self, load: Load) -> int:
        """Return the distance of the kept rows of a load's array."""
        assert self.kernel.deferral is not None
        return next(b.stride for b in self.kernel.deferral.buffers if b.array == load.array)

    def size_of(self, name: str) -> int:
        """Return the size of an array."""
        size = self.arrays_by_name[name].size
        assert size is not None
        return size


def view_name(array: str, delay: int | None) -> str:
    """Return what the pointer to an array is called, to one of its slots, or to all."""
    if delay is None:
        return f"{ANY_SLOT}{array}"
    return array if delay == 0 else f"slot_{delay}_{array}"


def fill_literal(value: float, array: Array, precision: Any) -> str:
    """Return the value that an array is filled with, as source text."""
    return literal(-math.inf if value == -math.inf else value, array.type, precision)
