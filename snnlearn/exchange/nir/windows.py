"""Windows that move over pictures: those of convolutions and pools."""

from __future__ import annotations

from dataclasses import dataclass

from snnlearn.errors import ExchangeError
from snnlearn.exchange.nir.graph import Node, Shape


@dataclass(frozen=True)
class Window:
    """What a convolution or pool looks at: pairs are of height and width.

    Parameters
    ----------
    channels : tuple of int
        Of input and output.
    size, stride, dilation, margin : tuple of int
        ``margin`` is how much of the empty frame is above and left of the picture.
    taken, given : tuple of int
        Height and width of input and output.
    groups : int
    flat : bool
        Whether pictures are lines: of a Conv1d.
    """

    channels: tuple[int, int]
    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    margin: tuple[int, int]
    taken: tuple[int, int]
    given: tuple[int, int]
    groups: int
    flat: bool

    @property
    def output(self) -> Shape:
        """The shape of the output."""
        return (self.channels[1], *(self.given[1:] if self.flat else self.given))


def window_of(node: Node, shape: Shape) -> Window:
    """Return the window of a convolution or pool over an input of a shape.

    Raises
    ------
    ExchangeError
        If they do not fit.
    """
    flat = node.kind == "Conv1d"
    if len(shape) != (2 if flat else 3):
        raise ExchangeError(f"{node.whole}: it takes channels and {'a length' if flat else 'a picture'}, not {shape}")
    taken = (1, shape[1]) if flat else (shape[1], shape[2])
    if node.kind in ("Conv1d", "Conv2d"):
        weight = node.array("weight")
        groups = node.number("groups")
        if (
            weight.ndim != len(shape) + 1
            or groups < 1
            or weight.shape[1] * groups != shape[0]
            or weight.shape[0] % groups
        ):
            raise ExchangeError(f"{node.whole}: a weight of shape {weight.shape} in {groups} groups takes no {shape}")
        size = (1, weight.shape[2]) if flat else (weight.shape[2], weight.shape[3])
        dilation, channels = node.sides("dilation"), (shape[0], weight.shape[0])
    else:
        size, dilation, channels, groups = node.sides("kernel_size"), (1, 1), (shape[0], shape[0]), shape[0]
    stride = node.sides("stride")
    if min(*size, *stride, *dilation) < 1:
        raise ExchangeError(f"{node.whole}: kernel, stride and dilation must be at least 1")
    reach = tuple(d * (k - 1) for d, k in zip(dilation, size, strict=True))
    padding = getattr(node.given, "padding", None)
    if isinstance(padding, str | bytes):
        frame, stride = _named_padding(node, padding, reach, stride)
    else:
        both = node.sides("padding", 0)
        frame = (2 * both[0], 2 * both[1])
    given = tuple((t + f - r - 1) // s + 1 for t, f, r, s in zip(taken, frame, reach, stride, strict=True))
    if min(*given, *frame) < 0 or 0 in given:
        raise ExchangeError(f"{node.whole}: a kernel of {size} does not fit into an input of {shape}")
    margin = (frame[0] // 2, frame[1] // 2)
    return Window(channels, size, stride, dilation, margin, taken, (given[0], given[1]), groups, flat)


def _named_padding(
    node: Node, padding: str | bytes, reach: tuple[int, ...], stride: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    name = padding.decode() if isinstance(padding, bytes) else padding
    if name == "valid":
        return (0, 0), stride
    if name != "same":
        raise ExchangeError(f"{node.whole}: padding is 'same', 'valid' or numbers, not {name!r}")
    if stride != (1, 1):
        raise ExchangeError(f"{node.whole}: padding 'same' goes with a stride of 1, not {stride}")
    return (reach[0], reach[1]), stride
