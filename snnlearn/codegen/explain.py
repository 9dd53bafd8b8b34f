"""A plan as a table for people: every kernel with its loop, what it reads and writes, and when it runs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence

from snnlearn.codegen.cpp.emit import merged_kernels
from snnlearn.codegen.lower.cpu.schedule import cpu_kernel
from snnlearn.codegen.lower.gpu.threads import mapping_of
from snnlearn.codegen.plan import CPU_ONLY, REWRITES, Kernel, Neurons, Plan, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.domains import Columns, Diagonals, Once, Rows, Sparse
from snnlearn.codegen.plan.kernels import Fill, IndexColumns, Operation, Transposition
from snnlearn.codegen.plan.names import label
from snnlearn.codegen.plan.rewrites.defer import why_not
from snnlearn.codegen.plan.rewrites.linear import why_not_linear
from snnlearn.codegen.plan.rewrites.silent import why_not_silent

WIDTH = 120
_HEADINGS = ("kernel", "loops", "threads", "reads", "writes")
_LIMITS = (38, 22, 10)  # the widest that the columns before reads and writes may be
_GAP = "  "
_INDENT = "    "

Lines = list[tuple[Sequence[str], str]]


def explain(plan: Plan, applied: Iterable[str], gpu: bool = False) -> str:
    """Return a table of a plan's kernels, in the order in which they run.

    Parameters
    ----------
    plan : Plan
    applied : iterable of str
        The names of the rewrites that made it.
    gpu : bool
        Whether to tell what threads of a GPU do, not those of the CPU.

    Returns
    -------
    str
        At most `WIDTH` columns wide, without a newline at the end.
    """
    names = frozenset(applied)
    threads = _gpu_threads if gpu else _threads
    step: Lines = [(_cells(k, plan, threads), _when(k, plan, names)) for k in plan.step]
    sections = [("each timestep", step)]
    for group, kernels in plan.custom_updates.items():
        sections.append((f"custom update group {group}", [(_cells(k, plan, threads), "") for k in kernels]))
    builders: list[Operation] = [*plan.connect, *plan.column_indexing.values()]
    sections.append(("connectivity", [(_cells(k, plan, threads), "") for k in builders]))
    sections.append(("initial values", [(_cells(k, plan, threads), "") for k in plan.init]))
    widths = _widths([cells for _, rows in sections for cells, _ in rows])
    lines = _heading(plan, names, CPU_ONLY if gpu else ())
    for title, rows in sections:
        if rows:
            lines += ["", *_table(title, rows, widths)]
    return "\n".join(lines if gpu else [*lines, *_merged(plan)])


# ---- what the table says ----


def _heading(plan: Plan, applied: frozenset[str], useless: Collection[str]) -> list[str]:
    without = ", ".join(name for name in REWRITES if name not in applied and name not in useless)
    parts = [
        f"{plan.name}: {plan.dt:g} ms a timestep, scalar is {plan.precision}"
        + (f", timepoint is {plan.timepoint.name}" if plan.timepoint.name != "scalar" else ""),
        f"rewrites applied: {', '.join(name for name in REWRITES if name in applied) or 'none'}"
        + (f"; not applied: {without}" if without else ""),
    ]
    return [line for part in parts for line in textwrap.wrap(part, WIDTH)]


def _merged(plan: Plan) -> list[str]:
    """Return which kernels are compiled as one."""
    lines = []
    for merged in merged_kernels(plan):
        members = ", ".join(merged.members)
        lines += textwrap.wrap(members, WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT * 2)
    return ["", "of one structure, compiled as one", "-" * WIDTH, *lines] if lines else []


def _cells(kernel: Operation, plan: Plan, threads: Callable[[Operation, Plan], str]) -> tuple[str, ...]:
    return (
        kernel.name,
        _loops(kernel, plan),
        threads(kernel, plan),
        _arrays(kernel.reads),
        _arrays(kernel.writes),
    )


def _arrays(names: Iterable[str]) -> str:
    return ", ".join(label(name) for name in sorted(names))


def _loops(kernel: Operation, plan: Plan) -> str:
    if isinstance(kernel, Transposition):
        return f"{kernel.pre} x {kernel.post} synapses"
    if isinstance(kernel, Fill):
        return f"{plan.array(kernel.array).total(plan.batch_size)} values"
    return _copies(kernel, plan) + _domain(kernel, plan)


def _copies(kernel: Kernel | IndexColumns, plan: Plan) -> str:
    batched = isinstance(kernel, Kernel) and kernel.batched and plan.batch_size > 1
    return f"{plan.batch_size} x " if batched else ""


def _domain(kernel: Kernel | IndexColumns, plan: Plan) -> str:
    domain = kernel.domain
    if isinstance(domain, Neurons):
        return f"{domain.size} neurons"
    if isinstance(domain, Once):
        return "once, on the host"
    if isinstance(domain, Diagonals):
        return f"{domain.number} diagonals"
    if isinstance(domain, (Rows, Columns)):
        return f"{domain.pre} rows" if isinstance(domain, Rows) else f"{domain.post} columns"
    width = _width(domain.post, domain.sparse)
    if isinstance(domain, Synapses):
        return f"{domain.pre} x {width} synapses"
    if isinstance(domain, SpikingRows):
        return f"rows of spiking {_population(domain.spikes, plan)} x {width}"
    assert isinstance(domain, SpikingColumns)
    return f"{domain.pre} x columns of spiking {_population(domain.spikes, plan)}"


def _width(post: int, sparse: Sparse | None) -> str:
    return str(post) if sparse is None else f"up to {sparse.stride}"


def _population(spikes: str, plan: Plan) -> str:
    return plan.array(spikes).location.group


def _threads(kernel: Operation, plan: Plan) -> str:
    """Return along what threads share a kernel, or that one thread does it all."""
    if not isinstance(kernel, Kernel) or kernel.stream is not None or kernel.split is None:
        return "one"
    if kernel.deferral is not None and kernel.deferral.linear is not None:
        return "by tiles"
    shared = cpu_kernel(kernel, plan).shared
    return "one: small" if shared is None else {"pre": "by rows", "post": "by columns"}[shared]


def _gpu_threads(operation: Operation, plan: Plan) -> str:
    """Return what each thread of a GPU has of a kernel."""
    return mapping_of(operation).value if isinstance(operation, Kernel) else "one each"


def _when(kernel: Kernel, plan: Plan, applied: frozenset[str]) -> str:
    """Return whether a kernel of the timestep is deferred, with what it keeps, or why it is not."""
    if kernel.deferral is not None:
        kept = ", ".join(label(b.array) for b in kernel.deferral.buffers) or "nothing"
        form = _form(kernel, plan, applied)
        return f"deferred: {kernel.deferral.depth} timesteps at once, {form}; keeps {kept}"
    reason = why_not(kernel, plan)
    if reason is None:
        reason = "nothing stands against it" if "defer" in applied else "the rewrite 'defer' was not applied"
    return f"not deferred: {reason}"


def _form(kernel: Kernel, plan: Plan, applied: frozenset[str]) -> str:
    """Return how a deferred kernel goes through its timesteps, and why not in a quicker way."""
    assert kernel.deferral is not None
    form = kernel.deferral.linear
    if form is None:
        reason = why_not_linear(kernel, plan) if "linear" in applied else "the rewrite 'linear' was not applied"
        return f"one after the other ({reason})"
    if form.silent is None:
        reason = why_not_silent(kernel, plan) if "silent" in applied else "the rewrite 'silent' was not applied"
        return f"as a product of matrices (for all rows: {reason})"
    return "as a product of matrices, rows without a spike in closed form"


# ---- layout ----


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide each column is: as its cells need up to a limit, and the rest halved for reads and writes."""
    widths = [
        min(max(len(text) for text in (heading, *(row[number] for row in cells))), limit)
        for number, (heading, limit) in enumerate(zip(_HEADINGS[:3], _LIMITS, strict=True))
    ]
    rest = WIDTH - sum(widths) - len(_GAP) * (len(_HEADINGS) - 1)
    return [*widths, rest - rest // 2, rest // 2]


def _table(title: str, rows: Lines, widths: Sequence[int]) -> list[str]:
    lines = [*textwrap.wrap(title, WIDTH), *_row(_HEADINGS, widths), "-" * WIDTH]
    for cells, note in rows:
        lines += _row(cells, widths)
        lines += textwrap.wrap(note, WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT * 2)
    return lines


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return a row's lines: each cell wrapped to its column."""
    columns = [textwrap.wrap(text, width) or [""] for text, width in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(len(column) for column in columns)):
        parts = [column[number] if number < len(column) else "" for column in columns]
        lines.append(_GAP.join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip())
    return lines
