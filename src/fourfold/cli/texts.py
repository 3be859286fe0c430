"""Reading the texts to predict, to tag or to translate: from the command line, from files, or from stdin.

Checked by: the commands that read them, with files of each form.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fourfold.cli.rows import STDIN, TABLES, json_rows, literal_row, piped
from fourfold.core.errors import InputError
from fourfold.data.table.reading import Table, decode, parse_table, read_bytes
from fourfold.records import strict_json

FILES = (*TABLES, ".json", ".jsonl", ".txt")
WANTED = "give a text in quotes, a file of texts, a line each, or - for stdin"


class Lines(list[Any]):
    """Examples that are lines of a file.

    Attributes:
        rows: the number of each one's line, as a person counts; empty lines are no examples.
    """

    def __init__(self, numbered: Iterable[tuple[int, Any]]) -> None:
        self.rows: list[int] = []
        for number, example in numbered:
            self.rows.append(number)
            self.append(example)


def read_lines(arguments: Sequence[str], what: str) -> list[str]:
    """Return texts: each argument, or each line of a file or of stdin, `-`; what comes of them is as many lines.

    Args:
        arguments: texts, or one file, or `-`.
        what: is to be done with them, for messages.

    Raises:
        InputError: none are given, an empty one, or a file that cannot be read.
    """
    arguments = arguments or piped()
    if not arguments:
        raise InputError(f"nothing to {what}: {WANTED}")
    _refuse_folders(arguments)
    if not any(_is_file(each) for each in arguments):
        _refuse_empty(arguments)
        return list(arguments)
    if len(arguments) > 1:
        raise InputError(f"'{arguments[1]}': texts or one file, not both")
    _, text = _content(arguments[0])
    return [line.strip() for line in _lines_of(text)]


def read_texts(arguments: Sequence[str], literal: Sequence[str], columns: Sequence[str]) -> list[Any] | Table:
    """Return a table, or one example a row: a text, two texts in a list, or `{"column": text}`.

    Args:
        arguments: texts; a file or `-`; or `column=text` of a single row.
        literal: rows as JSON.
        columns: what the text, or the two texts, are called.

    Raises:
        InputError: nothing given, an empty text, or a file or row that cannot be read.
    """
    rows = [literal_row(text) for text in literal]
    named = [each for each in arguments if each.partition("=")[0] in columns and "=" in each]
    others = [each for each in arguments if each not in named]
    if others and (named or rows):
        raise InputError(f"'{others[0]}': give texts, a file, {columns[0]}=TEXT or --row, one of them")
    if named:
        rows.append({name: text for name, _, text in (each.partition("=") for each in named)})
    if rows:
        _refuse_empty(text for row in rows for text in (row.values() if isinstance(row, dict) else row))
        return rows
    others = others or piped()
    if not others:
        raise InputError("nothing to predict: give a text in quotes, a file, --row '{…}', or - for stdin")
    _refuse_folders(others)
    if not any(_is_file(each) for each in others):
        _refuse_empty(others)
        if len(columns) == 1:
            return list(others)
        if len(others) % 2:
            raise InputError(f"'{others[-1]}': texts come in pairs, {' and '.join(columns)}")
        return [list(pair) for pair in zip(others[::2], others[1::2], strict=True)]
    if len(others) > 1:
        raise InputError(f"'{others[1]}': one file at a time")
    return _read_file(others[0], columns)


def _is_file(argument: str) -> bool:
    """Return whether an argument means a file: one that is there, or one that is called like one."""
    if argument == STDIN:
        return True
    is_name = "\n" not in argument and len(argument) < 256
    return is_name and (os.path.isfile(os.path.expanduser(argument)) or Path(argument).suffix.lower() in FILES)


def _refuse_folders(arguments: Iterable[str]) -> None:
    """Refuse the name of a folder, which is no text to anybody."""
    for each in arguments:
        if "\0" not in each and os.path.isdir(os.path.expanduser(each)):
            raise InputError(f"{each}: a folder, not a file; {WANTED}")


def _refuse_empty(texts: Iterable[Any]) -> None:
    """Refuse a text of nothing but blanks, of which a network says no more than of any other."""
    for each in texts:
        if isinstance(each, str) and not each.strip():
            raise InputError(f"{each!r}: empty text; {WANTED}")


def _content(name: str) -> tuple[Path, str]:
    """Return a file's name for messages, and its text, which is not empty."""
    path = Path("stdin" if name == STDIN else name)
    data = sys.stdin.buffer.read() if name == STDIN else read_bytes(path)
    text = decode(path, data)[0] if data.strip() else ""
    if not text.strip():
        raise InputError(f"{path}: {'empty text' if name == STDIN else 'the file is empty'}")
    return path, text


def _lines_of(text: str) -> list[str]:
    """Return the lines that an editor shows; `splitlines` parts a text at signs that are within a line, too."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def _read_file(name: str, columns: Sequence[str]) -> list[Any] | Table:
    """Return what a file holds: JSON, a table that has the columns, or else a text a line, of pairs with tabs."""
    path = Path(name)
    if name != STDIN and path.suffix.lower() in TABLES:
        return parse_table(path, read_bytes(path))
    path, text = _content(name)
    if text.lstrip()[:1] in ("{", "[") and (rows := _json(text.strip(), path, columns)) is not None:
        return rows
    header = text.lstrip().splitlines()[0]
    for mark in ",\t;|":
        if set(columns) <= {cell.strip().strip('"') for cell in header.split(mark)} and mark in header:
            return parse_table(path, text.encode("utf-8"), mark)
    lines = [(number, line) for number, line in enumerate(_lines_of(text), start=1) if line.strip()]
    if len(columns) == 1:
        return Lines((number, line.strip()) for number, line in lines)
    pairs = [(number, [cell.strip() for cell in line.split("\t")]) for number, line in lines]
    for number, pair in pairs:
        if len(pair) != len(columns):
            raise InputError(
                f"{path}: line {number} has {len(pair)} columns; expected {' and '.join(columns)}, a tab between"
            )
    return Lines(pairs)


def _json(text: str, path: Path, columns: Sequence[str]) -> list[Any] | None:
    """Return the rows of JSON; None where a text only begins like it."""
    try:
        value = strict_json.decode(text)
    except ValueError:
        return json_rows(text, path) if text.startswith("{") else None
    if len(columns) == 1 and isinstance(value, list) and all(isinstance(each, str) for each in value):
        _refuse_empty(value)
        return value
    return json_rows(text, path)
