"""Reading the examples to predict: from files, stdin, or the command line itself."""

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError
from fourfold.data.pictures.finding import find
from fourfold.data.pictures.reading import SUFFIXES
from fourfold.data.table.config import TableConfig
from fourfold.data.table.reading import Table, decode, parse_table, read_bytes
from fourfold.records import strict_json

TABLES = (".csv", ".tsv", ".tab", ".parquet", ".pq")
TEXTS = (*TABLES, ".json", ".jsonl", ".txt")
STDIN = "-"


def piped() -> list[str]:
    """Return what stands for stdin where a pipe or a file was put there, for a command that was given nothing else."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:  # closed
        return []
    return [STDIN] if stat.S_ISFIFO(mode) or stat.S_ISREG(mode) else []


def read_rows(
    arguments: Sequence[str], literal: Sequence[str], data: PartConfig, takes_pictures: bool
) -> list[Any] | Table:
    """Return a table, or one example a row: `{"column": value}`, a list of numbers, or a picture's path.

    Args:
        arguments: one file or `-`, pictures and folders of them, or `name=value` pairs of a single row.
        literal: rows as JSON.
        data: what the run was trained on; its delimiter and decimal comma are those of a new table too.
        takes_pictures: whether the run was trained on pictures.

    Raises:
        InputError: nothing given, or a file or row that cannot be read.
    """
    rows = [literal_row(text) for text in literal]
    pairs = [each for each in arguments if "=" in each and not os.path.exists(each)]
    others = [each for each in arguments if each not in pairs] or ([] if pairs or rows else piped())
    if others and (pairs or rows):
        raise InputError(f"'{others[0]}': give a file or {'NAME=VALUE pairs' if pairs else '--row'}, not both")
    if pairs:
        return [*rows, _pairs(pairs)]
    if rows:
        return rows
    if not others:
        pictures = "pictures, folders of them, or - for their paths from stdin, a line each"
        wanted = pictures if takes_pictures else "a file, NAME=VALUE pairs, --row '{…}', or - for stdin"
        raise InputError(f"nothing to predict: give {wanted}")
    if others != [STDIN] and all(_may_be_pictures(each, takes_pictures) for each in others):
        return [picture for each in others for picture in _pictures(each)]
    if len(others) > 1:
        raise InputError(f"'{others[1]}': one file at a time")
    return _read_file(others[0], data, takes_pictures)


def _may_be_pictures(path: str, takes_pictures: bool) -> bool:
    suffix = Path(path).suffix.lower()
    return suffix in SUFFIXES or (takes_pictures and suffix not in TEXTS)


def _pictures(path: str) -> list[str]:
    """Return a picture's path, or those of all pictures in a folder and below it."""
    if not os.path.isdir(os.path.expanduser(path)):
        return [path]  # who reads it says what is wrong with it
    found = find(Path(path), by_folder=False)
    if found.problems:
        raise InputError(f"{os.path.join(path, '')}{found.problems[0]}")
    return [file.path for file in found.files]


def _pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Return one row; a value stays the text that it would be in a file, for 02139 is no number."""
    row: dict[str, str] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if not name.strip():
            raise InputError(f"'{pair}': expected NAME=VALUE")
        if name in row:
            raise InputError(f"'{name}' is given twice")
        row[name] = text
    return row


def literal_row(text: str) -> Any:
    """Return the row that `--row` gives as JSON."""
    try:
        value = strict_json.decode(text)
    except ValueError as error:
        raise InputError(f"--row {_short(text)}: not JSON: {error}") from None
    if not isinstance(value, dict | list):
        raise InputError(f'--row {_short(text)}: expected {{"name": value}} or [numbers]')
    return value


def _short(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= 60 else shown[:57] + "…"


def _read_file(name: str, data: PartConfig, takes_pictures: bool) -> list[Any] | Table:
    """Return what the one file, or stdin, holds: JSON if it begins like that, else a table, or a list of pictures."""
    path = Path("stdin" if name == STDIN else name)
    content = sys.stdin.buffer.read() if name == STDIN else read_bytes(path)
    if path.suffix.lower() not in TABLES:
        text = decode(path, content)[0].strip()
        if text.startswith(("[", "{")):
            return json_rows(text, path)
        if takes_pictures:
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if lines and not _may_be_pictures(lines[0], takes_pictures=False) and not os.path.exists(lines[0]):
                raise InputError(
                    f"{path}: neither JSON nor the paths of pictures, a line each; it begins {_short(lines[0])}"
                )
            return [picture for line in lines for picture in _pictures(line)]
    if isinstance(data, TableConfig):
        return parse_table(path, content, data.delimiter, data.decimal)
    return parse_table(path, content)


def json_rows(text: str, path: Path) -> list[Any]:
    """Return the rows of one JSON value, or of a JSON value a line."""
    try:
        value = strict_json.decode(text)
        return value if isinstance(value, list) and value and isinstance(value[0], dict | list) else [value]
    except ValueError as whole:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        rows: list[Any] = []
        for number, line in lines:
            try:
                rows.append(strict_json.decode(line))
            except ValueError:
                problem = whole if number == 1 else f"line {number} is not JSON"
                raise InputError(f"{path}: not JSON: {problem}") from None
        return rows
