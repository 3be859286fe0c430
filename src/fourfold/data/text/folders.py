"""Reading texts from folders: a folder a class, a .txt file a text.

Checked by: folders made by hand.
"""

import hashlib
from pathlib import Path

import numpy as np

from fourfold.core.errors import InputError
from fourfold.data.table.reading import Table, as_texts, decode, read_bytes


def read_folder(folder: Path, text: str, label: str) -> Table:
    """Return the files of a folder's folders as a table of two columns.

    Args:
        folder: holds a folder for each class.
        text: what the column of the texts is called.
        label: what that of the classes is called.

    Raises:
        InputError: no folder with .txt files; or a file that is no text.
    """
    texts: list[str | None] = []
    labels: list[str | None] = []
    digest = hashlib.sha256()
    empty = others = 0
    for each in sorted(part for part in folder.iterdir() if part.is_dir()):
        for file in sorted(each.iterdir()):
            if file.suffix.lower() != ".txt" or not file.is_file():
                others += 1
                continue
            data = read_bytes(file)
            digest.update(f"{each.name}/{file.name}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
            content = decode(file, data)[0].strip()
            if not content:
                empty += 1
                continue
            texts.append(content)
            labels.append(each.name)
    if not texts:
        raise InputError(f"{folder}: no folders with .txt files in it, one for each class")
    classes = len(set(labels))
    notes = [f"{folder}: {len(texts):,} texts in {classes} folders, SHA-256 begins {digest.hexdigest()[:16]}"]
    notes += [f"{empty:,} empty files left out"] * (empty > 0)
    notes += [f"{others:,} files that are not .txt left out"] * (others > 0)
    columns = {text: as_texts(texts), label: as_texts(labels)}
    return Table(folder, columns, np.arange(1, len(texts) + 1), notes, digest.hexdigest())
