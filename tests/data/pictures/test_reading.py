import io
import os
import socket

import numpy as np
import PIL.Image
import pytest

from fourfold.data.pictures.facts import Facts, tell
from fourfold.data.pictures.reading import UnreadableError, Wanted, placed, read_bytes, read_picture

GENERATOR = np.random.default_rng(0)


def smooth(height: int, width: int, channels: int = 3) -> np.ndarray:
    """A picture whose neighbours are alike, as photographs are, uint8 [height, width, channels]."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(3 * x + k) * np.cos(2 * y - k) for k in range(channels)]
    return (np.stack(waves, -1) * 120 + 128).astype(np.uint8)


def saved(picture: PIL.Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data: bytes, height: int, width: int, channels: int = 3, proportions: str = "crop"):
    return read_picture(data, Wanted(height, width, channels, proportions))


@pytest.mark.promise("R11")
def test_pixels_of_their_own_size_are_left_as_they_are() -> None:
    colour = GENERATOR.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    found = read(saved(PIL.Image.fromarray(colour)), 5, 7)
    np.testing.assert_array_equal(found.pixels, colour)
    assert (found.width, found.height, found.grey, found.remarks, found.resized) == (7, 5, False, [], None)
    grey = colour[:, :, 0]
    found = read(saved(PIL.Image.fromarray(grey)), 5, 7, channels=1)
    np.testing.assert_array_equal(found.pixels[:, :, 0], grey)
    assert (found.grey, found.remarks) == (True, [])


@pytest.mark.promise("R11")
def test_grey_becomes_colour_and_colour_grey() -> None:
    grey = GENERATOR.integers(0, 256, (4, 4), dtype=np.uint8)
    found = read(saved(PIL.Image.fromarray(grey)), 4, 4)
    np.testing.assert_array_equal(found.pixels, np.repeat(grey[:, :, None], 3, 2))
    assert [remark.kind for remark in found.remarks] == ["converted from L to RGB"]
    red = read(saved(PIL.Image.new("RGB", (4, 4), (255, 0, 0))), 4, 4, channels=1)
    assert set(red.pixels.flatten()) == {round(0.299 * 255)}  # ITU-R 601-2 luma
    bits = PIL.Image.fromarray(grey > 127)
    assert bits.mode == "1"
    found = read(saved(bits), 4, 4, channels=1)
    np.testing.assert_array_equal(found.pixels[:, :, 0], np.where(grey > 127, 255, 0))
    assert found.remarks == []


@pytest.mark.promise("R11")
def test_what_is_transparent_is_white_and_half_of_it_half_white() -> None:
    for alpha, expected in ((0, 255), (255, 100), (128, 177)):
        found = read(saved(PIL.Image.new("RGBA", (2, 2), (100, 100, 100, alpha))), 2, 2)
        assert abs(found.pixels.astype(int) - expected).max() <= 1
        assert [remark.kind for remark in found.remarks] == ["transparent parts laid on white"] * (alpha < 255)
    found = read(saved(PIL.Image.new("LA", (2, 2), (0, 0))), 2, 2, channels=1)
    assert (found.pixels == 255).all()
    assert found.grey
    palette = PIL.Image.new("P", (2, 2), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    found = read(saved(palette), 2, 2)
    assert (found.pixels == (10, 20, 30)).all()
    assert (found.grey, found.remarks) == (False, [])
    assert (read(saved(palette, transparency=1), 2, 2).pixels == 255).all()
    palette.putpalette([0, 0, 0, 20, 20, 20])
    assert read(saved(palette), 2, 2).grey


@pytest.mark.promise("R11")
def test_sixteen_bits_are_scaled_however_dark() -> None:
    for deep in (np.linspace(0, 65535, 16), np.linspace(0, 200, 16)):
        values = deep.reshape(4, 4).astype(np.uint16)
        found = read(saved(PIL.Image.fromarray(values)), 4, 4, channels=1)
        np.testing.assert_allclose(found.pixels[:, :, 0], values / 257, atol=0.51)
        assert [remark.kind for remark in found.remarks] == ["16-bit grey scaled to 8 bits"]


@pytest.mark.promise("R11")
def test_cmyk() -> None:
    found = read(saved(PIL.Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100), 8, 8)
    assert found.pixels[:, :, 0].min() > 200
    assert found.pixels[:, :, 1:].max() < 60
    assert [remark.kind for remark in found.remarks] == ["converted from CMYK to RGB"]


@pytest.mark.promise("R11")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_as_its_camera_says(kind, orientation) -> None:
    upright = smooth(12, 20)
    turns = {  # how the sensor saw it -> what undoes it, by the EXIF standard
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    stored = PIL.Image.fromarray(np.ascontiguousarray(turns[orientation](upright)))
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    found = read(saved(stored, kind, exif=exif, **options), 12, 20)
    assert abs(found.pixels.astype(int) - upright).max() <= (4 if kind == "JPEG" else 0)
    assert (found.width, found.height) == (20, 12)
    assert found.resized is None


@pytest.mark.parametrize(("height", "width"), [(30, 60), (60, 30), (31, 47)])
def test_sizes_are_pillows_own(height, width) -> None:
    original = PIL.Image.fromarray(smooth(height, width))
    data, bilinear = saved(original), PIL.Image.Resampling.BILINEAR
    stretched = read(data, 10, 14, proportions="stretch")
    np.testing.assert_array_equal(stretched.pixels, np.asarray(original.resize((14, 10), bilinear)))
    assert stretched.resized is not None
    assert "its proportions changed" in stretched.resized.text
    scale = max(14 / width, 10 / height)  # the middle, as large as fits
    w, h = 14 / scale, 10 / scale
    box = ((width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2)
    cropped = read(data, 10, 14, proportions="crop").pixels
    np.testing.assert_array_equal(cropped, np.asarray(original.resize((14, 10), bilinear, box=box)))
    inner = placed(width, height, Wanted(10, 14, 3, "pad"))
    padded = read(data, 10, 14, proportions="pad").pixels
    x, y = (14 - inner[0]) // 2, (10 - inner[1]) // 2
    middle = padded[y : y + inner[1], x : x + inner[0]]
    np.testing.assert_array_equal(middle, np.asarray(original.resize(inner, bilinear)))
    assert int(padded.astype(np.int64).sum()) == int(middle.astype(np.int64).sum())  # the rest is black
    assert inner[0] == 14 or inner[1] == 10


def test_a_crop_keeps_the_middle_and_the_proportions() -> None:
    picture = np.zeros((20, 60, 3), np.uint8)
    picture[:, 20:40] = 255
    assert (read(saved(PIL.Image.fromarray(picture)), 20, 20).pixels == 255).all()
    assert read(saved(PIL.Image.fromarray(picture)), 20, 20, proportions="pad").pixels[:5].max() == 0


@pytest.mark.parametrize("proportions", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("sides", [(256, 512), (301, 203), (40, 300)])
def test_a_large_jpeg_decoded_small_is_nearly_what_the_whole_one_gives(proportions, orientation, sides) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    data = saved(PIL.Image.fromarray(smooth(*sides)), "JPEG", quality=95, exif=exif)
    quick = read(data, 32, 24, proportions=proportions)
    with PIL.Image.open(io.BytesIO(data)) as whole:
        exact = read(saved(PIL.Image.fromarray(np.asarray(whole)), exif=exif), 32, 24, proportions=proportions)
    assert abs(quick.pixels.astype(int) - exact.pixels).mean() < 2
    assert (quick.width, quick.height) == (exact.width, exact.height) == (sides[::-1] if orientation == 1 else sides)
    assert quick.resized == exact.resized


def test_a_jpeg_is_decoded_no_larger_than_it_must_be(monkeypatch) -> None:
    from PIL.JpegImagePlugin import JpegImageFile

    loaded = []
    monkeypatch.setattr(JpegImageFile, "load_prepare", lambda self: loaded.append(self.size))
    data = saved(PIL.Image.fromarray(smooth(256, 512)), "JPEG")
    with pytest.raises(UnreadableError):  # without its preparation nothing is loaded
        read(data, 32, 32)
    assert loaded == [(64, 32)]


@pytest.mark.promise("R11")
def test_only_the_first_of_several_frames() -> None:
    frames = [PIL.Image.new("RGB", (4, 4), (shade, 0, 0)) for shade in (255, 0)]
    found = read(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), 4, 4)
    assert (found.pixels == (255, 0, 0)).all()
    assert "several frames" in found.remarks[0].text


@pytest.mark.promise("R11")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_damaged_files_are_refused_and_never_half_read(kind) -> None:
    whole = saved(PIL.Image.fromarray(GENERATOR.integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind)
    assert read(whole, 64, 64).pixels.shape == (64, 64, 3)
    for part in (0.02, 0.3, 0.6, 0.9):
        with pytest.raises(UnreadableError, match=r"damaged|not a picture"):
            read(whole[: int(len(whole) * part)], 64, 64)


@pytest.mark.promise("R11")
@pytest.mark.parametrize(
    "data", [b"", b"a text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n" * 9]
)
def test_what_is_no_picture(data) -> None:
    with pytest.raises(UnreadableError, match=r"damaged|not a picture"):
        read(data, 8, 8)


def test_no_program_is_started_for_a_format_that_needs_one() -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    assert PIL.Image.open(io.BytesIO(eps)).format == "EPS"  # Pillow alone would, by Ghostscript, when it is loaded
    with pytest.raises(UnreadableError, match="not a picture"):
        read(eps, 8, 8)


@pytest.mark.promise("R11")
def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    bomb = saved(PIL.Image.new("1", (20_000, 20_000)))
    assert len(bomb) < 60_000
    with pytest.raises(UnreadableError, match=r"pixels; at most 100,000,000 are read"):
        read(bomb, 8, 8)
    with pytest.raises(UnreadableError, match=r"11,000x10,000 pixels; at most 100,000,000 are read"):
        read(saved(PIL.Image.new("1", (11_000, 10_000))), 8, 8)  # Pillow alone only warns


@pytest.mark.promise("R11")
def test_files_that_cannot_be_read(tmp_path, monkeypatch) -> None:
    def refuse(*_arguments: object, **_fields: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "empty").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    for name, reason in [
        ("empty", "an empty file"),
        ("dangling", "a broken symbolic link"),
        ("gone", "no such file"),
        ("", "a folder, not a file"),
        ("a\0b", "null"),
    ]:
        with pytest.raises(UnreadableError, match=reason):
            read_bytes(f"{tmp_path}/{name}")
    with pytest.raises(UnreadableError, match="not a plain file"):
        read_bytes("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name in ("pipe", "socket"):
            with pytest.raises(UnreadableError, match="not a plain file"):
                read_bytes(tmp_path / name)
    (tmp_path / "secret").write_bytes(b"1")
    with monkeypatch.context() as patched:
        patched.setattr("os.open", refuse)  # root may read everything
        with pytest.raises(UnreadableError, match=r"^permission denied$"):
            read_bytes(tmp_path / "secret")
    monkeypatch.setattr("fourfold.data.pictures.reading.MAX_BYTES", 3)
    (tmp_path / "large").write_bytes(b"1234")
    with pytest.raises(UnreadableError, match="4 bytes; at most 3 are read"):
        read_bytes(tmp_path / "large")


def test_mean_and_deviation_are_those_of_the_pixels() -> None:
    pictures = [
        read(saved(PIL.Image.fromarray(GENERATOR.integers(0, 256, (6, 5, 3), dtype=np.uint8))), 6, 5) for _ in "abcd"
    ]
    facts = Facts.empty(4, 3)
    for number, picture in enumerate(pictures):
        facts.add(number, tell(picture, "00" * 32))
    chosen = np.array([0, 2, 2])
    pixels = np.stack([pictures[i].pixels for i in chosen]).astype(np.float64)
    mean, deviation = facts.mean_and_deviation(chosen, 30)
    np.testing.assert_allclose(mean, pixels.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(deviation, pixels.std((0, 1, 2)), rtol=1e-12)
    facts.sums[1] = [[30 * 7] * 3, [30 * 49] * 3]
    assert facts.mean_and_deviation(np.array([1]), 30) == ([7.0] * 3, [1.0] * 3)  # of no variation
    facts.sums[3] = 2**62
    assert facts.mean_and_deviation(np.array([3, 3, 3]), 1)[0] == [float(2**62)] * 3
