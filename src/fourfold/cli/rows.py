"""Reading the examples to predict: from files, stdin, or the command line itself."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fourfold.core.document import parse_yaml
from fourfold.core.errors import InputError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


def read_rows(arguments: Sequence[str], literal: Sequence[str]) -> list[Any]:
    """Return one example a row: `{"column": value}`, a list of numbers, or a picture's path.

    Args:
        arguments: one file or `-`, pictures, or `name=value` pairs of a single row.
        literal: rows as JSON.

    Raises:
        InputError: nothing given, or a file or row that cannot be read.
    """
    rows = [_literal(text) for text in literal]
    pairs = [each for each in arguments if "=" in each and not Path(each).exists()]
    if pairs:
        if len(pairs) != len(arguments):
            other = next(each for each in arguments if each not in pairs)
            raise InputError(f"'{other}': give a file or NAME=VALUE pairs, not both")
        split = [pair.partition("=") for pair in pairs]
        rows.append({name: parse_yaml(text, name) for name, _, text in split})
    elif arguments and all(Path(each).suffix.lower() in PICTURES for each in arguments):
        rows += [_existing(each) for each in arguments]
    else:
        for each in arguments:
            rows += _read_file(each)
    if not rows:
        raise InputError("nothing to predict: give a file, NAME=VALUE pairs, --row '{…}', or - for stdin")
    return rows


def _existing(path: str) -> str:
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    return path


def _literal(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"--row {text!r}: not JSON: {error}") from None
    if not isinstance(value, dict | list):
        raise InputError(f'--row {text!r}: expected {{"name": value}} or [numbers]')
    return value


def _read_file(name: str) -> list[Any]:
    if name == "-":
        return _parse(
            _decoded(sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read(), "stdin"), "stdin"
        )
    path = Path(_existing(name))
    if path.suffix.lower() in (".parquet", ".pq"):
        import pandas

        try:
            frame = pandas.read_parquet(path)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: not Parquet: {str(error).splitlines()[0]}") from None
        return [{str(k): None if pandas.isna(v) else v for k, v in row.items()} for row in frame.to_dict("records")]
    try:
        return _parse(_decoded(path.read_bytes(), str(path)), str(path))
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _decoded(data: bytes | str, source: str) -> str:
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{source}: not UTF-8 text") from None


def _parse(text: str, source: str) -> list[Any]:
    """Return the rows of a JSON, JSON Lines or delimited text, told apart by their first character."""
    first = text.lstrip()[:1]
    if first in ("[", "{"):
        return _json_rows(text, source)
    header = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t|", key=header.count)
    rows: list[Any] = []
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise InputError(
                    f"{source}: line {reader.line_num} does not have {len(reader.fieldnames or [])} columns"
                )
            rows.append(row)
    except csv.Error as error:
        raise InputError(f"{source}: line {reader.line_num}: {error}") from None
    if not rows:
        raise InputError(f"{source}: no rows below its header line")
    return rows


def _json_rows(text: str, source: str) -> list[Any]:
    try:
        value = json.loads(text)
        if isinstance(value, dict):
            return [value]
        return value if value and isinstance(value[0], dict | list) else [value]
    except ValueError as whole:
        rows: list[Any] = []
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                rows += [json.loads(line)] if line.strip() else []
            except ValueError:
                problem = whole if number == 1 else f"line {number} is not JSON"
                raise InputError(f"{source}: not JSON: {problem}") from None
        return rows
