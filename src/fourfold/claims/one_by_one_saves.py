"""A 1x1 convolution to few maps before a larger one saves weights: GoogLeNet's blocks and ResNet's bottlenecks.

    without   in x k^2 x out
    with      in x few  +  few x k^2 x out

A 1x1 convolution is a full layer of its own at every pixel, which is checked first. Weights are counted in the networks
as they are built here, and against them in what the same blocks would be without the reducing 1x1s, inputs and outputs
left as they are. As every convolution of a block is at the same pixels, multiplications are saved in proportion.
"""

from typing import TYPE_CHECKING

from fourfold.claims.base import ExactClaim, Name, Proof

if TYPE_CHECKING:
    from torch import nn


def prove(size: Name) -> Proof:
    """Compare a 1x1 convolution with a full layer at each pixel; count both networks' blocks with and without it."""
    apart = _apart_from_full_layer()
    ways = _ways_of_googlenet()
    whole = sum(without for _, without in ways) / sum(kept for kept, _ in ways)
    fewer = sum(kept < without for kept, without in ways)
    blocks = _bottlenecks_of_resnet50()
    exact = sum(17 * width**2 == kept and 288 * width**2 == without for width, kept, without in blocks)
    return Proof(
        apart < 1e-12 and len(ways) == 18 and fewer == 18 and whole > 2 and len(blocks) == 12 and exact == 12,
        [
            f"a 1x1 convolution and a full layer at each pixel, float64: outputs differ by at most {apart:.1e} (asked: "
            "below 1e-12)",
            f"GoogLeNet's nine blocks, the ways to 3x3 and to 5x5: fewer weights with the 1x1 in {fewer} of "
            f"{len(ways)} (asked: all); block 3a's 5x5 has {ways[1][0]:,} in place of {ways[1][1]:,}",
            f"all of them together: {sum(kept for kept, _ in ways):,} weights in place of "
            f"{sum(without for _, without in ways):,}, a factor of {whole:.3g} (asked: above 2)",
            f"ResNet-50's bottlenecks with an identity around them: 17 w^2 weights, where two 3x3 at their outer width "
            f"4w have 288 w^2, in {exact} of {len(blocks)} (asked: 12 of 12); two 3x3 at their inner width have 18 w^2",
        ],
    )


def _apart_from_full_layer() -> float:
    """Return how far a 1x1 convolution is from a full layer with its weights, at every pixel; relative."""
    import torch
    from torch.nn import functional as F

    draw = torch.Generator().manual_seed(0)
    x = torch.randn(4, 24, 7, 9, generator=draw, dtype=torch.float64)
    weight = torch.randn(5, 24, generator=draw, dtype=torch.float64)
    full = F.linear(x.permute(0, 2, 3, 1), weight).permute(0, 3, 1, 2)
    return float((F.conv2d(x, weight[:, :, None, None]) - full).abs().max() / full.abs().max())


def _ways_of_googlenet() -> list[tuple[int, int]]:
    """Return for each block's way to 3x3 and to 5x5 its weights, and what they would be without the 1x1."""
    import torch

    from fourfold.models.googlenet import GoogLeNet, Inception

    with torch.random.fork_rng(devices=[]):
        network = GoogLeNet()
    ways = []
    for block in network.modules():
        if isinstance(block, Inception):
            for branch in (block.branch2, block.branch3):
                reduce, convolution = _convolutions(branch)
                without = convolution.weight[0, 0].numel() * reduce.in_channels * convolution.out_channels
                ways.append((reduce.weight.numel() + convolution.weight.numel(), without))
    return ways


def _bottlenecks_of_resnet50() -> list[tuple[int, int, int]]:
    """Return the inner width w of each bottleneck with an identity, its weights, and those of two 3x3 at 4w."""
    import torch
    from torch import nn

    from fourfold.models.resnet import Bottleneck, ResNet

    with torch.random.fork_rng(devices=[]):
        blocks = [block for block in ResNet(50).modules() if isinstance(block, Bottleneck)]
    kept = [_convolutions(block) for block in blocks if isinstance(block.downsample, nn.Identity)]
    return [
        (
            layers[0].out_channels,
            sum(layer.weight.numel() for layer in layers),
            2 * 3 * 3 * layers[0].in_channels * layers[-1].out_channels,
        )
        for layers in kept
    ]


def _convolutions(module: "nn.Module") -> "list[nn.Conv2d]":
    from torch import nn

    return [part for part in module.modules() if isinstance(part, nn.Conv2d)]


CLAIM = ExactClaim(
    id="one-by-one-saves",
    says="A 1x1 convolution to fewer maps before a larger convolution cuts the weights of a block.",
    source="Lin, Chen and Yan, Network In Network, ICLR 2014, arXiv:1312.4400, section 3 (the layer); Szegedy et al., "
    "Going Deeper with Convolutions, CVPR 2015, section 4 and Fig. 2; He, Zhang, Ren and Sun, Deep Residual Learning "
    "for Image Recognition, CVPR 2016, section 4.1 and Fig. 5",
    rule="a 1x1 convolution is a full layer at every pixel; in each of GoogLeNet's 18 ways to 3x3 and 5x5 it saves "
    "weights, and in all together more than half; each of ResNet-50's 12 bottlenecks with an identity has 17 w^2 "
    "weights, against 288 w^2 of two 3x3 between the same maps",
    prove=prove,
)
