"""Label-preserving changes to training pictures, on whole batches. One a file."""

from fourfold.core.registry import Entry, Table

AUGMENTS = Table(
    "augment",
    {
        "pad_crop": Entry("fourfold.data.augment.pad_crop:PadCropConfig", "pad, then crop at a random place"),
        "horizontal_flip": Entry("fourfold.data.augment.horizontal_flip:HorizontalFlipConfig", "mirror some pictures"),
    },
)
