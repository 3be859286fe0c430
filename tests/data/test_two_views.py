"""Two views of each picture: the source's own, by draws that seek, share and repeat; labels stay out of training."""

import json

import pytest
import torch
from pictures import folder

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.data import DATA
from fourfold.data.digits import DigitsConfig
from fourfold.data.views import TwoViewsSource
from fourfold.tasks.seam import Order
from fourfold.tasks.tokens import IGNORED


def source(tmp_path, **fields: object) -> TwoViewsSource:
    return DATA.parse({"name": "two_views", "of": "digits", **fields}, "data").build(0, tmp_path)  # type: ignore[attr-defined]


def test_views_are_the_augmentations_of_the_pictures_of_the_step(tmp_path) -> None:
    own = source(tmp_path)
    pictures = DigitsConfig().build(0, tmp_path)
    stream, plain = own.train(Order(3, 50)), pictures.train(Order(3, 50))
    augment = [part.build(own.spec.input) for part in own_config(own)]
    for each in augment:
        each.fit([pictures.raw("train", list(range(own.sizes["train"])))], 16.0)
    for step in range(30):  # into the second epoch, whose batches are others
        batch, expected = next(stream), next(plain)
        standardise = pictures.encoding.standardise()
        raw = expected.inputs[0] * standardise.deviation.float() + standardise.mean.float()
        for number, view in enumerate(batch.inputs):
            generator = torch.Generator().manual_seed(stream_seed(3, "augment", step, number))
            images = raw.round().to(torch.uint8).contiguous(memory_format=torch.channels_last)
            for each in augment:
                images = each(images, generator)
            torch.testing.assert_close(view, standardise.encode(images))
        assert not torch.equal(*batch.inputs)


def own_config(own: TwoViewsSource) -> list:
    config = DATA.parse("two_views", "data")
    assert [part.name for part in config.augment] == own._names  # type: ignore[attr-defined]
    return config.augment  # type: ignore[attr-defined]


@pytest.mark.promise("R1")
@pytest.mark.promise("R13")
@pytest.mark.parametrize("processes", [1, 3])
def test_a_step_gives_the_same_views_however_it_is_reached_and_however_many_share_it(tmp_path, processes) -> None:
    own = source(tmp_path)
    replayed = own.train(Order(1, 100))
    for step in range(20):  # 1,257 pictures: the thirteenth batch has 57
        whole = next(replayed)
        if step % 4:
            continue
        shares = []
        for rank in range(processes):
            stream = own.train(Order(1, 100, rank, processes))
            stream.seek(step)
            shares.append(next(stream))
        for view in (0, 1):
            assert torch.equal(torch.cat([share.inputs[view] for share in shares]), whole.inputs[view])


def test_labels_are_seen_by_scores_alone(tmp_path) -> None:
    own, other = source(tmp_path), source(tmp_path)
    other.pictures._targets = {name: part.flip(0) for name, part in other.pictures._targets.items()}  # type: ignore[union-attr]
    streams = own.train(Order(0, 200)), other.train(Order(0, 200))
    for _ in range(3):
        batch, same = next(streams[0]), next(streams[1])
        assert all(torch.equal(a, b) for a, b in zip(batch.inputs, same.inputs, strict=True))
        assert (batch.targets.labels == IGNORED).all()
        assert batch.targets.pictures.numel() == 0
    labels = torch.cat([batch.targets.labels for batch in own.split("validation", 64)])
    assert torch.equal(labels, torch.cat([batch.targets for batch in own.pictures.split("validation", 64)]))


def test_splits_are_whole_in_order_and_the_same_each_time_whatever_the_seed(tmp_path) -> None:
    config = DATA.parse({"name": "two_views", "of": "digits", "compared": 50}, "data")
    first, second = (config.build(seed, tmp_path) for seed in (0, 9))  # type: ignore[attr-defined]
    for name in ("train", "validation", "test"):
        batches = list(first.split(name, 1024))
        sizes = [len(batch.inputs[0]) for batch in batches]
        assert sum(sizes) == first.sizes[name]
        assert max(sizes) <= 50
        assert max(sizes) - min(sizes) <= 1  # a view is sought among as many others in each
        pictures = torch.cat([batch.targets.pictures for batch in batches])
        torch.testing.assert_close(pictures, torch.cat([b.inputs[0] for b in first.pictures.split(name, 64)]))
        for batch, again in zip(batches, second.split(name, 1024), strict=True):
            assert all(torch.equal(a, b) for a, b in zip(batch.inputs, again.inputs, strict=True))
    assert sum(len(batch.inputs[0]) for batch in first.scored("train", 1024)) == first.sizes["train"]


def test_a_large_training_split_is_scored_by_a_part_of_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fourfold.data.views.SCORED", 100)
    own = source(tmp_path)
    batches = list(own.scored("train", 1024))
    assert sum(len(batch.inputs[0]) for batch in batches) == 100
    assert sum(len(batch.inputs[0]) for batch in own.scored("test", 1024)) == own.sizes["test"]
    assert any("100 of its pictures" in note for note in own.notes)


def test_pictures_that_are_not_in_memory_give_the_same_views(tmp_path) -> None:
    of = {"name": "image_folder", "path": str(folder(tmp_path / "photos", {"a": 20, "b": 15, "c": 10})), "size": 12}
    held, streamed = source(tmp_path, of=of), source(tmp_path, of={**of, "memory_gb": 0})
    assert type(held.pictures) is not type(streamed.pictures)
    streams = held.train(Order(0, 8)), streamed.train(Order(0, 8))
    for stream in streams:
        stream.seek(3)
    for _ in range(5):
        batch, same = next(streams[0]), next(streams[1])
        assert all(torch.equal(a, b) for a, b in zip(batch.inputs, same.inputs, strict=True))
    assert held.files == streamed.files != {}


def test_a_sample_is_of_those_pictures(tmp_path) -> None:
    chosen = torch.tensor([5, 5, 9])
    own = source(tmp_path).resampled(chosen)
    assert own.sizes["train"] == 3
    assert torch.equal(own.raw("train", [0, 1, 2]), source(tmp_path).raw("train", [5, 5, 9]))
    assert len(next(own.train(Order(0, 3))).inputs[0]) == 3


def test_mistakes_are_one_line(tmp_path) -> None:
    for of, words in (
        ("iris", r"data\.of: iris gives rows of 4 numbers, and views are of pictures"),
        ({"name": "digits", "augment": ["horizontal_flip"]}, r"data\.of\.augment: views are made by data\.augment"),
        ("digit", r"data\.of: no data called 'digit'; did you mean 'digits'\?"),
    ):
        with pytest.raises(InputError, match=words):
            source(tmp_path, of=of)
    config = DATA.parse({"name": "two_views", "of": {"name": "digits"}}, "data")
    assert DATA.parse(json.loads(json.dumps(config.to_mapping())), "data") == config


def test_a_folder_of_pictures_without_classes(tmp_path) -> None:
    root = folder(tmp_path / "photos", {"a": 12, "b/deeper": 9, "c": 8})
    of = {"name": "image_folder", "path": str(root), "size": 12, "labelled": False}
    for memory in (None, 0):
        own = source(tmp_path, of={**of, "memory_gb": memory})
        assert own.spec.class_names == ()
        assert own.spec.headline == "contrastive_accuracy"
        assert sum(own.sizes.values()) == 29
        assert next(own.train(Order(0, 8))).inputs[0].shape == (8, *own.spec.input)
        assert all((batch.targets.labels == IGNORED).all() for batch in own.split("test", 64))
        assert any("of no class" in note for note in own.notes)
    folder(tmp_path / "one", {"a": 9})
    with pytest.raises(InputError, match=r"labelled=false, for data=two_views"):
        source(tmp_path, of={**of, "path": str(tmp_path / "one"), "labelled": True})
    with pytest.raises(InputError, match=r"data\.labels: a table of labels, and data\.labelled=false"):
        source(tmp_path, of={**of, "labels": "names.csv"})
