import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from emoji_files import CATEGORIES, colour, write_emoji

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.emoji import EmojiConfig
from fourfold.data.in_memory import InMemorySource


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(EmojiConfig, "digests", write_emoji(tmp_path / "emoji"))
    return tmp_path


def build(cache: Path, **fields) -> InMemorySource:
    return DATA.parse({"name": "emoji", **fields}, "data").build(0, cache)


def places(source: InMemorySource, split: str) -> list[int]:
    """Return which cell of the sheet each picture of a split is."""
    by_colour = {colour(place): place for place in range(84)}
    raw = source.raw(split, list(range(source.sizes[split])))
    return [by_colour[tuple(picture[:, 0, 0].tolist())] for picture in raw]


@pytest.mark.parametrize("size", [32, 64])
def test_each_picture_is_its_cell_on_white_with_its_category(size, cache) -> None:
    source = build(cache, size=size, validation=0.2, test=0.2)
    assert source.spec.class_names == CATEGORIES
    assert sum(source.sizes.values()) == 40 + 3 + 15 + 1
    for split in source.sizes:
        raw = source.raw(split, list(range(source.sizes[split]))).numpy()
        targets = torch.cat([batch.targets for batch in source.split(split, 9)]).tolist()
        for picture, place, target in zip(raw, places(source, split), targets, strict=True):
            assert picture.shape == (3, size, size)
            drawn = np.full((3, size, size), 255)
            drawn[:, : size * 3 // 4, : size // 2] = np.array(colour(place))[:, None, None]
            np.testing.assert_array_equal(picture, drawn)
            assert target == (place % 2 if place < 40 else 2)


def test_the_other_drawings(cache) -> None:
    google, twitter = build(cache), build(cache, drawn_by="twitter")
    assert sum(twitter.sizes.values()) == sum(google.sizes.values()) + 1
    first = twitter.raw("train", [0])[0, :, 0, 0].tolist()
    assert tuple(first[::-1]) in {colour(place) for place in range(84)}


def test_what_shows_one_thing_is_in_one_split(cache) -> None:
    for seed in range(6):
        source = build(cache, skin_tones=True, split_seed=seed, validation=0.3, test=0.3)
        found = {place: split for split in source.sizes for place in places(source, split)}
        assert len({found[place] for place in (40, 41, 42, *range(60, 65))}) == 1
        held = [places(source, split).count(0) for split in source.sizes]
        assert sorted(held) == [0, 0, 2]  # a copy
    assert sum(build(cache).sizes.values()) + 5 == sum(source.sizes.values())


def test_cells_outside_the_sheet_are_named(cache, monkeypatch) -> None:
    monkeypatch.setattr("emoji_files.COLUMNS", 5)
    monkeypatch.setattr(EmojiConfig, "digests", write_emoji(cache / "emoji"))
    with pytest.raises(InputError, match=r"google\.png: no cell at column"):
        build(cache)


@pytest.mark.promise("R21")
def test_the_registrys_client_brings_the_files_and_then_none_is_needed(cache, tmp_path, monkeypatch) -> None:
    bin, carried = tmp_path / "bin", tmp_path / "carried.tgz"
    bin.mkdir()
    with tarfile.open(carried, "w:gz") as tar:
        for name, inside in (("emoji.json", "emoji.json"), ("google.png", "img/google/sheets/64.png")):
            data = (cache / "emoji" / name).read_bytes()
            member = tarfile.TarInfo(f"package/{inside}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    npm = bin / "npm"
    log = tmp_path / "log"
    npm.write_text(
        f"#!{sys.executable}\nimport shutil, sys\nopen({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n"
        f"shutil.copy({str(carried)!r}, 'package.tgz')\n",
        encoding="utf-8",
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(bin))
    assert not EmojiConfig.is_here(tmp_path / "fresh")
    source = build(tmp_path / "fresh")
    assert source.notes[0] == f"fetched into {tmp_path / 'fresh' / 'emoji'}"
    assert EmojiConfig.is_here(tmp_path / "fresh")
    monkeypatch.setenv("PATH", "")
    assert torch.equal(build(tmp_path / "fresh").raw("train", [3]), source.raw("train", [3]))
    assert log.read_text().splitlines() == ["pack --ignore-scripts --loglevel=error emoji-datasource-google@16.0.0"]
