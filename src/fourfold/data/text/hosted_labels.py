"""What hosted sets of labelled texts share: a training pool, from which validation texts are drawn, and a test split.

Checked by: the sources made of it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.base import FixedTestDataConfig
from fourfold.data.notes import split_note
from fourfold.data.text.answered import Read, labelled_texts
from fourfold.data.text.hosted import HostedFields
from fourfold.data.text.padded import PaddedSource


class HostedLabelsConfig(HostedFields, FixedTestDataConfig):
    """The fields of such sets.

    Attributes:
        class_names: of each class, in the order of their numbers.
    """

    class_names: ClassVar[tuple[str, ...]]

    name: str

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read, split and tokenise the texts."""
        notes: list[str] = []
        parts, files = self.read(cache, notes)
        text, label = self.columns
        pool, test = (self._rows(split, parts[split][text], parts[split][label], notes) for split in self.hosted)
        texts, labels = [*pool[0], *test[0]], torch.tensor([*pool[1], *test[1]])
        train, validation = self.pool_splits(labels[: len(pool[0])], seed)
        splits = {"train": train, "validation": validation, "test": torch.arange(len(pool[0]), len(texts))}
        drawn = self.drawn(seed, in_proportion=True)
        notes.append(split_note(splits, f"test is the host's {self.hosted[1]} split, the others {drawn}"))
        if self.train_examples is not None:
            notes.append(f"training examples: at most {self.train_examples:,}, as data.train_examples says")
        read = Read([(each,) for each in texts], [text], [label], files)
        return labelled_texts(self, read, labels, self.class_names, splits, cache, notes)

    def _rows(
        self, split: str, texts: Sequence[Any], labels: Sequence[Any], notes: list[str]
    ) -> tuple[list[str], list[int]]:
        """Return texts that are not empty, and their classes."""
        kept = [(str(text or "").strip(), label) for text, label in zip(texts, labels, strict=True)]
        kept = [(text, label) for text, label in kept if text]
        if wrong := [label for _, label in kept if label not in range(len(self.class_names))]:
            raise InputError(
                f"{self.name}: a text of class {wrong[0]!r} in the {split} split; classes are 0 to "
                f"{len(self.class_names) - 1} ({len(wrong):,} such texts)"
            )
        if len(kept) < len(texts):
            notes.append(f"{counted(len(texts) - len(kept), 'empty text')} of {split} left out")
        return [text for text, _ in kept], [int(label) for _, label in kept]
