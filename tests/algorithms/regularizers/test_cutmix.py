"""CutMix is the paper's equations, and torchvision's with the same box."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from fourfold.algorithms.regularizers.cutmix import Box, Cutmix, CutmixConfig, cutmix, draw_box
from fourfold.core.errors import InputError
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch, Features, Image, Plan


def regularizer(seed: int = 0, height: int = 9, width: int = 12, probability: float = 1.0) -> Cutmix:
    spec = ClassificationSpec(Image(1, height, width), ("x", "y", "z"))
    plan = Plan(seed=seed, steps=100, batch_size=8)
    return CutmixConfig(probability=probability).build(torch.nn.Flatten(), spec, plan)


def batch(size: int = 6, height: int = 9, width: int = 12) -> Batch:
    """Picture i is i everywhere."""
    images = torch.arange(1.0, size + 1).view(-1, 1, 1, 1).expand(-1, 1, height, width).clone()
    return Batch((images,), torch.arange(size) % 3)


def test_two_pictures_by_hand() -> None:
    images = torch.stack([torch.zeros(1, 2, 4), torch.ones(1, 2, 4)])
    mixed, targets = cutmix(images, torch.eye(2), torch.tensor([1, 0]), Box(0, 1, 1, 4))
    assert mixed[0, 0].tolist() == [[0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    assert mixed[1, 0].tolist() == [[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]
    torch.testing.assert_close(targets, torch.tensor([[5 / 8, 3 / 8], [3 / 8, 5 / 8]]))


@pytest.mark.promise("R14")
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equals_torchvisions(layout) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(6, 3, 9, 12, generator=generator).contiguous(memory_format=layout)
    labels = torch.randint(0, 4, (6,), generator=generator)
    theirs, box = v2.CutMix(num_classes=4), Box(2, 3, 8, 12)
    kept = 1 - (8 - 2) * (12 - 3) / (9 * 12)
    params = {"labels": labels, "batch_size": 6, "box": (3, 2, 12, 8), "lam_adjusted": kept}
    mixed, targets = cutmix(images, torch.eye(4)[labels], torch.arange(6).roll(1), box)
    assert torch.equal(mixed, theirs.transform(images, params))
    torch.testing.assert_close(targets, theirs.transform(labels, params))
    assert mixed.is_contiguous(memory_format=layout)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    step=st.integers(0, 10**6),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    size=st.integers(1, 7),
)
def test_targets_are_the_shares_of_area(seed, step, height, width, size) -> None:
    mixed = regularizer(seed, height, width).on_batch(batch(size, height, width), step)
    torch.testing.assert_close(mixed.targets.sum(1), torch.ones(size))
    images = mixed.inputs[0]
    for image, target, label in zip(images, mixed.targets, torch.arange(size) % 3, strict=True):
        classes = (image.flatten().long() - 1) % 3  # which class each pixel comes from
        torch.testing.assert_close(torch.bincount(classes, minlength=3).float() / (height * width), target)
        assert target[label] > 0 or (image != image[0, 0, 0]).sum() == 0
    again = regularizer(seed, height, width).on_batch(batch(size, height, width), step)
    assert torch.equal(again.inputs[0], images)


@settings(max_examples=100, deadline=None)
@given(share=st.floats(0, 1), height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 1000))
def test_a_box_lies_inside_and_is_no_larger_than_its_share(share, height, width, seed) -> None:
    box = draw_box(height, width, share, torch.Generator().manual_seed(seed))
    assert 0 <= box.top <= box.bottom <= height
    assert 0 <= box.left <= box.right <= width
    assert (box.bottom - box.top) * (box.right - box.left) <= (1 - share) * height * width + 1e-9


def test_boxes_are_of_the_size_asked_for_about_every_place() -> None:
    generator = torch.Generator().manual_seed(0)
    boxes = [draw_box(40, 80, 0.75, generator) for _ in range(3000)]
    whole = [b for b in boxes if b.top and b.left and b.bottom < 40 and b.right < 80]
    assert {(b.bottom - b.top, b.right - b.left) for b in whole} == {(20, 40)}  # half of each side
    middles = torch.tensor([[(b.top + b.bottom) / 2, (b.left + b.right) / 2] for b in whole])
    torch.testing.assert_close(middles.mean(0), torch.tensor([20.0, 40.0]), rtol=0, atol=0.8)
    assert any(b.top == 0 and b.bottom < 15 for b in boxes)  # cut off at an edge


def test_the_share_of_batches_is_the_probability_and_the_others_stay_as_they_are() -> None:
    own, plain = regularizer(probability=0.3), batch()
    batches = [own.on_batch(plain, step) for step in range(1000)]
    changed = [b for b in batches if not torch.equal(b.inputs[0], plain.inputs[0])]
    assert 220 < len(changed) < 330  # some of those chosen have an empty box
    assert {b.targets.dtype for b in batches} == {torch.float32}


def test_it_is_for_pictures_in_classes(toy) -> None:
    with pytest.raises(InputError, match="cutmix is for classification"):
        toy.regularizer("cutmix")
    rows = ClassificationSpec(Features(("a", "b")), ("x", "y"))
    with pytest.raises(InputError, match="cutmix needs pictures, but this data gives rows of 2 numbers"):
        CutmixConfig().build(torch.nn.Linear(2, 2), rows, toy.plan())
