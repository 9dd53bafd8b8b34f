"""What has been recorded, drawn into axes: traces, spikes, weights, receptive fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SPIKE_COLOUR = "#b5402f"
_MAX_LEGEND = 10  # more names than this hide what they name


def traces(
    times: ArrayLike,
    values: ArrayLike,
    *,
    copy: int = 0,
    labels: ArrayLike | None = None,
    offset: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw a line for each neuron.

    Parameters
    ----------
    times : array, shape (rows,)
        [ms], ``recording.times``.
    values : array, shape (rows,), (rows, neurons) or (rows, batch, neurons)
        ``recording["V"].values``.
    copy : int
        Which copy of a batch.
    labels : sequence, optional
        A name for each neuron, shown where there are no more than 10: ``recording.elements``.
    offset : float
        How far each line is above the one before, in the unit of the values.
    ax : matplotlib.axes.Axes, optional
        A new figure's by default, which belongs to no window: ``ax.figure``, for `save_figure`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        For arrays that do not fit each other.
    """
    t, y = _times(times), _rows(values, copy)
    _check_length(t, y, "values")
    names = None if labels is None else [str(label) for label in np.asarray(labels).ravel()]
    if names is not None and len(names) != y.shape[1]:
        raise ArgumentError(f"labels has {len(names)} names for {y.shape[1]} neurons")
    ax = axes_or_new(ax, "traces")
    lines = ax.plot(t, y + offset * np.arange(y.shape[1]), linewidth=0.8)
    if names is not None and len(names) <= _MAX_LEGEND:
        ax.legend(lines, names, loc="upper right", fontsize="small")
    ax.set_xlabel("Time [ms]")
    ax.margins(x=0.0)
    return ax


def raster(
    times: ArrayLike, spikes: ArrayLike, *, copy: int = 0, colour: str = _SPIKE_COLOUR, ax: Axes | None = None
) -> Axes:
    """Draw a mark for each spike.

    Parameters
    ----------
    times : array
        [ms]: of each row of ``spikes``, shape (rows,); or of each spike, shape (spikes,).
    spikes : array
        ``recording.spikes.values``, shape (rows, neurons) or (rows, batch, neurons), not 0 where a neuron spiked; or
        the neuron of each spike, shape (spikes,), as in ``spike_recording_data``.
    copy : int
        Which copy of a batch.
    colour : str
        Of the marks.
    ax : matplotlib.axes.Axes, optional
        A new figure's by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        For arrays that do not fit each other.
    """
    t, given = _times(times), np.asarray(spikes)
    if given.ndim == 1:
        _check_length(t, given, "spikes")
        ids, number = given, int(given.max()) + 1 if given.size else 1
    else:
        rows = _rows(given, copy)
        _check_length(t, rows, "spikes")
        at, ids = np.nonzero(rows)
        t, number = t[at], rows.shape[1]
    ax = axes_or_new(ax, "raster")
    ax.scatter(t, ids, s=12.0, marker="|", color=colour, linewidths=0.8)
    ax.set(xlabel="Time [ms]", ylabel="Neuron", ylim=(-0.5, number - 0.5))
    _count_whole(ax.yaxis)
    return ax


def weights(
    values: ArrayLike,
    *,
    shape: tuple[int, int] | None = None,
    limit: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw weights as an image: presynaptic neurons downwards, postsynaptic ones to the right, white for 0.

    Parameters
    ----------
    values : array, shape (pre, post), or (pre * post,) with ``shape``
    shape : (pre, post), optional
        How many neurons there are.
    limit : float, optional
        The weight, and its negative, that have the darkest colours; the largest by default.
    ax : matplotlib.axes.Axes, optional
        A new figure's by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        For an array of another shape.
    """
    w = _matrix(values, shape, "shape=(pre, post)")
    ax = axes_or_new(ax, "weights")
    image = _image(ax, w, limit)
    ax.set(xlabel="Postsynaptic neuron", ylabel="Presynaptic neuron")
    _count_whole(ax.xaxis)
    _count_whole(ax.yaxis)
    ax.figure.colorbar(image, ax=ax)
    return ax


def receptive_fields(
    values: ArrayLike,
    field: tuple[int, int],
    *,
    columns: int | None = None,
    limit: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the weights that lead to each neuron, as an image each, side by side.

    Parameters
    ----------
    values : array, shape (pre, post)
        With as many presynaptic neurons as a field has places.
    field : (height, width)
        How presynaptic neurons lie: row by row.
    columns : int, optional
        How many fields are next to each other; by default about as many as are above each other.
    limit : float, optional
        As in `weights`.
    ax : matplotlib.axes.Axes, optional
        A new figure's by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        For an array of another shape.
    """
    w, (height, width) = _matrix(values, None, "an array (pre, post)"), field
    if height * width != len(w):
        raise ArgumentError(f"a field of {height} by {width} has {height * width} places for {len(w)} neurons")
    number = w.shape[1]
    across = int(np.ceil(np.sqrt(number))) if columns is None else columns
    if across < 1:
        raise ArgumentError(f"columns must be a positive integer, not {columns}")
    down = -(-number // across)
    mosaic = np.full((down * (height + 1) - 1, across * (width + 1) - 1), np.nan)
    for n in range(number):
        top, left = n // across * (height + 1), n % across * (width + 1)
        mosaic[top : top + height, left : left + width] = w[:, n].reshape(height, width)
    ax = axes_or_new(ax, "receptive fields")
    image = _image(ax, mosaic, limit)
    ax.set_aspect("equal")
    ax.set(xticks=[], yticks=[])
    ax.figure.colorbar(image, ax=ax)
    return ax


def axes_or_new(ax: Axes | None, label: str) -> Axes:
    """Return axes to draw into: those given, or those of a new figure."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    if isinstance(ax, Axes):
        return ax
    if ax is not None:
        raise ArgumentError(f"ax is a matplotlib.axes.Axes, as plt.subplots() gives, not {type(ax).__name__}")

    return Figure(figsize=(8.0, 4.5), layout="constrained").add_subplot(label=label)


def largest(values: ArrayLike) -> float:
    """Return the largest absolute value that is finite; 1 where there is none but 0."""
    finite = np.abs(np.asarray(values, float))
    return float(np.max(finite, where=np.isfinite(finite), initial=0.0)) or 1.0


def _count_whole(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def _image(ax: Axes, values: NDArray[Any], limit: float | None) -> Any:
    """Draw an image in which 0 is white."""
    most = largest(values) if limit is None else limit
    return ax.imshow(values, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")


def _times(times: ArrayLike) -> NDArray[Any]:
    found = np.asarray(times, float)
    if found.ndim != 1:
        raise ArgumentError(f"times has the shape {found.shape}; a time for each row, or spike, is (rows,)")
    return found


def _rows(values: ArrayLike, copy: int) -> NDArray[Any]:
    """Return values of shape (rows, neurons)."""
    found = np.asarray(values)
    if found.ndim == 1:
        return found[:, np.newaxis]
    if found.ndim == 3:
        if not -found.shape[1] <= copy < found.shape[1]:
            raise ArgumentError(f"there is no copy {copy} of a batch of {found.shape[1]}")
        return found[:, copy]
    if found.ndim != 2:
        raise ArgumentError(f"values have the shape {found.shape}, not (rows, neurons) or (rows, batch, neurons)")
    return found


def _check_length(times: NDArray[Any], rows: NDArray[Any], what: str) -> None:
    if len(times) != len(rows):
        raise ArgumentError(f"there are {len(times)} times for {len(rows)} rows of {what}")


def _matrix(values: ArrayLike, shape: tuple[int, int] | None, wanted: str) -> NDArray[Any]:
    found = np.asarray(values, float)
    if shape is not None and found.size == shape[0] * shape[1]:
        found, shape = found.reshape(shape), None
    if shape is not None or found.ndim != 2:
        raise ArgumentError(f"weights have the shape {found.shape}; {wanted if shape is None else shape} is needed")
    if not found.size:
        raise ArgumentError(f"there are no weights to draw: their shape is {found.shape}")
    return found
