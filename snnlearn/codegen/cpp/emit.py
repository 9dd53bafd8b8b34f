"""Print a plan's loop nests as C++, and fill the templates of what is around them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from snnlearn.codegen.clike.alike import Merged, Printed, merge
from snnlearn.codegen.clike.pieces import text_of
from snnlearn.codegen.collector import without_collection
from snnlearn.codegen.cpp.printer import CppPrinter
from snnlearn.codegen.lower.cpu.kernel import CpuKernel
from snnlearn.codegen.lower.cpu.neurons import NeuronKernel
from snnlearn.codegen.lower.cpu.schedule import cpu_kernel, lower, lower_kernel
from snnlearn.codegen.lower.nest import Function
from snnlearn.codegen.lower.verify import verify_functions
from snnlearn.codegen.plan import Kernel, Plan
from snnlearn.codegen.plan.kernels import Operation
from snnlearn.codegen.plan.verify import verifying
from snnlearn.codegen.reports import REPORT_KINDS

_OWNERS = {"sim": "Simulation"}
FEW = 8  # timesteps at the end of a run for which a batch defers nothing: what is kept has to be finished for each copy
TURN = 256  # timesteps, at most, for which a copy of a batch has its turn: its state is fetched once for them


@without_collection
def emit_cpp(plan: Plan) -> str:
    """Return the C++ source of a plan; to be linked with `support_source`, compiled."""
    step, connect, init = ([_view(k, plan) for k in kernels] for kernels in (plan.step, plan.connect, plan.init))
    updates = {group: [_view(k, plan) for k in kernels] for group, kernels in plan.custom_updates.items()}
    deferred = [k for k in step if k.kernel.deferral is not None]
    views = [
        *step,
        *connect,
        *plan.column_indexing.values(),
        *init,
        *(k for kernels in updates.values() for k in kernels),
    ]
    merged, texts = _merged_and_texts(plan)
    text = (
        _environment()
        .get_template("simulation.cpp.jinja")
        .render(
            plan=plan,
            name=ascii(plan.name),  # one line, whatever a user calls it
            deferred=deferred,
            deferred_are_long=any(k.is_long for k in deferred),
            turn=TURN,
            few=FEW,
            at_once={name: cpu_kernel(kernel, plan) for name, kernel in plan.at_once.items()},
            deferral=deferred[0].kernel.deferral if deferred else None,
            pooled=bool(deferred) or any(isinstance(k, CpuKernel) and k.shared for k in views),
            ctypes={a.name: a.type.ctype_for(plan.precision) for a in plan.arrays},
            definitions=_definitions(views, plan, merged, texts),
            targets={name: (m.name, n) for m in merged for n, name in enumerate(m.members)},
            runs=lambda kernels: _runs(kernels, merged),
            init=_together(init, merged),
            step=step,
            updates=updates,
            connect=connect,
            columns=list(plan.column_indexing.values()),
            host_arrays=plan.host_arrays,
            newest=lambda name: _newest(plan, name),
            of_copy=lambda name: _of_copy(plan, name),
            timers={name: number for number, name in enumerate(plan.timers)},
        )
    )
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _newest(plan: Plan, name: str) -> str:
    """Return what to add to the pointer to an array, to have what was written last; nothing without a queue."""
    array = plan.array(name)
    newest = "" if array.slots == 1 else f" + size_t(sim.{array.queue}[0]) * {array.size}u"
    return _of_copy(plan, name) + newest


def _of_copy(plan: Plan, name: str) -> str:
    """Return what to add to the pointer to an array, to have what is the batch's copy at work's."""
    array = plan.array(name)
    return f" + size_t(batch) * {array.total(1)}u" if plan.turns and array.batched else ""


@without_collection
def merged_kernels(plan: Plan) -> list[Merged]:
    """Return which kernels of a plan are printed as one function: those that share no work and are not deferred."""
    return _merged_and_texts(plan)[0]


def _merged_and_texts(plan: Plan) -> tuple[list[Merged], dict[str, str]]:
    """Return what is printed as one function, and the texts of kernels that are the same on their own."""
    if not plan.merged:
        return [], {}
    updates = [k for kernels in plan.custom_updates.values() for k in kernels if isinstance(k, Kernel)]
    kernels = [k for k in (*plan.step, *plan.connect, *plan.init, *updates) if k.deferral is None]
    views = [v for v in (cpu_kernel(k, plan, any_size=True) for k in kernels) if v.shared is None]
    found = merge(_printed(views, plan), _OWNERS)
    in_strips = {v.name for v in views if isinstance(v, NeuronKernel) and v.in_strips}
    alone = [m for m in found if len(m.members) == 1 and m.name not in in_strips]
    return [m for m in found if len(m.members) > 1], {m.name: m.text for m in alone}


def _printed(views: list[CpuKernel], plan: Plan) -> Iterator[Printed]:
    printer = CppPrinter()
    operations: list[Any] = [*views, *plan.column_indexing.values()]
    for operation in operations:
        (function,) = lower_kernel(operation) if isinstance(operation, CpuKernel) else lower(operation, plan)
        _verify([function], plan)
        yield Printed(function.name, printer.function(function), printer.trees)


def _definitions(views: list[Any], plan: Plan, merged: list[Merged], texts: dict[str, str]) -> dict[str, str]:
    """Return the printed functions by kernel; that of merged ones by the first, and nothing for the others."""
    found = texts | {name: "" for m in merged for name in m.members} | {m.name: m.text for m in merged}
    found |= {v.name: _define(v, plan) for v in views if v.name not in found}
    at_once = {name: _define(cpu_kernel(kernel, plan), plan) for name, kernel in plan.at_once.items()}
    return found | {name: f"{found[name]}\n{text}" for name, text in at_once.items()}


def _runs(kernels: list[Any], merged: list[Merged]) -> list[tuple[Any, int, int]]:
    """Return what to call, in order: a kernel, or the first of some that are merged, with their range in the table."""
    places = {name: (m.name, n) for m in merged for n, name in enumerate(m.members)}
    runs: list[tuple[Any, int, int]] = []
    for k in kernels:
        function, place = places.get(k.name, (k.name, 0))
        if runs and runs[-1][2] == place > 0 and places.get(runs[-1][0].name, ("", 0))[0] == function:
            runs[-1] = (*runs[-1][:2], place + 1)
        else:
            runs.append((k, place, place + 1))
    return runs


def _together(views: list[CpuKernel], merged: list[Merged]) -> list[CpuKernel]:
    """Return kernels with those that are merged behind one another, where none reads what another writes."""
    kernels = [v.kernel for v in views]
    written = [name for k in kernels for name in k.writes]
    if len(set(written)) < len(written) or any((k.reads - k.writes) & set(written) for k in kernels):
        return views
    places = {k.name: n for n, k in enumerate(kernels)}
    firsts = {name: places.get(m.name, 0) for m in merged for name in m.members}
    return sorted(views, key=lambda v: firsts.get(v.name, places[v.name]))


def _define(operation: Any, plan: Plan) -> str:
    functions = lower_kernel(operation) if isinstance(operation, CpuKernel) else lower(operation, plan)
    _verify(functions, plan)
    printer = CppPrinter()
    return "\n".join(text_of(printer.function(f)) for f in functions)


def _verify(functions: list[Function], plan: Plan) -> None:
    """Refuse functions that contradict themselves, in checked builds and in tests."""
    if plan.checked or verifying():
        verify_functions(functions)


@lru_cache(maxsize=1)
def support_source() -> str:
    """Return the C++ source of what is the same in every simulation: threads, clocks, random numbers' slow paths."""
    return _environment().get_template("support.cpp.jinja").render()


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("snnlearn.codegen.cpp"), PackageLoader("snnlearn.codegen.clike")]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.tests["kernel"] = lambda k: isinstance(k, CpuKernel)
    environment.globals["report_kinds"] = REPORT_KINDS
    environment.filters["groupby_timer"] = lambda kernels: [
        (timer, list(group)) for timer, group in groupby(kernels, key=lambda k: k.kernel.timer)
    ]
    return environment


def _view(operation: Operation, plan: Plan) -> Any:
    return cpu_kernel(operation, plan) if isinstance(operation, Kernel) else operation
