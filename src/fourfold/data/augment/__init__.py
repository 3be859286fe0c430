"""Label-preserving changes to training pictures, on whole batches. One a file."""

from fourfold.core.registry import Entry, Table

_HERE = "fourfold.data.augment"

AUGMENTS = Table(
    "augment",
    {
        "pad_crop": Entry(f"{_HERE}.pad_crop:PadCropConfig", "pad, then crop at a random place"),
        "random_resized_crop": Entry(
            f"{_HERE}.random_resized_crop:RandomResizedCropConfig", "enlarge a piece of random size and shape (2014)"
        ),
        "horizontal_flip": Entry(f"{_HERE}.horizontal_flip:HorizontalFlipConfig", "mirror some pictures"),
        "vertical_flip": Entry(f"{_HERE}.vertical_flip:VerticalFlipConfig", "turn some pictures upside down"),
        "rotation": Entry(f"{_HERE}.rotation:RotationConfig", "turn each picture by an angle of its own"),
        "affine": Entry(f"{_HERE}.affine:AffineConfig", "turn, shift, scale and shear (1998)"),
        "colour_jitter": Entry(
            f"{_HERE}.colour_jitter:ColourJitterConfig", "other brightness, contrast, saturation and hue (2013)"
        ),
        "random_grey": Entry(f"{_HERE}.random_grey:RandomGreyConfig", "take the colours from some pictures (2020)"),
        "gaussian_blur": Entry(f"{_HERE}.gaussian_blur:GaussianBlurConfig", "blur some pictures (2020)"),
        "pca_jitter": Entry(f"{_HERE}.pca_jitter:PCAJitterConfig", "light of another colour, as AlexNet had (2012)"),
        "random_erasing": Entry(
            f"{_HERE}.random_erasing:RandomErasingConfig", "fill a random rectangle with noise (2017)"
        ),
    },
)
