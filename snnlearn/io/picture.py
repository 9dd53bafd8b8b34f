"""From pictures to spike trains: rows are neurons, columns are time bins, dark pixels are spikes."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import TargetError
from snnlearn.io.spikes import SpikeTrains

if TYPE_CHECKING:
    import PIL.Image

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_MAX_PIXELS = 10_000_000  # of a target
_BLOCK = 1024  # rows of a picture that become float64 at a time: a photograph as a whole would take gigabytes
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
        Any file that Pillow reads: PNG, JPEG, GIF, TIFF, WebP and more, with 8 or 16 bits a channel; told by content,
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
    pixels, white = _loaded(Path(path))
    rows, columns = _averaging(pixels.shape[0], num_neurons), _averaging(pixels.shape[1], num_bins).T
    small = np.zeros((num_neurons, num_bins))
    for start in range(0, len(pixels), _BLOCK):
        block = slice(start, start + _BLOCK)
        small += rows[:, block] @ (_grey(pixels[block] / white) @ columns)
    low, high = float(small.min()), float(small.max())
    # One level of an 8-bit picture: below that there is only rounding to amplify.
    if high - low < 1.0 / 255.0:
        raise TargetError(f"{os.fspath(path)}: the picture has no contrast; all of it is the same shade")
    darkness: NDArray[np.float64] = ((high - small) / (high - low)).clip(0.0, 1.0)
    lightened: NDArray[np.float64] = darkness ** _exponent(float(darkness.mean()))
    return 1.0 - lightened


def _check_options(seed: int, bin_ms: float, jitter_ms: float, threshold: float | None) -> None:
    if seed < 0:
        raise TargetError(f"seed must be at least 0, not {seed}")
    if not (math.isfinite(bin_ms) and bin_ms > 0.0):
        raise TargetError(f"bin_ms must be finite and above 0, not {bin_ms}")
    if not 0.0 <= jitter_ms <= bin_ms / 2.0:
        raise TargetError(f"jitter_ms must be from 0 to half a bin, {bin_ms / 2.0:g}, not {jitter_ms}")
    if threshold is not None and not 0.0 < threshold <= 1.0:
        raise TargetError(f"threshold must be above 0 and at most 1, not {threshold}")


def _loaded(path: Path) -> tuple[NDArray[Any], float]:
    """Return the pixels of a picture file, upright, and the number that is white."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow warns of broken metadata, and of half as many pixels as it refuses: a photograph may have those.
            warnings.simplefilter("ignore")
            # Not by name: Pillow maps an uncompressed TIFF into memory then, with a wrong width if it lies on its side.
            with open(path, "rb") as file, Image.open(file) as image:
                return _pixels(_upright(image))
    except TargetError as error:
        raise TargetError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise TargetError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise TargetError(f"{path}: this is a folder, not a picture") from None
    except PermissionError:
        raise TargetError(f"{path}: the file cannot be read: permission denied") from None
    except (Image.DecompressionBombError, MemoryError):
        raise TargetError(f"{path}: the picture has too many pixels to be read; shrink it first") from None
    # Pillow's decoders raise whatever a broken file makes them stumble over: SyntaxError, IndexError...
    except Exception as error:
        raise TargetError(f"{path}: this is not a picture that can be read (PNG, JPEG, ...)") from error


def _upright(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return the first frame, turned and mirrored as its EXIF orientation says."""
    from PIL import ImageOps

    image.load()
    try:
        return ImageOps.exif_transpose(image)
    # Metadata that are broken say nothing of how the picture is to be held; viewers ignore them too.
    except Exception:
        return image


def _pixels(image: PIL.Image.Image) -> tuple[NDArray[Any], float]:
    """Return the pixels of an image of any of Pillow's modes: grey, RGB or RGBA; and the number that is white."""
    transparent = image.info.get("transparency")
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image).astype(np.float64)
        lightest = _shift_to_zero(values, 1.0 if image.mode == "F" else 65535.0)
        if transparent is not None:
            values[np.asarray(image) == transparent] = lightest
        return values, lightest
    if transparent is not None or image.mode in ("LA", "PA", "RGBA", "RGBa"):
        return np.asarray(image.convert("RGBA")), 255.0
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB")), 255.0


def _shift_to_zero(values: NDArray[np.float64], usual: float) -> float:
    """Return the number that is white, after a shift to 0 of values that leave the usual range from 0."""
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(high - low):
        raise TargetError("the picture has pixels that are not finite")
    if low >= 0.0 and high <= usual:
        return usual
    values -= low
    return (high - low) or 1.0


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
    if pixels.ndim == 2:
        return pixels
    # Clipped, because the luma of pure white need not be exactly 1 in floating point.
    luma: NDArray[np.float64] = np.clip(pixels[..., :3] @ _LUMA, 0.0, 1.0)
    if pixels.shape[2] == 3:
        return luma
    alpha = pixels[..., 3]
    return np.asarray(luma * alpha + (1.0 - alpha))


def _exponent(mean: float) -> float:
    """Return the power from 1 to 3 that brings a mean darkness down to a third, or as near as it can."""
    return min(max(math.log(_MEAN_DARKNESS) / math.log(mean), 1.0), 3.0)


def _averaging(size: int, new_size: int) -> NDArray[np.float64]:
    """Return the matrix (new_size, size) whose rows average the old pixels under each new one."""
    edges = np.linspace(0.0, size, new_size + 1)
    old = np.arange(size)
    overlap = np.minimum(edges[1:, None], old + 1.0) - np.maximum(edges[:-1, None], old)
    weights: NDArray[np.float64] = np.clip(overlap, 0.0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


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
