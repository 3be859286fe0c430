"""The files of installed packages that carry data, read without importing the package (scikit-learn takes a second)."""

import gzip
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fourfold.core.errors import InputError


def package_file(package: str, path: str) -> Path:
    """Return a file inside an installed package.

    Raises:
        InputError: the package is not installed, or has no such file.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise InputError(f"the package '{package}' that carries this data is not installed")
    file = Path(found.submodule_search_locations[0]) / path
    if not file.is_file():
        raise InputError(f"{file}: not found; this version of '{package}' does not carry the data")
    return file


def read_sklearn_csv(name: str, header: int, delimiter: str | None = ",") -> np.ndarray:
    """Return a numeric table of scikit-learn's, float64 `[rows, columns]`, without its `header` lines.

    `delimiter` None is any white space.
    """
    return _numbers(name, header, delimiter).copy()  # whoever asks next must not see what is changed in it


@lru_cache(maxsize=4)
def _numbers(name: str, header: int, delimiter: str | None) -> np.ndarray:
    """Read such a table once a process: runs at many seeds ask for it again and again."""
    return np.loadtxt(_lines(name), delimiter=delimiter, skiprows=header, ndmin=2)


def read_sklearn_classes(name: str) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Return features float64 `[rows, features]`, labels int64 `[rows]` and class names.

    The first line of such a table is `rows,features,class,class,…`; the last column is the class number.
    """
    table = read_sklearn_csv(name, header=1)
    class_names = tuple(_lines(name)[0].strip().split(",")[2:])
    return torch.from_numpy(table[:, :-1].copy()), torch.from_numpy(table[:, -1].astype(np.int64)), class_names


def _lines(name: str) -> list[str]:
    file = package_file("sklearn", f"datasets/data/{name}")
    data = gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
    return data.decode("utf-8").splitlines()
