"""Named entities in news, the shared task of CoNLL 2003 in English: people, places, organisations and others.

14,041 + 3,250 + 3,453 sentences; the splits are its makers', so scores can be set beside published ones.

Source: Tjong Kim Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task, CoNLL 2003; from Hugging Face's
eriktks/conll2003, or from a copy of your own. Who has the makers' files (eng.train and so on) uses `data: tagged_text`.
Licence: the news are Reuters', for research; the annotation is its makers'.
Checked by: tiny files in the true form. Not opened here: the true files.
"""

from pathlib import Path
from typing import ClassVar, Literal

import torch

from fourfold.core.errors import InputError
from fourfold.data.base import DataConfig
from fourfold.data.notes import split_note
from fourfold.data.text.conll import Sentence
from fourfold.data.text.hosted import HostedFields
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.tagged import tagged_texts

TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC")  # by number


class CoNLL2003Config(HostedFields, DataConfig):
    """Fields of `data: conll2003`."""

    licence: ClassVar[str] = "the news are Reuters', for research"
    origin: ClassVar[str] = "E. Tjong Kim Sang and F. De Meulder, 2003; Hugging Face eriktks/conll2003, or a copy"
    repository: ClassVar[str] = "eriktks/conll2003"
    revision: ClassVar[str | None] = "refs/convert/parquet"
    columns: ClassVar[tuple[str, ...]] = ("tokens", "ner_tags")
    hosted: ClassVar[tuple[str, ...]] = ("train", "validation", "test")

    name: Literal["conll2003"] = "conll2003"

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read and tokenise the sentences."""
        notes: list[str] = []
        parts, files = self.read(cache, notes)
        sentences: list[Sentence] = []
        splits: dict[str, torch.Tensor] = {}
        for split in self.hosted:
            start = len(sentences)
            for words, tags in zip(*(parts[split][column] for column in self.columns), strict=True):
                if len(words) != len(tags) or not set(tags) <= set(range(len(TAGS))):
                    raise InputError(
                        f"{self.name}: {split} sentence {len(sentences) - start + 1} has no tag for a word"
                    )
                if words:
                    sentences.append(Sentence([str(word) for word in words], [TAGS[tag] for tag in tags]))
            splits[split] = torch.arange(start, len(sentences))
        splits = self.fewer(splits, seed, notes)
        notes.append(split_note(splits, "as its makers set them"))
        return tagged_texts(self, sentences, splits, cache, notes, files)
