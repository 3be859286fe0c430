"""How many pictures a second each augmentation changes, beside torchvision's transforms v2 picture by picture.

    python benchmarks/augmentations.py                                 a few minutes
    python benchmarks/augmentations.py --markdown docs/benchmarks.md   write the table where readers find it

Both begin with the same uint8 batch on the CPU and end with one; torchvision's pictures are stacked, as a DataLoader's
collate does. Rounds are interleaved, and each ratio is taken within a round. One thread; CPU time.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tables import machine, spread, table, write_section
from torch import Tensor

from fourfold.data.augment import AUGMENTS
from fourfold.data.augment.base import AugmentConfig
from fourfold.tasks.seam import Image

SIZES = ((128, 32), (32, 224))  # pictures in a batch, pixels on a side
Change = Callable[[Tensor], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [row for batch, side in SIZES for row in measure(batch, side, options.rounds)]
    text = (
        f"## Augmentations\n\n{machine()}. uint8 pictures in colour, one thread; medians of {options.rounds} "
        "interleaved rounds, quartiles in brackets.\n\n"
        + table(["augmentation", "size", "pictures a second", "times torchvision v2"], rows)
    )
    print(text)
    if options.markdown:
        write_section(options.markdown, "augmentations", text)


def theirs(side: int) -> dict[str, tuple[dict[str, Any], Callable[[Tensor], Tensor]]]:
    """Return each augmentation's fields, and torchvision's transform that does the same."""
    from torchvision.transforms import InterpolationMode, v2

    smooth = InterpolationMode.BILINEAR
    return {
        "pad_crop": ({}, v2.RandomCrop(side, padding=4)),
        "random_resized_crop": ({}, v2.RandomResizedCrop(side, interpolation=smooth)),
        "horizontal_flip": ({}, v2.RandomHorizontalFlip()),
        "vertical_flip": ({}, v2.RandomVerticalFlip()),
        "rotation": ({}, v2.RandomRotation(15, interpolation=smooth)),
        "affine": ({}, v2.RandomAffine(10, (0.1, 0.1), (0.9, 1.1), 10, interpolation=smooth)),
        "colour_jitter": ({}, v2.ColorJitter(0.5, 0.5, 0.5)),
        "colour_jitter with hue": ({"hue": 0.1}, v2.ColorJitter(0.5, 0.5, 0.5, 0.1)),
        "random_erasing": ({"area_high": 0.33}, v2.RandomErasing(0.5, (0.02, 0.33), (0.3, 3.3))),  # black there
    }


def measure(batch: int, side: int, rounds: int) -> list[list[str]]:
    """Return a row of the table for each augmentation."""
    images = torch.randint(0, 256, (batch, 3, side, side), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    images = images.contiguous(memory_format=torch.channels_last)
    rows = []
    for name, (fields, transform) in theirs(side).items():
        config = AUGMENTS.parse({"name": name.split()[0], **fields}, "augment")
        assert isinstance(config, AugmentConfig)
        augment, generator = config.build(Image(3, side, side)), torch.Generator().manual_seed(0)
        augment.fit([images], 255.0)
        ours: Change = lambda batch, augment=augment, generator=generator: augment(batch, generator)  # noqa: E731
        each: Change = lambda batch, transform=transform: torch.stack([transform(x) for x in batch])  # noqa: E731
        pairs = [(seconds(ours, images), seconds(each, images)) for _ in range(rounds + 1)][1:]  # the first warms up
        rate = batch / statistics.median(mine for mine, _ in pairs)
        ratios = [other / mine for mine, other in pairs]
        rows.append([name, f"{side}x{side}", f"{rate:,.0f}", spread(ratios, 1)])
    return rows


def seconds(change: Change, images: Tensor) -> float:
    began = time.process_time()
    change(images)
    return time.process_time() - began


if __name__ == "__main__":
    main()
