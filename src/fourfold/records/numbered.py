"""Folders that are numbered: `digits-mlp-1`, `digits-mlp-2`, and so on, whoever else makes one at the same moment.

Checked by: many processes creating at once.
"""

import errno
import os
import re
from pathlib import Path

from fourfold.records.atomic import fsync_directory, rename_durably
from fourfold.records.naming import to_file_name

_TAKEN = (errno.EEXIST, errno.ENOTEMPTY)


def place(draft: Path, workspace: Path, name: str) -> Path:
    """Rename `draft` to the first free `<name>-<n>`: renaming over a folder that holds files fails, atomically."""
    fsync_directory(draft)
    name = to_file_name(name)
    pattern = re.compile(re.escape(name) + "-([0-9]{1,9})")
    n = 1 + max((int(m[1]) for entry in os.listdir(workspace) if (m := pattern.fullmatch(entry))), default=0)
    while True:
        try:
            target = workspace / f"{name}-{n}"
            rename_durably(draft, target)
            return target
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            n += 1
