"""From pictures to spike trains: rows are neurons, columns are time bins, dark pixels are spikes."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import TargetError
from snnlearn.io.averaging import Averaging
from snnlearn.io.picture_file import Picture, brightness, opened
from snnlearn.io.spikes import SpikeTrains

_MAX_PIXELS = 10_000_000  # of a target
_ROWS = 1024  # of a picture that are averaged at a time
_MOST_IN_LINES = 1 << 23  # pixels, as wide as wanted and as high as they are: 64 MB
_MEAN_DARKNESS = 1.0 / 3.0


def picture_to_spikes(
    image: ArrayLike,
    seed: int = 1234,
    bin_ms: float = 10.0,
    jitter_ms: float = 2.0,
    threshold: float | None = None,
) -> SpikeTrains:
    """Turn a picture into spike trains that look like it when they are plotted.

    A pixel has room for one spike at most, so greys have to become dots. By default they do by error
    diffusion (Floyd and Steinberg 1976, each second row from right to left): a pixel spikes if it is more
    black than white, and what that got wrong is passed on to its neighbours. Black and white come out as they
    are, which is all that a line drawing needs, and the greys of a photograph become a density of spikes. An
    ordered dither does the latter too, but its fixed grid makes neurons fire in lockstep and eats thin lines;
    a plain threshold, which `threshold` asks for, loses the greys.

    Each spike is in the middle of its bin, moved by a uniform jitter. With the defaults two spikes of a
    neuron are never closer than 10 - 2 * 2 = 6 ms, which leaves room for a refractory period of 5 ms. The
    jitter of a pixel depends on the seed and on where the pixel is, not on other pixels, and does not change
    with the version of NumPy.

    Parameters
    ----------
    image : array_like of float, shape (num_neurons, num_bins) or (num_neurons, num_bins, 3 or 4)
        Brightness in [0, 1], 0 is black; or red, green, blue and, if it is there, opacity, over white. As in
        any picture the first row is the top; the bottom row is neuron 0, as a raster plot has time to the
        right and ids upwards.
    seed : int
        Seed of the jitter, not negative.
    bin_ms : float
        Width of a bin [ms].
    jitter_ms : float
        Largest distance of a spike from the middle of its bin [ms], at most half a bin. Spike times are whole
        microseconds, so that a ``.ras`` file keeps them.
    threshold : float, optional
        If given, a pixel spikes if its darkness, 1 - brightness, is at least this, and nothing is diffused;
        above 0, at most 1.

    Returns
    -------
    SpikeTrains
        One neuron a row, ``num_bins * bin_ms`` long.

    Raises
    ------
    TargetError
        If the image has another shape or values out of range, an argument is out of range, or there is no
        spike at all.
    """
    _check_options(seed, bin_ms, jitter_ms, threshold)
    darkness = 1.0 - _grey(image)
    dots = _diffused(darkness) if threshold is None else darkness >= threshold
    if not dots.any():
        raise TargetError("the picture gives no spikes: it is (nearly) white, and only dark pixels spike")
    offset_us = _offsets_us(dots.shape, seed, round(jitter_ms * 1000.0))
    rows, bins = np.nonzero(dots)
    times_us = np.rint((bins + 0.5) * (bin_ms * 1000.0)) + offset_us[rows, bins]
    return SpikeTrains.from_spikes(times_us / 1000.0, dots.shape[0] - 1 - rows, dots.shape[0])


def read_picture(path: str | os.PathLike[str], num_neurons: int, num_bins: int) -> NDArray[np.float64]:
    """Read a picture file as the image that :func:`picture_to_spikes` takes.

    The picture is turned upright as its EXIF orientation says (a phone keeps a portrait lying on its side), put on
    white paper where it is transparent, made grey, stretched or shrunk to the given size
    (each pixel is the average of the area it covers) and given full contrast: the lightest pixel becomes white
    and the darkest black, because the paper of a scan or photograph is rarely white. If more than a third of it
    is dark on average, as in most photographs, its greys are lightened (darkness to a power of at most 3),
    because dots hardly show differences between dark greys and a network that fires everywhere has little to
    learn; black and white stay. Proportions are not kept: the picture fills the raster plot. Of an animation it is
    the first frame.

    Parameters
    ----------
    path : path-like
        Any file that Pillow reads itself: PNG, JPEG, GIF, TIFF, WebP and more, with 8 bits a channel, or with one of 16
        or 32 bits or of floating-point numbers, which reach from the picture's least to its greatest; told by content,
        not by name.
    num_neurons : int
        Number of rows wanted.
    num_bins : int
        Number of columns wanted.

    Returns
    -------
    ndarray of float64, shape (num_neurons, num_bins)
        Brightness in [0, 1], 0 is black; the first row is the top.

    Raises
    ------
    TargetError
        If the file is missing, is not such a picture or one of more than 178 million pixels (`PIL.Image` takes those
        for an attack), has no contrast at all, or a size is out of range.
    """
    if num_neurons < 1 or num_bins < 1 or num_neurons * num_bins > _MAX_PIXELS:
        raise TargetError(f"a target needs 1 to {_MAX_PIXELS} pixels, not {num_neurons} neurons x {num_bins} time bins")
    with opened(Path(path)) as picture:
        small = _shrunk(picture, num_neurons, num_bins)
    low, high = float(small.min()), float(small.max())
    # One level of an 8-bit picture: below that there is only rounding to amplify.
    if high - low < 1.0 / 255.0:
        raise TargetError(f"{os.fspath(path)}: the picture has no contrast; all of it is the same shade")
    darkness: NDArray[np.float64] = ((high - small) / (high - low)).clip(0.0, 1.0)
    lightened: NDArray[np.float64] = darkness ** _exponent(float(darkness.mean()))
    return 1.0 - lightened


def _shrunk(picture: Picture, num_rows: int, num_columns: int) -> NDArray[np.float64]:
    """Return a picture's brightness, each pixel the average of the area that it covers; (num_rows, num_columns)."""
    rows = Averaging(picture.height, num_rows, max(1, min(_ROWS, _MOST_IN_LINES // num_columns)))
    columns = Averaging(picture.width, num_columns, picture.width)
    small = np.zeros((num_rows, num_columns))
    for old_rows, new_rows, weights in rows.parts():
        lines = np.zeros((old_rows.stop - old_rows.start, num_columns))
        for old_columns, new_columns, across in columns.parts():
            lines[:, new_columns] += picture.grey(old_rows, old_columns) @ across.T
        small[new_rows] += weights @ lines
    return small


def _check_options(seed: int, bin_ms: float, jitter_ms: float, threshold: float | None) -> None:
    if seed < 0:
        raise TargetError(f"seed must be at least 0, not {seed}")
    if not (math.isfinite(bin_ms) and bin_ms > 0.0):
        raise TargetError(f"bin_ms must be finite and above 0, not {bin_ms}")
    if not 0.0 <= jitter_ms <= bin_ms / 2.0:
        raise TargetError(f"jitter_ms must be from 0 to half a bin, {bin_ms / 2.0:g}, not {jitter_ms}")
    if threshold is not None and not 0.0 < threshold <= 1.0:
        raise TargetError(f"threshold must be above 0 and at most 1, not {threshold}")


def _grey(image: ArrayLike) -> NDArray[np.float64]:
    """Return the brightness in [0, 1] of an image of any accepted shape, checked."""
    values = np.asarray(image)
    if values.dtype.kind not in "biuf":
        raise TargetError(f"a picture must be an array of numbers, not {values.dtype}")
    pixels: NDArray[np.float64] = values.astype(np.float64)
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))) or pixels.size == 0:
        raise TargetError(f"a picture must have shape (rows, columns[, 3 or 4]), not {pixels.shape}")
    if not np.all((pixels >= 0.0) & (pixels <= 1.0)):
        raise TargetError(f"pixels must be in [0, 1], not from {pixels.min():g} to {pixels.max():g}")
    return brightness(pixels)


def _exponent(mean: float) -> float:
    """Return the power from 1 to 3 that brings a mean darkness down to a third, or as near as it can."""
    return min(max(math.log(_MEAN_DARKNESS) / math.log(mean), 1.0), 3.0)


def _diffused(darkness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Dither by error diffusion, serpentine; white pixels never spike and black ones always do."""
    num_rows, num_columns = darkness.shape
    # A border of white, so that every pixel has all its neighbours; lists, because a loop over single elements of
    # an array is several times slower.
    tones = np.pad(darkness, 1).tolist()
    values = np.pad(darkness, 1).tolist()
    dots = np.zeros(darkness.shape, dtype=bool)
    for row in range(1, num_rows + 1):
        step = 1 if row % 2 else -1
        for column in range(1, num_columns + 1)[::step]:
            dot = values[row][column] >= 0.5
            dots[row - 1, column - 1] = dot
            if not 0.0 < tones[row][column] < 1.0:
                continue
            # Black and white take no error, else there would be stray spikes in white and holes in black. Their
            # share goes to the other neighbours: without it, thin grey lines would fade away.
            neighbours = ((row, column + step, 7), (row + 1, column - step, 3), (row + 1, column, 5))
            greys = [(y, x, w) for y, x, w in (*neighbours, (row + 1, column + step, 1)) if 0.0 < tones[y][x] < 1.0]
            share = (values[row][column] - dot) / (sum(w for _, _, w in greys) or 1)
            for y, x, weight in greys:
                values[y][x] += share * weight
    return dots


def _offsets_us(shape: tuple[int, ...], seed: int, jitter_us: int) -> NDArray[np.int64]:
    """Return whole microseconds in [-jitter_us, jitter_us] for every pixel."""
    # Raw bits: NumPy promises that these never change between versions, but not so for Generator's methods.
    raw = np.random.Philox(seed).random_raw(math.prod(shape))
    offsets: NDArray[np.int64] = (raw % np.uint64(2 * jitter_us + 1)).astype(np.int64) - jitter_us
    return offsets.reshape(shape)
