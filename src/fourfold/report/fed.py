"""What a network is fed: six pictures as they are, and as an augmentation or a regularizer of batches changes them.

The pictures are pieces of the two photographs that come with scikit-learn, so that nothing has to be fetched.

Checked by: the drawn pictures are those that the part itself returns at these steps.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.data.augment.base import AugmentConfig
from fourfold.data.embedded import package_file
from fourfold.data.image_encoding import ImageEncoding
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.figure import MUTED, blank, new_figure, style
from fourfold.tasks.seam import Batch, Plan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 64  # pixels
STEPS = 4
CLASSES = ("temple", "flower")
CREDIT = "pictures: china.jpg by danielbuechele and flower.jpg by vultilion, CC BY 2.0, cut and made small"
_PIECES = {"china.jpg": [(0, 60), (90, 110), (180, 60)], "flower.jpg": [(120, 40), (220, 80), (300, 120)]}  # left, top
_SOURCE_SIDE = 280


class Fed(NamedTuple):
    """A batch as it is, and as a part changes it, step by step."""

    before: Tensor  # [batch, 3, height, width], uint8
    after: list[Tensor]  # one a step, likewise
    targets: list[Tensor | None]  # probabilities [batch, classes], where the part mixes them


def sample_pictures() -> tuple[Tensor, Tensor]:
    """Return six pictures, uint8 `[6, 3, 64, 64]`, and their classes, int64 `[6]`: three temples, three flowers."""
    from PIL import Image as Picture

    pieces = []
    for name, corners in _PIECES.items():
        with Picture.open(package_file("sklearn", f"datasets/images/{name}")) as photograph:
            for left, top in corners:
                piece = photograph.crop((left, top, left + _SOURCE_SIDE, top + _SOURCE_SIDE))
                pieces.append(np.asarray(piece.resize((SIDE, SIDE), Picture.Resampling.LANCZOS)))
    pixels = torch.from_numpy(np.stack(pieces)).permute(0, 3, 1, 2)  # channels-last in memory, as a source has them
    return pixels, torch.tensor([0, 0, 0, 1, 1, 1])


def feed(config: PartConfig) -> Fed:
    """Return sample pictures, and what the part makes of them at the first steps of a run with seed 0.

    Raises:
        InputError: the part changes no pictures.
    """
    pictures, labels = sample_pictures()
    encoding = ImageEncoding.fit(pictures)
    if isinstance(config, AugmentConfig):
        augment = config.build(encoding.image)
        augment.fit([pictures], 255.0)
        generators = (torch.Generator().manual_seed(stream_seed(0, "augment", step)) for step in range(STEPS))
        return Fed(pictures, [augment(pictures, generator) for generator in generators], [None] * STEPS)
    assert isinstance(config, RegularizerConfig)
    spec = ClassificationSpec(encoding.image, CLASSES)
    regularizer = config.build(nn.Flatten(), spec, Plan(seed=0, steps=100, batch_size=len(labels)))
    if type(regularizer).on_batch is Regularizer.on_batch:
        raise InputError(f"--png: {config.name} changes no pictures, so there is nothing to draw")
    batch = Batch((encoding.standardise().encode(pictures),), labels)
    fed = [regularizer.on_batch(batch, step) for step in range(STEPS)]
    mean, deviation = (torch.tensor(each).view(1, -1, 1, 1) for each in (encoding.mean, encoding.deviation))
    after = [(each.inputs[0] * deviation + mean).round().clamp(0, 255).to(torch.uint8) for each in fed]
    return Fed(pictures, after, [each.targets if each.targets.is_floating_point() else None for each in fed])


def draw_fed(config: PartConfig) -> "Figure":
    """Draw sample pictures as they are, and below them what the part makes of them at the first steps of a run.

    Raises:
        InputError: the part changes no pictures.
    """
    fed = feed(config)
    count = len(fed.before)
    captioned = fed.targets[0] is not None
    with style():
        figure = new_figure(1.05 * count + 0.7, (1.33 if captioned else 1.07) * (STEPS + 1) + 0.5)
        figure.set_layout_engine("constrained", w_pad=0.015, h_pad=0.015, wspace=0.02, hspace=0.03)
        figure.suptitle(f"{config.name}: what the network is fed\n", x=0.01, ha="left", fontsize=11, fontweight="bold")
        grid = figure.subplots(STEPS + 1, count, squeeze=False)
        _draw_row(grid[0], "as it is", fed.before, None)
        for step, (pictures, targets) in enumerate(zip(fed.after, fed.targets, strict=True)):
            _draw_row(grid[step + 1], f"step {step}", pictures, targets)
        figure.supxlabel(CREDIT, x=0.01, ha="left", fontsize=6.5, color=MUTED)
    return figure


def _draw_row(row: np.ndarray, label: str, pictures: Tensor, targets: Tensor | None) -> None:
    for axes, picture in zip(row, pictures, strict=True):
        axes.imshow(picture.permute(1, 2, 0).numpy(), interpolation="nearest")
        blank(axes)
    row[0].text(-0.12, 0.5, label, transform=row[0].transAxes, ha="right", va="center", fontsize=9, color=MUTED)
    for axes, mix in zip(row, targets if targets is not None else (), strict=targets is not None):
        axes.set_title(_in_words(mix), fontsize=6.5, loc="center", pad=2, color=MUTED)


def _in_words(mix: Tensor) -> str:
    """Return a target's classes with their probabilities, the likeliest first, a line each."""
    shares = sorted(zip(mix.tolist(), CLASSES, strict=True), reverse=True)
    return "\n".join(
        name if share > 0.995 else f"{100 * share:.0f} % {name}" for share, name in shares if share > 0.005
    )
