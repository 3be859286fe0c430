"""JPEGs that threads read, beside Pillow reading the same files: pixels, facts and remarks."""

from pathlib import Path

import numpy as np
import PIL.features
import PIL.Image
import pytest
from PIL import ImageCms

from fourfold.data.pictures import plain, pool
from fourfold.data.pictures.facts import Facts
from fourfold.data.pictures.reading import Proportions, Wanted

HEIGHT, WIDTH = 24, 40
SIZES = [(40, 24), (80, 48), (79, 50), (160, 96), (161, 97), (320, 192), (700, 100), (41, 24), (20, 12), (30, 90)]


def _drawn(mode: str, seed: int, width: int = WIDTH, height: int = HEIGHT) -> PIL.Image.Image:
    shape = (6, 10) if mode == "L" else (6, 10, 4 if mode == "CMYK" else 3)
    coarse = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return PIL.Image.fromarray(coarse, mode).resize((width, height), PIL.Image.Resampling.BICUBIC)


def _exif(orientation: int) -> PIL.Image.Exif:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Plain JPEGs of each colour, kind and size, and files that must be left to Pillow."""
    ways = [{}, {"progressive": True}, {"quality": 30}, {"subsampling": 0}, {"subsampling": 1}, {"keep_rgb": True}]
    for mode in ("RGB", "L"):
        for number, options in enumerate(ways if mode == "RGB" else ways[:3]):
            _drawn(mode, number).save(tmp_path / f"plain-{mode}-{number}.jpg", **options)
            _drawn(mode, number, 200, 120).save(tmp_path / f"plain-{mode}-{number}-larger.jpg", **options)
        for width, height in SIZES:
            _drawn(mode, width, width, height).save(tmp_path / f"plain-{mode}-{width}x{height}.jpg")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    _drawn("RGB", 5).save(tmp_path / "plain-RGB-comment.jpg", comment=b"drawn by a test")
    _drawn("RGB", 7).save(tmp_path / "plain-RGB-profile.jpg", icc_profile=profile)
    _drawn("RGB", 11).save(tmp_path / "plain-RGB-upright.jpg", exif=_exif(1))
    _drawn("RGB", 6, 24, 40).save(tmp_path / "turned.jpg", exif=_exif(6))
    described = _exif(1)
    described[0x010E], described[0x0132] = "a picture drawn by a test", "2026:11:22 18:00:00"
    _drawn("RGB", 17).save(tmp_path / "plain-RGB-described.jpg", exif=described)
    big = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"
    _drawn("RGB", 18).save(tmp_path / "plain-RGB-big-endian.jpg", exif=big % 1)
    _drawn("RGB", 19, 24, 40).save(tmp_path / "turned-big-endian.jpg", exif=big % 8)
    _drawn("RGB", 12).save(tmp_path / "metadata.jpg", xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>")
    _drawn("RGB", 13).save(tmp_path / "odd-exif.jpg", exif=b"Exif\0\0 of no form")
    _drawn("RGB", 14).save(
        tmp_path / "several.jpg", "MPO", save_all=True, append_images=[_drawn("RGB", 15), _drawn("RGB", 16)]
    )
    _drawn("CMYK", 8).save(tmp_path / "cmyk.jpg")
    _drawn("RGB", 10).save(tmp_path / "picture.png")
    whole = (tmp_path / "plain-RGB-0.jpg").read_bytes()
    (tmp_path / "broken-off.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "headers.jpg").write_bytes(whole[:100])
    (tmp_path / "empty.jpg").write_bytes(b"")
    return tmp_path


def _read(paths: list[str], wanted: Wanted, pixels: Path) -> tuple[Facts, np.ndarray]:
    pixels.write_bytes(bytes(len(paths) * wanted.height * wanted.width * wanted.channels))
    facts = pool.read_all(paths, wanted, pixels, processes=1)
    return facts, np.fromfile(pixels, np.uint8).reshape(len(paths), wanted.height, wanted.width, wanted.channels)


@pytest.mark.parametrize("proportions", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("channels", [1, 3])
def test_all_is_as_pillow_has_it(
    folder: Path, tmp_path: Path, monkeypatch, channels: int, proportions: Proportions
) -> None:
    wanted = Wanted(HEIGHT, WIDTH, channels, proportions)
    paths = [str(path) for path in sorted(folder.glob("*.*"))]
    quick, quick_pixels = _read(paths, wanted, tmp_path / "quick.u8")
    monkeypatch.setattr(pool, "read_plain", lambda paths, *_: list(range(len(paths))))
    slow, slow_pixels = _read(paths, wanted, tmp_path / "slow.u8")
    differing = [path for path, a, b in zip(paths, quick_pixels, slow_pixels, strict=True) if (a != b).any()]
    assert differing == []
    assert (quick.failures, quick.remarks) == (slow.failures, slow.remarks)
    assert (list(quick.failures), list(quick.remarks)) == (list(slow.failures), list(slow.remarks))
    assert len(quick.failures) == 3
    for name in ("digests", "sizes", "grey", "sums"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name))


@pytest.mark.parametrize("small", [1 << 16, 100])  # bytes; all files have more than 100
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_is_not_plain_is_left(folder: Path, mode: str, small: int, monkeypatch) -> None:
    monkeypatch.setattr(plain, "SMALL", small)
    paths, wanted = sorted(folder.iterdir()), Wanted(HEIGHT, WIDTH, len(mode), "crop")
    facts = Facts.empty(len(paths), wanted.channels)
    left = plain.read_plain([str(path) for path in paths], wanted, None, facts, threads=2)
    taken = {path.name for number, path in enumerate(paths) if number not in left}
    assert taken == {path.name for path in paths if path.name.startswith(f"plain-{mode}-")}
    assert not facts.digests[left].any()


def test_a_header_that_promises_too_much_is_left(tmp_path: Path) -> None:
    _drawn("RGB", 0).save(tmp_path / "a.jpg")
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = b"\xff\xff\xff\xff"
    (tmp_path / "a.jpg").write_bytes(data)
    assert plain._header(bytes(data)) is None
    facts = Facts.empty(1, 3)
    assert plain.read_plain([str(tmp_path / "a.jpg")], Wanted(HEIGHT, WIDTH, 3, "crop"), None, facts, 1) == [0]


def test_a_pillow_on_another_library_leaves_everything(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(PIL.features, "check_feature", lambda name: False)
    paths = [str(path) for path in folder.glob("plain-*")]
    facts = Facts.empty(len(paths), 3)
    assert plain.read_plain(paths, Wanted(HEIGHT, WIDTH, 3, "crop"), None, facts, 1) == list(range(len(paths)))


def test_large_pictures_are_taken_a_few_at_a_time(folder: Path, monkeypatch) -> None:
    paths = [str(path) for path in sorted(folder.glob("plain-RGB-?.jpg"))]
    wanted, counts = Wanted(HEIGHT, WIDTH, 3, "crop"), []
    whole, parts = Facts.empty(len(paths), 3), Facts.empty(len(paths), 3)
    assert plain.read_plain(paths, wanted, None, whole, 1, counts.append) == []
    monkeypatch.setattr(plain, "BYTES", 2 * HEIGHT * WIDTH * 3)
    assert plain.read_plain(paths, wanted, None, parts, 2, counts.append) == []
    assert counts[0] == len(paths)
    assert sorted(counts[1:]) == [2] * (len(paths) // 2)
    np.testing.assert_array_equal(whole.sums, parts.sums)
