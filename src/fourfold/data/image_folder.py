"""Your own pictures: a folder a class, or train, validation and test folders with classes inside, or a table of labels.

Everything is looked at before the first step, and what is wrong is told in one list. Pictures are decoded once, on all
cores, into one file of the data cache; later runs open none of them. Where they are too many for memory, batches come
from that file, and where it would be too large for the disk, they are decoded each time.

Source: the reader's own files.
Licence: the reader's own.
Checked by: hand-made files of every mode and layout; a folder with every fault planted; Pillow's own pixels;
`InMemorySource`, batch for batch, where they are streamed.
"""

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.augment.base import AnyAugment
from fourfold.data.base import SplitDataConfig
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.data.memory import machine_memory
from fourfold.data.notes import augment_note, classes_note, pictures_note, split_note
from fourfold.data.pictures.checks import copies, usable
from fourfold.data.pictures.choosing import Request, Size
from fourfold.data.pictures.decoded import Decoded, decode
from fourfold.data.pictures.finding import Found, find
from fourfold.data.pictures.labels import apply_labels
from fourfold.data.pictures.pool import cores
from fourfold.data.pictures.problems import ProblemsError, about_many
from fourfold.data.pictures.reading import Proportions
from fourfold.data.rows import class_counts
from fourfold.data.splitting import Splits, divide
from fourfold.data.table.reading import Table, read_table
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveSpec
from fourfold.tasks.seam import Source

Side = Annotated[int, Field(ge=1, le=4096)]
GIGABYTE = 10**9
BYTES_IN_MEMORY = 5  # a pixel's byte, and its float once it is standardised
NO_CLASS = "picture"  # of all pictures, where nobody says what they show
LABEL_FILES = (".csv", ".tsv", ".tab", ".parquet", ".pq")


class ImageFolderConfig(SplitDataConfig):
    """Fields of `data: image_folder`."""

    licence: ClassVar[str] = "your own"
    origin: ClassVar[str] = "a folder of your own"

    name: Literal["image_folder"] = "image_folder"
    path: str = Field(description="the folder, or a table of labels beside the pictures")
    labels: str | None = Field(
        default=None, description="a CSV, TSV or Parquet file of labels; null: folders are classes"
    )
    labelled: bool = Field(
        default=True,
        description="false: pictures of no class, at any depth, for data=two_views and others that read no labels",
    )
    picture_column: str | None = Field(default=None, description="of the labels: file names; null finds the column")
    label_column: str | None = Field(default=None, description="of the labels: classes; null finds the column")
    split_column: str | None = Field(
        default=None, description="of the labels: train, validation or test; null splits here"
    )
    size: Side | Annotated[list[Side], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="pixels of a side, or [height, width]; null chooses from the pictures"
    )
    proportions: Proportions = Field(
        default="crop",
        description="of other pictures: crop cuts off what is left over, pad frames in black, stretch distorts",
    )
    colour: Literal["auto", "grey", "rgb"] = Field(default="auto", description="auto: grey where no picture has colour")
    problems: Literal["refuse", "leave_out"] = Field(
        default="refuse", description="with files and classes that cannot be used: refuse all, or leave them out"
    )
    augment: list[AnyAugment] = Field(default=[], description="changes to training pictures, in this order")
    memory_gb: float | None = Field(
        default=None, ge=0, description="larger sets are not held in memory; null: a quarter of this machine's"
    )
    cache_gb: float | None = Field(
        default=None, ge=0, description="larger sets are not kept decoded; null: half of the free disk space"
    )
    workers: int | None = Field(
        default=None, ge=0, le=256, description="processes that read ahead where pictures are not held in memory"
    )

    def build(self, seed: int, cache: Path) -> Source:
        """Find, check, decode and split the pictures."""
        with _uncollected():
            return self._build(seed, cache)

    def _build(self, seed: int, cache: Path) -> Source:
        if not self.path:
            raise InputError("data.path: name your folder of pictures, for example data.path=photos")
        notes: list[str] = []
        found, table = self._find(notes)
        if not found.files:
            raise ProblemsError(self.path, found.problems, "no picture is left")
        most = None if self.cache_gb is None else round(self.cache_gb * GIGABYTE)
        decoded = decode(found.root, found.files, Request(self._size(), self.colour, self.proportions), cache, most)
        numbers = usable(found, decoded.facts, self._needed(found))
        self._refuse_or_note(found, notes)
        names = tuple(sorted({str(found.labels[i]) for i in numbers}))
        if len(names) < 2 and (self.labelled or not names):
            only = f"one class, '{names[0]}'" if names else "no pictures that can be used"
            hint = "each class is a folder of its own; of no class: labelled=false, for data=two_views"
            raise InputError(f"{self.path}: {only}; nothing can be told apart ({hint})")
        place = {name: number for number, name in enumerate(names)}
        labels = torch.tensor([place.get(str(label), -1) for label in found.labels])
        members = self._divide(found, decoded, torch.tensor(numbers), labels, seed, notes)
        source = self._source(decoded, members, labels, names, found, notes)
        source.files = {self.path: _digest(found, decoded, numbers)}
        if table is not None:
            source.files |= {str(table.path): table.sha256}
        return source

    def _find(self, notes: list[str]) -> tuple[Found, Table | None]:
        """Return what is in the folder, classes and splits said by folders or by a table."""
        path = Path(self.path).expanduser()
        if not self.labelled:
            if self.labels is not None:
                raise InputError("data.labels: a table of labels, and data.labelled=false; leave out one of the two")
            found = find(path, by_folder=False)
            found.labels = [NO_CLASS] * len(found.files)
            notes.append(f"{self.path}: {len(found.files):,} pictures at any depth, of no class")
            return found, None
        file = path if path.suffix.lower() in LABEL_FILES and not path.is_dir() else None
        if self.labels is not None:
            file = Path(self.labels).expanduser()
            file = path / file if not file.exists() and path.is_dir() else file
        if file is None:
            for field in ("picture_column", "label_column", "split_column"):
                if getattr(self, field) is not None:
                    raise InputError(f"data.{field}: folders have no columns; name a table with data.labels")
            found = find(path)
            how = f"splits by the folders {', '.join(found.split_folders.values())}" if found.splits is not None else ""
            notes.append(f"{self.path}: {len(found.files):,} pictures, classes by folder{how and ', '}{how}")
            return found, None
        table = read_table(file)
        found = find(file.parent if file == path else path, by_folder=False)
        found.left_out = [name for name in found.left_out if not (found.root / name).samefile(file)]
        notes += apply_labels(found, table, self.picture_column, self.label_column, self.split_column)
        return found, table

    def _size(self) -> Size | None:
        if self.size is None:
            return None
        return (self.size, self.size) if isinstance(self.size, int) else (self.size[0], self.size[1])

    def _drawn(self, found: Found) -> tuple[bool, bool]:
        """Return whether validation and test splits are drawn here."""
        given = set(found.splits or ())
        if self.folds is not None and "validation" in given:
            raise InputError(f"data.folds: {self.path} has a validation split of its own; leave out one of the two")
        return "validation" not in given and bool(self.validation or self.folds), "test" not in given and self.test > 0

    def _needed(self, found: Found) -> int:
        """Return how many different pictures a class must have for one of each split that is drawn."""
        validation, test = self._drawn(found)
        return (self.folds or 1 + validation) + test

    def _refuse_or_note(self, found: Found, notes: list[str]) -> None:
        if found.left_out:
            notes.append(about_many("left out, no picture by its ending", found.left_out, "file"))
        if not found.problems:
            return
        if self.problems == "refuse":
            raise ProblemsError(self.path, found.problems, "mend them, or leave them out with data.problems=leave_out")
        kinds: dict[str, list[str]] = {}
        for problem in sorted(set(found.problems)):
            kinds.setdefault(problem.text, []).append(problem.name)
        for text, given in kinds.items():
            noun = "class" if given[0].endswith("/") else "picture"
            notes.append(f"left out: {about_many(text, given, noun)}")

    def _divide(
        self, found: Found, decoded: Decoded, numbers: Tensor, labels: Tensor, seed: int, notes: list[str]
    ) -> Splits:
        """Return the numbers of each split's pictures; copies stay together in splits that are drawn."""
        validation, test = self._drawn(found)
        split_of = found.splits or []
        given = {split: numbers[[split_of[i] == split for i in numbers.tolist()]] for split in set(split_of)}
        pool = given.get("train", numbers)
        content = torch.from_numpy(copies(decoded.facts, pool.tolist()))
        again = len(content) - len(content.unique())
        if again:
            kept = "; copies are kept in one split" if validation or test else ""
            some = "1 picture is a copy" if again == 1 else f"{again:,} pictures are copies"
            notes.append(f"{some} of another one{kept}")
        total = len(pool)
        drawn = divide(
            total,
            self.seed_of_split(seed),
            num_validation=round(self.validation * total) if validation else 0,
            num_test=round(self.test * total) if test else 0,
            folds=self.folds,
            fold=self.fold or 0,
            labels=labels[pool],
            groups=content if again else None,
        )
        splits = {split: pool[part] for split, part in drawn.items()} | {k: v for k, v in given.items() if k != "train"}
        splits["train"] = self.sampled(splits["train"], seed)
        parts = [split for split, is_drawn in (("validation", validation), ("test", test)) if is_drawn]
        how = self.drawn(seed, in_proportion=True) if parts or self.bootstrap else "as they were given"
        some = f", {' and '.join(parts)} " if found.splits is not None and parts else ", "
        notes.append(split_note(splits, how).replace(" examples, ", f" pictures{some}"))
        return splits

    def _source(
        self, decoded: Decoded, members: Splits, labels: Tensor, names: tuple[str, ...], found: Found, notes: list[str]
    ) -> Source:
        wanted, facts = decoded.wanted, decoded.facts
        targets = {split: labels[part] for split, part in members.items()}
        counts = class_counts(targets["train"], len(names))
        if 0 in counts:
            raise InputError(f"{self.path}: no training picture is of class '{names[counts.index(0)]}'")
        mean, deviation = facts.mean_and_deviation(members["train"].numpy(), wanted.height * wanted.width)
        encoding = ImageEncoding(
            channels=1 if wanted.channels == 1 else 3,
            height=wanted.height,
            width=wanted.width,
            proportions=self.proportions,
            mean=mean,
            deviation=deviation,
            largest=int(facts.sizes[members["train"].numpy()].max()),
        )
        notes += self._notes_on_pictures(decoded, found)
        notes += [*([classes_note(names, counts)] if self.labelled else []), pictures_note(encoding)]
        notes += augment_note([part.name for part in self.augment])
        spec = ClassificationSpec(encoding.image, names, counts) if self.labelled else ContrastiveSpec(encoding.image)
        augment = [part.build(encoding.image) for part in self.augment]
        used = sum(len(part) for part in members.values()) * encoding.image.size
        limit = machine_memory() / 4 if self.memory_gb is None else self.memory_gb * GIGABYTE
        if decoded.pixels is not None and used * BYTES_IN_MEMORY <= limit:
            # By NumPy, which takes large pages: torch faults at each small one, and needs ten times as long.
            parts = {split: decoded.pixels[part.numpy()] for split, part in members.items()}
            examples = {split: torch.from_numpy(part).permute(0, 3, 1, 2) for split, part in parts.items()}
            return InMemorySource(spec, examples, targets, encoding, augment, notes)
        from fourfold.data.streamed import FilePictures, MappedPictures, StreamedSource

        if decoded.pixels is not None:
            pictures, workers = MappedPictures(decoded.pixels), self.workers or 0
            notes.append(f"{used / GIGABYTE:.3g} GB of pixels are not held in memory: batches come from the cache")
        else:
            pictures = FilePictures([file.path for file in found.files], facts.digests, wanted)
            workers = cores() if self.workers is None else self.workers
            notes.append(f"{used / GIGABYTE:.3g} GB of pixels are not kept: pictures are decoded for each batch")
        return StreamedSource(spec, pictures, members, targets, encoding, augment, notes, workers)

    def _notes_on_pictures(self, decoded: Decoded, found: Found) -> list[str]:
        wanted, facts = decoded.wanted, decoded.facts
        sizes = facts.sizes[facts.read]
        size = f"{wanted.height}x{wanted.width} (height x width)"
        if (sizes == (wanted.width, wanted.height)).all():
            notes = [f"size: {size}, as all pictures have it"]
        else:
            low, high = sizes.min(0), sizes.max(0)
            why = "chosen: at least half have it on their shorter side"
            if self.size is not None:
                why = f"as data.size={_said(self.size)} of the recipe or the command says (null would choose)"
            of = f"pictures of {low[1]}x{low[0]} to {high[1]}x{high[0]}"
            notes = [f"size: {size}, {why}; {of}, other proportions by data.proportions={self.proportions}"]
        if self.colour == "auto":
            notes.append("colour: grey, as no picture has colours" if wanted.channels == 1 else "colour: RGB")
        for kind, numbers in facts.remarks.items():
            notes.append(about_many(kind, [found.files[i].name for i in numbers]))
        return notes


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python's collector of cycles away from as many small objects as there are files, none of them in a cycle.

    It would look at all of them again and again, and at torch's, a tenth of a second each time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _said(size: int | list[int]) -> str:
    """Return `data.size` as one would write it."""
    return str(size).replace(" ", "")


def _digest(found: Found, decoded: Decoded, numbers: list[int]) -> str:
    """Return one SHA-256 for all that is learned from: each file's name, content, class and split."""
    whole = hashlib.sha256()
    for i in numbers:
        split = "" if found.splits is None else found.splits[i]
        line = (found.files[i].name, decoded.facts.digests[i].tobytes().hex(), str(found.labels[i]), split)
        whole.update(("\0".join(line) + "\n").encode())
    return whole.hexdigest()
