"""Sizes that have a name: counted on the meta device, where a network has shapes and no numbers."""

from typing import Any

import pytest
import torch

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.named import builder
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

COUNTS = {
    "alexnet_one_tower": 61_100_840,
    "vgg11": 132_863_336,  # Table 2 of the paper: 133, 133, 138 and 144 million
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,  # and two a map: 2·(64 + 128 + 2·256 + 4·512)
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "plain18": 11_515_688,  # resnet18 less its projections: 64·128 + 128·256 + 256·512, and 2·(128 + 256 + 512)
    "plain34": 21_623_848,  # less the same
    "resnet20": 269_722,  # Table 6 of the paper: 0.27 M, 0.46 M, 0.66 M, 0.85 M, 1.7 M
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
    "plain20": 269_722,  # as many as with shortcuts, which have no parameters
    "plain56": 853_018,
    "googlenet_bn": 13_004_888,  # with both heads, as torchvision counts it
    "densenet121": 7_978_856,
    "densenet161": 28_681_000,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
    "densenet40_k12": 1_019_722,  # Table 2 of the paper: 1.0 M, 0.8 M
    "densenet_bc100_k12": 769_162,
    "transformer-base": 63_045_632,  # the paper says 65 and 213 million; see the module
    "transformer-big": 214_171_648,
    "bert-small": 29_058_876,  # with both heads of pre-training
    "bert-base": 110_106_428,
    "bert-large": 336_226_108,
    "gpt1": 116_534_784,
    "gpt2": 124_439_808,  # 117 M in the paper, which its authors' page corrects
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "gpt3-small": 125_226_240,
    "gpt3-medium": 355_871_744,
    "gpt3-large": 760_300_032,
    "gpt3-xl": 1_315_723_264,
    "gpt3-2b7": 2_651_553_280,
    "gpt3-6b7": 6_658_404_352,
    "gpt3-13b": 12_853_386_240,
    "gpt3-175b": 174_604_259_328,
}
# GPT-3's Table 2.1: millions of parameters, layers, width, heads, numbers a head; where it contradicts itself, None
TABLE = {
    "gpt3-small": (125, 12, 768, 12, 64),
    "gpt3-medium": (350, 24, 1024, 16, 64),
    "gpt3-large": (760, 24, 1536, 16, 96),
    "gpt3-xl": (1_300, 24, 2048, None, 128),  # 24 heads
    "gpt3-2b7": (2_700, 32, 2560, 32, 80),
    "gpt3-6b7": (6_700, 32, 4096, 32, 128),
    "gpt3-13b": (13_000, 40, None, 40, 128),  # 5140 wide
    "gpt3-175b": (175_000, 96, 12_288, 96, 128),
}


def test_every_named_size_is_counted_here() -> None:
    assert set(COUNTS) == {name for name, entry in MODELS.items() if entry.preset}


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", COUNTS)
def test_each_size_has_the_published_number_of_parameters(name) -> None:
    with torch.device("meta"):
        network = builder(name)()
    assert sum(p.numel() for p in network.parameters()) == COUNTS[name]


@pytest.mark.parametrize("name", TABLE)
def test_sizes_of_gpt3_are_its_tables(name) -> None:
    millions, layers, width, heads, each = TABLE[name]
    config: Any = MODELS.parse(name, "model")
    assert (config.layers, config.width // config.heads, config.context) == (layers, each, 2048)
    assert config.width == width or width is None
    assert config.heads == heads or heads is None
    assert COUNTS[name] / 1e6 == pytest.approx(
        millions, rel=0.02
    )  # the table rounds: 356 is called 350, and 12.85 13.0
    by_hand = 12 * layers * config.width**2 + 13 * layers * config.width + (50_257 + 2048 + 2) * config.width
    assert COUNTS[name] == by_hand


def test_a_name_builds_what_its_config_builds() -> None:
    torch.manual_seed(0)
    ours = ff.models.resnet20(num_classes=7, in_channels=1, image_size=(16, 8))
    torch.manual_seed(0)
    spec = ClassificationSpec(Image(1, 16, 8), tuple("abcdefg"))
    theirs = MODELS.parse({"name": "resnet_cifar", "depth": 20}, "model").build(spec)
    assert repr(ours) == repr(theirs)
    assert all(torch.equal(p, q) for p, q in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_the_size_of_the_pictures_chooses_the_stem() -> None:
    with torch.device("meta"):
        paper, small, wide = (ff.models.resnet18(image_size=size) for size in (None, 64, (64, 500)))
        large = ff.models.resnet18(image_size=65)
    assert [net.conv1.kernel_size[0] for net in (paper, small, wide, large)] == [7, 3, 3, 7]


@pytest.mark.parametrize("sizes", [{"num_classes": 0}, {"in_channels": 0}, {"image_size": (8, 0)}])
def test_sizes_of_nothing_are_refused(sizes) -> None:
    with pytest.raises(InputError, match=f"^{next(iter(sizes))}: must be at least 1"):
        ff.models.resnet18(**sizes)


def test_names_are_offered_and_others_are_not() -> None:
    assert {"resnet50", "gpt2_medium", "gpt3_2b7"} <= set(dir(ff.models))
    with pytest.raises(AttributeError, match="did you mean 'resnet50'"):
        _ = ff.models.resnnet50
