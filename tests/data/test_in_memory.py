import pytest
import torch

from fourfold.data import DATA
from fourfold.data.augment.horizontal_flip import HorizontalFlip
from fourfold.data.augment.pad_crop import PadCrop
from fourfold.data.encoding import FeaturesEncoding
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features, Order


def rows(num_examples: int = 23) -> InMemorySource:
    """Example i is the row [i, -i], class i % 3, left as it is."""
    values = torch.arange(num_examples, dtype=torch.float64)
    examples = {"train": torch.stack([values, -values], 1), "validation": torch.zeros(5, 2).double()}
    targets = {"train": torch.arange(num_examples) % 3, "validation": torch.zeros(5, dtype=torch.int64)}
    spec = ClassificationSpec(Features(("a", "b")), ("x", "y", "z"))
    return InMemorySource(spec, examples, targets, FeaturesEncoding.unchanged(("a", "b")))


def pictures(channels: int = 3, augmented: bool = True) -> InMemorySource:
    generator = torch.Generator().manual_seed(0)
    raw = torch.randint(0, 256, (23, channels, 8, 10), dtype=torch.uint8, generator=generator)
    encoding = ImageEncoding.fit(raw)
    spec = ClassificationSpec(encoding.image, ("x", "y", "z"))
    augment = [PadCrop(2), HorizontalFlip(0.5)] if augmented else []
    return InMemorySource(spec, {"train": raw}, {"train": torch.arange(23) % 3}, encoding, augment)


SOURCES = {"rows": rows, "pictures": lambda: pictures(augmented=False), "augmented pictures": pictures}


def take(stream, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    batches = [next(stream) for _ in range(count)]
    return [(batch.inputs[0].clone(), batch.targets.clone()) for batch in batches]


def assert_same(ours, theirs) -> None:
    assert len(ours) == len(theirs)
    for (x, y), (other_x, other_y) in zip(ours, theirs, strict=True):
        assert torch.equal(x, other_x)
        assert torch.equal(y, other_y)


@pytest.mark.parametrize("batch_size", [1, 4, 23, 100])
def test_every_example_comes_exactly_once_an_epoch(batch_size) -> None:
    stream = rows().train(Order(0, batch_size))
    orders = []
    for _ in range(3):
        batches = take(stream, -(-23 // batch_size))
        order = torch.cat([x[:, 0] for x, _ in batches]).tolist()
        assert sorted(order) == list(range(23))
        assert torch.cat([y for _, y in batches]).tolist() == [int(i) % 3 for i in order]
        orders.append(order)
    assert batch_size >= 23 or orders[0] != orders[1] != orders[2]


@pytest.mark.promise("R1")
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("batch_size", [4, 7, 100])
def test_seeking_to_any_step_equals_replaying_up_to_it(name, batch_size) -> None:
    source = SOURCES[name]()
    steps = 3 * -(-23 // batch_size) + 2
    whole = take(source.train(Order(5, batch_size)), steps + 4)
    for step in range(steps):
        stream = source.train(Order(5, batch_size))
        stream.seek(step)
        assert_same(take(stream, 4), whole[step : step + 4])
    stream.seek(0)
    assert_same(take(stream, 4), whole[:4])


@pytest.mark.promise("R12")
@pytest.mark.parametrize("name", SOURCES)
def test_same_seed_same_bytes_and_another_seed_others(name) -> None:
    first, again, other = (take(SOURCES[name]().train(Order(seed, 8)), 6) for seed in (1, 1, 2))
    assert_same(first, again)
    assert not all(torch.equal(x, y) for (x, _), (y, _) in zip(first, other, strict=True))


def test_the_streams_of_order_and_augmentation_are_apart() -> None:
    plain, augmented = (take(pictures(augmented=a).train(Order(1, 8)), 6) for a in (False, True))
    for (_, labels), (_, same_labels) in zip(plain, augmented, strict=True):
        assert torch.equal(labels, same_labels)


@pytest.mark.promise("R13")
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("batch_size", [8, 100])
def test_the_shares_of_all_processes_make_up_the_batch_of_one(name, processes, batch_size) -> None:
    whole = take(SOURCES[name]().train(Order(3, batch_size)), 7)
    shares = [take(SOURCES[name]().train(Order(3, batch_size, rank, processes)), 7) for rank in range(processes)]
    for step, (x, y) in enumerate(whole):
        joined_x = torch.cat([share[step][0] for share in shares])
        joined_y = torch.cat([share[step][1] for share in shares])
        if batch_size == 100 and name != "augmented pictures":  # one process need not shuffle a full batch
            joined_x, x = joined_x.flatten(1).sort(0).values, x.flatten(1).sort(0).values
            joined_y, y = joined_y.sort().values, y.sort().values
        assert torch.equal(joined_x, x)
        assert torch.equal(joined_y, y)


@pytest.mark.parametrize("name", SOURCES)
def test_a_split_is_in_order_complete_and_unaugmented(name) -> None:
    source = SOURCES[name]()
    batches = list(source.split("train", 10))
    assert [len(batch.targets) for batch in batches] == [10, 10, 3]
    raw = source.raw("train", list(range(23)))
    expected = source.encoding.standardise().encode(raw)
    assert torch.equal(torch.cat([batch.inputs[0] for batch in batches]), expected)
    assert source.sizes["train"] == 23


def test_augmentation_changes_the_training_pictures() -> None:
    source = pictures()
    (x, _), *_ = take(source.train(Order(0, 100)), 1)
    (plain,) = source.split("train", 100)
    seen = {tuple(picture.flatten().tolist()) for picture in plain.inputs[0]}
    changed = [tuple(picture.flatten().tolist()) not in seen for picture in x]
    assert sum(changed) > 15  # one shift in 25 is none, and half of those are flipped


def test_every_step_draws_its_own_augmentation() -> None:
    raw = torch.arange(1, 64 * 64 + 1).view(1, 1, 64, 64).expand(8, 1, 64, 64).float()
    encoding = ImageEncoding(channels=1, height=64, width=64, maximum=1e9, mean=[0.0], deviation=[1.0])
    spec = ClassificationSpec(encoding.image, ("x", "y"))
    source = InMemorySource(spec, {"train": raw}, {"train": torch.zeros(8).long()}, encoding, [PadCrop(20)])
    shifts = [int(x[0, 0, 32, 32]) for x, _ in take(source.train(Order(0, 1)), 24)]
    assert len(set(shifts)) > 20


@pytest.mark.parametrize("augmented", [False, True])
def test_pictures_come_channels_last_in_memory_and_channels_first_in_shape(augmented) -> None:
    source = pictures(augmented=augmented)
    batch = next(source.train(Order(0, 8)))
    assert batch.inputs[0].shape == (8, 3, 8, 10)
    assert batch.inputs[0].dtype == torch.float32
    assert batch.inputs[0].is_contiguous(memory_format=torch.channels_last)


def test_an_empty_split_gives_no_batches() -> None:
    source = rows()
    empty = InMemorySource(
        source.spec,
        {"train": torch.zeros(2, 2).double(), "test": torch.zeros(0, 2).double()},
        {"train": torch.zeros(2).long(), "test": torch.zeros(0).long()},
        source.encoding,
    )
    assert list(empty.split("test", 4)) == []


@pytest.mark.parametrize("name", SOURCES)
def test_moving_to_a_device_changes_no_batch(name) -> None:
    before = take(SOURCES[name]().train(Order(0, 8)), 4)
    assert_same(take(SOURCES[name]().to(torch.device("cpu")).train(Order(0, 8)), 4), before)


@pytest.mark.gpu
@pytest.mark.parametrize("name", SOURCES)
def test_a_gpu_sees_the_same_batches(name) -> None:
    before = take(SOURCES[name]().train(Order(0, 8)), 4)
    on_gpu = take(SOURCES[name]().to(torch.device("cuda")).train(Order(0, 8)), 4)
    for (x, y), (other_x, other_y) in zip(before, on_gpu, strict=True):
        torch.testing.assert_close(other_x.cpu(), x)
        assert torch.equal(other_y.cpu(), y)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_sample_is_its_examples_as_often_as_they_stand_in_it(kind) -> None:
    source = SOURCES[kind]()
    sample = torch.tensor([4, 4, 0, 9, 9, 9])
    drawn = source.resampled(sample)
    assert drawn.sizes["train"] == 6
    assert source.sizes["train"] == 23
    (whole,), (batch,) = list(source.split("train", 100)), list(drawn.split("train", 100))
    assert torch.equal(batch.inputs[0], whole.inputs[0][sample])
    assert torch.equal(batch.targets, whole.targets[sample])
    assert torch.equal(drawn.raw("train", [0, 2]), source.raw("train", [4, 0]))
    for batch_size in (4, 6):
        stream = drawn.train(Order(0, batch_size))
        targets = torch.cat([y for _, y in take(stream, -(-6 // batch_size))])
        assert sorted(targets.tolist()) == sorted(whole.targets[sample].tolist())
    assert len(take(source.train(Order(0, 23)), 1)[0][1]) == 23
    again = drawn.resampled(torch.tensor([0, 5]))  # a sample of a sample counts in the sample
    assert torch.equal(next(iter(again.split("train", 9))).targets, whole.targets[[4, 9]])


def test_a_sample_leaves_the_other_splits_alone() -> None:
    source = rows()
    drawn = source.resampled(torch.tensor([1]))
    assert drawn.sizes["validation"] == 5
    assert_same(
        [(batch.inputs[0], batch.targets) for batch in drawn.split("validation", 3)],
        [(batch.inputs[0], batch.targets) for batch in source.split("validation", 3)],
    )


def test_two_sources_hold_the_same_if_no_example_differs(tmp_path) -> None:
    def moons(seed: int, **fields: object) -> InMemorySource:
        return DATA.parse({"name": "two_moons", **fields}, "data").build(seed, tmp_path)  # type: ignore[attr-defined]

    first = moons(0)
    assert first.holds_what(moons(1))  # points and split have seeds of their own
    assert not first.holds_what(moons(1, split_seed=None))
    assert not first.holds_what(moons(1, data_seed=None))
    other = moons(0)
    other._raw["test"][3, 1] += 1e-9
    assert not first.holds_what(other)
