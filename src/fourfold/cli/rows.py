"""Reading the examples to predict: from files, stdin, or the command line itself."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError
from fourfold.data.table.config import TableConfig
from fourfold.data.table.reading import Table, decode, parse_table, read_bytes
from fourfold.records import strict_json

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
TABLES = (".csv", ".tsv", ".tab", ".parquet", ".pq")
STDIN = "-"


def read_rows(arguments: Sequence[str], literal: Sequence[str], data: PartConfig) -> list[Any] | Table:
    """Return a table, or one example a row: `{"column": value}`, a list of numbers, or a picture's path.

    Args:
        arguments: one file or `-`, pictures, or `name=value` pairs of a single row.
        literal: rows as JSON.
        data: what the run was trained on; its delimiter and decimal comma are those of a new table too.

    Raises:
        InputError: nothing given, or a file or row that cannot be read.
    """
    rows = [_literal(text) for text in literal]
    pairs = [each for each in arguments if "=" in each and not os.path.exists(each)]
    others = [each for each in arguments if each not in pairs]
    if others and (pairs or rows):
        raise InputError(f"'{others[0]}': give a file or {'NAME=VALUE pairs' if pairs else '--row'}, not both")
    if pairs:
        return [*rows, _pairs(pairs)]
    if rows:
        return rows
    if not others:
        raise InputError("nothing to predict: give a file, NAME=VALUE pairs, --row '{…}', or - for stdin")
    if all(Path(each).suffix.lower() in PICTURES for each in others):
        return [_picture(each) for each in others]
    if len(others) > 1:
        raise InputError(f"'{others[1]}': one file at a time")
    return _read_file(others[0], data)


def _picture(path: str) -> str:
    if not os.path.isfile(os.path.expanduser(path)):
        raise InputError(f"{path}: no such file")
    return path


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


def _literal(text: str) -> Any:
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


def _read_file(name: str, data: PartConfig) -> list[Any] | Table:
    """Return what the one file, or stdin, holds: a table, or else JSON if it begins like that."""
    path = Path("stdin" if name == STDIN else name)
    content = sys.stdin.buffer.read() if name == STDIN else read_bytes(path)
    if path.suffix.lower() not in TABLES:
        text = decode(path, content)[0].strip()
        if text.startswith(("[", "{")):
            return _json_rows(text, path)
    if isinstance(data, TableConfig):
        return parse_table(path, content, data.delimiter, data.decimal)
    return parse_table(path, content)


def _json_rows(text: str, path: Path) -> list[Any]:
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
