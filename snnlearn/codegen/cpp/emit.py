"""Fill the C++ templates from a plan."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from snnlearn.codegen.clike import INDEX, Printer, literal
from snnlearn.codegen.plan import (
    Array,
    Code,
    Kernel,
    Load,
    Neurons,
    OnSpike,
    Plan,
    SpikingColumns,
    SpikingRows,
    Synapses,
)
from snnlearn.codegen.plan.kernels import LinearForm, SilentRows
from snnlearn.declare import value_type

# Below, waking a thread costs more than its share of the work; in every timestep anew, or now and then.
MIN_SHARED_EACH_STEP = 1 << 18
MIN_SHARED = 1 << 13
PART = 32  # rows of a deferred kernel that a thread takes at a time; fewer would fetch the kept past more often
CHUNK = 1024  # neurons whose marks of a spike are kept in the first cache
LINEAR_PART = 256  # the same of one in matrix form: each part finds the responses of its columns anew
SUMS = 18  # vectors of sums that a kernel in matrix form keeps in registers: more than half, the rest for what is added
TILE = 64  # columns of a deferred tile: four vectors of 512 bits, few enough to stay in registers


def emit_cpp(plan: Plan) -> str:
    """Return the C++ source of a plan: one self-contained file."""
    text = (
        _environment()
        .get_template("simulation.cpp.jinja")
        .render(
            plan=plan,
            name=ascii(plan.name),  # one line, whatever a user calls it
            deferred=[_KernelView(k, plan) for k in plan.step if k.deferral is not None],
            deferral=next((k.deferral for k in plan.step if k.deferral is not None), None),
            ctypes={a.name: a.type.ctype_for(plan.precision) for a in plan.arrays},
            dt=literal(plan.dt, value_type("scalar"), plan.precision),
            scalar=plan.precision,
            init=[_KernelView(k, plan) for k in plan.init],
            step=[_KernelView(k, plan) for k in plan.step],
            updates={
                group: [_KernelView(k, plan) if isinstance(k, Kernel) else k for k in kernels]
                for group, kernels in plan.custom_updates.items()
            },
            timers={name: number for number, name in enumerate(plan.timers)},
        )
    )
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("snnlearn.codegen.cpp"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["transposition"] = lambda k: not isinstance(k, _KernelView)
    environment.filters["tidy"] = lambda text: "\n".join(line for line in text.splitlines() if line.strip())
    environment.filters["groupby_timer"] = lambda kernels: [
        (timer, list(group)) for timer, group in groupby(kernels, key=lambda k: k.timer)
    ]
    return environment


@dataclass(frozen=True)
class _KernelView:
    """A kernel with its code printed, in the form that the templates want."""

    kernel: Kernel
    plan: Plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kernel, name)

    @property
    def shape(self) -> str:
        """Which loop macro to use."""
        if self.kernel.deferral is not None:
            return "deferred"
        names = {Neurons: "neurons", Synapses: "synapses", SpikingRows: "rows", SpikingColumns: "columns"}
        return names[type(self.kernel.domain)]

    @property
    def shared(self) -> str | None:
        """The end of the synapses along which threads share the work; None where one thread does it all."""
        kernel, domain = self.kernel, self.kernel.domain
        if kernel.stream is not None or not isinstance(domain, Synapses):
            return None
        each_step = kernel in self.plan.step and kernel.deferral is None
        enough = MIN_SHARED_EACH_STEP if each_step else MIN_SHARED
        return kernel.split if domain.pre * domain.post >= enough else None

    @property
    def chunk(self) -> int:
        """How many neurons are marked as spiking before they are listed."""
        assert isinstance(self.kernel.domain, Neurons)
        return min(CHUNK, self.kernel.domain.size)

    @property
    def chunk_end(self) -> str:
        """The end of the chunk of neurons from ``first`` on."""
        assert isinstance(self.kernel.domain, Neurons)
        size = self.kernel.domain.size
        if size % self.chunk == 0:
            return f"first + {self.chunk}u"
        return f"{size}u - first < {self.chunk}u ? {size}u : first + {self.chunk}u"

    @property
    def tiles(self) -> list[tuple[int, int, int]]:
        """Columns of a deferred kernel as (first, end, width): whole tiles, and a rest that is no sliver."""
        assert isinstance(self.kernel.domain, Synapses)
        post = self.kernel.domain.post
        # A sliver would take as long as a tile: it joins the last one.
        whole, rest = divmod(post, TILE)
        if whole and 0 < rest <= TILE // 2:
            whole, rest = whole - 1, rest + TILE
        first = whole * TILE
        return ([(0, first, TILE)] if whole else []) + ([(first, post, rest)] if rest else [])

    @property
    def deferred_rows(self) -> int:
        """How many rows one part of the work on a deferred block spans."""
        assert isinstance(self.kernel.domain, Synapses)
        if self.linear is not None:
            return min(LINEAR_PART, self.kernel.domain.pre)
        return PART if self.shared else self.kernel.domain.pre

    @property
    def deferred_parts(self) -> int:
        """How many parts the work on a deferred block has."""
        assert isinstance(self.kernel.domain, Synapses)
        chunks = -(-self.kernel.domain.pre // self.deferred_rows)
        return chunks * self.tile_count if self.linear is not None else chunks

    @property
    def tile_count(self) -> int:
        """How many tiles of columns a deferred kernel has."""
        return sum((end - first) // width for first, end, width in self.tiles)

    @property
    def linear(self) -> LinearForm | None:
        """The matrix form of a deferred kernel."""
        return self.kernel.deferral.linear if self.kernel.deferral is not None else None

    @property
    def silent(self) -> SilentRows | None:
        """What a deferred kernel does with the rows of silent neurons."""
        return self.linear.silent if self.linear is not None else None

    @property
    def group(self) -> int:
        """How many rows of a kernel in matrix form are added up at a time."""
        assert self.linear is not None
        return max(1, SUMS // max(1, len(self.linear.sums)))

    def code_lines(self, code: Code) -> list[str]:
        """Return a piece of code printed."""
        return Printer(self.kernel, self.plan.precision, [a.name for a in self.plan.arrays]).lines(code)

    @property
    def extent(self) -> int:
        """How many rows or columns threads share."""
        domain = self.kernel.domain
        assert isinstance(domain, Synapses)
        return domain.pre if self.kernel.split == "pre" else domain.post

    @property
    def constant_lines(self) -> list[str]:
        """Definitions of the constants."""
        precision = self.plan.precision
        lines = [
            f"const {c.type.ctype_for(precision)} {c.name} = {literal(c.value, c.type, precision)};"
            for c in self.kernel.constants
        ]
        if "dt" in self.kernel.uses:
            lines.append(f"const {precision} dt = {literal(self.plan.dt, value_type('scalar'), precision)};")
        return lines

    @property
    def pointer_lines(self) -> list[str]:
        """Pointers to the arrays in use, each known to be the only way to its memory."""
        arrays = {a.name: a for a in self.plan.arrays}
        written = self.kernel.writes
        names = [load.array for load in self.kernel.loads] + [*self.kernel.arrays]
        names += sorted(a.target for a in self.kernel.accumulations)
        names += sorted((self.kernel.reads | written) - set(names))
        if self.kernel.deferral is not None:
            kept = {h.array: h.kept for h in self.kernel.deferral.histories}
            names = [name for name in names if name not in kept] + list(kept.values())
        return [self._pointer(arrays[name], name in written) for name in dict.fromkeys(names)]

    def pointer_lines_of(self, index: str) -> list[str]:
        """Pointers to what a deferred kernel reads at an index."""
        arrays = {a.name: a for a in self.plan.arrays}
        names = [self.history_of(load) or load.array for load in self.loads_at(index)]
        return [self._pointer(arrays[name], False) for name in dict.fromkeys(names)]

    def _pointer(self, array: Array, written: bool) -> str:
        ctype = array.type.ctype_for(self.plan.precision)
        return f"{'' if written else 'const '}{ctype} *__restrict__ const {array.name} = sim.{array.name};"

    def loads_at(self, *indices: str) -> list[Load]:
        """Return the elements loaded at these indices."""
        return [load for load in self.kernel.loads if load.index in indices]

    def load_lines(self, *indices: str) -> list[str]:
        """Local copies of the elements at these indices."""
        return [
            f"{'' if load.store else 'const '}{self.ctype(load)} {load.name} = {load.array}[{INDEX[load.index]}];"
            for load in self.loads_at(*indices)
        ]

    def store_lines(self, *indices: str) -> list[str]:
        """Write back what was changed at these indices."""
        return [f"{load.array}[{INDEX[load.index]}] = {load.name};" for load in self.loads_at(*indices) if load.store]

    def ctype(self, item: Any) -> str:
        """Return the C++ type of a load, input or array."""
        text: str = item.type.ctype_for(self.plan.precision)
        return text

    @property
    def input_lines(self) -> list[str]:
        """Definitions of the kernel's own variables."""
        precision = self.plan.precision
        return [f"{self.ctype(v)} {v.name} = {literal(v.start, v.type, precision)};" for v in self.kernel.inputs]

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The body: printed code, and the spike test with its own printed code."""
        printer = Printer(self.kernel, self.plan.precision, [a.name for a in self.plan.arrays])
        parts: list[dict[str, Any]] = []
        for part in self.kernel.body:
            if isinstance(part, OnSpike):
                parts.append(
                    {
                        "spike": part,
                        "condition": printer.condition(part.condition),
                        "before": [(c.title, printer.lines(c)) for c in part.before],
                        "reset": [(c.title, printer.lines(c)) for c in part.reset],
                    }
                )
            else:
                parts.append({"spike": None, "title": part.title, "lines": printer.lines(part)})
        return parts

    @property
    def spike(self) -> OnSpike | None:
        """The spike test, if there is one."""
        return next((part for part in self.kernel.body if isinstance(part, OnSpike)), None)

    def history_of(self, load: Load) -> str | None:
        """Return where the past of a load's array is kept in a deferred kernel."""
        assert self.kernel.deferral is not None
        return next((h.kept for h in self.kernel.deferral.histories if h.array == load.array), None)

    def stride_of(self, load: Load) -> int:
        """Return the distance of the kept rows of a load's array."""
        assert self.kernel.deferral is not None
        return next(h.stride for h in self.kernel.deferral.histories if h.array == load.array)

    def size_of(self, name: str) -> int:
        """Return the size of an array."""
        size = next(a.size for a in self.plan.arrays if a.name == name)
        assert size is not None
        return size
