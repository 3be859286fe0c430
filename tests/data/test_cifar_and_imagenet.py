"""Tiny files in the true form of CIFAR's binary version and of ImageNet's folders."""

import http.server
import shutil
import tarfile
import threading
from functools import partial
from pathlib import Path

import pytest
import torch
from cifar_files import EACH, picture, write_cifar
from pictures import folder

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.cifar10 import Cifar10Config
from fourfold.data.cifar100 import Cifar100Config

KINDS = {"cifar10": (Cifar10Config, 1), "cifar100": (Cifar100Config, 2)}


@pytest.fixture(params=KINDS)
def kind(request, tmp_path, monkeypatch) -> str:
    """Have a tiny copy of a set in the folder `copy`, and as an archive beside it, and return its name."""
    name = request.param
    config, label_bytes = KINDS[name]
    digests = write_cifar(tmp_path / "copy" / config.inside, list(config.digests), label_bytes)
    monkeypatch.setattr(config, "digests", digests)
    with tarfile.open(tmp_path / config.url.rsplit("/", 1)[-1], "w:gz") as tar:
        tar.add(tmp_path / "copy" / config.inside, config.inside)
    return name


def build(name: str, cache: Path, **fields):
    return DATA.parse({"name": name, "validation_examples": 10, **fields}, "data").build(0, cache)


def test_pictures_and_classes_are_those_of_the_records(kind, tmp_path) -> None:
    source = build(kind, tmp_path / "cache", path=str(tmp_path / "copy"))
    pool = EACH * (len(KINDS[kind][0].digests) - 1)
    assert source.sizes == {"train": pool - 10, "validation": 10, "test": EACH}
    numbers = {torch.from_numpy(picture(i)).numpy().tobytes(): i for i in range(pool + EACH)}
    for split in source.sizes:
        targets = torch.cat([batch.targets for batch in source.split(split, 7)]).tolist()
        found = [numbers[each.numpy().tobytes()] for each in source.raw(split, list(range(source.sizes[split])))]
        assert [number % 10 for number in found] == targets
        assert (min(found) >= pool) == (split == "test")
    assert source.spec.num_classes == {"cifar10": 10, "cifar100": 100}[kind]


def test_names_of_the_classes() -> None:
    assert Cifar10Config.class_names[:3] == ("airplane", "automobile", "bird")
    assert Cifar100Config.class_names[0] == "apple"
    assert list(Cifar100Config.class_names) == sorted(set(Cifar100Config.class_names))


@pytest.mark.promise("R21")
def test_a_copy_as_an_archive_a_folder_or_what_is_in_it(kind, tmp_path) -> None:
    config, _ = KINDS[kind]
    archive = tmp_path / config.url.rsplit("/", 1)[-1]
    first = build(kind, tmp_path / "cache", path=str(archive))
    assert first.notes[0].startswith("unpacked into")
    for path in (tmp_path / "copy", tmp_path / "copy" / config.inside, archive):
        other = build(kind, tmp_path / "cache", path=str(path))
        assert torch.equal(other.raw("train", [5]), first.raw("train", [5]))
        assert not other.notes[0].startswith("unpacked into")


@pytest.mark.promise("R21")
def test_the_host_is_asked_once_and_what_it_gives_is_checked(kind, tmp_path, monkeypatch) -> None:
    config, label_bytes = KINDS[kind]
    served = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    )
    asked = []
    monkeypatch.setattr(
        http.server.SimpleHTTPRequestHandler, "log_message", lambda self, *arguments: asked.append(self.path)
    )
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        archive = config.url.rsplit("/", 1)[-1]
        monkeypatch.setattr(config, "url", f"http://127.0.0.1:{served.server_port}/{archive}")
        assert build(kind, tmp_path / "cache").notes[0] == f"fetched into {tmp_path / 'cache' / kind}"
        build(kind, tmp_path / "cache")
        assert asked == [f"/{archive}"]
        write_cifar(tmp_path / "copy" / config.inside, list(config.digests)[::-1], label_bytes)
        with tarfile.open(tmp_path / archive, "w:gz") as tar:
            tar.add(tmp_path / "copy" / config.inside, config.inside)
        with pytest.raises(InputError, match=r"is not the file that was expected \(SHA-256 differs\)"):
            build(kind, tmp_path / "other")
        (tmp_path / archive).write_bytes(b"x")
        with pytest.raises(InputError, match=f"{archive}: "):
            build(kind, tmp_path / "other")
        (tmp_path / archive).unlink()
        with pytest.raises(InputError, match=r"could not be fetched .*data\.path"):
            build(kind, tmp_path / "other")
    finally:
        served.shutdown()
        thread.join()
        served.server_close()
    assert not (tmp_path / "other" / kind).exists() or not list((tmp_path / "other" / kind).iterdir())


@pytest.mark.promise("R21")
def test_a_copy_that_is_another_one_is_refused(kind, tmp_path) -> None:
    config, _ = KINDS[kind]
    copy = tmp_path / "copy" / config.inside
    file = copy / list(config.digests)[-1]
    data = file.read_bytes()
    file.write_bytes(data[:-1] + b"?")
    with pytest.raises(InputError, match=f"{file.name}: is not as its makers made it"):
        build(kind, tmp_path / "cache", path=str(tmp_path / "copy"))
    file.unlink()
    with pytest.raises(InputError, match=f"{file.name}: not there; the binary version"):
        build(kind, tmp_path / "cache", path=str(copy))
    with pytest.raises(InputError, match=r"gone\.tar\.gz: no such file or folder; the binary version"):
        build(kind, tmp_path / "cache", path=str(tmp_path / "gone.tar.gz"))


def test_records_that_are_none(kind, tmp_path) -> None:
    _, label_bytes = KINDS[kind]
    source = DATA.parse({"name": kind}, "data")
    (tmp_path / "short").write_bytes(bytes(3072 + label_bytes - 1))
    with pytest.raises(InputError, match="no whole number of pictures"):
        source._read(tmp_path / "short")
    (tmp_path / "wrong").write_bytes(bytes([200] * label_bytes) + bytes(3072))
    with pytest.raises(InputError, match="class 200, where there are"):
        source._read(tmp_path / "wrong")


@pytest.fixture
def net(tmp_path) -> Path:
    return folder(tmp_path / "net", {"train/n02": 30, "train/n01": 30, "val/n01": 5, "val/n02": 4})


def imagenet(path: Path, cache: Path, **fields):
    return DATA.parse({"name": "imagenet", "path": str(path), "size": 32, **fields}, "data").build(0, cache)


def test_val_is_the_test_split_and_validation_comes_from_train(net, tmp_path) -> None:
    source = imagenet(net, tmp_path / "cache", validation=0.1)
    assert source.sizes == {"train": 54, "validation": 6, "test": 9}
    assert source.spec.class_names == ("n01", "n02")
    assert torch.cat([batch.targets for batch in source.split("test", 4)]).tolist() == [0] * 5 + [1] * 4
    with pytest.raises(InputError, match=r"data\.labels: imagenet knows"):
        imagenet(net, tmp_path / "cache", labels="x.csv")
    with pytest.raises(InputError, match="no folders 'train' and 'val'"):
        imagenet(net / "train", tmp_path / "cache")


@pytest.mark.promise("R11")
def test_a_flat_val_folder_with_its_solution(net, tmp_path) -> None:
    place = tmp_path / "kaggle" / "ILSVRC" / "Data" / "CLS-LOC"
    shutil.copytree(net / "train", place / "train")
    rows = ["ImageId,PredictionString"]
    (place / "val").mkdir()
    for number, file in enumerate(sorted((net / "val").rglob("*.png"))):
        shutil.copy(file, place / "val" / f"ILSVRC2012_val_{number:08}.png")
        rows.append(f"ILSVRC2012_val_{number:08},{file.parent.name} 1 2 3 4 {file.parent.name} 5 6 7 8")
    shutil.copytree(net / "val" / "n01", place / "test")  # without published labels
    (tmp_path / "kaggle" / "LOC_synset_mapping.txt").write_text(
        "n01 tench, Tinca tinca\nn02 goldfish\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"9 problems") as caught:
        imagenet(tmp_path / "kaggle", tmp_path / "cache", problems="refuse")
    assert "val/ILSVRC2012_val_00000000.png: no class" in str(caught.value)
    (tmp_path / "kaggle" / "LOC_val_solution.csv").write_text("\n".join(rows), encoding="utf-8")
    source = imagenet(tmp_path / "kaggle", tmp_path / "cache", problems="refuse")
    assert source.spec.class_names == ("n01 tench", "n02 goldfish")
    assert torch.cat([batch.targets for batch in source.split("test", 4)]).tolist() == [0] * 5 + [1] * 4
    assert torch.equal(source.raw("test", [7]), imagenet(net, tmp_path / "cache").raw("test", [7]))
