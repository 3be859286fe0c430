"""WikiText: articles of the English Wikipedia that its editors found good, 2 or 103 million words.

The splits are the makers'. An article is a text; it begins at its title, " = Title = ".

Source: Merity, Xiong, Bradbury and Socher, Pointer Sentinel Mixture Models, ICLR 2017, arXiv:1609.07843; the raw form,
in which no word was replaced, from its makers' copy at Hugging Face, or from a copy of your own.
Licence: Creative Commons Attribution-ShareAlike 3.0 and the GNU Free Documentation License.
Checked by: tiny files in the true form; articles by hand.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.core.extras import to_install
from fourfold.data.text.running_text import RunningTextConfig
from fourfold.data.text.windows import WindowsSource

TITLE = re.compile(r" = [^=].* = ?\n?")
SPLITS = ("train", "validation", "test")


class WikitextConfig(RunningTextConfig):
    """Fields of `data: wikitext`."""

    licence: ClassVar[str] = "CC BY-SA 3.0 and GFDL"
    origin: ClassVar[str] = "Merity et al. 2016; Hugging Face Salesforce/wikitext, or a copy of your own"

    name: Literal["wikitext"] = "wikitext"
    million_words: Literal[2, 103] = Field(default=2, description="which of the two")
    path: str | None = Field(
        default=None,
        min_length=1,
        description="a folder with the host's files (train-….parquet, validation-…, test-…); null: fetch them",
    )

    @classmethod
    def is_here(cls, cache: Path) -> bool:
        """Return whether something of Hugging Face's host was fetched before."""
        return (cache / "huggingface").is_dir()

    def build(self, seed: int, cache: Path) -> WindowsSource:
        """Read the articles, from the folder or through Hugging Face's `datasets`."""
        return self.windows(self.texts(cache), [f"WikiText-{self.million_words}, raw; the splits are its makers'"])

    def texts(self, cache: Path) -> dict[str, list[str]]:
        """Return the articles of each split.

        Raises:
            InputError: the host cannot be reached, or the folder does not hold its files.
        """
        lines = self._of_the_host(cache) if self.path is None else _of_folder(Path(self.path).expanduser())
        return {name: articles(lines[name]) for name in SPLITS}

    def _of_the_host(self, cache: Path) -> dict[str, Iterable[str]]:
        try:
            from datasets import load_dataset
        except ImportError:
            raise InputError(
                "data: wikitext is fetched with the library datasets, which is not installed: "
                f"{to_install('text')}; or give a copy of your own as data.path"
            ) from None
        part = f"wikitext-{self.million_words}-raw-v1"
        try:
            found = load_dataset("Salesforce/wikitext", part, cache_dir=str(cache / "huggingface"))
        except Exception as error:  # of many kinds, by what the network and the library's version are
            raise InputError(
                f"wikitext: Hugging Face's host could not be read ({type(error).__name__}); check the network, "
                "or give a copy of your own as data.path"
            ) from None
        return {name: found[name]["text"] for name in SPLITS}


def articles(lines: Iterable[str]) -> list[str]:
    """Return the articles that lines make up; what stands before the first title is one too, if it is not blank."""
    found: list[list[str]] = [[]]
    for line in lines:
        if TITLE.fullmatch(line):
            found.append([])
        found[-1].append(line if line.endswith("\n") else f"{line}\n")
    return [text for text in ("".join(article) for article in found) if text.strip()]


def _of_folder(folder: Path) -> dict[str, Iterable[str]]:
    """Return the lines of each split from Parquet files.

    Raises:
        InputError: there are none, or one that cannot be read.
    """
    import pyarrow
    from pyarrow import parquet

    lines: dict[str, Iterable[str]] = {}
    for name in SPLITS:
        files = sorted(folder.glob(f"{name}-*.parquet"))
        if not files:
            raise InputError(f"{folder}: no {name}-….parquet in it")
        found: list[str] = []
        for file in files:
            try:
                found += parquet.read_table(file, columns=["text"]).column("text").to_pylist()
            except (OSError, KeyError, pyarrow.ArrowInvalid) as error:
                raise InputError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from None
        lines[name] = found
    return lines
