"""The sheet of what a network is fed shows the pictures that the part itself makes."""

import numpy as np
import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data.augment import AUGMENTS
from fourfold.data.augment.base import AugmentConfig
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.report.fed import STEPS, draw_fed, feed, sample_pictures
from fourfold.run.parts import TABLES
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Order

CHANGE_BATCHES = ("mixup", "cutmix", "cutout", "input_noise")


def part(kind: str, name: str) -> AugmentConfig:
    return TABLES[kind].parse(name, kind)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("kind", "name"), [*[("augment", name) for name in AUGMENTS], *[("regularizer", name) for name in CHANGE_BATCHES]]
)
def test_each_sheet_shows_the_pictures_before_and_at_the_first_steps(kind, name) -> None:
    fed = feed(part(kind, name))
    shown = [axes.images[0].get_array() for axes in draw_fed(part(kind, name)).axes]
    assert len(shown) == 6 * (STEPS + 1)
    for drawn, picture in zip(shown, torch.cat([fed.before, *fed.after]), strict=True):
        assert np.array_equal(drawn, picture.permute(1, 2, 0).numpy())
    changed = [not torch.equal(after, fed.before) for after in fed.after]
    assert any(changed) if name == "random_grey" else all(changed)  # which takes one picture in five


def test_an_augmentation_draws_as_a_run_with_seed_0_does() -> None:
    pictures, labels = sample_pictures()
    alike = pictures[:1].expand(6, -1, -1, -1).contiguous(memory_format=torch.channels_last)  # so order is no matter
    encoding, config = ImageEncoding.fit(pictures), part("augment", "rotation")
    spec, augment = ClassificationSpec(encoding.image, ("a", "b")), config.build(encoding.image)
    source = InMemorySource(spec, {"train": alike}, {"train": labels}, encoding, [augment])
    for batch, after in zip(source.train(Order(0, 6)), feed(config).after, strict=False):
        assert torch.equal(batch.inputs[0][0], encoding.standardise().encode(after)[0])


def test_mixed_targets_stand_above_the_pictures() -> None:
    fed = feed(part("regularizer", "cutmix"))
    titles = [axes.get_title() for axes in draw_fed(part("regularizer", "cutmix")).axes]
    assert titles[:6] == [""] * 6
    for targets, title in zip(torch.cat([t for t in fed.targets if t is not None]), titles[6:], strict=True):
        likeliest = ("temple", "flower")[int(targets.argmax())]
        share = f"{100 * float(targets.max()):.0f} % "
        assert title.startswith(likeliest if targets.max() > 0.995 else share + likeliest)


def test_what_changes_no_pictures_is_refused() -> None:
    with pytest.raises(InputError, match="ema changes no pictures"):
        draw_fed(part("regularizer", "ema"))
