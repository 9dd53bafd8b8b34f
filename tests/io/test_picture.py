"""Pictures become spike trains that look like them."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imsave
from PIL import Image

from snnlearn.errors import TargetError
from snnlearn.io import picture_to_spikes, read_picture


def dots(trains, num_bins, bin_ms=10.0):
    """Count the spikes in each bin, as a picture with the last neuron at the top."""
    counts = np.zeros((trains.num_neurons, num_bins), dtype=int)
    np.add.at(counts, (trains.ids, (trains.times // bin_ms).astype(int)), 1)
    return counts[::-1]


def test_black_and_white_come_out_as_they_are():
    image = (np.random.default_rng(1).random((20, 30)) < 0.5).astype(float)
    np.testing.assert_array_equal(dots(picture_to_spikes(image), 30), 1 - image)


def test_bottom_row_is_neuron_0_and_left_column_comes_first():
    image = np.ones((3, 4))
    image[2, 0] = image[0, 3] = 0.0
    trains = picture_to_spikes(image, jitter_ms=0.0)
    assert (trains.ids.tolist(), trains.times.tolist(), trains.num_neurons) == ([0, 2], [5.0, 35.0], 3)


def test_neighbouring_bins_never_come_closer_than_6_ms():
    trains = picture_to_spikes(np.zeros((50, 189)))
    gaps = np.rint(np.diff(trains.times.reshape(50, 189)) * 1000.0)  # whole microseconds
    assert 6000 <= gaps.min() < 6200
    assert 13800 < gaps.max() <= 14000


def test_jitter_is_uniform_within_its_bounds():
    trains = picture_to_spikes(np.zeros((100, 100)))
    offsets = trains.times % 10.0 - 5.0
    assert np.abs(offsets).max() <= 2.0 + 1e-9
    # 10,000 values in 4 cells of 2500: 5 standard deviations are 5 * sqrt(10000 * 1/4 * 3/4) = 217.
    counts, _ = np.histogram(offsets, bins=4, range=(-2.001, 2.001))
    assert np.abs(counts - 2500).max() < 217


def test_seed_moves_spikes_and_other_pixels_do_not():
    image = np.zeros((5, 5))
    first = picture_to_spikes(image, seed=1)
    assert not np.array_equal(first.times, picture_to_spikes(image, seed=2).times)
    image[2, 2] = 1.0
    np.testing.assert_array_equal(picture_to_spikes(image, seed=1).times, np.delete(first.times, 12))


def test_known_values():
    # Philox is specified to the bit, so the numbers hold for every NumPy and machine.
    raw = [259491006799949737, 4754966410622352325, 8698845897610382596]
    expected = [5.0 + 10.0 * column + (bits % 4001 - 2000) / 1000.0 for column, bits in enumerate(raw)]
    times = picture_to_spikes(np.zeros((1, 3)), seed=0).times
    np.testing.assert_array_equal(np.rint(times * 1000.0), np.rint(np.multiply(expected, 1000.0)))


@pytest.mark.parametrize("brightness", [0.1, 0.25, 0.5, 0.8, 0.95])
def test_greys_become_densities(brightness):
    counts = dots(picture_to_spikes(np.full((100, 100), brightness)), 100)
    # Only what leaves at the bottom edge is lost: at most half a dot a pixel, 0.5% in all.
    assert abs(counts.mean() - (1.0 - brightness)) < 0.005
    # ... and evenly: every block of 20 x 20 has its share.
    blocks = counts.reshape(5, 20, 5, 20).mean(axis=(1, 3))
    assert np.abs(blocks - (1.0 - brightness)).max() < 0.04


@pytest.mark.parametrize("line", [np.s_[:, 50], np.s_[50, :], (range(100), range(100))], ids=["|", "-", "diagonal"])
@pytest.mark.parametrize("darkness", [0.2, 0.5, 0.8])
def test_thin_grey_lines_keep_their_density(line, darkness):
    image = np.ones((100, 100))
    image[line] = 1.0 - darkness
    # A single line is one chain: its error never exceeds half a dot, however long the line.
    assert abs(picture_to_spikes(image).num_spikes - 100 * darkness) <= 0.5


def test_threshold_counts_darkness():
    image = np.array([[0.0, 0.25, 0.5, 0.75, 1.0]])
    assert dots(picture_to_spikes(image, threshold=0.5), 5).tolist() == [[1, 1, 1, 0, 0]]


def test_colours_and_opacity():
    red, green, blue = np.eye(3)
    rgb = np.array([[red, green, blue, [1, 1, 1]]])
    # Darkness 0.701, 0.413, 0.886 and 0.
    assert dots(picture_to_spikes(rgb, threshold=0.6), 4).tolist() == [[1, 0, 1, 0]]
    rgba = np.array([[[0, 0, 0, 1.0], [0, 0, 0, 0.0], [0, 0, 0, 0.5]]])
    assert dots(picture_to_spikes(rgba, threshold=0.5), 3).tolist() == [[1, 0, 1]]


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.ones((4, 4)), {}, "the picture gives no spikes"),
        (np.full((4, 4), 0.5), {"threshold": 0.6}, "the picture gives no spikes"),
        (np.zeros(4), {}, r"must have shape \(rows, columns\[, 3 or 4\]\), not \(4,\)"),
        (np.zeros((4, 4, 2)), {}, r"not \(4, 4, 2\)"),
        (np.zeros((0, 4)), {}, r"not \(0, 4\)"),
        (np.full((4, 4), 255), {}, r"pixels must be in \[0, 1\], not from 255 to 255"),
        (np.full((4, 4), np.nan), {}, r"pixels must be in \[0, 1\], not from nan to nan"),
        (np.array([["a"]]), {}, "must be an array of numbers"),
        (np.zeros((4, 4)), {"seed": -1}, "seed must be at least 0, not -1"),
        (np.zeros((4, 4)), {"bin_ms": 0.0}, "bin_ms must be finite and above 0, not 0"),
        (np.zeros((4, 4)), {"jitter_ms": 5.1}, r"jitter_ms must be from 0 to half a bin, 5, not 5\.1"),
        (np.zeros((4, 4)), {"jitter_ms": np.nan}, "jitter_ms must be from 0"),
        (np.zeros((4, 4)), {"threshold": 0.0}, "threshold must be above 0 and at most 1, not 0"),
    ],
)
def test_says_what_is_wrong(image, options, message):
    with pytest.raises(TargetError, match=message):
        picture_to_spikes(image, **options)


def test_reading_averages_areas(tmp_path):
    pixels = np.random.default_rng(5).integers(0, 256, (12, 20), dtype=np.uint8)
    pixels[:, :12] = 255  # light enough on the whole not to be lightened
    imsave(tmp_path / "a.png", np.repeat(pixels[..., None], 3, axis=2))
    small = pixels.reshape(4, 3, 5, 4).mean(axis=(1, 3))
    expected = (small - small.min()) / (small.max() - small.min())
    # The file stores 8 bits, so it is exact, but Matplotlib gives it back as float32.
    np.testing.assert_allclose(read_picture(tmp_path / "a.png", 4, 5), expected, atol=1e-6)


def test_reading_lightens_dark_greys_but_not_black_and_white(tmp_path):
    levels = np.array([[0, 51, 102, 153, 255, 0, 51, 102]], dtype=np.uint8)
    imsave(tmp_path / "a.png", np.repeat(levels[..., None], 3, axis=2))
    darkness = 1.0 - levels / 255.0
    exponent = np.log(1.0 / 3.0) / np.log(darkness.mean())
    assert 1.0 < exponent < 3.0
    np.testing.assert_allclose(read_picture(tmp_path / "a.png", 1, 8), 1.0 - darkness**exponent, atol=1e-6)
    levels[levels > 0] = 25  # nearly black all over: the power stops at 3
    levels[0, 4] = 255
    imsave(tmp_path / "b.png", np.repeat(levels[..., None], 3, axis=2))
    np.testing.assert_allclose(read_picture(tmp_path / "b.png", 1, 8), 1.0 - (1.0 - levels / 255.0) ** 3, atol=1e-6)


def test_reading_handles_sizes_that_do_not_divide(tmp_path):
    imsave(tmp_path / "a.png", np.array([[0, 255, 255]], dtype=np.uint8), cmap="gray", vmin=0, vmax=255)
    # Two columns cover 1.5 old ones each: 1/3 and 1 before the contrast is stretched.
    np.testing.assert_allclose(read_picture(tmp_path / "a.png", 1, 2), [[0.0, 1.0]], atol=1e-12)
    wide = read_picture(tmp_path / "a.png", 2, 9)
    np.testing.assert_allclose(wide, [[0.0] * 3 + [1.0] * 6] * 2, atol=1e-12)


def test_reading_puts_transparency_on_white_and_looks_at_the_content(tmp_path):
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[0, 0, 3] = 255
    imsave(tmp_path / "a.png", pixels)
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_allclose(read_picture(tmp_path / "a.jpg", 2, 2), [[0.0, 1.0], [1.0, 1.0]], atol=1e-12)


def test_reading_a_jpeg_gives_contrast(tmp_path):
    pixels = np.full((16, 16, 3), 200, dtype=np.uint8)
    pixels[:, 8:] = 100
    imsave(tmp_path / "a.jpg", pixels)
    image = read_picture(tmp_path / "a.jpg", 4, 4)
    # JPEG is lossy; a tenth is far above its noise and far below the step of 1.
    np.testing.assert_allclose(image, [[1.0, 1.0, 0.0, 0.0]] * 4, atol=0.1)


# How a camera stores a picture that is upright, by the EXIF standard's words for each orientation: where row 0 and
# column 0 of what is stored lie in what is seen.
STORED = {
    1: lambda seen: seen,  # top, left
    2: lambda seen: seen[:, ::-1],  # top, right
    3: lambda seen: seen[::-1, ::-1],  # bottom, right
    4: lambda seen: seen[::-1],  # bottom, left
    5: lambda seen: seen.T,  # left, top
    6: lambda seen: seen.T[::-1],  # right, top
    7: lambda seen: seen[::-1, ::-1].T,  # right, bottom
    8: lambda seen: seen[::-1].T,  # left, bottom
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["png", "tiff", "webp", "jpeg"])
def test_reading_turns_photographs_upright(tmp_path, kind, orientation):
    seen = np.full((32, 48), 255, dtype=np.uint8)
    seen[:8, :24] = 0  # an L that is like none of its turns and reflections
    seen[:, :8] = 0
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "webp" else {}
    Image.fromarray(np.ascontiguousarray(STORED[orientation](seen))).save(tmp_path / f"a.{kind}", exif=exif, **options)
    np.testing.assert_allclose(read_picture(tmp_path / f"a.{kind}", 4, 6), seen[4::8, 4::8] / 255.0, atol=0.05)


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_reading_takes_an_unknown_orientation_for_none(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).save(tmp_path / "a.png", exif=exif)
    assert read_picture(tmp_path / "a.png", 1, 2).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("exif", [b"MM\0*\0\0\0\x08\0\x09\x01", b"XX\0*\0\0\0\x08"], ids=["cut off", "of another kind"])
def test_reading_ignores_broken_metadata(tmp_path, exif):
    Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).save(tmp_path / "a.png", exif=b"Exif\0\0" + exif)
    assert read_picture(tmp_path / "a.png", 1, 2).tolist() == [[0.0, 1.0]]


LEVELS = np.array([[0, 128, *[255] * 6]], dtype=np.uint8)  # light enough on the whole not to be lightened
SHADES = LEVELS / 255.0


def grey_and_alpha():
    return Image.merge("LA", [Image.new("L", (8, 1), 0), Image.fromarray(255 - LEVELS)])


def palette(**info):
    made = Image.fromarray(LEVELS).quantize(4)
    made.info.update(info)
    return made


MODES = {
    "bits.png": lambda: Image.fromarray(np.where(LEVELS, 255, 0).astype(np.uint8)).convert("1"),
    "grey.png": lambda: Image.fromarray(LEVELS),
    "deep.png": lambda: Image.fromarray(LEVELS.astype(np.uint16) * 257),
    "deep.tiff": lambda: Image.fromarray(LEVELS.astype(np.int32) * 257),
    "deeper.tiff": lambda: Image.fromarray(LEVELS.astype(np.int32) * 1_000_000 - 70_000_000),
    "numbers.tiff": lambda: Image.fromarray((LEVELS / 255.0).astype(np.float32)),
    "more-numbers.tiff": lambda: Image.fromarray((LEVELS - 80.0).astype(np.float32)),
    "grey-alpha.png": grey_and_alpha,
    "colour.png": lambda: Image.fromarray(LEVELS).convert("RGB"),
    "colour-alpha.png": lambda: grey_and_alpha().convert("RGBA"),
    "palette.png": palette,
    "palette.gif": palette,
    "ink.tiff": lambda: Image.fromarray(LEVELS).convert("CMYK"),
    "video.jpeg": lambda: Image.fromarray(np.repeat(np.repeat(LEVELS, 16, 0), 16, 1)).convert("YCbCr"),
}


@pytest.mark.parametrize("name", MODES)
def test_reading_of_all_kinds_of_pixels(tmp_path, name):
    MODES[name]().save(tmp_path / name)
    expected = np.where(SHADES > 0.2, 1.0, 0.0) if name == "bits.png" else SHADES
    np.testing.assert_allclose(read_picture(tmp_path / name, 1, 8), expected, atol=0.02)


@pytest.mark.parametrize(
    ("image", "key"),
    [
        (Image.fromarray(LEVELS), 0),
        (Image.fromarray(LEVELS).convert("RGB"), (0, 0, 0)),
        (Image.fromarray(LEVELS.astype(np.uint16) * 257), 0),
        (Image.fromarray(LEVELS).quantize(4), None),
    ],
    ids=["grey", "colour", "deep", "palette"],
)
def test_reading_puts_a_transparent_colour_on_white(tmp_path, image, key):
    key = image.getpixel((0, 0)) if key is None else key
    image.save(tmp_path / "a.png", transparency=key)
    with Image.open(tmp_path / "a.png") as again:
        assert again.info["transparency"] is not None
    np.testing.assert_allclose(read_picture(tmp_path / "a.png", 1, 8), [[1.0, 0.0, *[1.0] * 6]], atol=1e-9)


@pytest.mark.parametrize("kind", ["gif", "png", "webp", "tiff"])
def test_reading_of_an_animation_takes_its_first_frame(tmp_path, kind):
    frames = [Image.fromarray(np.array([row], dtype=np.uint8)) for row in ([0, 255, 255], [255, 255, 0], [255, 0, 255])]
    options = {"lossless": True} if kind == "webp" else {}
    frames[0].save(tmp_path / f"a.{kind}", save_all=True, append_images=frames[1:], **options)
    np.testing.assert_allclose(read_picture(tmp_path / f"a.{kind}", 1, 3), [[0.0, 1.0, 1.0]], atol=0.02)


def test_reading_of_a_large_photograph_in_blocks_of_rows(tmp_path):
    # A diagonal ramp over more than two blocks: every average is known.
    rows, columns = 2500, 10
    ramp = np.arange(rows)[:, None] % 240 + np.arange(columns)
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "a.png")
    small = ramp.reshape(5, 500, 5, 2).mean(axis=(1, 3))
    darkness = (small.max() - small) / (small.max() - small.min())
    exponent = max(np.log(1.0 / 3.0) / np.log(darkness.mean()), 1.0)
    np.testing.assert_allclose(read_picture(tmp_path / "a.png", 5, 5), 1.0 - darkness**exponent, atol=1e-12)


def test_reading_refuses_too_many_pixels_and_pixels_that_are_no_numbers(tmp_path, monkeypatch):
    Image.fromarray(np.full((30, 40), 7, dtype=np.uint8)).save(tmp_path / "big.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(TargetError, match=r"big\.png: the picture has too many pixels to be read; shrink it first"):
        read_picture(tmp_path / "big.png", 4, 4)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)  # of which twice as many are refused, and once warned of
    with pytest.raises(TargetError, match=r"big\.png: the picture has no contrast"):
        read_picture(tmp_path / "big.png", 4, 4)
    Image.fromarray(np.array([[0.0, np.nan]], dtype=np.float32)).save(tmp_path / "nan.tiff")
    with pytest.raises(TargetError, match=r"nan\.tiff: the picture has pixels that are not finite"):
        read_picture(tmp_path / "nan.tiff", 4, 4)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 1000), (1000, 1)])
def test_reading_of_tiny_and_narrow_pictures(tmp_path, shape):
    values = np.zeros(shape, dtype=np.uint8)
    values.flat[values.size // 2 :] = 255
    Image.fromarray(values).save(tmp_path / "a.png")
    image = read_picture(tmp_path / "a.png", 10, 10)
    expected = np.repeat([0.0, 1.0], 5) * np.ones((10, 1))
    np.testing.assert_allclose(image, expected if shape[0] == 1 else expected.T, atol=1e-12)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is not a picture that can be read"),
        (b"0.1 1\n", "this is not a picture that can be read"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR broken", "this is not a picture that can be read"),
        (None, "there is no such file"),
    ],
)
def test_reading_names_the_file(tmp_path, content, message):
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TargetError) as error:
        read_picture(path, 4, 4)
    assert str(error.value).startswith(f"{path}: {message}")


def test_reading_refuses_folders_and_blank_pictures(tmp_path):
    with pytest.raises(TargetError, match="this is a folder, not a picture"):
        read_picture(tmp_path, 4, 4)
    imsave(tmp_path / "grey.png", np.full((4, 4, 3), 130, dtype=np.uint8))
    with pytest.raises(TargetError, match=r"grey\.png: the picture has no contrast"):
        read_picture(tmp_path / "grey.png", 4, 4)
    with pytest.raises(TargetError, match="not 0 neurons x 4 time bins"):
        read_picture(tmp_path / "grey.png", 0, 4)
