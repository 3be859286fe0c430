import pytest
import torch
from torchvision.transforms import functional as TF

from fourfold.core.errors import InputError
from fourfold.data.augment import AUGMENTS
from fourfold.data.augment.gaussian_blur import GaussianBlurConfig, blur
from fourfold.tasks.seam import Image


@pytest.mark.parametrize(("side", "reach"), [(9, 1), (32, 2), (150, 7)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_each_picture_is_blurred_as_torchvision_blurs_it(side, reach, channels, layout) -> None:
    image = Image(channels, side, side + 4)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(10, *image, generator=generator).contiguous(memory_format=layout)
    before = images.clone()
    augment = GaussianBlurConfig().build(image)
    assert augment.reach == max(1, round(side / 20))
    sigmas = augment.draw(10, generator)
    assert 0 < (sigmas > 0).sum() < 10
    changed = blur(images, sigmas, reach)
    whole = (images * 255).round().to(torch.uint8)
    rounded = blur(whole, sigmas, reach)
    for i, sigma in enumerate(sigmas.tolist()):
        expected = TF.gaussian_blur(images[i], 2 * reach + 1, sigma) if sigma else images[i]
        torch.testing.assert_close(changed[i], expected, rtol=0, atol=1e-6)
        exact = TF.gaussian_blur(whole[i].double(), 2 * reach + 1, sigma) if sigma else whole[i].double()
        assert (rounded[i].double() - exact).abs().max() < 0.501
    assert torch.equal(images, before)


def test_sigmas_are_within_their_range_and_the_share_is_the_probability() -> None:
    config = GaussianBlurConfig(probability=0.3, sigma_low=0.5, sigma_high=0.8)
    sigmas = config.build(Image(3, 40, 40)).draw(20_000, torch.Generator().manual_seed(0))
    blurred = sigmas[sigmas > 0]
    assert abs(len(blurred) / 20_000 - 0.3) < 0.02
    assert 0.5 <= float(blurred.min()) < 0.51
    assert 0.79 < float(blurred.max()) <= 0.8


def test_a_picture_of_one_pixel_stays() -> None:
    images = torch.full((2, 1, 1, 1), 7, dtype=torch.uint8)
    assert torch.equal(blur(images, torch.tensor([1.0, 2.0]), 1), images)


def test_a_range_upside_down_is_refused() -> None:
    with pytest.raises(InputError, match=r"sigma_low of 3 is above sigma_high of 2"):
        AUGMENTS.parse({"name": "gaussian_blur", "sigma_low": 3}, "data.augment.0")
