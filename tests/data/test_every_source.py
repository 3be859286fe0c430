import gzip
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from cifar_files import write_cifar
from emoji_files import write_emoji
from pictures import folder
from series_files import write_series
from texts import write_running_texts
from whole_texts import FETCHED, WHOLE_TEXTS, write_whole_texts

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.augment import AUGMENTS
from fourfold.data.cifar10 import Cifar10Config
from fourfold.data.cifar100 import Cifar100Config
from fourfold.data.emoji import EmojiConfig
from fourfold.data.encoding import encoding_from_mapping
from fourfold.data.fashion_mnist import FashionMnistConfig
from fourfold.data.mnist import MnistConfig
from fourfold.data.mnist_5k import FILE, Mnist5kConfig
from fourfold.data.mnist_like import NAMES
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.forecasting import ForecastingSpec
from fourfold.tasks.seam import Features, Order, Series, Tokens
from fourfold.tasks.tagging import TaggingSpec

TOKENS = ("shakespeare", "brown", "text", "wikitext")
PICTURES_OF = ("two_views", "unlabelled_pictures")  # another source: files of their own test them
NUMBERS = [name for name in DATA if name not in (*TOKENS, *WHOLE_TEXTS, "masked_text", *PICTURES_OF)]
IMAGES = [name for name in DATA if "augment" in DATA.config_class(name).model_fields and name not in PICTURES_OF]
ACTED_IN = ("gym", "minatar", "atari")  # whose examples are made by acting: tests/data/control
NUMBERS = [name for name in NUMBERS if name not in ACTED_IN]
GREY = ("digits", "mnist", "mnist_5k", "fashion_mnist")
SEQUENCES = ("sunspots", "co2", "seattle_temps", "series", "adding", "copy")  # tests/data/series has their statistics


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def fields(tmp_path, monkeypatch) -> dict[str, dict[str, object]]:
    """Return fields that build each source without a network."""
    generator = np.random.default_rng(0)
    files = {
        NAMES[0]: idx(generator.integers(0, 256, (120, 28, 28), dtype=np.uint8)),
        NAMES[1]: idx(np.arange(120, dtype=np.uint8) % 10),
        NAMES[2]: idx(generator.integers(0, 256, (30, 28, 28), dtype=np.uint8)),
        NAMES[3]: idx(np.arange(30, dtype=np.uint8) % 10),
    }
    for name, kind in (("mnist", MnistConfig), ("fashion_mnist", FashionMnistConfig)):
        monkeypatch.setattr(kind, "digests", {n: hashlib.sha256(data).hexdigest() for n, data in files.items()})
        (tmp_path / name).mkdir()
        for file, data in files.items():
            (tmp_path / name / file).write_bytes(data)
    digits = generator.integers(0, 256, (120, 784), dtype=np.uint8)
    rows = "".join(f"{','.join(map(str, row))},{i % 10}\n" for i, row in enumerate(digits))
    (tmp_path / "mnist_5k").mkdir()
    (tmp_path / "mnist_5k" / FILE).write_bytes(gzip.compress(rows.encode()))
    digest = hashlib.sha256((tmp_path / "mnist_5k" / FILE).read_bytes()).hexdigest()
    monkeypatch.setattr(Mnist5kConfig, "digests", {FILE: digest})
    table = tmp_path / "table.csv"
    lines = [f"{i / 7},{'abc'[i % 3]},{i % 5}" for i in range(90)]
    table.write_text("\n".join(["x,kind,y", *lines]), encoding="utf-8")
    given: dict[str, dict[str, object]] = {name: {"name": name} for name in DATA}
    given["table"] |= {"path": str(table), "target": "y"}
    for name, kind, labels in (("cifar10", Cifar10Config, 1), ("cifar100", Cifar100Config, 2)):
        monkeypatch.setattr(kind, "digests", write_cifar(tmp_path / name, list(kind.digests), labels))
        given[name] |= {"validation_examples": 20}
    given["imagenet"] |= {
        "path": str(folder(tmp_path / "net", {"train/n1": 20, "train/n2": 20, "val/n1": 9, "val/n2": 9}))
    }
    given["imagenet"] |= {"size": 32, "validation": 0.2}
    monkeypatch.setattr(EmojiConfig, "digests", write_emoji(tmp_path / "emoji"))
    given["image_folder"] |= {"path": str(folder(tmp_path / "photos", {"a": 20, "b": 15, "c": 10}))}
    write_series(tmp_path, monkeypatch)
    for name in ("sunspots", "co2", "seattle_temps", "series"):
        given[name] |= {"length": 3, "horizon": 2, "period": 1}
    visitors = "".join(f"{1900 + i},{i % 7 + i / 10}\n" for i in range(90))
    (tmp_path / "series.csv").write_text(f"year,visitors\n{visitors}", encoding="utf-8")
    given["series"] |= {"path": str(tmp_path / "series.csv"), "time": "year"}
    for name in ("adding", "copy"):
        given[name] |= {"train_examples": 40, "validation_examples": 9, "test_examples": 9}
    for name in ("mnist", "fashion_mnist"):
        given[name] |= {"validation_examples": 20}
    given["gaussians"] |= {"examples": 60, "scored": 60}
    for name in PICTURES_OF:
        given[name] |= {"of": given["digits"]}
    documents = "\n\n".join(f"This is text {i}. It has {i % 7} pages." for i in range(60))
    (tmp_path / "documents.txt").write_text(documents, encoding="utf-8")
    given["masked_text"] |= {"path": str(tmp_path / "documents.txt"), "vocab_size": 200}
    for name, more in {
        **write_running_texts(tmp_path, monkeypatch),
        **write_whole_texts(tmp_path, monkeypatch),
    }.items():
        given[name] |= more
    return given


@pytest.mark.parametrize("name", NUMBERS)
def test_a_source_keeps_what_its_spec_promises(name, fields, tmp_path) -> None:
    source = DATA.parse(fields[name], "data").build(0, tmp_path)
    assert set(source.sizes) == {"train", "validation", "test"}
    for part, size in source.sizes.items():
        batches = list(source.split(part, 32))
        assert sum(len(batch.targets) for batch in batches) == size
        for batch in batches:
            (inputs,) = batch.inputs
            assert inputs.dtype == (torch.int64 if isinstance(source.spec.input, Tokens) else torch.float32)
            assert inputs.isfinite().all()
            assert inputs[0].numel() == source.spec.input.size
            if isinstance(source.spec.input, Series):
                assert tuple(inputs.shape[1:]) == (source.spec.input.length, len(source.spec.input.names))
            elif not isinstance(source.spec.input, Features | Tokens):
                assert tuple(inputs.shape[1:]) == tuple(source.spec.input)
        assert len(source.raw(part, [0, 1])) == 2
    assert all(isinstance(note, str) and "\n" not in note for note in source.notes)


@pytest.mark.parametrize("name", TOKENS)
def test_a_source_of_running_text_keeps_what_its_spec_promises(name, fields, tmp_path) -> None:
    source = DATA.parse(fields[name], "data").build(0, tmp_path)
    assert set(source.sizes) == {"train", "validation", "test"}
    tokens = source.spec.input
    for part, size in source.sizes.items():
        rows = torch.cat([batch.inputs[0] for batch in source.split(part, 32)])
        assert rows.dtype == torch.int64
        assert rows.shape == (size, tokens.length)
        assert 0 <= int(rows.min()) <= int(rows.max()) < tokens.vocab_size
        assert len(source.raw(part, [0, 1])) == 2
    assert all(isinstance(note, str) and "\n" not in note for note in source.notes)


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "copy"])  # whose examples are drawn as texts
def test_a_saved_encoding_treats_raw_examples_as_the_source_did(name, fields, tmp_path) -> None:
    source = DATA.parse(fields[name], "data").build(0, tmp_path)
    encoding = encoding_from_mapping(json.loads(json.dumps(source.encoding.to_mapping())))
    assert encoding == source.encoding
    raw = source.raw("test", [0, 1, 2])
    expected = next(iter(source.split("test", 3))).inputs[0]
    torch.testing.assert_close(encoding.standardise().encode(raw), expected)
    if name != "table":  # whose rows have columns, not numbers
        torch.testing.assert_close(encoding.encode_rows(raw.tolist()).inputs[0], expected)


@pytest.mark.parametrize("name", [name for name in NUMBERS if name not in ("table", "gates", "gaussians", *SEQUENCES)])
def test_statistics_are_those_of_the_training_split(name, fields, tmp_path) -> None:
    source = DATA.parse(fields[name], "data").build(0, tmp_path)
    raw = source.raw("train", list(range(source.sizes["train"]))).double()
    mean = raw.mean(0) if raw.dim() == 2 else raw.mean((0, 2, 3))
    torch.testing.assert_close(torch.tensor(source.encoding.mean, dtype=torch.float64), mean, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "gaussians"])  # which has no targets
def test_class_counts_and_target_units_are_those_of_the_training_split(name, fields, tmp_path) -> None:
    source = DATA.parse(fields[name], "data").build(0, tmp_path)
    targets = torch.cat([batch.targets for batch in source.split("train", 50)])
    if isinstance(source.spec, ClassificationSpec):
        assert list(source.spec.class_counts) == torch.bincount(targets, minlength=source.spec.num_classes).tolist()
    elif not isinstance(source.spec, ForecastingSpec | TaggingSpec):
        torch.testing.assert_close(targets.mean(0), torch.zeros(targets.shape[1]), rtol=0, atol=1e-5)
        torch.testing.assert_close(targets.std(0, correction=0), torch.ones(targets.shape[1]), rtol=0, atol=1e-5)


@pytest.mark.promise("R12")
@pytest.mark.parametrize("name", [name for name in DATA if name not in ACTED_IN])
def test_same_seed_same_bytes(name, fields, tmp_path) -> None:
    def first_batches(order_seed: int) -> list[torch.Tensor]:
        source = DATA.parse(fields[name], "data").build(7, tmp_path)
        stream = source.train(Order(order_seed, 3))
        batches = [next(stream) for _ in range(5)]
        targets = [each.targets if isinstance(each.targets, tuple) else (each.targets,) for each in batches]
        return [part for batch, more in zip(batches, targets, strict=True) for part in (batch.inputs[0], *more)]

    ours = first_batches(0)
    assert all(torch.equal(x, y) for x, y in zip(ours, first_batches(0), strict=True))
    assert not all(torch.equal(x, y) for x, y in zip(ours, first_batches(1), strict=True))


@pytest.mark.parametrize("name", DATA)
def test_licence_and_origin_are_told(name) -> None:
    config = DATA.config_class(name)
    assert config.licence
    assert config.origin
    assert "Licence: " in (__import__("sys").modules[config.__module__].__doc__ or "")
    assert all(field.description for key, field in config.model_fields.items() if key != "name")


@pytest.mark.promise("R9")
@pytest.mark.parametrize("name", DATA)
def test_fields_there_and_back(name, fields) -> None:
    config = DATA.parse(fields[name], "data")
    assert DATA.parse(json.loads(json.dumps(config.to_mapping())), "data") == config


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("augment", AUGMENTS)
def test_every_picture_source_takes_every_augmentation(name, augment, fields, tmp_path) -> None:
    if augment == "pca_jitter" and name in GREY:
        with pytest.raises(InputError, match="pca_jitter is for pictures of three colours"):
            DATA.parse({**fields[name], "augment": [augment]}, "data").build(0, tmp_path)
        return
    plain, augmented = (
        next(DATA.parse({**fields[name], "augment": parts}, "data").build(0, tmp_path).train(Order(0, 16)))
        for parts in ([], [augment])
    )
    assert plain.inputs[0].shape == augmented.inputs[0].shape
    assert torch.equal(plain.targets, augmented.targets)
    changed = not torch.equal(plain.inputs[0], augmented.inputs[0])
    assert changed or (augment == "random_grey" and name in GREY)


def test_the_picture_sources_are_known() -> None:
    fetched = ["mnist", "mnist_5k", "fashion_mnist", "cifar10", "cifar100", "emoji"]
    assert list(IMAGES) == ["digits", *fetched, "image_folder", "imagenet"]


@pytest.mark.promise("R21")
@pytest.mark.parametrize(
    "name", [n for n in DATA if n not in (*TOKENS[:2], *IMAGES[1:], *SEQUENCES[:3], *FETCHED, *PICTURES_OF[1:])]
)
def test_nothing_else_asks_for_a_network_or_a_cache(name, fields, monkeypatch) -> None:
    import socket
    import subprocess

    def refuse(*_arguments, **_fields):
        raise AssertionError("a network call or a program")

    for owner, function in ((socket, "socket"), (subprocess, "run"), (subprocess, "Popen")):
        monkeypatch.setattr(owner, function, refuse)
    DATA.parse(fields[name], "data").build(0, Path("/nowhere"))
    assert not Path("/nowhere").exists()
