"""ImageNet, the 1,000 classes of the 2012 challenge, from a copy of your own: 1,281,167 + 50,000 photographs.

The folders are `train` and `val`, in `data.path` or in the ILSVRC/Data/CLS-LOC below it. In `train` each class is a
folder; in `val` too, or its pictures' classes are in LOC_val_solution.csv. Classes are numbered in the order of their
WordNet ids, as published weights have them. The labels of the challenge's test pictures were never published, and
papers report on `val`: so it is the test split here, and validation pictures are drawn from `train`.

Source: J. Deng et al., ImageNet: A Large-Scale Hierarchical Image Database, CVPR 2009; O. Russakovsky et al., ImageNet
Large Scale Visual Recognition Challenge, IJCV 115, 2015.
Licence: for non-commercial research and education; the pictures belong to their owners.
Departures: pictures are decoded once, to `data.size`, and every crop is made of that; papers crop the original. The
middle is as large as the picture allows; papers take 224 of 256. Copies of one picture under two classes, or in both
splits, are left out.
Checked by: tiny folders of the true form. Not opened here: the true files.
"""

import csv
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.data.image_folder import ImageFolderConfig, Side
from fourfold.data.pictures.finding import Found, find
from fourfold.data.pictures.problems import Problem
from fourfold.data.table.reading import Table

INSIDE = ("", "Data/CLS-LOC", "ILSVRC/Data/CLS-LOC")
SPLITS = {"train": "train", "val": "test"}
SOLUTION, WORDS = "LOC_val_solution.csv", "LOC_synset_mapping.txt"


class ImageNetConfig(ImageFolderConfig):
    """Fields of `data: imagenet`."""

    licence: ClassVar[str] = "non-commercial research and education; the pictures belong to their owners"
    origin: ClassVar[str] = "J. Deng et al., 2009, and O. Russakovsky et al., 2015; a copy of your own"

    name: Literal["imagenet"] = "imagenet"
    size: Side | None = Field(default=224, description="pixels of a side; null chooses from the pictures")
    validation: float = Field(default=0.04, ge=0, lt=1, description="share of the training folder that steers training")
    problems: Literal["refuse", "leave_out"] = Field(
        default="leave_out", description="with files and classes that cannot be used: refuse all, or leave them out"
    )

    def _find(self, notes: list[str]) -> tuple[Found, Table | None]:
        given = Path(self.path).expanduser()
        for field in ("labels", "picture_column", "label_column", "split_column"):
            if getattr(self, field) is not None:
                raise InputError(f"data.{field}: imagenet knows where its labels are")
        root = next((given / i for i in INSIDE if all((given / i / split).is_dir() for split in SPLITS)), None)
        if root is None:
            raise InputError(f"{given}: no folders 'train' and 'val' in it, nor in {INSIDE[-1]}")
        solution, words = _solution(given / SOLUTION), _words(given / WORDS)
        found = find(root, by_folder=False)
        kept, labels, splits = [], [], []
        for number, file in enumerate(found.files):
            folder, *rest = file.name.split("/")
            label = rest[0] if len(rest) > 1 else solution.get(Path(file.name).stem)
            if folder not in SPLITS:
                continue  # the pictures without published labels
            if label is None:
                found.problems.append(Problem(file.name, f"no class: neither by a folder nor in {SOLUTION}"))
                continue
            kept.append(number)
            labels.append(f"{label} {words[label]}" if label in words else label)
            splits.append(SPLITS[folder])
        found.keep(kept)
        found.labels, found.splits = labels, splits
        found.split_folders = {split: folder for folder, split in SPLITS.items()}
        notes.append(f"{self.path}: {len(kept):,} pictures; val is the test split, as papers report on it")
        return found, None


def _solution(file: Path) -> dict[str, str]:
    """Return the class of each validation picture: rows `ILSVRC2012_val_00000001,n01751748 111 108 519 473`."""
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        return {row[0]: row[1].split()[0] for row in csv.reader(lines) if len(row) > 1 and row[1].startswith("n")}


def _words(file: Path) -> dict[str, str]:
    """Return the first word of each class: lines `n01440764 tench, Tinca tinca`."""
    if not file.is_file():
        return {}
    lines = [line.split(" ", 1) for line in file.read_text(encoding="utf-8").splitlines() if " " in line]
    return {label: words.split(",")[0].strip() for label, words in lines}
