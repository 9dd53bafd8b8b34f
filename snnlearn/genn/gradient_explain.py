"""What a reverse pass does, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from snnlearn.declare import PostsynapticModel
from snnlearn.dialect import unparse
from snnlearn.dialect.tree import Expr, Name
from snnlearn.genn.adjoint_parts import Parts, Task
from snnlearn.grad.tape import RecordedTape


def explain_reverse(parts: Parts, task: Task, window: int) -> str:
    """Return what each population records and what its adjoints are, and what is cut or approximated."""
    return "\n".join(_lines(parts, task, window))


def _lines(parts: Parts, task: Task, window: int) -> Iterator[str]:
    if task.event_driven:
        yield f"EventProp, windows of at most {window} timesteps"
    else:
        yield f"backpropagation through time, windows of at most {window} timesteps, surrogate {task.surrogate.name}"
    for name, reversal in parts.neurons.items():
        tape = reversal.tape
        assert isinstance(tape, RecordedTape)
        yield ""
        yield f"{name} ({parts.declared[name].name})"
        if reversal.states:
            arriving = [i.name for i in reversal.inputs if isinstance(i.model, PostsynapticModel)]
            yield f"  adjoints: {', '.join((*reversal.states, *arriving))}"
        for given in (i for i in reversal.inputs if i.group):
            yield f"  part of its timestep: {given.group} ({given.model.name})"
        values = {a.name: a.value for a in tape.lines if a.value is not None}

        def text(e: Expr, values: Mapping[str, Expr] = values) -> str:
            return unparse(values.get(e.id, e) if isinstance(e, Name) else e)

        yield "  on the tape, a number each: " + (", ".join(map(text, tape.coefficients.numbers)) or "none")
        bits = [*(["the spike"] if tape.spikes else []), *map(text, tape.coefficients.bits)]
        yield "  on the tape, a bit each: " + (", ".join(bits) or "none")
        for event in reversal.events:
            yield f"  has a time: {event}"
        for place in reversal.compared:
            yield "  counts as constant: " + str(place.error("here")).split("\n")[1].strip()
    yield ""
    for name, c in parts.connections.items():
        to = " and carries adjoints on" if c.back else ""
        sent = f" (what it sends depends on {c.shown} of {c.group.src.name} all the time)" if c.shown else ""
        sums = f"sums up the gradient of {', '.join(c.wrt)}{to}" if c.wrt else "carries adjoints on"
        yield f"{name}: {sums}{sent}"
    yield ""
    yield from _left_out(task)
    yield "cut: what came before a window, but for spikes on their way to trained weights"


def _left_out(task: Task) -> Iterator[str]:
    if task.event_driven:
        yield "approximated: times of spikes and arrivals, by those of timesteps (the gradient's error is of order dt)"
        yield "approximated: the slope of a margin that grazes the threshold, by half of its mean in the timestep"
        yield "cut: spikes that come or go as weights change, which no time of a spike has a part in"
        return
    yield "approximated: the derivative of a spike, by the surrogate, where the other conditions of the threshold hold"
    if task.detach_reset:
        yield "cut: how resets depend on when a spike comes (detach_reset=False keeps that)"
