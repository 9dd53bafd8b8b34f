"""Picture files: whatever Pillow reads, as brightness, a piece at a time, so that no picture takes gigabytes."""

from __future__ import annotations

import math
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TargetError

if TYPE_CHECKING:
    import PIL.Image

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_MOST_PIXELS = 2 * 89_478_485  # what Pillow takes for an attack
_ANY_SIZE, _TIGHTEST = 1_000_000, 10_000  # pixels of a file of any size, and for each byte: no drawing is as blank
_STRIP = 1 << 18  # pixels that are looked at together
# Formats that Pillow has other programs or libraries read: Ghostscript runs what is in a file.
_FOREIGN = frozenset(["EPS", "WMF", "FPX", "MIC", "GRIB", "HDF5", "BUFR"])


class Picture:
    """The pixels of a picture as brightness in [0, 1].

    Attributes
    ----------
    height, width : int
    """

    def __init__(self, image: PIL.Image.Image) -> None:
        self._image = image
        self.width, self.height = image.size
        self._transparent = image.info.get("transparency")
        self._mode = _reading_mode(image.mode, self._transparent is not None)
        self._low, self._span = (0.0, 255.0) if self._mode is not None else self._range()

    def grey(self, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Return the brightness of a piece, shape (rows, columns); 0 is black."""
        found = np.empty((rows.stop - rows.start, columns.stop - columns.start))
        for strip, values in self._strips(rows, columns):
            found[strip.start - rows.start : strip.stop - rows.start] = self._brightness(values)
        return found

    def _strips(self, rows: slice, columns: slice) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Yield pieces as rows and their values: of one number, or of red, green and blue, and opacity."""
        height = max(1, _STRIP // (columns.stop - columns.start))
        for top in range(rows.start, rows.stop, height):
            bottom = min(top + height, rows.stop)
            piece = self._image.crop((columns.start, top, columns.stop, bottom))
            yield slice(top, bottom), np.asarray(piece if self._mode is None else piece.convert(self._mode))

    def _range(self) -> tuple[float, float]:
        """Return the least value of pixels with more than 8 bits, and how far the greatest is from it."""
        low, high = math.inf, -math.inf
        for _, values in self._strips(slice(0, self.height), slice(0, self.width)):
            low, high = min(low, float(values.min())), max(high, float(values.max()))
            if not math.isfinite(high - low) or math.isnan(float(values.min())):
                raise TargetError("the picture has pixels that are not finite")
        return low, (high - low) or 1.0

    def _brightness(self, values: NDArray[Any]) -> NDArray[np.float64]:
        if self._mode is None:
            single = (values.astype(np.float64) - self._low) / self._span
            if self._transparent is not None:
                single[values == self._transparent] = 1.0
            return single
        return brightness(values / self._span)


def brightness(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the brightness in [0, 1] of pixels of one number, or of red, green and blue, and opacity, over white."""
    if pixels.ndim == 2:
        return pixels
    # Clipped, because the luma of pure white need not be exactly 1 in floating point.
    luma: NDArray[np.float64] = np.clip(pixels[..., :3] @ _LUMA, 0.0, 1.0)
    if pixels.shape[2] == 3:
        return luma
    alpha = pixels[..., 3]
    return np.asarray(luma * alpha + (1.0 - alpha))


@contextmanager
def opened(path: Path) -> Iterator[Picture]:
    """Open a picture file within a ``with`` block, upright.

    Raises
    ------
    TargetError
        If the file is missing, is no picture or has too many pixels; for whatever goes wrong in the block too, since a
        picture is decoded when it is looked at.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow warns of broken metadata, and of half as many pixels as it refuses: a photograph may have those.
            warnings.simplefilter("ignore")
            # Not by name: Pillow maps an uncompressed TIFF into memory then, with a wrong width if it lies on its side.
            with open(path, "rb") as file, Image.open(file, formats=_formats()) as image:
                if image.width * image.height > most_pixels(os.fstat(file.fileno())):
                    raise Image.DecompressionBombError
                yield Picture(_upright(image))
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


def most_pixels(status: os.stat_result) -> int:
    """Return how many pixels a file may claim to have: memory is taken for all of them before they are decoded."""
    if not stat.S_ISREG(status.st_mode):
        return _MOST_PIXELS
    return min(_MOST_PIXELS, _ANY_SIZE + _TIGHTEST * status.st_size)


def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    return [name for name in Image.ID if name not in _FOREIGN]


def _upright(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return the first frame, turned and mirrored as its EXIF orientation says."""
    from PIL import ImageOps

    image.load()
    try:
        upright = ImageOps.exif_transpose(image)
    # Metadata that are broken say nothing of how the picture is to be held; viewers ignore them too.
    except Exception:
        return image
    image.close()  # its memory: the other is a copy
    return upright


def _reading_mode(mode: str, transparent: bool) -> str | None:
    """Return Pillow's mode with 8 bits a channel that has all of a picture; None where a pixel is one larger number."""
    if mode.startswith(("I", "F")):
        return None
    if transparent or mode in ("LA", "PA", "RGBA", "RGBa"):
        return "RGBA"
    return "L" if mode in ("1", "L") else "RGB"
