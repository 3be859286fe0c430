"""A folder of pictures with every kind of fault."""

import io
import os
import shutil
from functools import lru_cache
from pathlib import Path

import PIL.Image
from pictures import folder, picture


@lru_cache
def bomb() -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("1", (15_000, 10_000)).save(buffer, "PNG")
    return buffer.getvalue()


WHOLE = {"train/cat": 6, "train/dog": 6, "train/lone": 1, "val/cat": 2, "val/dog": 2, "val/lone": 1}


def with_faults(root: Path) -> dict[str, str]:
    """Make a folder with a fault of each kind, and return what must be said of which path."""
    folder(root, WHOLE)
    (root / "train" / "empty").mkdir()
    (root / "train" / "cat" / "zero.png").touch()
    whole = (root / "train" / "cat" / "000.png").read_bytes()
    (root / "train" / "cat" / "short.png").write_bytes(whole[: len(whole) // 2])
    (root / "train" / "cat" / "text.jpg").write_text("I am a text", encoding="utf-8")
    (root / "train" / "dog" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "train" / "dog" / os.fsdecode(b"caf\xe9.png")).write_bytes(whole)
    (root / "train" / "dog" / "bomb.png").write_bytes(bomb())
    os.mkfifo(root / "train" / "dog" / "pipe.png")  # who opens it waits for ever
    shutil.copy(root / "val" / "cat" / "000.png", root / "train" / "cat" / "twin.png")
    shutil.copy(root / "train" / "dog" / "001.png", root / "train" / "cat" / "dog.png")
    picture(99).save(root / "train" / "loose.png")
    folder(root, {"val/bird": 1}, first=70)
    folder(root, {"train/cow": 2}, first=80)
    return {
        "train/empty/": "a class's folder without pictures",
        "train/cat/zero.png": "an empty file",
        "train/cat/short.png": "damaged: ",
        "train/cat/text.jpg": "not a picture that can be read",
        "train/dog/gone.png": "a broken symbolic link",
        "train/dog/caf\\xe9.png": "the name is not UTF-8",
        "train/dog/bomb.png": "15,000x10,000 pixels; at most 100,000,000",
        "train/dog/pipe.png": "not a plain file",
        "train/cat/twin.png": "the same picture as val/cat/000.png, which is in the validation split",
        "train/dog/001.png": "the same picture as train/cat/dog.png, but in another class",
        "train/loose.png": "no class",
        "val/bird/": "train has no class 'bird'",
        "val/cow/": "missing: train has this class",
        "train/lone/": "1 picture of this class; at least 2 are needed",
    }
