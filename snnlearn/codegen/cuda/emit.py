"""Print a plan's schedule on a GPU as CUDA C++."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from snnlearn.codegen.clike.alike import Merged, Printed, merge
from snnlearn.codegen.clike.pieces import text_of
from snnlearn.codegen.collector import without_collection
from snnlearn.codegen.cuda.printer import CudaPrinter
from snnlearn.codegen.cuda.program import Launch, Program
from snnlearn.codegen.lower.gpu.phases import Phase
from snnlearn.codegen.lower.gpu.schedule import Schedule, schedule
from snnlearn.codegen.lower.gpu.threads import WARP
from snnlearn.codegen.lower.nest import Unit
from snnlearn.codegen.lower.verify import verify_functions
from snnlearn.codegen.plan import Plan
from snnlearn.codegen.plan.verify import verifying
from snnlearn.codegen.reports import REPORT_KINDS

THREADS = 256  # of a block: enough to hide what memory takes, few enough for two blocks beside each other
_OWNERS = {"snn_arrays": "Arrays", "sim": "Sim"}


@without_collection
def emit_cuda(plan: Plan, threads: int = THREADS) -> Program:
    """Return a plan as CUDA C++, with the launches that make it run.

    Parameters
    ----------
    plan : Plan
    threads : int
        Of each block: a power of two, at least a warp.
    """
    assert threads >= WARP
    assert threads & (threads - 1) == 0
    made = schedule(plan, threads)
    if plan.checked or verifying():
        for unit in made.units:
            verify_functions(unit.parts, blocks=True)
    return Program(
        _source(plan, threads, made),
        threads,
        (*_launches(made.step), Launch("snn_end_step", 1, "neuron_update")),
        tuple(Launch(f"launch_{phase.name}", phase.parts, phase.works[0].timer) for phase in made.phases),
        _launches(made.deferred),
        made.depth,
        _launches(made.connect),
        _launches(made.init),
        {name: _launches(phases) for name, phases in made.column_indexing.items()},
        {name: _launches(phases) for name, phases in made.custom_updates.items()},
        max([1, *(phase.parts for phase in (*made.phases, *made.deferred))]),
    )


def _launches(phases: Sequence[Phase]) -> tuple[Launch, ...]:
    return tuple(
        Launch(
            f"launch_{phase.name}",
            phase.parts,
            phase.works[0].timer,
            phase.works[0].host_arrays,
            any(work.reports for work in phase.works),
        )
        for phase in phases
    )


def _source(plan: Plan, threads: int, made: Schedule) -> str:
    texts, merged = _texts(made.units, plan.merged)
    rows = {name: f"table_{m.name}[{n}], " for m in merged for n, name in enumerate(m.members)}
    first = {name: m.name for m in merged for name in m.members}
    source = (
        _environment()
        .get_template("program.cu.jinja")
        .render(
            plan=plan,
            name=ascii(plan.name),  # one line, whatever a user calls it
            threads=threads,
            ctypes={a.name: a.type.ctype_for(plan.precision) for a in plan.arrays},
            definitions=[texts[unit.name] for unit in made.units],
            call=lambda function: f"{first.get(function, function)}(sim, {rows.get(function, '')}",
            schedule=made,
        )
    )
    return "\n".join(line.rstrip() for line in source.splitlines()) + "\n"


def _texts(units: Sequence[Unit], alike: bool) -> tuple[dict[str, str], list[Merged]]:
    """Return the units' texts by name, and which units, each all there is of its kernel, are printed as one."""
    printer = CudaPrinter()
    texts: dict[str, str] = {}

    def printed() -> Iterator[Printed]:
        for unit in units:
            pieces = printer.unit(unit)
            if alike and unit.alone:
                yield Printed(unit.name, pieces, printer.trees)
            else:
                texts[unit.name] = text_of(pieces)

    found = merge(printed(), _OWNERS)
    # The text of merged ones is that of the first; the others have none.
    texts |= {name: "" for m in found for name in m.members} | {m.name: m.text for m in found}
    return texts, [m for m in found if len(m.members) > 1]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("snnlearn.codegen.cuda"), PackageLoader("snnlearn.codegen.clike")]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals["report_kinds"] = REPORT_KINDS
    return environment
