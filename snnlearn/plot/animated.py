"""Pictures that move: learning, frame by frame, as GIF or MP4."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snnlearn.errors import ArgumentError, OutputError
from snnlearn.plot.recorded import axes_or_new, largest, weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NONE = object()
_WRITERS = {".gif": "pillow", ".mp4": "ffmpeg"}


def animation(
    path: str | os.PathLike[str],
    frames: Iterable[Any],
    draw: Callable[[Axes, Any], object] | None = None,
    *,
    fps: float = 10.0,
    ax: Axes | None = None,
) -> Path:
    """Draw frame after frame into the same axes, and write them to a file.

    Parameters
    ----------
    path : path-like
        ``.gif``; or ``.mp4``, which needs ffmpeg. The file appears under this name when it is whole.
    frames : iterable
        What each picture shows: by default weights of shape (pre, post), such as those of ``recording["w"].values``.
    draw : callable (Axes, frame) -> object, optional
        Draws a frame into empty axes; by default `weights`, with the same colours in all frames.
    fps : float
        Frames a second.
    ax : matplotlib.axes.Axes, optional
        A new figure's by default. All else in its figure stays as it is.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    OutputError
        For another format, MP4 without ffmpeg, and a file that cannot be written.
    ArgumentError
        Where there are no frames.
    """
    from matplotlib import animation as movies

    to = Path(path)
    kind = _WRITERS.get(to.suffix.lower())
    if kind is None:
        raise OutputError(f"{to}: pictures that move are written as .gif or .mp4, not '{to.suffix}'")
    if not movies.writers.is_available(kind):
        raise OutputError(f"{to}: MP4 needs the program ffmpeg, which is not here; take .gif")
    if draw is None:
        frames = list(frames)
        limit = max(map(largest, frames), default=1.0)

        def draw(ax: Axes, frame: Any) -> object:
            return weights(frame, limit=limit, ax=ax)

    ax = axes_or_new(ax, "animation")
    others = [other for other in ax.figure.axes if other is not ax]
    unfinished = to.with_name(f".{to.stem}.{os.getpid()}{to.suffix}")
    make: Any = movies.writers[kind]
    writer, rest = make(fps=fps), iter(frames)
    first = next(rest, _NONE)
    if first is _NONE:
        raise ArgumentError(f"{to}: there are no frames")
    try:
        with writer.saving(ax.figure, str(unfinished), dpi=100):
            for frame in chain([first], rest):
                _clear(ax, others)
                draw(ax, frame)
                writer.grab_frame()
        unfinished.replace(to)
    except OSError as error:
        raise OutputError(f"{to}: cannot be written: {error.strerror or error}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return to


def _clear(ax: Axes, others: list[Axes]) -> None:
    """Remove what the frame before has drawn, colour bars too."""
    for other in [a for a in ax.figure.axes if a is not ax and a not in others]:
        other.remove()
    ax.clear()
