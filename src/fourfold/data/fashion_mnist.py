"""Fashion-MNIST: 70,000 articles of clothing, grey 28x28, light on black; 55,000 / 5,000 / 10,000 in three splits.

Source: H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747. Fetched at run time from the Debian
package dataset-fashion-mnist, or by torchvision.
Licence: MIT, Copyright 2017 Zalando SE.
Checked by: SHA-256 of the four files; class counts.
"""

from pathlib import Path
from typing import ClassVar, Literal

from fourfold.data.mnist_like import NAMES, MnistLikeConfig
from fourfold.data.registries import from_debian


class FashionMnistConfig(MnistLikeConfig):
    """Fields of `data: fashion_mnist`."""

    licence: ClassVar[str] = "MIT, Copyright 2017 Zalando SE"
    origin: ClassVar[str] = (
        "H. Xiao, K. Rasul and R. Vollgraf, 2017; Debian dataset-fashion-mnist, or torchvision's host"
    )
    digests: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
    client: ClassVar[str] = "apt-get"
    class_names: ClassVar[tuple[str, ...]] = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )

    name: Literal["fashion_mnist"] = "fashion_mnist"

    def fetch_package(self, into: Path) -> None:
        """Fetch through apt."""
        folder = "usr/share/datasets/fashion-mnist"
        from_debian("dataset-fashion-mnist", {f"{folder}/{name}.gz": name for name in NAMES}, into)
