"""The user's own files that cells read: their data, and the parts that they name.

Checked by: a table that changes, and a part that changes, between two studies.
"""

from collections.abc import Mapping
from pathlib import Path

from fourfold.core.errors import InputError
from fourfold.records.digest import sha256_of


def digest(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sha256_of(file)
    except OSError as error:
        raise InputError(f"{file}: {(error.strerror or str(error)).lower()}") from None


def read_by_cells(data_files: Mapping[str, str]) -> dict[str, str]:
    """Return SHA-256 of each file that a cell's result depends on, by its path.

    Args:
        data_files: those of its data, as `Source.files` has them.

    Raises:
        InputError: a file of parts is gone.
    """
    from fourfold.run.parts import used_files

    return {**data_files, **{str(file): digest(file) for file in used_files()}}
