"""WMT 2014's news, English into German or French: 4.5 or 40.8 million pairs; the splits are its makers'.

Training pairs are of the European Parliament, of news commentaries and of the web, for French of the United Nations and
of official sites too; newstest2013 validates and newstest2014 tests. Pairs are held in memory, as texts and as tokens:
about two gigabytes a million, of all of them until `train_examples` are chosen.

Source: Bojar and others, Findings of the 2014 Workshop on Statistical Machine Translation, 2014,
https://www.statmt.org/wmt14/translation-task.html; from Hugging Face's wmt/wmt14, or from a copy of your own.
Licence: of its parts, each its own; for research.
Checked by: tiny files in the true form. Not opened here: the true files.
"""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.data.base import DataConfig
from fourfold.data.notes import split_note
from fourfold.data.text.hosted import HostedFields
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.translated import TranslationFields, numbered, translated_texts


class WMT14Config(TranslationFields, HostedFields, DataConfig):
    """Fields of `data: wmt14`."""

    licence: ClassVar[str] = "of its parts, each its own; for research"
    origin: ClassVar[str] = "O. Bojar et al., 2014; Hugging Face wmt/wmt14, or a copy of your own"
    repository: ClassVar[str] = "wmt/wmt14"
    columns: ClassVar[tuple[str, ...]] = ("translation",)
    hosted: ClassVar[tuple[str, ...]] = ("train", "validation", "test")

    name: Literal["wmt14"] = "wmt14"
    target_language: Literal["de", "fr"] = Field(default="de", description="from English into German or French")

    @property
    def part(self) -> str:
        """The pair of languages, as the host calls it."""
        return f"{self.target_language}-en"

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read and tokenise the pairs."""
        notes: list[str] = []
        parts, files = self.read(cache, notes)
        languages = "en", self.target_language
        try:
            rows = {
                split: ((row["en"], row[self.target_language]) for row in parts[split]["translation"])
                for split in self.hosted
            }
            pairs, splits = numbered(rows, notes)
        except (KeyError, TypeError):
            raise InputError(f"wmt14: a translation without 'en' or '{self.target_language}' in it") from None
        splits = self.fewer(splits, seed, notes)
        notes.append(split_note(splits, "as its makers set them"))
        return translated_texts(self, pairs, languages, splits, cache, notes, files)
