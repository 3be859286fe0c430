"""Reading a table into columns of texts: every cell is a text or None, whatever the file was.

So a value in a CSV file, in a Parquet file and in a JSON row for `predict` takes the same path. Rows are numbered for a
person: as a spreadsheet shows them (the header is row 1), or counted from 1 in Parquet.

Checked by: files written byte by byte; Parquet files written by pandas.
"""

import csv
import datetime
import hashlib
import io
import math
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fourfold.core.errors import InputError

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}
DECIMAL_COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")
COMMA_FRACTION = re.compile(r",(\d{1,2}|\d{4,})$")  # three digits may be thousands
DOCUMENTS = (".json", ".jsonl", ".xml", ".html", ".yaml", ".yml", ".xlsx", ".ods", ".pdf", ".zip", ".gz", ".sqlite")
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".svg")
ARRAYS = (".npy", ".npz", ".pkl", ".h5", ".feather", ".pt", ".pth", ".safetensors", ".wav", ".mp3", ".mp4")
NO_TABLES = frozenset((*DOCUMENTS, *PICTURES, *ARRAYS))  # endings of files that hold something else
MISSING = frozenset(("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"))

Texts = np.ndarray  # one column: object array [rows] of str, or None where a value is missing


@dataclass(frozen=True)
class Table:
    """A table as read.

    Attributes:
        path: the file.
        columns: name -> texts, in the file's order.
        rows: each row's number, as a person counts, int64 `[rows]`.
        notes: what was decided while reading.
        sha256: digest of the file's bytes, in hexadecimal.
    """

    path: Path
    columns: dict[str, Texts]
    rows: np.ndarray
    notes: list[str]
    sha256: str

    @property
    def nameless(self) -> list[str]:
        """The names that were made up here, because the header left them out."""
        return [name for position, name in enumerate(self.columns, start=1) if name == _made_up(position)]

    def keep(self, which: np.ndarray) -> "Table":
        """Return the rows that `which`, bool `[rows]`, names."""
        columns = {name: texts[which] for name, texts in self.columns.items()}
        return replace(self, columns=columns, rows=self.rows[which])


def read_table(path: Path, delimiter: str | None = None, decimal: Literal[".", ","] = ".") -> Table:
    """Read a CSV, TSV or Parquet file.

    Args:
        path: the file; `.parquet` and `.pq` are Parquet, everything else is text.
        delimiter: what stands between values in a text file; None finds out.
        decimal: what stands before a fraction in a text file; with a comma, `1.234,5` is read as 1234.5.

    Raises:
        InputError: missing, empty or damaged; the message names the file and the row.
    """
    return parse_table(path, read_bytes(path), delimiter, decimal)


def read_bytes(path: Path) -> bytes:
    """Return what a file, or a pipe, holds; `~` is the home folder.

    Raises:
        InputError: missing or unreadable, or a device, which may never end.
    """
    try:
        path = path.expanduser()
        kind = path.stat().st_mode
        if not (stat.S_ISCHR(kind) or stat.S_ISBLK(kind)):
            return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RuntimeError) as error:  # a zero byte in the name; the home folder of nobody
        raise InputError(f"{str(path)!r}: {str(error).lower()}") from None
    raise InputError(f"{path}: a device, not a file")


def parse_table(path: Path, data: bytes, delimiter: str | None = None, decimal: Literal[".", ","] = ".") -> Table:
    """Read a table from what its file holds; the rest is as for `read_table`.

    Args:
        path: where `data` come from, for the format and for messages; it is not opened.
        data: the file's bytes.
        delimiter: as for `read_table`.
        decimal: as for `read_table`.

    Raises:
        InputError: empty or damaged; the message names the file and the row.
    """
    if not data.strip():
        raise InputError(f"{path}: the file is empty")
    if (suffix := path.suffix.lower()) in NO_TABLES:
        raise InputError(
            f"{path}: a table is read from CSV, TSV or Parquet, and not from {suffix}; save it as one of them"
        )
    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    names, columns, rows, notes = _read_parquet(path, data) if is_parquet else _read_text(path, data, delimiter)
    if decimal == "," and not is_parquet:
        columns = [as_texts([with_point(text) for text in texts]) for texts in columns]
    places: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if (first := places.setdefault(name, position)) != position:
            raise InputError(f"{path}: columns {first} and {position} are both called '{name}'; rename one")
    if len(rows) == 0:
        raise InputError(f"{path}: a header and no rows")
    digest = hashlib.sha256(data).hexdigest()
    summary = f"{path.name}: {len(rows):,} rows, {len(names)} columns, SHA-256 begins {digest[:16]}"
    return Table(path, dict(zip(names, columns, strict=True)), rows, [summary, *notes], digest)


def cell_text(value: Any) -> str | None:
    """Return a value as its cell would be written: `2.0` and `2` are one text; None and NaN are missing."""
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value.is_integer() and abs(value) < 1e15 else repr(value)
    return _cell(str(value))


def _cell(text: str) -> str | None:
    text = text.strip()
    return None if text in MISSING else text


def with_point(text: str | None) -> str | None:
    """Return a number that has a decimal comma, `1.234,5`, as everything after reading expects it; others as is."""
    if text is None or not DECIMAL_COMMA.fullmatch(text):
        return text
    return text.replace(".", "").replace(",", ".")


def decimal_comma(texts: Texts) -> str | None:
    """Return a value that shows a column to be of numbers with decimal commas, such as `192,5`, or None."""
    present = [text for text in texts if text is not None]
    if not all(DECIMAL_COMMA.fullmatch(text) for text in present):
        return None
    return next((text for text in present if COMMA_FRACTION.search(text)), None)


def as_texts(values: list[str | None]) -> Texts:
    """Return a column of texts."""
    texts = np.empty(len(values), dtype=object)
    texts[:] = values
    return texts


_Read = tuple[list[str], list[Texts], np.ndarray, list[str]]  # names, columns, row numbers, notes


def _read_text(path: Path, data: bytes, delimiter: str | None) -> _Read:
    text, notes = decode(path, data)
    if delimiter is None:
        delimiter = _find_delimiter(path, text)
        if delimiter != ",":
            notes.append(f"values are divided by {DELIMITERS[delimiter]}")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(f"{path}: {error}, which means that a quote is not closed or a value is huge") from None
    while lines and not any(lines[-1]):  # what a spreadsheet leaves at the end
        lines.pop()
    header = next(row for row, line in enumerate(lines, start=1) if any(line))
    width = len(lines[header - 1])
    # In a table of one column an empty line is a missing value; in any other it is nothing.
    filled = [(row, line or [""]) for row, line in enumerate(lines, 1) if any(line) or (width == 1 and row > header)]
    notes += [f"{len(lines) - len(filled):,} blank rows left out"] * (len(filled) < len(lines))
    for row, line in filled:
        if len(line) != width:
            raise InputError(f"{path}: row {row} has {len(line)} values, and the header names {width} columns")
    names = [name.strip() for name in filled[0][1]]
    for position in (i for i, name in enumerate(names) if not name):
        names[position] = _made_up(position + 1)
        notes.append(f"the header of column {position + 1} is empty; it is called '{names[position]}' here")
    columns = [as_texts([_cell(line[i]) for _, line in filled[1:]]) for i in range(width)]
    return names, columns, np.array([row for row, _ in filled[1:]], dtype=np.int64), notes


def _made_up(position: int) -> str:
    """Return what a column without a header is called, `position` from 1."""
    return f"column {position}"


def _read_parquet(path: Path, data: bytes) -> _Read:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet file that can be read ({str(error).splitlines()[0][:120]})") from None
    names: list[str] = []
    columns: list[Texts] = []
    notes: list[str] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            notes.append(f"'{name}' left out: it holds {kind}, not single values")
            continue
        names.append(name)
        columns.append(as_texts([cell_text(value) for value in column.to_pylist()]))
    return names, columns, np.arange(1, table.num_rows + 1), notes


def decode(path: Path, data: bytes) -> tuple[str, list[str]]:
    """Return the text of `data`: UTF-16 by its mark, else UTF-8, else the Korean code page 949; and a note if need be.

    Raises:
        InputError: none of them.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16"), ["read as UTF-16"]
        except UnicodeDecodeError:
            raise InputError(f"{path}: begins as UTF-16, but is damaged") from None
    try:
        text, notes = data.decode("utf-8-sig"), list[str]()
    except UnicodeDecodeError as problem:
        try:
            text, notes = data.decode("cp949"), ["not UTF-8; read as CP949, the Korean code page"]
        except UnicodeDecodeError:
            row = data.count(b"\n", 0, problem.start) + 1
            raise InputError(f"{path}: row {row} is not UTF-8 text, nor CP949; save the file as UTF-8") from None
    if "\x00" in text:
        raise InputError(f"{path}: holds zero bytes; it is not a text file")
    return text, notes


def _find_delimiter(path: Path, text: str) -> str:
    """Return what divides the header: the candidate that occurs most, outside quotes."""
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    header = next(line for line in text.splitlines() if line.strip())
    unquoted = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=unquoted.count)
