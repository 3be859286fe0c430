"""The files of installed packages that carry data, read without importing the package (scikit-learn takes a second)."""

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np

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


def read_sklearn_csv(name: str, header: int, delimiter: str = ",") -> np.ndarray:
    """Return a numeric table of scikit-learn's, float64 `[rows, columns]`, without its `header` lines."""
    file = package_file("sklearn", f"datasets/data/{name}")
    data = gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
    return np.loadtxt(data.decode("utf-8").splitlines(), delimiter=delimiter, skiprows=header)
