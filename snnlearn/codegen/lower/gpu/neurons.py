"""Neurons on a GPU: a thread has one; a block lists those of its population that spike, in order."""

from __future__ import annotations

from typing import Any

from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Call,
    Expr,
    Num,
    State,
    Var,
    both,
    equal,
    unequal,
)
from snnlearn.codegen.lower.gpu.kernel import FIRST, MINE, THREAD, THREADS, GpuKernel, ceil
from snnlearn.codegen.lower.gpu.threads import WARP, ThreadMapping
from snnlearn.codegen.lower.history import number_lets, recorded_value, recording, row_start
from snnlearn.codegen.lower.kernel_names import BATCH, IX, TIMESTEP
from snnlearn.codegen.lower.nest import (
    Assign,
    Body,
    Draws,
    Function,
    Global,
    If,
    Let,
    Parameter,
    Unit,
    Unused,
    loop,
)
from snnlearn.codegen.plan import Neurons

_ROW = Var("recording_row", SIZE)


def neurons(k: GpuKernel) -> Unit:
    """Return what updates the neurons of a population."""
    spikes, size = k.kernel.spikes, _size(k)
    if k.mapping is ThreadMapping.SERIAL:
        return k.unit(k.head(), If(FIRST, (loop("i", size, _serial(k)),)))
    start = (*k.head(), *k.reduction_start(), *_recording_row(k))
    if spikes and not k.lists:
        return k.unit(start, *_in_one_block(k))
    if spikes:
        title = "Which neurons have spiked, or emitted an event, a bit each."
        marks = tuple(Global(_marks(n, k), UINT, words(k) * _copies(k), title) for n in range(len(spikes)))
        return k.unit(start, *_marking(k), before=marks, after=(_list(k),))
    if k.reductions:
        return k.unit(start, loop("i", size, _neuron(k), begin=THREAD, step=THREADS), k.reduction_end())
    return k.unit(start, Let("i", UINT, MINE), If(size > IX, _neuron(k)))


def words(k: GpuKernel) -> int:
    """Return how many words of marks the neurons of one copy have."""
    return ceil(_size(k), WARP)


def _size(k: GpuKernel) -> int:
    assert isinstance(k.kernel.domain, Neurons)
    return k.kernel.domain.size


def _copies(k: GpuKernel) -> int:
    return k.plan.batch_size if k.copies else 1


def _serial(k: GpuKernel) -> Body:
    size = _size(k)
    return (*k.inputs(), *k.loads("neuron"), *k.random(IX, size), *k.body(), *k.stores("neuron"))


def _neuron(k: GpuKernel) -> Body:
    return (
        *k.inputs(),
        *k.loads("neuron"),
        *_random(k),
        *k.body(lambda n, spikes: (Assign(Var(f"spiked_{n}", UINT), spikes),)),
        *k.stores_or_reduces("neuron"),
        *_record(k),
    )


def _random(k: GpuKernel) -> Body:
    if k.kernel.stream is None or k.kernel.draws != "each timestep":
        return k.random(IX, _size(k))
    return (Draws(k.kernel.stream, k.random_index(IX, k.random_rows), (TIMESTEP,), each_step=True),)


def _record(k: GpuKernel) -> Body:
    found = []
    for n, r in enumerate(k.kernel.recorders):
        copies = (Assign(row_start(k, rows, n)[IX], recorded_value(k, r, array, IX)) for array, rows in r.copied)
        if r.copied:
            found.append(If(recording(n), (*number_lets(k, n), *copies)))
    return tuple(found)


def _flags(k: GpuKernel) -> Body:
    """Return what writes which neurons have spiked to rows, by the first thread of each warp."""
    marks = Var(f"marks_{len(k.kernel.spikes) - 1}", UINT)
    found = []
    for n, r in enumerate(k.kernel.recorders):
        if r.flags is not None:
            word = row_start(k, r.flags, n, bits=True)[IX / WARP]
            due = both(both(recording(n), equal(IX % WARP, 0)), _size(k) > IX)
            found.append(If(due, (*number_lets(k, n), Assign(word, marks))))
    return tuple(found)


def _recording_row(k: GpuKernel) -> Body:
    if not k.records:
        return ()
    row: Expr = State("recorded")
    if k.copies:
        row = row * k.plan.batch_size + BATCH
    return (Let("recording_words", SIZE, Num(words(k), SIZE)), Let(_ROW.name, SIZE, row * Var("recording_words", SIZE)))


def _in_one_block(k: GpuKernel) -> Body:
    """Return what updates all neurons and lists those that spike."""
    spikes, size = k.kernel.spikes, _size(k)
    body: list[Any] = [Let("i", UINT, Var("first", UINT) + THREAD)]
    body += [_spiked(n) for n in range(len(spikes))]
    body.append(If(size > IX, _neuron(k)))
    for n, spike in enumerate(spikes):
        marks, count = Var(f"marks_{n}", UINT), Var(f"count_{n}", UINT)
        body.append(_ballot(n))
        if spike.recording:
            body.append(If(both(equal(IX % WARP, 0), size > IX), (_recorded_word(spike.recording, marks),)))
        listed = Call("list_in_order", (marks, IX, Var(spike.spikes, UINT), count), UINT)
        body.append(Assign(count, listed))
    counts = tuple(Let(f"count_{n}", UINT, Num(0, UINT), const=False) for n in range(len(spikes)))
    return (
        *counts,
        loop("first", size, *body, _flags(k), step=THREADS),
        If(FIRST, tuple(Assign(Var(x.count, UINT)[0], Var(f"count_{n}", UINT)) for n, x in enumerate(spikes))),
    )


def _marking(k: GpuKernel) -> Body:
    """Return what updates a thread's neuron and marks those that spike, for many blocks."""
    spikes, size = k.kernel.spikes, _size(k)
    body: list[Any] = [Let("i", UINT, MINE), *(_spiked(n) for n in range(len(spikes)))]
    body.append(If(size > IX, _neuron(k)))
    for n, spike in enumerate(spikes):
        marks = Var(f"marks_{n}", UINT)
        word = BATCH * words(k) + IX / WARP if k.copies else IX / WARP
        write: list[Any] = [Assign(Var(_marks(n, k), UINT)[word], marks)]
        if spike.recording:
            write.append(_recorded_word(spike.recording, marks))
        body += [_ballot(n), If(both(equal(IX % WARP, 0), size > IX), tuple(write))]
    return (*body, *_flags(k))


def _list(k: GpuKernel) -> Function:
    """Return what lists the neurons that many blocks have marked, in order, by one block for each copy."""
    views: list[Any] = []
    body: list[Any] = []
    for n, spike in enumerate(k.kernel.spikes):
        views += [k.view_of(name, 0) for name in (spike.spikes, spike.count)]
        start: Expr = Var(_marks(n, k), UINT)
        start = start + BATCH * words(k) if k.copies else start
        count = Var(f"count_{n}", UINT)
        listed = Call("list_marks", (start, Num(words(k), UINT), Var(spike.spikes, UINT)), UINT)
        body += [Let(count.name, UINT, listed), If(FIRST, (Assign(Var(spike.count, UINT)[0], count),))]
    return Function(f"list_{k.kernel.name}", "", (Parameter("batch", UINT),), (Unused(("sim", "batch")), *views, *body))


def _marks(n: int, k: GpuKernel) -> str:
    return f"marks_{n}_{k.kernel.name}"


def _spiked(n: int) -> Let:
    return Let(f"spiked_{n}", UINT, Num(0, UINT), const=False)


def _ballot(n: int) -> Let:
    return Let(f"marks_{n}", UINT, Call("ballot", (unequal(Var(f"spiked_{n}", UINT), 0),), UINT))


def _recorded_word(recording: str, marks: Var) -> Assign:
    return Assign(Var(recording, UINT)[_ROW + IX / WARP], marks)
