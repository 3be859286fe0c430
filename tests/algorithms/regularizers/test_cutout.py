"""Cutout hides the square it draws, picture by picture."""

import pytest
import torch

from fourfold.algorithms.regularizers.cutout import Cutout, CutoutConfig, cutout
from fourfold.core.errors import InputError
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch, Image, Plan


def regularizer(seed: int = 0, side: int = 4, height: int = 9, width: int = 12) -> Cutout:
    spec = ClassificationSpec(Image(3, height, width), ("x", "y"))
    return CutoutConfig(side=side).build(torch.nn.Flatten(), spec, Plan(seed=seed, steps=10, batch_size=8))


@pytest.mark.parametrize("side", [1, 4, 5])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_each_square_is_hidden_and_nothing_else_is_touched(side, layout) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(32, 3, 9, 12, generator=generator).contiguous(memory_format=layout)
    middles = torch.stack([torch.randint(0, n, (32,), generator=generator) for n in (9, 12)], 1)
    before = images.clone()
    hidden = cutout(images, middles, side)
    assert torch.equal(images, before)
    assert hidden.is_contiguous(memory_format=layout)
    for image, result, (row, column) in zip(images, hidden, middles.tolist(), strict=True):
        top, left = row - side // 2, column - side // 2
        expected = image.clone()
        expected[:, max(top, 0) : top + side, max(left, 0) : left + side] = 0
        assert torch.equal(result, expected)


def test_the_middle_may_be_any_pixel_so_that_edges_are_hidden_less_often() -> None:
    ones = torch.ones(40_000, 1, 9, 12)
    (hidden,) = regularizer(side=5).on_batch(Batch((ones,), torch.zeros(40_000).long()), 0).inputs
    share = 1 - hidden.mean((0, 1))  # how often each pixel is hidden
    rows = torch.tensor([3, 4, 5, 5, 5, 5, 5, 4, 3]) / 9  # middles within two rows
    columns = torch.tensor([3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 4, 3]) / 12
    torch.testing.assert_close(share, rows[:, None] * columns, rtol=0, atol=0.012)


def test_a_place_for_each_picture_keyed_by_step_and_seed() -> None:
    ones = Batch((torch.ones(64, 3, 9, 12),), torch.arange(64) % 2)
    at = [regularizer(seed).on_batch(ones, step) for seed, step in ((0, 3), (0, 3), (0, 4), (1, 3))]
    assert len({tuple(picture.flatten().tolist()) for picture in at[0].inputs[0]}) > 25
    assert torch.equal(at[0].inputs[0], at[1].inputs[0])
    assert not torch.equal(at[0].inputs[0], at[2].inputs[0])
    assert not torch.equal(at[0].inputs[0], at[3].inputs[0])
    assert torch.equal(at[0].targets, ones.targets)


def test_a_square_as_large_as_the_picture_is_refused(toy) -> None:
    with pytest.raises(InputError, match=r"side of 9 can leave nothing of pictures of 3x9x12; the nearest .* is 8"):
        regularizer(side=9)
    with pytest.raises(InputError, match="cutout needs pictures"):
        toy.regularizer("cutout")
