"""Histograms of oriented gradients, beside OpenCV's and beside a loop over pixels."""

import itertools
import math

import cv2
import numpy as np
import pytest
import torch

from fourfold.nn.hog import BINS, hog, num_features


def picture(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Whole numbers of 0 to 255, smooth enough for every direction to occur."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, channels, 5, 5, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0]
    noisy = 40 + 170 * fine + 8 * torch.randn(fine.shape, generator=generator)
    return noisy.clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


@pytest.mark.promise("R14")
@pytest.mark.parametrize(("height", "width", "cell"), [(32, 32, 8), (64, 128, 8), (24, 20, 4)])
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_opencvs_without_a_window(height, width, cell, channels) -> None:
    """OpenCV's Gaussian stands half a pixel off the middle, so both are made flat; its blank blocks are less blank."""
    block = (2 * cell, 2 * cell)
    theirs = cv2.HOGDescriptor(
        (width, height), block, (cell, cell), (cell, cell), BINS, 1, 1e6, cv2.HOGDESCRIPTOR_L2HYS, 0.2, False, 64, False
    )
    pixels = picture(height, width, channels)
    down, across = height // cell - 1, width // cell - 1
    # OpenCV goes column by column, through blocks and through the cells of one
    expected = theirs.compute(pixels).reshape(across, down, 2, 2, BINS).transpose(1, 0, 3, 2, 4)
    ours = hog(torch.from_numpy(pixels).permute(2, 0, 1)[None].float(), cell, sigma=1e6)[0]
    assert ours.numel() == num_features(height, width, cell)
    np.testing.assert_allclose(ours.view(expected.shape).numpy(), expected, atol=4e-3)


def counted(pixels: torch.Tensor, cell: int) -> torch.Tensor:
    """One grey picture's descriptors, a pixel at a time, as section 6 says."""
    height, width = pixels.shape
    down, across = height // cell - 1, width // cell - 1
    blocks = torch.zeros(down, across, 4, BINS, dtype=torch.float64)
    for y, x in itertools.product(range(height), range(width)):
        dx = float(pixels[y, x + 1] - pixels[y, x - 1]) if 0 < x < width - 1 else 0.0
        dy = float(pixels[y + 1, x] - pixels[y - 1, x]) if 0 < y < height - 1 else 0.0
        degrees = math.degrees(math.atan2(dy, dx)) % 180
        for by, bx in itertools.product(range(down), range(across)):
            v, u = y - by * cell + 0.5, x - bx * cell + 0.5
            if not (0 < v < 2 * cell and 0 < u < 2 * cell):
                continue
            window = math.exp(-((v - cell) ** 2 + (u - cell) ** 2) / (2 * cell**2))
            for (i, j), k in itertools.product(itertools.product((0, 1), (0, 1)), range(BINS)):
                far_y, far_x = abs(v - (i + 0.5) * cell) / cell, abs(u - (j + 0.5) * cell) / cell
                turn = abs(degrees - (k + 0.5) * 20)
                away = min(turn, 180 - turn) / 20
                share = max(0, 1 - far_y) * max(0, 1 - far_x) * max(0, 1 - away)
                blocks[by, bx, 2 * i + j, k] += math.hypot(dx, dy) * window * share
    for block in blocks.flatten(0, 1):
        block /= math.sqrt(float(block.square().sum()) + 1e-6)
        block.clamp_(max=0.2)
        block /= math.sqrt(float(block.square().sum()) + 1e-6)
    return blocks


@pytest.mark.promise("R14")
def test_equals_votes_counted_pixel_by_pixel() -> None:
    pixels = torch.randn(12, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours = hog(pixels[None, None], cell=3)[0].flatten(2, 2)
    torch.testing.assert_close(ours.view(3, 2, 4, BINS), counted(pixels, 3))


def test_a_slope_votes_for_its_direction() -> None:
    """Brightness that rises to the right at 0 degrees shares its vote between the first and the last direction."""
    ramp = torch.arange(16.0).expand(16, 16)
    found = hog(ramp[None, None], cell=8)[0, 0, 0].sum(0)
    assert found[0] == pytest.approx(found[8].item()) and found[1:8].abs().max() < 1e-6  # noqa: PT018
    turned = hog(ramp.T[None, None], cell=8)[0, 0, 0].sum(0)  # 90 degrees is the middle of the fifth
    assert turned.argmax() == 4
    assert turned[[0, 1, 2, 3, 5, 6, 7, 8]].abs().max() < 1e-5


def test_the_pixels_left_over_lie_around_the_grid() -> None:
    x = torch.randn(1, 1, 19, 18)
    below, above = x.clone(), x.clone()
    below[..., 18, :] += 5  # 19 rows are 1 + 16 + 2: no gradient inside sees the last one
    above[..., 0, :] += 5  # but that of the first row inside sees the one above it
    assert hog(x, 8).shape == (1, 1, 1, 4, BINS)
    torch.testing.assert_close(hog(below, 8), hog(x, 8))
    assert not torch.allclose(hog(above, 8), hog(x, 8))


def test_a_blank_picture_is_no_description() -> None:
    assert not hog(torch.ones(2, 3, 16, 16), 4).any()
