import pytest
import torch
from sklearn.decomposition import PCA

from fourfold.core.errors import InputError
from fourfold.data.augment.pca_jitter import PCAJitter, PCAJitterConfig, principal_axes, shift_colours
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Order


def pictures(count: int = 1100) -> torch.Tensor:
    """Pixels that vary most in brightness, less from blue to yellow, least from green to purple."""
    draw = torch.Generator().manual_seed(0)
    axes = torch.tensor([[40.0, 42.0, 38.0], [15.0, 0.0, -17.0], [3.0, -6.0, 3.0]])
    pixels = 120 + torch.randn(count * 20, 3, generator=draw) @ axes
    images = pixels.clamp(0, 255).round().to(torch.uint8).view(count, 4, 5, 3).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=torch.channels_last)


def test_the_axes_are_scikit_learns_components_as_long_as_their_deviations() -> None:
    images = pictures()  # more than are widened at once
    pca = PCA().fit(images.permute(0, 2, 3, 1).reshape(-1, 3).double().numpy())
    n = images.numel() // 3
    axes = principal_axes([images[:7], images[7:]])
    assert torch.equal(principal_axes(images.split(100)), axes)
    for axis, component, variance in zip(axes, pca.components_, pca.explained_variance_, strict=True):
        direction = torch.from_numpy(component).float() * (1 if component.sum() > 0 else -1)
        expected = direction * (variance * (n - 1) / n) ** 0.5  # scikit-learn divides by n - 1
        torch.testing.assert_close(axis, expected, rtol=1e-4, atol=1e-4)


def test_each_picture_is_shifted_as_a_whole_along_the_axes() -> None:
    images = pictures(16)
    jitter = PCAJitter(0.5)
    jitter.fit([images], 255.0)
    draws = jitter.draw(16, torch.Generator().manual_seed(0))
    changed = jitter.apply(images, draws)
    assert changed.dtype == torch.uint8
    for image, result, along in zip(images, changed, draws, strict=True):
        shift = sum(float(a) * axis for a, axis in zip(along, jitter.axes, strict=True))
        expected = (image.float() + shift.view(3, 1, 1)).clamp(0, 255)
        assert (result.float() - expected).abs().max() <= 0.5001
    assert len({tuple(row) for row in draws.tolist()}) == 16


def test_the_result_stays_between_black_and_full_brightness() -> None:
    images = torch.tensor([0, 250], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    assert shift_colours(images, torch.tensor([[10.0, 10.0, 10.0]]), 255.0).flatten().tolist() == [10, 255] * 3
    assert shift_colours(images, torch.tensor([[-10.0, -10.0, -10.0]]), 255.0).flatten().tolist() == [0, 240] * 3


def test_the_draws_have_the_deviation_asked_for() -> None:
    draws = PCAJitter(0.1).draw(20_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(draws.std(0), torch.full((3,), 0.1), rtol=0.03, atol=0)
    assert draws.mean(0).abs().max() < 0.003


def test_a_source_gives_it_the_training_split_and_nothing_else() -> None:
    train, test = pictures(40), 255 - pictures(60)[40:] // 2
    encoding = ImageEncoding.fit(train)
    spec = ClassificationSpec(encoding.image, ("a", "b"))
    labels = {"train": torch.zeros(40).long(), "test": torch.zeros(20).long()}
    jitter = PCAJitter(0.1)
    source = InMemorySource(spec, {"train": train, "test": test}, labels, encoding, [jitter])
    assert torch.equal(jitter.axes, principal_axes([train]))
    (plain,) = source.split("train", 40)
    changed = next(source.train(Order(0, 40)))
    assert not torch.equal(changed.inputs[0].sort().values, plain.inputs[0].sort().values)


def test_grey_pictures_are_refused() -> None:
    with pytest.raises(InputError, match="pca_jitter is for pictures of three colours, not for pictures of 1x28x28"):
        PCAJitterConfig().build(Image(1, 28, 28))
