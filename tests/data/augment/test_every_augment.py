"""What all augmentations share: each picture its own draw, keyed by seed and step; labels and arguments untouched."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fourfold.core.errors import InputError
from fourfold.data.augment import AUGMENTS
from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Order

EVERY = list(AUGMENTS)
SIDE = (9, 12)


def pictures(count: int, channels: int = 3, alike: bool = False) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (1 if alike else count, channels, *SIDE), dtype=torch.uint8, generator=generator)
    return images.expand(count, -1, -1, -1).contiguous(memory_format=torch.channels_last)


def build(name: str, images: torch.Tensor) -> Augment:
    config = AUGMENTS.parse(name, "data.augment.0")
    assert isinstance(config, AugmentConfig)
    augment = config.build(Image(*images.shape[1:]))
    augment.fit([images], 255.0)
    return augment


def source(names: list[str], count: int = 23) -> InMemorySource:
    raw = pictures(count)
    encoding = ImageEncoding.fit(raw)
    spec = ClassificationSpec(encoding.image, ("x", "y", "z"))
    augment = [AUGMENTS.parse(name, "data.augment.0").build(encoding.image) for name in names]  # type: ignore[attr-defined]
    return InMemorySource(spec, {"train": raw}, {"train": torch.arange(count) % 3}, encoding, augment)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", EVERY)
def test_type_size_and_layout_stay_and_the_argument_is_not_written_to(name, layout, channels) -> None:
    if (name, channels) in (("pca_jitter", 1), ("random_grey", 1)):
        pytest.skip("for colour only")
    images = pictures(16, channels).contiguous(memory_format=layout)
    before = images.clone()
    changed = build(name, images)(images, torch.Generator().manual_seed(0))
    assert (changed.shape, changed.dtype) == (images.shape, torch.uint8)
    assert torch.equal(images, before)
    assert not torch.equal(changed, images)
    if layout is torch.channels_last:
        assert changed.is_contiguous(memory_format=layout)
    floats = build(name, images.float())(images.float(), torch.Generator().manual_seed(0))
    assert floats.dtype == torch.float32
    if name != "random_erasing":  # its noise is in fractions there
        assert (floats - changed.float()).abs().max() < 0.51


@pytest.mark.parametrize("name", EVERY)
def test_an_empty_batch_stays_empty(name) -> None:
    images = pictures(4)
    assert build(name, images)(images[:0], torch.Generator()).shape == (0, 3, *SIDE)


@pytest.mark.parametrize("name", EVERY)
def test_every_picture_has_a_draw_of_its_own(name) -> None:
    images = pictures(64, alike=True)
    changed = build(name, images)(images, torch.Generator().manual_seed(0))
    different = len({tuple(picture.flatten().tolist()) for picture in changed})
    assert different == 2 if name.endswith("flip") or name == "random_grey" else different > 30


@pytest.mark.parametrize("name", EVERY)
def test_pictures_do_not_depend_on_which_others_are_in_the_batch(name) -> None:
    images = pictures(40)
    augment = build(name, images)
    draws = augment.draw(40, torch.Generator().manual_seed(2))
    whole = augment.apply(images, draws)
    for rows in (slice(0, 1), slice(7, 20), slice(20, 40)):
        assert torch.equal(augment.apply(images[rows], draws[rows]), whole[rows])


@pytest.mark.promise("R1")
@pytest.mark.promise("R13")
@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.sampled_from(EVERY), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
    batch_size=st.integers(1, 30),
    processes=st.integers(1, 4),
    step=st.integers(0, 40),
)
def test_a_step_gives_the_same_pictures_however_it_is_reached_and_however_many_share_it(
    names, seed, batch_size, processes, step
) -> None:
    whole = source(names)
    stream = whole.train(Order(seed, batch_size))
    stream.seek(step)
    after_seek = next(stream)
    replayed = whole.train(Order(seed, batch_size))
    for _ in range(step):
        next(replayed)
    assert torch.equal(next(replayed).inputs[0], after_seek.inputs[0])
    shares = []
    for rank in range(processes):
        own = source(names).train(Order(seed, batch_size, rank, processes))
        own.seek(step)
        shares.append(next(own))
    assert torch.equal(torch.cat([share.inputs[0] for share in shares]), after_seek.inputs[0])
    assert torch.equal(torch.cat([share.targets for share in shares]), after_seek.targets)
    plain = source([]).train(Order(seed, batch_size))
    plain.seek(step)
    if batch_size < 23:  # a full batch of one process is not shuffled without augmentation
        assert torch.equal(next(plain).targets, after_seek.targets)  # a picture's class never changes


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["random_resized_crop", "random_erasing"]),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    low=st.floats(0.01, 0.9),
    seed=st.integers(0, 1000),
)
def test_pieces_and_rectangles_lie_inside_the_picture(name, height, width, low, seed) -> None:
    config = AUGMENTS.parse({"name": name, "area_low": low, "area_high": 0.95}, "data.augment.0")
    assert isinstance(config, AugmentConfig)
    draws = config.build(Image(1, height, width)).draw(40, torch.Generator().manual_seed(seed))
    top, left, tall, wide = draws[:, :4].unbind(1)
    assert (draws >= 0).all()
    assert (top + tall <= height).all()
    assert (left + wide <= width).all()
    if name == "random_resized_crop":
        assert (tall >= 1).all()
        assert (wide >= 1).all()


@pytest.mark.parametrize("name", EVERY)
def test_another_step_and_another_seed_draw_anew(name) -> None:
    def at(seed: int, step: int) -> torch.Tensor:
        stream = source([name]).train(Order(seed, 23))
        stream.seek(step)
        batch = next(stream)
        return batch.inputs[0][stream.permutation(step).argsort()]  # in the order of the examples

    assert torch.equal(at(0, 3), at(0, 3))
    assert not torch.equal(at(0, 3), at(0, 4))
    assert not torch.equal(at(0, 3), at(1, 3))


NOTHING = [  # settings at which nothing is left to change
    {"name": "rotation", "degrees": 1e-6},
    {"name": "affine", "degrees": 0.0, "shift": 0.0, "scale_low": 1.0, "scale_high": 1.0, "shear": 0.0},
    {"name": "random_resized_crop", "area_low": 1.0, "ratio": 1.0},
    {"name": "colour_jitter", "brightness": 0.0, "contrast": 0.0, "saturation": 0.0},
    {"name": "pca_jitter", "deviation": 1e-9},
    {"name": "horizontal_flip", "probability": 1e-12},
    {"name": "vertical_flip", "probability": 1e-12},
    {"name": "random_erasing", "probability": 1e-12},
]


@pytest.mark.parametrize("config", NOTHING, ids=lambda config: config["name"])
def test_no_strength_is_no_change(config) -> None:
    images = pictures(32)[..., :9].contiguous(memory_format=torch.channels_last)
    assert torch.equal(build(config, images)(images, torch.Generator().manual_seed(0)), images)


@pytest.mark.parametrize("name", EVERY)
def test_config_survives_json(name) -> None:
    config = AUGMENTS.parse(name, "data.augment.0")
    again = AUGMENTS.parse(json.loads(json.dumps(config.to_mapping())), "data.augment.0")
    assert again == config
    assert config.name == name


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"name": "rotation", "degrees": 181.0}, "degrees"),
        ({"name": "affine", "scale_low": 0.0}, "scale_low"),
        ({"name": "affine", "translate": 0.1}, "no such field"),
        ({"name": "random_resized_crop", "area_low": 0.0}, "area_low"),
        ({"name": "colour_jitter", "hue": 0.6}, "hue"),
        ({"name": "random_erasing", "probability": 0.0}, "probability"),
        ({"name": "color_jitter"}, "did you mean 'colour_jitter'"),
    ],
)
def test_what_makes_no_sense_is_refused(config, words) -> None:
    with pytest.raises(InputError, match=words):
        AUGMENTS.parse(config, "data.augment.0")


@pytest.mark.gpu
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("side", [(9, 12), (64, 80)])
def test_a_gpu_makes_the_same_pictures(name, side) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (32, 3, *side), dtype=torch.uint8, generator=generator)
    images = images.contiguous(memory_format=torch.channels_last)
    augment = build(name, images)
    draws = augment.draw(32, generator)
    ours, theirs = augment.apply(images, draws), augment.apply(images.cuda(), draws)
    assert theirs.device.type == "cuda"
    assert theirs.is_contiguous(memory_format=torch.channels_last)
    assert (ours.int() - theirs.cpu().int()).abs().max() <= 1
