"""How long a folder of pictures takes to be ready for training, beside a loop over Pillow; a part of vision.py.

The loop opens each file, decodes it, resizes it where it is larger, and stacks the pixels. Fourfold does that and more:
it looks at every file, finds copies, and keeps the pixels for the next run. All files are in the system's cache, for
all ways alike.
"""

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from tables import spread, table

from fourfold.data.image_folder import ImageFolderConfig
from fourfold.tasks.seam import Order, Source

CLASSES = 10
SIDE = 64  # of the pictures that training gets
COLUMNS = ["way", "pictures a second", "times the loop"]
TITLES = {
    "loop": "Pillow in a loop, one process",
    "first": "**Fourfold**, `data=image_folder`, decoded and kept",
    "again": "**Fourfold**, the next run",
}


def measure(count: int, rounds: int) -> str:
    """Return the tables: of pictures as small as they are wanted, and of larger ones."""
    tables = [one(times * SIDE, count, rounds) for times in (1, 2, 4)]
    return "\n\n".join(["### A folder of pictures", *tables])


def one(side: int, count: int, rounds: int) -> str:
    """Return the table of `count` pictures of `side` pixels a side."""
    with tempfile.TemporaryDirectory() as scratch:
        photos, cache = Path(scratch) / "photos", Path(scratch) / "cache"
        draw(photos, side, count)
        config = ImageFolderConfig(path=str(photos), size=SIDE)
        seconds: dict[str, list[float]] = {way: [] for way in TITLES}
        for _ in range(rounds):
            shutil.rmtree(cache, ignore_errors=True)
            for way, work in (
                ("loop", lambda: loop(photos)),
                ("first", lambda: config.build(0, cache)),
                ("again", lambda: config.build(0, cache)),
            ):
                began = time.perf_counter()
                work()
                seconds[way].append(time.perf_counter() - began)
        opened = files_opened(config, cache, photos)
    rows = [
        [
            title,
            f"{count / statistics.median(seconds[way]):,.0f}",
            spread([a / b for a, b in zip(seconds["loop"], seconds[way], strict=True)], 2),
        ]
        for way, title in TITLES.items()
    ]
    size = f"{side}x{side}" if side == SIDE else f"{side}x{side}, made {SIDE}x{SIDE},"
    note = (
        f"{count:,} JPEGs of {size} in {CLASSES} folders; medians (quartiles) of {rounds} rounds by the wall clock. "
        f"The next run and two epochs of its training opened {opened} of the pictures' files."
    )
    return f"{note}\n\n{table(COLUMNS, rows)}"


def draw(photos: Path, side: int, count: int) -> None:
    """Write smooth pictures in colour."""
    from PIL import Image

    generator = np.random.default_rng(0)
    for label in range(CLASSES):
        (photos / str(label)).mkdir(parents=True)
    for number in range(count):
        coarse = Image.fromarray(generator.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        smooth = coarse.resize((side, side), Image.Resampling.BICUBIC)
        smooth.save(photos / str(number % CLASSES) / f"{number}.jpg", quality=85)


def loop(photos: Path) -> np.ndarray:
    """Return all pixels, as a person would read them."""
    from PIL import Image

    pictures = []
    for path in sorted(photos.glob("*/*.jpg")):
        with Image.open(path) as file:
            picture = file.convert("RGB")
            if picture.size != (SIDE, SIDE):
                picture = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            pictures.append(np.asarray(picture))
    return np.stack(pictures)


def files_opened(config: ImageFolderConfig, cache: Path, photos: Path) -> int:
    """Return how many of the pictures' files a run opens that finds them in the cache, in two epochs."""
    opened: set[str] = set()
    listening = True

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if listening and event == "open" and str(arguments[0]).startswith(str(photos)):
            opened.add(str(arguments[0]))

    sys.addaudithook(hear)  # which stays until the process ends
    source: Source = config.build(0, cache)
    stream = source.train(Order(seed=0, batch_size=100))
    for _ in range(2 * -(-source.sizes["train"] // 100)):
        next(stream)
    listening = False
    return len(opened - {str(path) for path in photos.rglob("*") if path.is_dir()})
