"""Your own text: a file, or a folder of .txt files, each of them a text.

Source: yours.
Licence: yours.
Checked by: files written by the tests: UTF-8, Korean code page 949, byte-order marks, CRLF, damaged, empty, copies.
"""

import hashlib
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.splitting import divide
from fourfold.data.table.reading import decode, read_bytes
from fourfold.data.text.running_text import RunningTextConfig
from fourfold.data.text.windows import WindowsSource

FEW = 10  # texts below which each of them is cut into the three splits


class TextConfig(RunningTextConfig):
    """Fields of `data: text`."""

    licence: ClassVar[str] = "yours"
    origin: ClassVar[str] = "your own file or folder"

    name: Literal["text"] = "text"
    path: str = Field(
        default="", description="a text file, or a folder whose .txt files, at any depth, are one text each"
    )
    divider: str | None = Field(
        default=None, min_length=1, description="a line of a file that divides it into texts, such as <|endoftext|>"
    )
    validation: float = Field(default=0.1, ge=0, lt=1, description="share of the text that steers training")
    test: float = Field(default=0.1, ge=0, lt=1, description="share of the text that is kept for the end")
    split_seed: int | None = Field(
        default=0, ge=0, description="which of many texts are in which split; null: that varies with the run's seed"
    )

    @model_validator(mode="after")
    def _check_shares(self) -> "TextConfig":
        if self.validation + self.test >= 1:
            raise ValueError("data.validation and data.test leave no training text; together they must stay below 1")
        return self

    def build(self, seed: int, cache: Path) -> WindowsSource:
        """Read the file or files, split them, and cut them into windows."""
        if not self.path:
            raise InputError("data.path: name your text, for example data.path=book.txt")
        notes: list[str] = []
        files: dict[str, str] = {}
        texts: dict[str, None] = {}  # in order, each once
        for path in _files(Path(self.path)):
            content = read_bytes(path)
            name = self.path if path == Path(self.path).expanduser() else str(path)
            files[name] = hashlib.sha256(content).hexdigest()
            text, more = decode(path, content)
            notes += [f"{path}: {line}" for line in more]
            texts |= dict.fromkeys(part for part in self._divided(text.replace("\r\n", "\n")) if part.strip())
        if not texts:
            raise InputError(f"{self.path}: no text in it")
        found = list(texts)
        if len(found) < FEW:
            splits, how = self._in_parts(found), "each cut into training, validation and test text"
        elif self.split_seed is None:
            splits, how = self._in_whole(found, seed), f"divided at random by the run's seed, {seed}"
        else:
            splits, how = (
                self._in_whole(found, self.split_seed),
                f"divided at random by data.split_seed={self.split_seed}",
            )
        notes.append(f"{counted(len(files), 'file')}, {counted(len(found), 'different text')}, {how}")
        return self.windows(splits, notes, files)

    def _divided(self, text: str) -> list[str]:
        """Return the texts of a file."""
        if self.divider is None:
            return [text]
        texts: list[list[str]] = [[]]
        for line in text.split("\n"):
            if line.strip() == self.divider.strip():
                texts.append([])
            else:
                texts[-1].append(line)
        return ["\n".join(lines) for lines in texts]

    def _in_parts(self, texts: list[str]) -> dict[str, list[str]]:
        """Cut each text: its end tests, what is before that validates."""
        splits: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
        for text in texts:
            first = round(len(text) * (1 - self.validation - self.test))
            second = round(len(text) * (1 - self.test))
            for name, part in (("train", text[:first]), ("validation", text[first:second]), ("test", text[second:])):
                splits[name] += [part] if part else []
        return splits

    def _in_whole(self, texts: list[str], seed: int) -> dict[str, list[str]]:
        """Divide the texts at random, none of them parted."""
        count = len(texts)
        wanted = [max(1, round(share * count)) if share else 0 for share in (self.validation, self.test)]
        splits = divide(count, seed, num_validation=wanted[0], num_test=wanted[1])
        return {name: [texts[i] for i in members.tolist()] for name, members in splits.items()}


def _files(path: Path) -> list[Path]:
    """Return the file, or the folder's .txt files in order of their names.

    Raises:
        InputError: a folder without any.
    """
    path = path.expanduser()
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() == ".txt" and each.is_file())
    if not found:
        raise InputError(f"{path}: no .txt file in this folder")
    return found
