"""CIFAR-100: 60,000 photographs of a hundred classes, colour 32x32; 45,000 / 5,000 / 10,000 in three splits.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. Fetched at run time from its makers'
site, or read from a copy of the binary version. The twenty coarse classes are left out.
Licence: none is stated; its makers ask to be cited.
Checked by: files of the true form written byte by byte; the SHA-256 that others publish of the files. Not opened here:
the true files, which no package registry carries.
"""

from typing import ClassVar, Literal

from fourfold.data.cifar_like import CifarLikeConfig

FINE = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly "
    "camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup "
    "dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower "
    "leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid "
    "otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray "
    "road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar "
    "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle "
    "wardrobe whale willow_tree wolf woman worm"
)


class Cifar100Config(CifarLikeConfig):
    """Fields of `data: cifar100`."""

    licence: ClassVar[str] = "none stated; cite A. Krizhevsky, 2009"
    origin: ClassVar[str] = "A. Krizhevsky, 2009; the binary version of its makers' site"
    url: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"
    inside: ClassVar[str] = "cifar-100-binary"
    digests: ClassVar[dict[str, str]] = {
        "train.bin": "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
        "test.bin": "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
    }
    fetched_files: ClassVar[tuple[str, ...]] = tuple(digests)
    label_bytes: ClassVar[int] = 2  # the coarse class, then the fine one
    class_names: ClassVar[tuple[str, ...]] = tuple(FINE.split())

    name: Literal["cifar100"] = "cifar100"
