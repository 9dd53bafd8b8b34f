"""Draw the bundled target, a domed rotunda in the spirit of Oxford's Radcliffe Camera.

Usage: ``python data/draw_rotunda.py [OUT.ras]``; without a name it redraws ``data/oxford-target.ras``.

The picture is 200 rows (neurons) by 189 columns (bins of 10 ms). A network whose synapses smooth over 10 ms
learns areas and bold strokes, not single dots, so nothing here is finer than two or three pixels and the
tones are few and far apart. Every shape is decided by +, -, * and / alone and every tone is an integer, so
that the file is the same to the last byte on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

if __package__ in (None, ""):  # run as a script, perhaps from a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from snnlearn.cli import run_command
from snnlearn.io import picture_to_spikes, write_ras

NUM_NEURONS = 200
NUM_BINS = 189
SEED = 1749  # the year in which the Camera was opened
FINE = 4  # subpixels a pixel has in each direction

# Tones: darkness in 1/255. Lead and openings are dark, clouds and stone in the sun are light.
WHITE, CLOUD, SUNLIT, STONE, SHADE, TOWN, LEAD, DARK, BLACK = 0, 48, 64, 84, 112, 128, 140, 200, 255

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

# (x, width) of what stands around the building, as seen from the front: R * sin(angle), rounded to half
# pixels, and widths that shrink with the cosine. Each is mirrored to the left side.
COLUMN_PAIRS = ((12.5, 9.5), (34.5, 8.5), (51.5, 7.0))
WINDOWS = ((0.0, 10.0), (23.5, 8.0), (43.5, 6.0))
ARCHES = ((0.0, 14.0), (25.5, 13.0), (47.0, 10.0), (63.0, 6.0))


class Canvas:
    """A picture that shapes are painted on, the last one on top.

    Coordinates are pixels with (0, 0) in the middle of the bottom edge, x to the right and y upwards, so that
    y counts neurons.

    Attributes
    ----------
    x, y : ndarray of float64, shape (1, NUM_BINS * FINE) and (NUM_NEURONS * FINE, 1)
        Middle of each subpixel.
    tones : ndarray of int64, shape (NUM_NEURONS * FINE, NUM_BINS * FINE)
        Darkness of each subpixel in 1/255; row 0 is the bottom.
    """

    def __init__(self) -> None:
        self.x: Floats = ((np.arange(NUM_BINS * FINE) + 0.5) / FINE - NUM_BINS / 2.0)[None, :]
        self.y: Floats = ((np.arange(NUM_NEURONS * FINE) + 0.5) / FINE)[:, None]
        self.tones = np.full((NUM_NEURONS * FINE, NUM_BINS * FINE), WHITE, dtype=np.int64)

    def paint(self, where: Mask, tone: int) -> None:
        """Give all subpixels of a mask one tone."""
        self.tones[np.broadcast_to(where, self.tones.shape)] = tone

    def rect(self, x: float, y: float, width: float, height: float, tone: int) -> None:
        """Paint a rectangle with the middle of its bottom edge at (x, y)."""
        self.paint(self.box(x, y, width, height), tone)

    def box(self, x: float, y: float, width: float, height: float) -> Mask:
        """Return the mask of that rectangle."""
        inside_x = (self.x >= x - width / 2.0) & (self.x < x + width / 2.0)
        return inside_x & (self.y >= y) & (self.y < y + height)

    def ellipse(self, x: float, y: float, half_width: float, half_height: float) -> Mask:
        """Return the mask of an ellipse around (x, y)."""
        u, v = (self.x - x) / half_width, (self.y - y) / half_height
        return u * u + v * v < 1.0

    def arch(self, x: float, y: float, width: float, height: float, tone: int) -> None:
        """Paint an opening with a half-round head, `height` being all of it."""
        straight = height - width / 2.0
        head = self.ellipse(x, y + straight, width / 2.0, width / 2.0) & (self.y >= y + straight)
        self.paint(self.box(x, y, width, straight) | head, tone)

    def spire(self, x: float, y: float, width: float, height: float, tone: int) -> None:
        """Paint an upright triangle with the middle of its base at (x, y)."""
        half = (y + height - self.y) * (width / 2.0 / height)
        self.paint((self.y >= y) & (self.x >= x - half) & (self.x < x + half), tone)

    def shaded(self, where: Mask, half_width: float, tones: Callable[[Floats], NDArray[np.int64]]) -> None:
        """Paint a mask with tones that depend on x / half_width, from -1 at the left to 1 at the right."""
        across = np.broadcast_to(tones(self.x / half_width), self.tones.shape)
        self.tones = np.where(where, across, self.tones)

    def image(self) -> Floats:
        """Return the brightness in [0, 1], shape (NUM_NEURONS, NUM_BINS), the first row at the top."""
        blocks = self.tones.reshape(NUM_NEURONS, FINE, NUM_BINS, FINE).sum(axis=(1, 3))
        darkness: Floats = blocks[::-1] / (255.0 * FINE * FINE)
        return 1.0 - darkness


def both_sides(places: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    """Mirror (x, width) pairs at x = 0, where a place in the middle stays single."""
    return [(side * x, width) for x, width in places for side in ((1, -1) if x else (1,))]


def stone(across: Floats) -> NDArray[np.int64]:
    """Tones of a round wall lit from the left: light, plain, shade."""
    return np.select([across < -0.25, across < 0.45], [SUNLIT, STONE], SHADE)


def lead(across: Floats) -> NDArray[np.int64]:
    """Tones of the dome, whose lead is darker than the stone."""
    return np.select([across < -0.3, across < 0.4], [SHADE, LEAD], DARK)


def surroundings(c: Canvas) -> None:
    """Paint clouds, the town behind and the ground in front."""
    for x, y, half_width, half_height in (
        (-66, 172, 24, 7), (-54, 178, 15, 9), (-76, 178, 11, 7),
        (64, 150, 22, 6), (73, 156, 14, 8), (57, 155, 9, 6), (44, 190, 16, 5), (54, 193, 11, 5),
    ):  # fmt: skip
        c.paint(c.ellipse(x, y, half_width, half_height) & (c.y > y - 4), CLOUD)
    for x, width, height in ((-84, 24, 46), (84, 26, 40)):
        c.rect(x, 14, width, height - 14, STONE)
    for x, width, base, height in ((-83, 9, 70, 34), (84, 11, 58, 20)):
        c.rect(x, 14, width, base - 14, TOWN)
        c.spire(x, base, width, height, TOWN)
    c.rect(0, 0, NUM_BINS, 15, STONE)
    c.paint(c.ellipse(0, -6, 62, 16), WHITE)


def base(c: Canvas) -> None:
    """Paint the rusticated ground floor with its arches, and the cornice above."""
    c.rect(0, 12, 158, 3, BLACK)
    c.shaded(c.box(0, 15, 146, 41), 73, stone)
    for y in range(23, 55, 8):
        c.rect(0, y, 146, 2.5, WHITE)
    for x, width in both_sides(ARCHES):
        c.arch(x, 15, width + 5, 30, WHITE)
        c.arch(x, 15, width, 27, BLACK)
    c.rect(0, 56, 152, 3, WHITE)
    c.rect(0, 59, 152, 3, BLACK)


def colonnade(c: Canvas) -> None:
    """Paint the main floor: paired columns before a wall with two rows of windows."""
    c.shaded(c.box(0, 62, 122, 47), 61, stone)
    c.rect(0, 62, 126, 5, STONE)
    for x, width in both_sides(WINDOWS):
        c.rect(x, 71, width, 17, BLACK)
        c.rect(x, 88, width, 5, WHITE)
        c.arch(x, 93, width, 11, BLACK)
    for x, width in both_sides(COLUMN_PAIRS):
        c.rect(x, 67, width, 42, WHITE)
        c.rect(x, 67, 2, 39, BLACK)
    c.rect(0, 106, 126, 3, STONE)


def entablature(c: Canvas) -> None:
    """Paint the band over the columns and the balustrade with its vases."""
    c.rect(0, 109, 130, 3, BLACK)
    c.rect(0, 112, 126, 3, STONE)
    c.rect(0, 115, 136, 3, BLACK)
    for x in range(-63, 64, 6):
        c.rect(x, 118, 3, 5, DARK)
    c.rect(0, 122, 130, 3, BLACK)
    for x in (-60, -50, 50, 60):
        c.rect(x, 125, 4, 4, BLACK)
        c.paint(c.ellipse(x, 130, 2.5, 3.5), BLACK)


def dome(c: Canvas) -> None:
    """Paint the drum with its windows and the ribbed dome on it."""
    c.shaded(c.box(0, 125, 88, 15), 44, stone)
    for x, width in ((0.0, 8.0), (17.0, 7.0), (-17.0, 7.0), (31.0, 5.5), (-31.0, 5.5)):
        c.arch(x, 127, width, 11, BLACK)
    c.rect(0, 139, 94, 3, BLACK)
    c.rect(0, 142, 88, 2, SUNLIT)
    shell = c.ellipse(0, 142, 43, 39) & (c.y >= 144)
    c.shaded(shell, 43, lead)
    for rib in (-0.84, -0.54, -0.18, 0.18, 0.54, 0.84):
        # A rib is half an ellipse as high as the dome; a thin shell between two of them is one stroke.
        outer, inner = abs(rib) * 43 + 1.5, abs(rib) * 43 - 1.5
        stroke = c.ellipse(0, 142, outer, 39.5) & ~c.ellipse(0, 142, inner, 37.5)
        c.paint(stroke & shell & ((c.x > 0) == (rib > 0)), WHITE)


def lantern(c: Canvas) -> None:
    """Paint the lantern on the dome, its cap and the ball on top."""
    c.rect(0, 175, 26, 3, BLACK)
    c.rect(0, 178, 21, 10, WHITE)
    for x in (-9.0, -3.0, 3.0, 9.0):
        c.rect(x, 178, 3, 8, BLACK)
    c.rect(0, 186, 24, 3, BLACK)
    c.paint(c.ellipse(0, 189, 9, 6.5) & (c.y >= 189), DARK)
    c.rect(0, 195, 3, 5, BLACK)


def draw() -> Floats:
    """Return the finished picture: brightness in [0, 1], shape (NUM_NEURONS, NUM_BINS)."""
    canvas = Canvas()
    for part in (surroundings, base, dome, colonnade, entablature, lantern):
        part(canvas)
    return canvas.image()


def main(arguments: list[str]) -> int:
    """Draw the picture and write it as spikes; returns the exit status."""
    if len(arguments) > 1:
        print("draw_rotunda.py: error: give one file name or none, OUT.ras", file=sys.stderr)
        return 2
    out = Path(arguments[0]) if arguments else Path(__file__).with_name("oxford-target.ras")
    trains = picture_to_spikes(draw(), seed=SEED)
    write_ras(out, trains)
    print(f"{out}: {trains.num_spikes} spikes of {trains.num_neurons} neurons in {NUM_BINS / 100:g} s")
    return 0


if __name__ == "__main__":
    sys.exit(run_command("draw_rotunda.py", lambda: main(sys.argv[1:])))
