from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from fourfold.data.pictures import plain, pool
from fourfold.data.pictures.facts import Facts
from fourfold.data.pictures.reading import Wanted

WANTED = {"RGB": Wanted(24, 40, 3, "crop"), "L": Wanted(24, 40, 1, "crop")}


def _drawn(mode: str, seed: int, width: int = 40, height: int = 24) -> PIL.Image.Image:
    shape = (6, 10) if mode == "L" else (6, 10, 4 if mode == "CMYK" else 3)
    coarse = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return PIL.Image.fromarray(coarse, mode).resize((width, height), PIL.Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Plain JPEGs of each colour and kind, and files that must be left to Pillow."""
    for mode in ("RGB", "L"):
        for number, options in enumerate([{}, {"progressive": True}, {"quality": 30}, {"subsampling": 0}]):
            if mode == "RGB" or "subsampling" not in options:
                _drawn(mode, number).save(tmp_path / f"plain-{mode}-{number}.jpg", **options)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    _drawn("RGB", 5).save(tmp_path / "plain-RGB-comment.jpg", comment=b"drawn by a test")
    _drawn("RGB", 6, 24, 40).save(tmp_path / "turned.jpg", exif=turned)
    _drawn("RGB", 7).save(tmp_path / "profile.jpg", icc_profile=profile)
    _drawn("CMYK", 8).save(tmp_path / "cmyk.jpg")
    _drawn("RGB", 9, 80, 48).save(tmp_path / "large.jpg")
    _drawn("RGB", 10).save(tmp_path / "picture.png")
    whole = (tmp_path / "plain-RGB-0.jpg").read_bytes()
    (tmp_path / "broken-off.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "headers.jpg").write_bytes(whole[:100])
    (tmp_path / "empty.jpg").write_bytes(b"")
    return tmp_path


def _read(paths: list[str], wanted: Wanted, pixels: Path) -> tuple[Facts, np.ndarray]:
    pixels.write_bytes(bytes(len(paths) * wanted.height * wanted.width * wanted.channels))
    facts = pool.read_all(paths, wanted, pixels, processes=1)
    return facts, np.fromfile(pixels, np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_and_facts_are_those_of_pillow(folder: Path, tmp_path: Path, monkeypatch, mode: str) -> None:
    paths = [str(path) for path in sorted(folder.glob("*.*"))]
    quick, quick_pixels = _read(paths, WANTED[mode], tmp_path / "quick.u8")
    monkeypatch.setattr(plain, "_decoder", lambda: None)
    slow, slow_pixels = _read(paths, WANTED[mode], tmp_path / "slow.u8")
    assert (quick_pixels == slow_pixels).all()
    assert (quick.failures, quick.remarks) == (slow.failures, slow.remarks)
    assert len(quick.failures) == 3
    for name in ("digests", "sizes", "grey", "sums"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name))


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_is_not_plain_is_left(folder: Path, mode: str) -> None:
    if plain._decoder() is None:
        pytest.skip("this torchvision has no operator of this name")
    paths = sorted(folder.iterdir())
    facts = Facts.empty(len(paths), WANTED[mode].channels)
    left = plain.read_plain([str(path) for path in paths], WANTED[mode], None, facts, threads=2)
    taken = {path.name for number, path in enumerate(paths) if number not in left}
    assert taken == {path.name for path in paths if path.name.startswith(f"plain-{mode}-")}
    assert not facts.digests[left].any()


def test_a_torchvision_without_the_operator_leaves_everything(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(plain, "find_spec", lambda name: None)
    plain._decoder.cache_clear()
    try:
        paths = [str(path) for path in folder.glob("plain-*")]
        assert plain.read_plain(paths, WANTED["RGB"], None, Facts.empty(len(paths), 3), 1) == list(range(len(paths)))
    finally:
        plain._decoder.cache_clear()
