"""SHA-256 of a file, read piece by piece: weights and decoded pictures may be larger than memory.

Checked by: hashlib over the whole content, through the data cache, the weights of a run and the files of a study.
"""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
