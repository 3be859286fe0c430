"""What is in a folder of pictures: files, their classes and splits, and what does not fit.

    root/cat/1.jpg                     a folder a class
    root/train/cat/1.jpg               the same in train, validation (or val, valid, dev) and test
    root/anything/1.jpg, labels.csv    classes from a table; see labels.py

Folders are walked in the order of their names, so the same files always have the same numbers.

Checked by: folders made for each layout; links in circles, broken links, names that are not UTF-8.
"""

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fourfold.core.errors import InputError
from fourfold.data.pictures.decoded import PictureFile
from fourfold.data.pictures.problems import Problem
from fourfold.data.pictures.reading import SUFFIXES

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
LITTER = frozenset(("thumbs.db", "desktop.ini", "__macosx"))  # and whatever begins with a dot


@dataclass
class Found:
    """The pictures of a folder.

    Attributes:
        root: the folder.
        files: in the order of their names.
        labels: the class of each, by its folder; None where it stands in none.
        splits: the split of each, by its folder, or None where the folders are not splits.
        split_folders: split -> the folder's name; empty where the folders are not splits.
        empty: folders that should hold a class's pictures and hold none.
        problems: what cannot be used.
        left_out: names of other files.
    """

    root: Path
    files: list[PictureFile] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    splits: list[str] | None = None
    split_folders: dict[str, str] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def keep(self, numbers: list[int]) -> None:
        """Go on with some of the files only."""
        self.files = [self.files[i] for i in numbers]
        self.labels = [self.labels[i] for i in numbers]
        self.splits = None if self.splits is None else [self.splits[i] for i in numbers]


def find(root: Path, by_folder: bool = True) -> Found:
    """Return what is in a folder.

    Args:
        root: the folder.
        by_folder: whether the folders' names are classes; if not, every picture below is taken, without a class.

    Raises:
        InputError: not a folder, or no pictures in it.
    """
    try:
        root = root.expanduser()
        if not root.is_dir():
            raise InputError(f"{root}: {'not a folder' if root.exists() else 'no such folder'}")
        found = Found(root)
        top = sorted(name for name in os.listdir(root) if (root / name).is_dir() and not _is_litter(name))
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(root)!r}: {getattr(error, 'strerror', None) or error}".lower()) from None
    if by_folder and _are_splits(root, top):
        found.splits = []
        for name in top:
            split = SPLIT_NAMES[name.lower()]
            if split in found.split_folders:
                raise InputError(f"{root}: {found.split_folders[split]} and {name} are both the {split} split")
            found.split_folders[split] = name
            _take(found, f"{name}/", by_folder)
            found.splits += [split] * (len(found.files) - len(found.splits))
    else:
        _take(found, "", by_folder)
    if not found.files and not found.problems:
        raise InputError(f"{root}: no pictures in it ({', '.join(sorted(SUFFIXES)[:8])}, …)")
    return found


def _are_splits(root: Path, top: list[str]) -> bool:
    """Return whether the folders are splits and not classes, of which one may be called 'train'."""
    splits = [SPLIT_NAMES.get(name.lower()) for name in top]
    if None in splits or "train" not in splits:
        return False
    train = root / top[splits.index("train")]
    return any((train / name).is_dir() for name in os.listdir(train) if not _is_litter(name))


def _take(found: Found, inside: str, by_folder: bool) -> None:
    """Add the pictures below a folder whose own folders are classes."""
    seen: dict[str, int] = {}
    for name, entry in _walk(found, inside, ()):
        parts = name[len(inside) :].split("/")
        label = _nfc(parts[0]) if by_folder and len(parts) > 1 else None
        if entry is None:  # a folder of a class
            seen.setdefault(parts[0], 0)
            continue
        if os.path.splitext(name)[1].lower() not in SUFFIXES:
            found.left_out.append(name)
            continue
        if by_folder and label is None:
            found.problems.append(Problem(name, "no class: it stands in no class's folder"))
            continue
        file = _file(found, name, entry)
        if by_folder:
            seen[parts[0]] = seen.get(parts[0], 0) + 1
        if file is not None:
            found.files.append(file)
            found.labels.append(label)
    if by_folder:
        empty = [inside + name for name, count in seen.items() if count == 0]
        found.empty += empty
        found.problems += [Problem(name + "/", "a class's folder without pictures") for name in empty]


def _file(found: Found, name: str, entry: "os.DirEntry[str]") -> PictureFile | None:
    if not _is_utf8(name):
        found.problems.append(Problem(name, "the name is not UTF-8; rename it"))
        return None
    try:
        status = entry.stat()
        return PictureFile(name, entry.path, status.st_size, (status.st_mtime_ns, status.st_ctime_ns))
    except OSError as error:
        reason = "a broken symbolic link" if entry.is_symlink() else (error.strerror or str(error)).lower()
        found.problems.append(Problem(name, reason))
        return None


def _walk(
    found: Found, inside: str, above: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, "os.DirEntry[str] | None"]]:
    """Give the name of each file below a folder, and its entry; of the folders directly in it, only the name."""
    folder = found.root / inside
    try:
        status = os.stat(folder)
        here = (status.st_dev, status.st_ino)
        if here in above:
            found.problems.append(Problem(inside, "a symbolic link to a folder that it is in"))
            return
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.problems.append(Problem(inside, (error.strerror or str(error)).lower()))
        return
    for entry in entries:
        if _is_litter(entry.name):
            continue
        if entry.is_dir():
            if not above:
                yield inside + entry.name, None
            yield from _walk(found, f"{inside}{entry.name}/", (*above, here))
        else:
            yield inside + entry.name, entry


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in LITTER


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _nfc(name: str) -> str:
    """Return a name in one of the ways that Unicode has to write it: file systems differ in theirs."""
    return unicodedata.normalize("NFC", name)
