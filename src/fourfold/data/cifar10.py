"""CIFAR-10: 60,000 photographs of ten classes, colour 32x32; 45,000 / 5,000 / 10,000 in three splits.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. Fetched at run time from its makers'
site, or read from a copy of the binary version.
Licence: none is stated; its makers ask to be cited.
Checked by: files of the true form written byte by byte; the SHA-256 that others publish of the files. Not opened here:
the true files, which no package registry carries.
"""

from typing import ClassVar, Literal

from fourfold.data.cifar_like import CifarLikeConfig


class Cifar10Config(CifarLikeConfig):
    """Fields of `data: cifar10`."""

    licence: ClassVar[str] = "none stated; cite A. Krizhevsky, 2009"
    origin: ClassVar[str] = "A. Krizhevsky, 2009; the binary version of its makers' site"
    url: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    inside: ClassVar[str] = "cifar-10-batches-bin"
    digests: ClassVar[dict[str, str]] = {
        "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    }
    fetched_files: ClassVar[tuple[str, ...]] = tuple(digests)
    label_bytes: ClassVar[int] = 1
    class_names: ClassVar[tuple[str, ...]] = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )

    name: Literal["cifar10"] = "cifar10"
