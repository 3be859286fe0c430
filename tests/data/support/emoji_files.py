"""A sheet of emoji and its table in the true form, with drawings of plain colours."""

import hashlib
import json
from pathlib import Path

import numpy as np
import PIL.Image

CATEGORIES = ("Flags", "Food & Drink", "People & Body")
COLUMNS = 12


def colour(place: int) -> tuple[int, int, int]:
    return 10 + place, 200 - place, 3 * place % 256


def entry(name: str, category: str, place: int, **more: object) -> dict[str, object]:
    row = {"short_name": name, "category": category, "has_img_google": True, "has_img_twitter": True}
    return row | {"sheet_x": place % COLUMNS, "sheet_y": place // COLUMNS} | more


def write_emoji(folder: Path) -> dict[str, str]:
    """Write `emoji.json` and both sheets; return the SHA-256 of each."""
    emoji = [entry(f"thing_{i}", CATEGORIES[i % 2], i) for i in range(40)]
    tones = {f"1F3F{t}": entry("", "", 60 + t) for t in range(5)}
    emoji += [
        entry("man-running", CATEGORIES[2], 40, skin_variations=tones),
        entry("woman-running", CATEGORIES[2], 41),
        entry("person_running_facing_right", CATEGORIES[2], 42),
        *(entry(f"body_{i}", CATEGORIES[2], 43 + i) for i in range(15)),
        entry("not_google", CATEGORIES[0], 59, has_img_google=False),
        entry("copy_of_thing_0", CATEGORIES[0], 0),
    ]
    sheet = np.zeros((7 * 66, COLUMNS * 66, 4), np.uint8)  # transparent
    for place in range(7 * COLUMNS):
        top, left = place // COLUMNS * 66 + 1, place % COLUMNS * 66 + 1
        sheet[top : top + 48, left : left + 32] = (*colour(place), 255)  # the rest stays clear
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "emoji.json").write_text(json.dumps(emoji), encoding="utf-8")
    PIL.Image.fromarray(sheet).save(folder / "google.png")
    PIL.Image.fromarray(sheet[:, :, [2, 1, 0, 3]]).save(folder / "twitter.png")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}
