"""Folders of made-up pictures."""

from pathlib import Path

import numpy as np
import PIL.Image

from fourfold.data import DATA


def picture(number: int, height: int = 12, width: int = 16, channels: int = 3) -> PIL.Image.Image:
    """Return a picture that no other number gives."""
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return PIL.Image.fromarray(pixels if channels > 1 else pixels[:, :, 0])


def folder(root: Path, counts: dict[str, int], first: int = 0, **sides: int) -> Path:
    """Make `counts` pictures in each folder, all different, and return the root."""
    number = first
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            picture(number, **sides).save(root / name / f"{i:03}.png")
            number += 1
    return root


def source(root: Path, cache: Path, seed: int = 0, **fields):
    """Build a folder's source."""
    return DATA.parse({"name": "image_folder", "path": str(root), **fields}, "data").build(seed, cache)
