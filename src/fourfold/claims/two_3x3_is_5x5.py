"""Two 3x3 convolutions see what one of 5x5 sees, with 18 C^2 weights in place of 25 C^2, and a bend in between.

What an output sees are the inputs by which its gradient is not zero; it is looked at in float64, with random weights.
From C maps to C maps a convolution of side k has k^2 C^2 weights, so n of 3x3 have 9 n C^2, and one that sees as much
has (2n + 1)^2 C^2. Without a nonlinearity the stack would be that one convolution, with less choice of kernels.
"""

from typing import TYPE_CHECKING

from fourfold.claims.base import ExactClaim, Name, Proof

if TYPE_CHECKING:
    from torch import Tensor, nn

SEEDS = {"quick": 5, "full": 20}
WIDTHS = (1, 3, 16, 64, 256, 512)
TOLERANCE = 1e-12  # relative to the largest output, float64


def prove(size: Name) -> Proof:
    """Look at what stacks and VGG-16's own blocks see, count weights, and compare a stack with one convolution."""
    seeds = range(SEEDS[size])
    sides = {n: {_side_seen(_stack(n, maps=4), 4, seed) for seed in seeds} for n in (1, 2, 3, 4)}
    square = all(found == {2 * n + 1} for n, found in sides.items())
    blocks = _blocks_of_vgg16()
    in_vgg = [
        (len(block), {_side_seen(_with_relu(block), block[0].in_channels, seed) for seed in seeds}) for block in blocks
    ]
    also = all(found == {2 * n + 1} for n, found in in_vgg)
    two, three = ({_weights(n, 3, c) / _weights(1, 2 * n + 1, c) for c in WIDTHS} for n in (2, 3))
    apart = max(_apart_from_one(seed) for seed in seeds)
    left = min(_left_by_best_one(seed) for seed in seeds)
    return Proof(
        square and also and two == {18 / 25} and three == {27 / 49} and apart < TOLERANCE and left > 0.01,
        [
            f"sides of the square that an output sees through 1, 2, 3, 4 layers, {len(seeds)} seeds: "
            + ", ".join(_listed(found) for found in sides.values())
            + " (asked: 3, 5, 7, 9, whole squares)",
            "the same for VGG-16's blocks of "
            + ", ".join(str(n) for n, _ in in_vgg)
            + " layers, as they are built: "
            + ", ".join(_listed(found) for _, found in in_vgg)
            + " (asked: 5 for two, 7 for three)",
            f"weights at {', '.join(map(str, WIDTHS))} maps: two 3x3 have {100 * min(two):.3g} % of one 5x5's, three "
            f"{100 * min(three):.3g} % of one 7x7's (asked: 18/25 and 27/49)",
            f"without a nonlinearity two layers are the 5x5 convolution of their composed kernels: outputs differ by "
            f"at most {apart:.1e} (asked: below {TOLERANCE:.0e})",
            f"with ReLU between them, the best 5x5 convolution leaves at least {left:.1%} of their outputs' variance "
            "unexplained (asked: above 1 %)",
        ],
    )


def _stack(count: int, maps: int) -> "nn.Sequential":
    """Return `count` convolutions of 3x3 with ReLUs between them."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        return _with_relu([nn.Conv2d(maps, maps, 3, padding=1, bias=False) for _ in range(count)])


def _with_relu(convolutions: "list[nn.Conv2d]") -> "nn.Sequential":
    from torch import nn

    return nn.Sequential(*(part for layer in convolutions for part in (layer, nn.ReLU())))


def _blocks_of_vgg16() -> "list[list[nn.Conv2d]]":
    """Return the convolutions between the network's poolings."""
    import torch
    from torch import nn

    from fourfold.models.vgg import VGG

    blocks: list[list[nn.Conv2d]] = [[]]
    with torch.random.fork_rng(devices=[]):
        network = VGG(16, stem="small", full_width=1)
    for layer in network.features:
        if isinstance(layer, nn.MaxPool2d):
            blocks.append([])
        elif isinstance(layer, nn.Conv2d):
            blocks[-1].append(layer)
    return blocks[:-1]


def _side_seen(network: "nn.Sequential", maps: int, seed: int) -> int:
    """Return the side of the square of inputs that the middle output depends on; 0 if it is no whole square."""
    import torch

    side, middle = 13, 6
    draw = torch.Generator().manual_seed(seed)
    weights = [torch.randn(w.shape, generator=draw, dtype=torch.float64).abs() for w in network.parameters()]
    named = dict(zip(dict(network.named_parameters()), weights, strict=True))  # above zero: no ReLU shuts anything out
    x = torch.rand(1, maps, side, side, generator=draw, dtype=torch.float64).requires_grad_()
    output = torch.func.functional_call(network, named, (x,))
    (gradient,) = torch.autograd.grad(output[0, :, middle, middle].sum(), x)
    seen = (gradient[0] != 0).any(0)
    reach = int(seen[middle].sum()) // 2
    square = torch.zeros_like(seen)
    square[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1] = True
    return 2 * reach + 1 if torch.equal(seen, square) else 0


def _weights(count: int, side: int, maps: int) -> int:
    """Return how many weights `count` convolutions have, from `maps` to `maps`."""
    import torch
    from torch import nn

    with torch.device("meta"):  # shapes, and no numbers
        return sum(nn.Conv2d(maps, maps, side, bias=False).weight.numel() for _ in range(count))


def _two_layers(seed: int) -> "tuple[Tensor, Tensor, Tensor]":
    """Return pictures `[8, 2, 24, 24]` and the kernels of two layers, 2 to 3 to 2 maps."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    shapes = ((8, 2, 24, 24), (3, 2, 3, 3), (2, 3, 3, 3))
    x, first, second = (torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes)
    return x, first, second


def _apart_from_one(seed: int) -> float:
    """Return how far two layers without ReLU are from the convolution of their composed kernels, relative."""
    from torch.nn import functional as F

    x, first, second = _two_layers(seed)
    composed = F.conv2d(first.transpose(0, 1), second.flip(2, 3), padding=2).transpose(0, 1)  # [2, 2, 5, 5]
    stacked = F.conv2d(F.conv2d(x, first), second)
    return float((F.conv2d(x, composed) - stacked).abs().max() / stacked.abs().max())


def _left_by_best_one(seed: int) -> float:
    """Return the share of the variance of two layers with ReLU that no 5x5 convolution explains, by least squares."""
    import torch
    from torch.nn import functional as F

    x, first, second = _two_layers(seed)
    wanted = F.conv2d(F.relu(F.conv2d(x, first)), second).flatten(2).transpose(1, 2).flatten(0, 1)  # [places, 2]
    patches = F.unfold(x, 5).transpose(1, 2).flatten(0, 1)
    design = torch.cat([patches, torch.ones(len(patches), 1, dtype=torch.float64)], 1)
    left = wanted - design @ torch.linalg.lstsq(design, wanted).solution
    return float(left.square().sum() / (wanted - wanted.mean(0)).square().sum())


def _listed(found: "set[int] | set[float]") -> str:
    return " or ".join(f"{each:g}" for each in sorted(found))


CLAIM = ExactClaim(
    id="two-3x3-is-5x5",
    says="Two stacked 3x3 convolutions see as much of the picture as one of 5x5, and three as much as one of 7x7, with "
    "fewer weights and a nonlinearity more.",
    source="Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015, "
    "section 2.3",
    rule="through n layers of 3x3 an output sees a whole square of 2n + 1, in VGG-16's own blocks too; at every width "
    "two have 18/25 of a 5x5's weights and three 27/49 of a 7x7's; without ReLU two are one 5x5 to rounding, and with "
    "it the best 5x5 leaves over 1 % of the variance",
    prove=prove,
)
