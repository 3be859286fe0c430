"""Pictures that are streamed come in the batches of those in memory, bit for bit."""

import os
import pickle

import numpy as np
import pytest
import torch
from pictures import folder, picture, source

from fourfold.core.errors import InputError
from fourfold.data.in_memory import InMemorySource
from fourfold.data.memory import machine_memory
from fourfold.data.streamed import FilePictures, MappedPictures, StreamedSource
from fourfold.tasks.seam import Order

WAYS = {
    "mapped": {"memory_gb": 0.0},
    "mapped, 2 workers": {"memory_gb": 0.0, "workers": 2},
    "decoded": {"memory_gb": 0.0, "cache_gb": 0.0, "workers": 0},
    "decoded, 1 worker": {"memory_gb": 0.0, "cache_gb": 0.0, "workers": 1},
    "decoded, 2 workers": {"memory_gb": 0.0, "cache_gb": 0.0, "workers": 2},
}
AUGMENT = [{"name": "pad_crop", "pad": 2}, "horizontal_flip", "pca_jitter", "random_erasing"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return folder(tmp_path_factory.mktemp("pictures") / "photos", {"a": 14, "b": 12, "c": 7})


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def build(root, cache, way: str, augmented: bool = False, **fields):
    return source(root, cache / way.split(",")[0], augment=AUGMENT if augmented else [], **WAYS.get(way, {}), **fields)


def take(stream, count: int) -> list[torch.Tensor]:
    return [part.clone() for _ in range(count) for batch in [next(stream)] for part in (*batch.inputs, batch.targets)]


def assert_same(ours, theirs) -> None:
    assert len(ours) == len(theirs) > 0
    assert all(torch.equal(x, y) for x, y in zip(ours, theirs, strict=True))


@pytest.mark.promise("R12")
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more processes than this machine has cores
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("batch_size", [5, 99])
def test_batches_are_those_of_memory_whatever_the_number_of_workers(way, augmented, batch_size, root, cache) -> None:
    held, streamed = (build(root, cache, each, augmented) for each in ("memory", way))
    assert isinstance(held, InMemorySource)
    assert isinstance(streamed, StreamedSource)
    assert (held.spec, held.sizes, held.encoding, held.files) == (
        streamed.spec,
        streamed.sizes,
        streamed.encoding,
        streamed.files,
    )
    order = Order(3, batch_size)
    assert_same(take(streamed.train(order), 12), take(held.train(order), 12))
    for split in held.sizes:
        ours, theirs = (list(each.split(split, 4)) for each in (streamed, held))
        assert_same([b.inputs[0] for b in ours], [b.inputs[0] for b in theirs])
        assert_same([b.targets for b in ours], [b.targets for b in theirs])
        assert torch.equal(streamed.raw(split, [2, 0]), held.raw(split, [2, 0]))


@pytest.mark.promise("R1")
@pytest.mark.parametrize("way", ["mapped", "decoded", "decoded, 1 worker"])
@pytest.mark.parametrize("augmented", [False, True])
def test_seeking_to_any_step_equals_replaying_up_to_it(way, augmented, root, cache) -> None:
    order = Order(5, 7)
    whole = take(build(root, cache, way, augmented).train(order), 11)
    stream = build(root, cache, way, augmented).train(order)
    for step in range(9) if "worker" not in way else (0, 3, 8):
        stream.seek(step)
        assert_same(take(stream, 2), whole[2 * step : 2 * step + 4])


@pytest.mark.promise("R13")
@pytest.mark.parametrize("augmented", [False, True])
def test_the_shares_of_two_processes_make_up_the_batch_of_one(augmented, root, cache) -> None:
    found = build(root, cache, "mapped", augmented)
    whole = take(found.train(Order(3, 8)), 7)
    shares = [take(found.train(Order(3, 8, rank, 2)), 7) for rank in range(2)]
    assert_same([torch.cat(parts) for parts in zip(*shares, strict=True)], whole)


@pytest.mark.promise("R1")
@pytest.mark.parametrize("way", ["mapped", "decoded, 1 worker"])
def test_reading_leaves_the_global_random_stream_alone(way, root, cache) -> None:
    found = build(root, cache, way)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    take(found.train(Order(0, 5)), 3)
    list(found.split("test", 3))
    assert torch.equal(torch.get_rng_state(), before)


def test_samples_are_those_of_memory(root, cache) -> None:
    examples = torch.tensor([3, 3, 0, 7, 5])
    held, streamed = (build(root, cache, way).resampled(examples) for way in ("memory", "mapped"))
    assert streamed.sizes == held.sizes
    assert_same(take(streamed.train(Order(1, 2)), 5), take(held.train(Order(1, 2)), 5))
    again = [each.resampled(torch.tensor([1, 4])) for each in (streamed, held)]
    assert torch.equal(again[0].raw("train", [0, 1]), again[1].raw("train", [0, 1]))
    assert build(root, cache, "mapped").sizes["train"] == 23


@pytest.mark.promise("R11")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_changes_while_training_is_named(workers, tmp_path) -> None:
    root = folder(tmp_path / "photos", {"a": 6, "b": 6})
    fields = {"memory_gb": 0.0, "cache_gb": 0.0, "workers": workers, "validation": 0.0, "test": 0.0}
    found = source(root, tmp_path / "cache", **fields)
    picture(99).save(root / "b" / "003.png")
    with pytest.raises(InputError, match=r"b/003\.png: the file has changed since the run began$"):
        take(found.train(Order(0, 4)), 3)
    os.unlink(root / "b" / "003.png")
    with pytest.raises(InputError, match=r"b/003\.png: no such file; it could be read when the run began$"):
        take(found.train(Order(0, 4)), 3)


def test_what_workers_get_is_small(root, cache) -> None:
    pixels = np.memmap(cache / "large", np.uint8, "w+", shape=(1000, 32, 32, 3))
    pixels[7] = 7
    mapped = MappedPictures(pixels)
    data = pickle.dumps(mapped)
    assert len(data) < 1000
    assert (pickle.loads(data).__getitems__([7, 3])[0] == 7).all()  # noqa: S301
    mapped.__getitems__([1])[:] = 9  # and nobody's batch is written back
    assert pixels.max() == 7
    assert isinstance(build(root, cache, "decoded")._pictures, FilePictures)


def test_what_is_streamed_follows_the_memory_there_is(root, cache, monkeypatch) -> None:
    needed = 33 * 12 * 16 * 3 * 5
    monkeypatch.setattr("fourfold.data.image_folder.machine_memory", lambda: 4 * needed)
    assert isinstance(build(root, cache, "memory"), InMemorySource)
    monkeypatch.setattr("fourfold.data.image_folder.machine_memory", lambda: 4 * needed - 4)
    found = build(root, cache, "memory")
    assert isinstance(found, StreamedSource)
    assert any("not held in memory: batches come from the cache" in note for note in found.notes)
    monkeypatch.undo()
    assert machine_memory() > 1 << 28
    limit = cache / "memory.max"
    for text, expected in (("1000\n", 1000), ("max\n", machine_memory())):
        limit.write_text(text, encoding="ascii")
        monkeypatch.setattr("fourfold.data.memory.CONTROL_GROUP", limit)
        assert machine_memory() == expected
