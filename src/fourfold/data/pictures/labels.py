"""Classes of pictures from a table: one row a picture, a column with its file's name and one with its class.

Checked by: tables with every kind of fault; columns that must be guessed.
"""

import os
import unicodedata

from fourfold.core.errors import InputError, did_you_mean
from fourfold.data.pictures.finding import SPLIT_NAMES, Found
from fourfold.data.pictures.problems import Problem
from fourfold.data.pictures.reading import SUFFIXES
from fourfold.data.table.reading import Table

LABEL_NAMES = ("label", "class", "target", "category", "y")  # of a column, in the order in which they are looked for


def apply_labels(found: Found, table: Table, picture: str | None, label: str | None, split: str | None) -> list[str]:
    """Give each picture found the class, and perhaps the split, of its row; return how the columns were chosen.

    A row that names no file, a picture without a row and a row without a class are problems of `found`; such pictures
    are no longer among its files.

    Args:
        found: pictures without classes.
        table: the rows.
        picture: the column with the files' names, relative to the folder; None finds it.
        label: the column with the classes; None finds it.
        split: the column with "train", "validation" or "test"; None splits here.

    Raises:
        InputError: no such column, or it cannot be told.
    """
    for field, name in (("picture_column", picture), ("label_column", label), ("split_column", split)):
        if name is not None and name not in table.columns:
            hint = did_you_mean(name, table.columns)
            raise InputError(f"data.{field}: {table.path} has no column '{name}'{hint}")
    picture = picture or _picture_column(table)
    label = label or _label_column(table, {picture, split})
    rows = _rows(found, table, picture)
    kept, labels, splits = [], [], []
    for number, file in enumerate(found.files):
        row = rows.get(file.name)
        if row is None:
            found.problems.append(Problem(file.name, f"no label: {table.path.name} does not name it"))
            continue
        text = table.columns[label][row]
        given = None if split is None else SPLIT_NAMES.get(str(table.columns[split][row]).strip().lower())
        if text is None:
            found.problems.append(Problem(file.name, f"no label in {table.path.name}, row {table.rows[row]}"))
        elif split is not None and given is None:
            place = f"{table.path.name}, row {table.rows[row]}"
            found.problems.append(Problem(file.name, f"'{table.columns[split][row]}' in {place} is no split"))
        else:
            kept.append(number)
            labels.append(unicodedata.normalize("NFC", text))
            splits.append(given)
    found.keep(kept)
    found.labels = labels
    found.splits = None if split is None else splits
    columns = f"files from '{picture}', classes from '{label}'" + (f", splits from '{split}'" if split else "")
    return [f"labels: {table.path}: {columns}"]


def _rows(found: Found, table: Table, picture: str) -> dict[str, int]:
    """Return file name -> row; names may lack a suffix, and stand in a folder that the table leaves out."""
    known: dict[str, list[str]] = {}
    for file in found.files:
        base = file.name.rsplit("/", 1)[-1]
        for key in {file.name, os.path.splitext(file.name)[0], base, os.path.splitext(base)[0]}:
            known.setdefault(unicodedata.normalize("NFC", key), []).append(file.name)
    rows: dict[str, int] = {}
    for row, text in enumerate(table.columns[picture]):
        place = f"row {table.rows[row]} of {table.path.name}"
        if text is None:
            found.problems.append(Problem(table.path.name, f"row {table.rows[row]} names no file"))
            continue
        key = unicodedata.normalize("NFC", text.replace("\\", "/").removeprefix("./"))
        names = known.get(key, [])
        names = [name for name in names if name == key] or names
        if not names:
            found.problems.append(Problem(text, f"no such picture, but {place} gives it a label"))
        elif len(names) > 1:
            found.problems.append(Problem(text, f"{place} may mean {names[0]} or {names[1]}"))
        elif names[0] in rows:
            found.problems.append(Problem(names[0], f"labelled twice, the second time in {place}"))
        else:
            rows[names[0]] = row
    return rows


def _picture_column(table: Table) -> str:
    for column, texts in table.columns.items():
        suffixes = [os.path.splitext(text)[1].lower() in SUFFIXES for text in texts if text is not None]
        if suffixes and sum(suffixes) > len(suffixes) / 2:
            return column
    names = ", ".join(table.columns)
    raise InputError(f"{table.path}: which column names the files? say data.picture_column=… (one of {names})")


def _label_column(table: Table, taken: set[str | None]) -> str:
    others = [column for column in table.columns if column not in taken]
    if len(others) == 1:
        return others[0]
    for usual in LABEL_NAMES:
        for column in others:
            if column.strip().lower() == usual:
                return column
    raise InputError(
        f"{table.path}: which column is the class? say data.label_column=… (one of {', '.join(others) or 'none left'})"
    )
