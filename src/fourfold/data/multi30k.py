"""Captions of photographs, English into German or back: 29,000 + 1,014 + 1,000 pairs; the splits are its makers'.

Source: Elliott, Frank, Sima'an and Specia, Multi30K: Multilingual English-German Image Descriptions, 2016,
arXiv:1605.00459; from Hugging Face's bentrevett/multi30k (its test split is that of 2016), or from a copy of your own.
Licence: the captions CC BY-NC-SA 4.0, as the repository says; for research.
Checked by: tiny files in the true form. Not opened here: the true files.
"""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from fourfold.data.base import DataConfig
from fourfold.data.notes import split_note
from fourfold.data.text.hosted import HostedFields
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.translated import TranslationFields, numbered, translated_texts


class Multi30kConfig(TranslationFields, HostedFields, DataConfig):
    """Fields of `data: multi30k`."""

    licence: ClassVar[str] = "CC BY-NC-SA 4.0, as its copy says; for research"
    origin: ClassVar[str] = "D. Elliott et al., 2016; Hugging Face bentrevett/multi30k, or a copy of your own"
    repository: ClassVar[str] = "bentrevett/multi30k"
    columns: ClassVar[tuple[str, ...]] = ("en", "de")
    hosted: ClassVar[tuple[str, ...]] = ("train", "validation", "test")

    name: Literal["multi30k"] = "multi30k"
    target_language: Literal["de", "en"] = Field(default="de", description="into German, or into English")

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read and tokenise the captions."""
        notes: list[str] = []
        parts, files = self.read(cache, notes)
        source = "en" if self.target_language == "de" else "de"
        columns = source, self.target_language
        rows = {split: zip(*(parts[split][name] for name in columns), strict=True) for split in self.hosted}
        pairs, splits = numbered(rows, notes)
        splits = self.fewer(splits, seed, notes)
        notes.append(split_note(splits, "as its makers set them"))
        return translated_texts(self, pairs, columns, splits, cache, notes, files)
