"""Reading sets that Hugging Face hosts: from a folder with the host's files, or through the library `datasets`.

What comes from the host is as its makers have it there now: it is not checked against a digest.

Checked by: tiny files in the true form; a library that pretends, and one that cannot reach its host.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.core.extras import to_install
from fourfold.data.text.learning import TextFields

Columns = dict[str, list[Any]]  # by name


class HostedFields(TextFields):
    """The fields of every source that Hugging Face hosts.

    Attributes:
        repository: where the set is on the host.
        revision: of the repository; None is its newest one. Sets that are made by a program have a copy in Parquet.
        columns: those that are read.
        hosted: the splits that are read.
    """

    repository: ClassVar[str]
    revision: ClassVar[str | None] = None
    columns: ClassVar[tuple[str, ...]]
    hosted: ClassVar[tuple[str, ...]]

    path: str | None = Field(
        default=None,
        min_length=1,
        description="a folder with the host's files (train….parquet or .jsonl, and so on); null: fetch them",
    )

    @property
    def part(self) -> str | None:
        """What is read of a repository that holds several sets, as the host calls it."""
        return None

    @classmethod
    def is_here(cls, cache: Path) -> bool:
        """Return whether something of Hugging Face's host was fetched before."""
        return (cache / "huggingface").is_dir()

    def read(self, cache: Path, notes: list[str]) -> tuple[dict[str, Columns], dict[str, str]]:
        """Return each split's columns, and digests of the files they were read from.

        Raises:
            InputError: no folder, file or column; or the host cannot be reached.
        """
        if self.path is not None:
            return _of_folder(Path(self.path).expanduser(), self.hosted, self.columns)
        notes.append(f"from Hugging Face's host, {self.repository}")
        return self._of_the_host(cache), {}

    def _of_the_host(self, cache: Path) -> dict[str, Columns]:
        try:
            from datasets import load_dataset
        except ImportError:
            raise InputError(
                f"data: {self.name} is fetched with the library datasets, which is not installed: "
                f"{to_install('text')}; or give a copy of your own as data.path"
            ) from None
        try:
            found = load_dataset(
                self.repository, self.part, revision=self.revision, cache_dir=str(cache / "huggingface")
            )
        except Exception as error:  # of many kinds, by what the network and the library's version are
            raise InputError(
                f"{self.name}: Hugging Face's host could not be read ({type(error).__name__}); check the network, "
                "or give a copy of your own as data.path"
            ) from None
        return {split: {column: list(found[split][column]) for column in self.columns} for split in self.hosted}


def _of_folder(
    folder: Path, splits: Sequence[str], columns: Sequence[str]
) -> tuple[dict[str, Columns], dict[str, str]]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found: dict[str, Columns] = {}
    digests: dict[str, str] = {}
    for split in splits:
        begins = "val" if split == "validation" else split  # val.jsonl, validation-00000-of-00001.parquet
        files = sorted(folder.glob(f"{begins}*.parquet")) or sorted(folder.glob(f"{begins}*.jsonl"))
        if not files:
            raise InputError(f"{folder}: no {split}….parquet in it, nor {split}….jsonl")
        found[split] = {column: [] for column in columns}
        for file in files:
            data = file.read_bytes()
            digests[str(file)] = hashlib.sha256(data).hexdigest()
            read = _parquet(file, columns) if file.suffix == ".parquet" else _json_lines(file, data, columns)
            for column in columns:
                found[split][column] += read[column]
    return found, digests


def _parquet(file: Path, columns: Sequence[str]) -> Columns:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{file}: not a Parquet file that can be read: {str(error).splitlines()[0]}") from None
    for column in columns:
        if column not in table.column_names:
            raise InputError(f"{file}: no column '{column}'; it has {', '.join(table.column_names)}")
    return {column: table.column(column).to_pylist() for column in columns}


def _json_lines(file: Path, data: bytes, columns: Sequence[str]) -> Columns:
    found: Columns = {column: [] for column in columns}
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            for column in columns:
                found[column].append(row[column])
        except KeyError as error:
            raise InputError(f"{file}: line {number} has no {error}") from None
        except (ValueError, TypeError):
            raise InputError(f"{file}: line {number} is not a JSON object") from None
    return found
