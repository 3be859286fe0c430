"""Emoji, drawn by Google or by Twitter: 1,911 colour pictures of ten categories, 3,786 with every skin tone.

The classes are the categories of Unicode, from "Activities" to "Travel & Places"; "Component" has five pictures, the
skin tones themselves. Pictures that show one thing in several tones or genders stay in one split, and so do those
that are drawn alike. Without skin tones a fifth of the pictures are people; with them more than half, so they are left
out unless asked for. What is transparent is white.

Source: Cal Henderson's emoji-data 16.0.0, fetched at run time from the npm packages emoji-datasource-google and
emoji-datasource-twitter; the drawings are Google's (Noto Emoji) and Twitter's (Twemoji).
Licence: Google's drawings Apache-2.0; Twitter's CC BY 4.0, Copyright Twitter, Inc. and other contributors; the tables
and packages MIT.
Checked by: SHA-256 of the files; cells of the true form made by hand; counts of categories.
"""

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.data.cache import CachedFile, ensure
from fourfold.data.in_memory import InMemorySource
from fourfold.data.labelled_pictures import Labelled
from fourfold.data.pooled_pictures import PooledPicturesConfig
from fourfold.data.registries import from_npm

VERSION = "16.0.0"
TABLE = "emoji.json"
CELL = 64  # pixels of a picture in the sheet, with one transparent pixel around it
GENDERS = re.compile(r"(?<![a-z])(?:wo)?m[ae]n(?![a-z])|(?<![a-z])(?:male|female|person|people|facing|right)(?![a-z])")


class EmojiConfig(PooledPicturesConfig):
    """Fields of `data: emoji`."""

    licence: ClassVar[str] = "drawings of Google Apache-2.0, of Twitter CC BY 4.0; the packages that carry them MIT"
    origin: ClassVar[str] = "C. Henderson's emoji-data 16.0.0; npm emoji-datasource-google, emoji-datasource-twitter"
    fetched_files: ClassVar[tuple[str, ...]] = (TABLE, "google.png")
    client: ClassVar[str] = "npm"
    digests: ClassVar[dict[str, str]] = {
        TABLE: "1d602e65be88772bf8cc368ce16b855d719eeddbafe128d471b80203f494d29f",
        "google.png": "795a0c598d162c9a4aae23f2188c607b8c9bc1912cb7d84382459f8de91a3ae1",
        "twitter.png": "daa7711b29897de6bd811a4cfeae911d8d8baa7f7e25c97d9b64354ae425ff5c",
    }

    name: Literal["emoji"] = "emoji"
    drawn_by: Literal["google", "twitter"] = Field(default="google", description="whose drawings")
    size: Literal[32, 64] = Field(default=32, description="pixels of a side; they are drawn at 64")
    skin_tones: bool = Field(default=False, description="also the same people and hands in five tones of skin")

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Cut the sheet of all drawings into pictures, fetching it where it is missing or damaged."""
        folder, sheet = cache / self.name, f"{self.drawn_by}.png"
        files = [CachedFile(name, self.digests[name]) for name in (TABLE, sheet)]
        notes = [f"fetched into {folder}"] if ensure(folder, files, self._fetch) else []
        names, labels, groups, places = _read_table(folder / TABLE, self.drawn_by, self.skin_tones)
        pixels = _cut(folder / sheet, self.size, tuple(places))
        groups = _joined(groups, pixels)
        pool = Labelled(torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.tensor(labels))
        said = "; what shows one thing is in one split"
        return self.source_of(pool, names, seed, notes, groups=torch.tensor(groups), of_groups=said)

    def _fetch(self, into: Path) -> None:
        sheet = f"package/img/{self.drawn_by}/sheets/{CELL}.png"
        members = {f"package/{TABLE}": TABLE, sheet: f"{self.drawn_by}.png"}
        from_npm(f"emoji-datasource-{self.drawn_by}@{VERSION}", members, into)


def _read_table(
    path: Path, drawn_by: str, skin_tones: bool
) -> tuple[tuple[str, ...], list[int], list[int], list[tuple[int, int]]]:
    """Return the class names, and of each picture its class, its group and its column and row in the sheet."""
    has = f"has_img_{drawn_by}"
    emoji = [each for each in json.loads(path.read_text(encoding="utf-8")) if each[has]]
    names = tuple(sorted({each["category"] for each in emoji}))
    labels, groups, places = [], [], []
    numbers: dict[str, int] = {}
    for each in emoji:
        neutral = "-".join(re.findall("[a-z0-9]+", GENDERS.sub("", each["short_name"]))) or "person"
        toned = list(each.get("skin_variations", {}).values()) if skin_tones else []
        for drawing in [each, *(variation for variation in toned if variation[has])]:
            labels.append(names.index(each["category"]))
            groups.append(numbers.setdefault(f"{each['category']}/{neutral}", len(numbers)))
            places.append((drawing["sheet_x"], drawing["sheet_y"]))
    return names, labels, groups, places


def _joined(groups: list[int], pixels: np.ndarray) -> list[int]:
    """Return the groups numbered from 0, those that have a picture in common made one."""
    parent = list(range(max(groups) + 1))

    def root(group: int) -> int:
        while parent[group] != group:
            group = parent[group]
        return group

    first: dict[bytes, int] = {}
    for group, picture in zip(groups, pixels, strict=True):
        other = first.setdefault(hashlib.sha256(picture.tobytes()).digest(), group)
        parent[root(group)] = root(other)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(group), len(numbers)) for group in groups]


@lru_cache(maxsize=2)
def _cut(path: Path, size: int, places: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Return the pictures at columns and rows of a sheet, laid on white, uint8 `[pictures, size, size, 3]`."""
    import PIL.Image

    with PIL.Image.open(path, formats=["PNG"]) as file:
        sheet = file.convert("RGBA")
    white = PIL.Image.new("RGBA", sheet.size, (255, 255, 255, 255))
    sheet = PIL.Image.alpha_composite(white, sheet).convert("RGB")
    pictures = []
    for column, row in places:
        left, top = column * (CELL + 2) + 1, row * (CELL + 2) + 1
        if left + CELL >= sheet.width or top + CELL >= sheet.height:
            raise InputError(f"{path}: no cell at column {column}, row {row}")
        picture = sheet.crop((left, top, left + CELL, top + CELL))
        pictures.append(np.asarray(picture if size == CELL else picture.reduce(CELL // size)))
    return np.stack(pictures)
