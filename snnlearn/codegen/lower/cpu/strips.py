"""The loops over neurons on a CPU: vectors of neurons, lists of those that spike, rows of kept values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from snnlearn.codegen.lower import history
from snnlearn.codegen.lower.cpu.neurons import FIRST, IN_STRIP, LISTED_AT_ONCE, NeuronKernel
from snnlearn.codegen.lower.cpu.passes import Pass
from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Binary,
    Call,
    Choose,
    Expr,
    Num,
    State,
    Step,
    Unary,
    Var,
    both,
    unequal,
)  # fmt: skip
from snnlearn.codegen.lower.kernel_names import BATCH, IX, TIMESTEP, ZERO
from snnlearn.codegen.lower.nest import (
    Assign,
    Body,
    Comment,
    Copy,
    Do,
    Draws,
    For,
    If,
    Let,
    Prefetch,
    Room,
    Statement,
    View,
    loop,
)  # fmt: skip
from snnlearn.codegen.plan import Load, OnSpike

WORD_BITS = 32
END, WORDS, ROW = Var("end", UINT), Var("recording_words", SIZE), Var("recording_row", SIZE)


def neurons(k: NeuronKernel) -> Body:
    """Update all neurons, list those that spike, and record."""
    played = (_prefetch_row(k, p.rows, p.reverse, history.width(k.kernel, p.bits)) for p in k.kernel.players)
    if k.in_strips:
        return (*played, *_spike_counts(k), *_strips(k), *_record(k))
    rows = [x for x in k.passes[0].loads if x.array in k.kept_rows]
    body = _kept_or_not(k, rows, lambda kept: _all_neurons(k, kept)) if k.kernel.loads or k.kernel.body else ()
    return (*played, *_spike_counts(k), *body, *_record(k))


def _prefetch_row(k: NeuronKernel, rows: str, reverse: bool, width: int) -> Prefetch:
    return _prefetch(k, history.played_view(k, rows), "-" if reverse else "+", width, writes=False)


def _prefetch(k: NeuronKernel, pointer: Expr, sign: str, width: int, *, writes: bool) -> Prefetch:
    """Ask for memory that the next timestep will need: it arrives while this one goes on."""
    return Prefetch(pointer, sign, Num(width * k.plan.batch_size, UINT), Num(width, UINT), writes)


def _spike_counts(k: NeuronKernel) -> Iterator[Statement]:
    """Yield what begins to count spikes and events, and to record them."""
    if k.records:
        yield Let(WORDS.name, SIZE, Num((k.domain.size + 31) // 32, "int"))
        row: Expr = TIMESTEP % State("recording_timesteps")
        yield Let(ROW.name, SIZE, (row * k.plan.batch_size + BATCH if k.copies else row) * WORDS)
    for number, spike in enumerate(k.kernel.spikes):
        yield Let(f"count_{number}", UINT, ZERO, const=False)
        if spike.recording is not None:
            yield Copy(k.view(spike.recording) + ROW, None, WORDS, UINT)


# ---- loops over neurons ----


def _kept_or_not(k: NeuronKernel, rows: Sequence[Load], run: Callable[[Body], Body]) -> Body:
    """Run a loop over neurons; where it leaves values in rows, a loop that does if the timestep is recorded."""
    if not rows:
        return run(())
    assert k.kept_recorder is not None
    narrow = [Var(f"wide_{name}", "int") for name in k.narrow_rows]
    kept = (
        *k.kept_views(),
        *(Room(v.name, v.type, (k.strip,)) for v in narrow),
        *run(tuple(k.row_assign(x) for x in rows)),
        *(
            loop("i", END, Assign(Var(f"kept_{name}", k.view(name).type)[IX], v[IN_STRIP]), begin=FIRST)
            for name, v in zip(k.narrow_rows, narrow, strict=True)
        ),
    )
    return (If(history.recording(k.kept_recorder), kept, run(())),)


def _all_neurons(k: NeuronKernel, kept: Body) -> Body:
    inside = (
        *k.inputs(),
        *k.loads("neuron"),
        *k.random(IX, k.domain.size),
        *k.body(),
        *k.stores("neuron"),
        *kept,
    )
    return (loop("i", k.domain.size, *inside, hints=k.hints),)


def _strips(k: NeuronKernel) -> Body:
    spikes = k.kernel.spikes
    number, strip = k.domain.size, Num(k.strip, UINT)
    end: Expr = FIRST + strip
    if number % k.strip != 0 or k.any_size:
        end = Choose(Num(number, UINT) - FIRST < strip, Num(number, UINT), end)
    inside: list[Statement] = [*k.ask(strip), Let(END.name, UINT, end)]
    for n in range(len(spikes)):
        inside += [Room(f"spiked_{n}", UINT, (k.marks,)), Let(f"any_{n}", UINT, ZERO, const=False)]
    inside += [*_look_ahead(k), *_widen(k)]
    handed = {name for p in k.passes for name in p.after}
    inside += [Room(f"handed_{v.name}", k.ctype(v), (k.strip,)) for v in k.kernel.inputs if v.name in handed]
    for n, p in enumerate(k.passes):
        rows = [x for x in p.loads if k.kept_rows.get(x.array) == n]
        inside += _kept_or_not(k, rows, lambda kept, p=p: _pass(k, p, kept))  # type: ignore[misc]
    inside += [s for n, spike in enumerate(spikes) for s in _list_spikes(k, n, spike)]
    counts = (Assign(k.view(spike.count)[ZERO], Var(f"count_{n}", UINT)) for n, spike in enumerate(spikes))
    marked = Comment("Spikes are marked first and listed afterwards, so that the loop over neurons vectorises.")
    return (marked, *k.spent(), loop(FIRST.name, number, *inside, step=strip), *counts)


def _look_ahead(k: NeuronKernel) -> Body:
    """Make the first random words of all neurons of a strip."""
    if not k.foresees:
        return ()
    assert k.kernel.stream is not None
    stream, index = Num(k.kernel.stream, UINT), k.random_index(FIRST, k.random_rows)
    words, stride = Num(k.words_ahead, UINT), Num(k.random_stride, UINT)
    ahead = (State("seed"), stream, index, TIMESTEP, words, stride, Var("words", "uint32_t"))
    return (Room("words", "uint32_t", (k.words_ahead * k.random_stride,)), Do(Call("StepRandom::look_ahead", ahead)))


def _widen(k: NeuronKernel) -> Iterator[Statement]:
    """Yield what widens rows of narrow elements, or of bits, for a strip."""
    word, bit = Var("word", UINT), Var("bit", UINT)
    for rows, bits in k.wide_played.items():
        view, wide = history.played_view(k, rows), Var(f"wide_{rows}", "int")
        yield Room(wide.name, "int", (k.marks,))
        if bits:
            value = (view[word] >> bit) & 1
            inner = loop("bit", WORD_BITS, Assign(wide[word * WORD_BITS - FIRST + bit], value))
            condition = word * WORD_BITS < END
            yield For("word", UINT, FIRST / WORD_BITS, condition, (inner,), Num(1, UINT))
        else:
            yield loop("i", END, Assign(wide[IN_STRIP], view[IX]), begin=FIRST)


def _pass(k: NeuronKernel, p: Pass, kept: Body) -> Body:
    """Go through a strip with a part of the body."""
    handed = {v.name: Var(f"handed_{v.name}", k.ctype(v))[IN_STRIP] for v in p.inputs}
    inputs = [k.let_input(v) for v in p.inputs]
    # What an earlier pass has stored is in the newest slot of a queue by now.
    loads = [replace(x, delay=0) if x.name in p.again and x.store else x for x in p.loads if x.index == "neuron"]
    inside: list[Statement] = [replace(x, value=handed[x.name]) if x.name in p.before else x for x in inputs]
    inside += [k.copy_of(x) for x in loads]
    if p.draws:
        assert k.kernel.stream is not None
        ahead = (Var("words", "uint32_t") + IN_STRIP, Num(k.random_stride, UINT), Num(k.words_ahead, UINT))
        index = k.random_index(IX, k.random_rows)
        inside.append(Draws(k.kernel.stream, index, (TIMESTEP, *ahead), each_step=True))
    inside += k.body(_marks, k.kernel.body[p.first : p.end])
    inside += [Assign(handed[v.name], Var(v.name, k.ctype(v))) for v in p.inputs if v.name in p.after]
    inside += [s for x in p.loads if x.store and x.index == "neuron" for s in k.store(x)]
    return (loop("i", END, *inside, *kept, begin=FIRST, hints=k.hints),)


def _marks(number: int, spikes: Expr) -> Body:
    return (
        Assign(Var(f"spiked_{number}", UINT)[IN_STRIP], spikes),
        Assign(Var(f"any_{number}", UINT), spikes, "|="),
    )


def _list_spikes(k: NeuronKernel, number: int, spike: OnSpike) -> Body:
    """List the neurons of a strip that have spiked: where any has, look for it among a few at once."""
    spiked, any_spiked, n = Var(f"spiked_{number}", UINT), Var(f"any_{number}", UINT), Var("n", UINT)
    some, any_of_some, few = Var("some", UINT), Var("any", UINT), Num(LISTED_AT_ONCE, UINT)
    listed: list[Statement] = []
    if spike.recording is not None:
        listed.append(_set_bit(k.view(spike.recording), IX, ROW))
    listed.append(Assign(k.view(spike.spikes)[Step(Var(f"count_{number}", UINT))], IX))
    each = (If(unequal(spiked[IN_STRIP], 0), tuple(listed)),)
    one = Num(1, UINT)
    looked = (
        Let(any_of_some.name, UINT, ZERO, const=False),
        loop("n", few, Assign(any_of_some, spiked[some - FIRST + n], "|=")),
        For("i", UINT, some, both(unequal(any_of_some, ZERO), some + few > IX), each, one),
    )
    return (
        For("n", UINT, END - FIRST, unequal(n % few, ZERO), (Assign(spiked[n], ZERO),), one),
        For("some", UINT, FIRST, both(unequal(any_spiked, ZERO), some < END), looked, few),
    )


def _set_bit(words: Expr, index: Expr, row: Expr | None = None) -> Assign:
    word, one = index / WORD_BITS, Num(1, UINT)
    return Assign(words[word if row is None else row + word], Binary("<<", one, index % WORD_BITS), "|=")


# ---- rows of kept values ----


def _record(k: NeuronKernel) -> Iterator[Statement]:
    """Yield, behind a loop over neurons, what they leave in rows."""
    number, rows = k.domain.size, k.kept_rows
    for n, r in enumerate(k.kernel.recorders):
        inside: list[Statement] = [*history.number_lets(k, n)]
        starts = {array: history.row_start(k, target, n) for array, target in r.copied}
        for array, row in starts.items():
            if array in rows:
                continue
            if r.index is not None:
                inside.append(loop("i", number, Assign(row[IX], history.recorded_value(k, r, array, IX))))
            else:
                inside.append(Copy(row, k.view(array), Num(number, UINT), Unary("*", k.view(array))))
        inside += [_prefetch(k, row, "+", number, writes=True) for row in starts.values()]
        if r.flags is not None:
            inside += _flags(k, history.row_start(k, r.flags, n, bits=True))
        yield If(history.recording(n), tuple(inside))


def _flags(k: NeuronKernel, start: Expr) -> Body:
    """Set the flags of the neurons that have spiked."""
    words, flags = history.width(k.kernel, bits=True), Var("flags", UINT)
    number = len(k.kernel.spikes) - 1  # the test for a spike: the last, behind those for events
    spiking = k.view(k.kernel.spikes[number].spikes)[Var("n", UINT)]
    return (
        View("flags", UINT, start, writes=True, restrict=False),
        Copy(flags, None, Num(words, UINT), Unary("*", flags)),
        loop("n", Var(f"count_{number}", UINT), _set_bit(flags, spiking)),
        _prefetch(k, flags, "+", words, writes=True),
    )
