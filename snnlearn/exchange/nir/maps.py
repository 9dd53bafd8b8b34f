"""What lies between two populations, as one sparse matrix: linear nodes one after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError
from snnlearn.exchange.nir.graph import Node, Shape
from snnlearn.exchange.nir.windows import Window, window_of

_MOST = 1 << 27  # synapses of one connection: 2 GB while they are made


@dataclass(frozen=True)
class Entries:
    """A sparse matrix, each pair once, by first index and then second.

    Parameters
    ----------
    pre, post : ndarray of int64, shape (entries,)
    value : ndarray of float64, shape (entries,)
    """

    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    value: NDArray[np.float64]

    def then(self, other: Entries, node: Node) -> Entries:
        """Return the product of this map and one behind it; ``node`` is what that is."""
        lengths = np.bincount(other.pre, minlength=int(self.post.max(initial=-1)) + 1)
        begins = np.concatenate([[0], np.cumsum(lengths)])
        counts = lengths[self.post]
        total = int(counts.sum())
        _check_number(total, node)
        mine = np.repeat(np.arange(self.pre.size), counts)
        theirs = begins[self.post[mine]] + np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        return summed(self.pre[mine], other.post[theirs], self.value[mine] * other.value[theirs])


def summed(pre: NDArray[np.int64], post: NDArray[np.int64], value: NDArray[np.float64]) -> Entries:
    """Return entries with what is there twice added up."""
    order = np.lexsort((post, pre))
    pre, post, value = pre[order], post[order], value[order]
    new = np.ones(pre.size, np.bool_)
    new[1:] = (pre[1:] != pre[:-1]) | (post[1:] != post[:-1])
    first = np.flatnonzero(new)
    return Entries(pre[first], post[first], np.add.reduceat(value, first) if first.size else value)


def identity(size: int) -> Entries:
    """Return the map that changes nothing."""
    each = np.arange(size, dtype=np.int64)
    return Entries(each, each, np.ones(size))


def entries_of(node: Node, shape: Shape) -> Entries | None:
    """Return what a linear node does to an input of a shape, in the order of its elements; None for nothing."""
    if node.kind in ("Linear", "Affine"):
        weight = node.array("weight")
        _check_number(weight.size, node)
        pre, post = np.indices(weight.T.shape).reshape(2, -1)
        return Entries(pre, post, weight.T.ravel())
    if node.kind == "Scale":
        each = np.arange(math.prod(shape), dtype=np.int64)
        return Entries(each, each, np.broadcast_to(node.array("scale"), shape).ravel())
    if node.kind in ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"):
        window = window_of(node, shape)
        if node.kind in ("Conv1d", "Conv2d"):
            kernel = node.array("weight").reshape(window.channels[1], -1, *window.size)
        else:
            value = 1.0 if node.kind == "SumPool2d" else 1.0 / math.prod(window.size)
            kernel = np.full((window.channels[1], 1, *window.size), value)
        return _moved(window, kernel, node)
    return None


def _moved(window: Window, kernel: NDArray[np.float64], node: Node) -> Entries:
    """Return a kernel of shape (out, in of a group, height, width) at all places of its window."""
    _check_number(kernel.size * math.prod(window.given), node)
    out, inner, k, m, row, column = np.indices((*kernel.shape, *window.given)).reshape(6, -1)
    r = row * window.stride[0] + k * window.dilation[0] - window.margin[0]
    c = column * window.stride[1] + m * window.dilation[1] - window.margin[1]
    there = (r >= 0) & (r < window.taken[0]) & (c >= 0) & (c < window.taken[1])
    out, inner, k, m, row, column, r, c = (a[there] for a in (out, inner, k, m, row, column, r, c))
    channel = out // (window.channels[1] // window.groups) * kernel.shape[1] + inner
    pre = (channel * window.taken[0] + r) * window.taken[1] + c
    post = (out * window.given[0] + row) * window.given[1] + column
    return summed(pre, post, kernel[out, inner, k, m])


def bias_of(node: Node, shape: Shape) -> NDArray[np.float64] | None:
    """Return what a node adds to each element of its output, shape (elements,); None for nothing."""
    if node.kind == "Affine":
        bias, size = node.array("bias"), node.array("weight").shape[0]
        places = 1
    elif node.kind in ("Conv1d", "Conv2d"):
        window = window_of(node, shape)
        bias, size, places = node.array("bias"), window.channels[1], math.prod(window.given)
    else:
        return None
    if bias.size not in (1, size):
        raise ExchangeError(f"{node.whole}: a bias of shape {bias.shape} does not go with {size} outputs")
    return np.repeat(np.broadcast_to(bias.ravel(), (size,)), places)


def _check_number(number: int, node: Node) -> None:
    if number > _MOST:
        raise ExchangeError(f"{node.whole}: it has {number} connections; at most {_MOST} are read")
