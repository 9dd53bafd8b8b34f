"""What emitted code calls: what PyTorch lacks, safe to differentiate, and changing no tensor in place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from snnlearn.codegen.reports import describe
from snnlearn.errors import NetworkError, TorchError

# ---- constants ----


@lru_cache(maxsize=4096)
def _constant(value: float, sign: float, kind: torch.dtype) -> Tensor:
    with torch.inference_mode(False):  # it is kept, and may be part of a graph later
        return torch.tensor(value, dtype=kind)


def constant(value: float, kind: torch.dtype) -> Tensor:
    """Return a number as a tensor without axes; the same one whenever it is asked for."""
    if value != value:
        return torch.tensor(value, dtype=kind)
    if kind == torch.int64 and value >= 2**63:  # unsigned, in the same bits
        value -= 2**64
    return _constant(value, math.copysign(1.0, value), kind)


@lru_cache(maxsize=256)
def arange(size: int) -> Tensor:
    """Return 0 to size - 1."""
    with torch.inference_mode(False):
        return torch.arange(size)


def time(timestep: int, dt: float, kind: torch.dtype) -> Tensor:
    """Return when a timestep starts [ms]: the number nearest to the product."""
    return torch.tensor(timestep * dt, dtype=kind)


def fit(value: Tensor, like: Tensor) -> Tensor:
    """Return a value with an element for each of another tensor's."""
    return value if value.shape == like.shape else value.expand(like.shape)


# ---- spikes ----


class _Spike(torch.autograd.Function):
    """A step whose derivative is a surrogate's, which can be differentiated in turn."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, fired: Tensor, gate: Tensor | None, surrogate: Any) -> Tensor:
        ctx.surrogate, ctx.gated = surrogate, gate is not None
        ctx.save_for_backward(h, *([gate] if gate is not None else []))
        return fired.to(h.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[override]
        h, *gates = ctx.saved_tensors
        slope = gradient * ctx.surrogate.derivative(h)
        return (torch.where(gates[0], slope, 0.0) if ctx.gated else slope), None, None, None


def spike(h: Tensor, fired: Tensor, gate: Tensor | None, surrogate: Any) -> Tensor:
    """Return 1 where neurons have fired, else 0; its derivative with respect to the margin is the surrogate's."""
    if not h.requires_grad:
        return fired.to(h.dtype)
    result: Tensor = _Spike.apply(h, fired, gate, surrogate)
    return result


def soft(h: Tensor, fired: Tensor, gate: Tensor | None, surrogate: Any) -> Tensor:
    """Return the surrogate's integral where the gate is open, else 0."""
    value: Tensor = surrogate.integral(h)
    return value if gate is None else torch.where(gate, value, 0.0)


# ---- times of spikes ----


def _times(timesteps: Tensor, dt: float, kind: torch.dtype) -> Tensor:
    return (timesteps * dt).to(kind)


def arrival(emitted: Tensor, steps: int, dt: float) -> Tensor:
    """Return when spikes arrive that were emitted some timesteps before: the very numbers that t is then."""
    exact = emitted.to(torch.float64)
    timestep = torch.round(exact / dt)
    whole = (timestep >= 0.0) & (timestep < 2.0**62) & (_times(timestep, dt, emitted.dtype) == emitted)
    return torch.where(whole, _times(timestep + steps, dt, emitted.dtype), (exact + steps * dt).to(emitted.dtype))


def just_now(last: Tensor, timestep: int, dt: float, kind: torch.dtype) -> Tensor:
    """Return where a time is that of the timestep before."""
    return last == time(timestep - 1, dt, kind) if timestep > 0 else torch.zeros_like(last, dtype=torch.bool)


# ---- elements of arrays ----


def element(array: Tensor, index: Tensor | int) -> Tensor:
    """Return elements of an array; where an index is none of it, the nearest."""
    if array.numel() == 0:
        return torch.zeros_like(torch.as_tensor(index), dtype=array.dtype)
    if isinstance(index, int):
        return array[min(max(index, 0), array.numel() - 1)]
    return array[index.clamp(0, array.numel() - 1)]


def put(array: Tensor, index: Tensor | int, value: Tensor | float, where: Tensor | None, title: str) -> Tensor:
    """Return an array with other elements.

    Raises
    ------
    TorchError
        Where several are assigned to one element, of which the last one counts on other engines.
    """
    places = torch.as_tensor(index)
    values = torch.as_tensor(value, dtype=array.dtype)
    mask = torch.as_tensor(True) if where is None else where
    places, values, mask = torch.broadcast_tensors(places, values, mask)
    chosen, new = places[mask], values[mask]
    if chosen.unique().numel() != chosen.numel():
        raise TorchError(f"{title}: several assign to one element of an array, which tensors do in no order")
    return array.index_put((chosen,), new)


def past(slots: Sequence[Tensor], delay: Tensor) -> Tensor:
    """Return what was there some timesteps ago, from the newest slot on."""
    found = slots[0]
    steps = delay % len(slots)
    for number, slot in enumerate(slots[1:], 1):
        found = torch.where(steps == number, slot, found)
    return found


# ---- sums over synapses ----


def _row(vector: Tensor | None, size: int) -> Tensor | None:
    """Return factors of presynaptic neurons, which stand in a column, in a row."""
    if vector is None:
        return None
    return (vector.squeeze(-1) if vector.dim() > 1 else vector).expand(*vector.shape[:-2], size)


def _behind(vector: Tensor | None) -> Tensor | None:
    return vector if vector is None or vector.dim() < 2 else vector.squeeze(-2)


def _matrix(matrix: Tensor | float, pre: int, post: int) -> Tensor:
    values = torch.as_tensor(matrix)
    if values.shape[-2:] == (pre, post):
        return values
    return values.expand(*values.shape[:-2], pre, post)


def to_post(before: Tensor | None, matrix: Tensor | float | None, behind: Tensor | None, pre: int, post: int) -> Tensor:
    """Return the sum of products over presynaptic neurons, for each postsynaptic one."""
    row, last = _row(before, pre), _behind(behind)
    if matrix is None:
        total = row.sum(-1, keepdim=True) if row is not None else float(pre)
        found = total if last is None else total * last
    else:
        values = _matrix(matrix, pre, post)
        if row is None:
            found = values.sum(-2)
        elif values.dim() == 2:
            found = row @ values
        else:
            found = (row.unsqueeze(-2) @ values).squeeze(-2)
        found = found if last is None else found * last
    assert isinstance(found, Tensor)
    return found


def to_pre(before: Tensor | None, matrix: Tensor | float | None, behind: Tensor | None, pre: int, post: int) -> Tensor:
    """Return the sum of products over postsynaptic neurons, for each presynaptic one."""
    row, last = _row(before, pre), _behind(behind)
    if matrix is None:
        total = last.expand(*last.shape[:-1], post).sum(-1, keepdim=True) if last is not None else float(post)
        found = total if row is None else total * row
    else:
        values = _matrix(matrix, pre, post)
        if last is None:
            found = values.sum(-1)
        elif values.dim() == 2:
            found = last.expand(*last.shape[:-1], post) @ values.transpose(-1, -2)
        else:
            found = (values @ last.expand(*last.shape[:-1], post).unsqueeze(-1)).squeeze(-1)
        found = found if row is None else found * row
    assert isinstance(found, Tensor)
    return found


def scatter(value: Tensor, where: Tensor, size: int) -> Tensor:
    """Return the sums of values of synapses for each neuron, or element of a kernel."""
    values = value.expand(*value.shape[:-1], where.numel()) if value.dim() else value.expand(where.numel())
    zeros = values.new_zeros((*values.shape[:-1], size))
    return zeros.index_add(-1, where, values)


def only(value: Tensor, where: Tensor) -> Tensor:
    """Return a value where a condition holds, else 0."""
    return torch.where(where, value, 0.0)


def add_delayed(
    slots: Sequence[Tensor],
    newest: int,
    value: Tensor,
    delay: Tensor,
    where: Tensor | int,
    shape: tuple[int, int] | None,
) -> list[Tensor]:
    """Return the slots of a queue of input with what synapses add to them, each after a delay of its own."""
    number, found = len(slots), list(slots)
    # GeNN's queue of input has no slot for the longest delay itself; a longer one wraps around as there.
    steps = torch.where((delay >= 0) & (delay < number), delay, delay % (number - 1))
    for n in steps.unique().tolist():
        part = torch.where(steps == n, value, 0.0)
        slot = (newest + n) % number
        if shape is not None:
            found[slot] = found[slot] + part.expand(torch.broadcast_shapes(part.shape, shape)).sum(-2)
        else:
            assert isinstance(where, Tensor)
            found[slot] = found[slot] + scatter(part, where, found[slot].shape[-1])
    return found


def _lanes(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    return value.expand(torch.broadcast_shapes(value.shape, shape))


def reduce_sum(old: Tensor, value: Tensor, shape: tuple[int, ...], where: Any, alone: bool) -> Tensor:
    """Return an array with the sum of values added to it; ``alone`` says that a batch's copies share it."""
    found = _lanes(value, shape)
    if isinstance(where, Tensor):
        found = scatter(found, where, old.shape[-1])
    elif where != ():
        found = found.sum(where)
    if alone:
        found = found.sum(0)
    return old + found.reshape(old.shape)


def reduce_max(old: Tensor, value: Tensor, shape: tuple[int, ...], where: Any, alone: bool) -> Tensor:
    """Return the greatest of an array's elements and of values; see `reduce_sum`."""
    found = _lanes(value, shape)
    if isinstance(where, Tensor):
        index = where.expand(found.shape)
        lowest = old.expand((*found.shape[:-1], old.shape[-1]))
        found = lowest.scatter_reduce(-1, index, found.to(old.dtype), "amax")
    elif where != ():
        found = found.amax(where)
    if alone:
        found = found.amax(0)
    return torch.maximum(old, found.to(old.dtype).reshape(old.shape))


def check(fine: Tensor, title: str) -> None:
    """Check an assertion of a code string.

    Raises
    ------
    NetworkError
        If it fails anywhere.
    """
    if not bool(fine.all()):
        raise NetworkError(describe(4, title, 0, 0))


# ---- whole numbers ----


def quotient(a: Tensor, b: Tensor | int) -> Tensor:
    """Return a quotient of integers, towards zero as in C; by zero it is zero."""
    divisor = torch.as_tensor(b)
    none = divisor == 0
    found = torch.div(a, torch.where(none, 1, divisor), rounding_mode="trunc")
    return torch.where(none, 0, found)


def modulo(a: Tensor, b: Tensor | int) -> Tensor:
    """Return what is left of a quotient of integers, with the dividend's sign."""
    divisor = torch.as_tensor(b)
    return torch.fmod(a, torch.where(divisor == 0, 1, divisor))


# ---- mathematics ----


def cbrt(x: Tensor) -> Tensor:
    """Return the cube root."""
    return torch.sign(x) * torch.abs(x).pow(1.0 / 3.0)


def rounded(x: Tensor) -> Tensor:
    """Return the nearest whole number; of two as near, the one away from zero."""
    return torch.copysign(torch.floor(torch.abs(x) + 0.5), x)


def tgamma(x: Tensor) -> Tensor:
    """Return the gamma function."""
    even = torch.remainder(torch.floor(x), 2.0) == 0.0
    sign = torch.where((x > 0.0) | even, 1.0, -1.0).to(x.dtype)
    return sign * torch.exp(torch.lgamma(x))


def hypot(x: Tensor, y: Tensor) -> Tensor:
    """Return the length of the hypotenuse; its derivative at the origin is 0."""
    origin = (x == 0.0) & (y == 0.0)
    return torch.where(origin, 0.0, torch.hypot(torch.where(origin, 1.0, x), y))


def power(x: Tensor, y: Tensor) -> Tensor:
    """Return a power."""
    return torch.pow(x, y.item() if not y.dim() and not y.requires_grad else y)


def remainder(x: Tensor, y: Tensor) -> Tensor:
    """Return what is left of x once the multiple of y nearest to it is taken away."""
    return x - y * torch.round(x / y)


def fdim(x: Tensor, y: Tensor) -> Tensor:
    """Return the positive difference."""
    return torch.where(x > y, x - y, 0.0)


def fma(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Return a sum with a product."""
    return x * y + z


def ldexp(x: Tensor, n: Tensor) -> Tensor:
    """Return a number times a power of 2."""
    return x * torch.pow(2.0, n.to(x.dtype))


scalbn = ldexp


def ilogb(x: Tensor) -> Tensor:
    """Return the exponent of a number as a power of 2."""
    return torch.frexp(x)[1].to(torch.int64) - 1


def least(x: Tensor, y: Tensor) -> Tensor:
    """Return the lesser number; the first where one is not a number."""
    return torch.where(y < x, y, x)


def greatest(x: Tensor, y: Tensor) -> Tensor:
    """Return the greater number; the first where one is not a number."""
    return torch.where(x < y, y, x)


# ---- connectivity ----


class Made:
    """Synapses as code makes them, of many rows, columns or diagonals at once.

    Parameters
    ----------
    pre, post : int
        Numbers of neurons.
    stride : int
        How many synapses a row has room for.
    title : str
        Of the kernel, for messages.
    """

    def __init__(self, pre: int, post: int, stride: int, title: str) -> None:
        self.pre, self.post, self.stride, self.title = pre, post, stride, title
        self._parts: list[Tensor] = []

    def add(self, pre: Any, post: Any, kernel: Any, where: Tensor | None, order: Tensor) -> None:
        """Add a synapse for each of the rows, columns or diagonals in ``order``, where a condition holds."""
        columns = torch.broadcast_tensors(*(torch.as_tensor(x) for x in (order, pre, post, kernel)))
        part = torch.stack([c.to(torch.int64) for c in columns])
        self._parts.append(part if where is None else part[:, where.expand(order.shape)])

    def synapses(self) -> Tensor:
        """Return the synapses in the order in which one row, column or diagonal after the other makes them.

        Returns
        -------
        Tensor of int64, shape (3, synapses)
            Presynaptic and postsynaptic neuron, and element of the kernel.

        Raises
        ------
        NetworkError
            For a neuron that does not exist, and a row that is too long.
        """
        every = torch.cat(self._parts, 1) if self._parts else torch.zeros((4, 0), dtype=torch.int64)
        every = every[:, torch.sort(every[0], stable=True).indices]
        _, pre, post, _ = every
        bad = (pre < 0) | (pre >= self.pre) | (post < 0) | (post >= self.post)
        if bool(bad.any()):
            n = int(bad.to(torch.int64).argmax())
            raise NetworkError(describe(1, self.title, int(pre[n]), int(post[n])))
        return every[1:]
