"""Each layer of a dense block sees all maps before it, so maps add up; transitions that keep half bound them.

    in a block     layer l sees c + k (l - 1) maps and adds k
    with half      c' = (c + n k) / 2, which comes to n k however many blocks of n layers there are
    with all       c' = c + n k, without end

Widths and parameters are read off networks as they are built here.
"""

from typing import TYPE_CHECKING

from fourfold.claims.base import ExactClaim, Name, Proof

if TYPE_CHECKING:
    from fourfold.models.densenet import DenseNet

BLOCKS, LAYERS, GROWTH = 8, 12, 4
PAPER = (6, 12, 24, 16), 32  # DenseNet-121: its blocks, and how many maps each layer adds


def prove(size: Name) -> Proof:
    """Compare each layer's width with the formula, with transitions that keep half and all; then repeat a block."""
    halved, whole = (_network(*PAPER, theta) for theta in (0.5, 1.0))
    right = all(_widths_seen(n) == _widths_told(*PAPER, theta) for n, theta in ((halved, 0.5), (whole, 1.0)))
    ends = [net.classifier.in_features for net in (halved, whole)]
    params = [sum(p.numel() for p in net.parameters()) for net in (halved, whole)]
    grown = {theta: [_network((LAYERS,) * n, GROWTH, theta) for n in range(1, BLOCKS + 1)] for theta in (0.5, 1.0)}
    maps = {theta: [net.classifier.in_features for net in nets] for theta, nets in grown.items()}
    bound = 2 * LAYERS * GROWTH
    return Proof(
        right
        and ends == [1024, 1920]
        and params[1] > 1.5 * params[0]
        and max(maps[0.5]) < bound
        and maps[1.0] == [2 * GROWTH + n * LAYERS * GROWTH for n in range(1, BLOCKS + 1)],
        [
            "DenseNet-121, with transitions that keep half and with such that keep all: every layer takes "
            f"c + k (l - 1) maps: {'yes' if right else 'no'} (asked: yes)",
            f"its maps at the end: {ends[0]:,} and {ends[1]:,} (asked: 1,024 and 1,920); its parameters: "
            f"{params[0]:,} and {params[1]:,} (asked: over 1.5 times as many)",
            f"1 to {BLOCKS} blocks of {LAYERS} layers, growth {GROWTH}: {_listed(maps[0.5])} maps at the end with half "
            f"(asked: never {bound}), {_listed(maps[1.0])} with all (asked: {LAYERS * GROWTH} more each)",
        ],
    )


def _network(blocks: tuple[int, ...], growth: int, theta: float) -> "DenseNet":
    import torch

    from fourfold.models.densenet import DenseNet

    with torch.random.fork_rng(devices=[]):
        return DenseNet(blocks, growth, 2 * growth, compression=theta)


def _widths_seen(network: "DenseNet") -> list[int]:
    """Return how many maps each dense layer of a network takes."""
    from fourfold.models.densenet import DenseLayer

    return [layer.conv1.in_channels for layer in network.modules() if isinstance(layer, DenseLayer)]


def _widths_told(blocks: tuple[int, ...], growth: int, theta: float) -> list[int]:
    """Return how many maps the formulas above say that each layer takes."""
    widths, channels = [], 2 * growth
    for count in blocks:
        widths += [channels + growth * i for i in range(count)]
        channels = int(theta * (channels + growth * count))
    return widths


def _listed(numbers: list[int]) -> str:
    return ", ".join(f"{each:,}" for each in numbers)


CLAIM = ExactClaim(
    id="dense-transitions",
    says="Where every layer passes on all maps before it, their number grows with each; transitions that keep half of "
    "them hold it down.",
    source="Huang, Liu, van der Maaten and Weinberger, Densely Connected Convolutional Networks, CVPR 2017, "
    "arXiv:1608.06993, section 3, growth rate and compression",
    rule="every layer takes c + k (l - 1) maps; DenseNet-121 ends with 1,024 maps in place of 1,920 and has less than "
    "two thirds of the parameters it would have without; however many blocks of n layers, with half there are never "
    "2 n k maps, and with all there are n k more each",
    prove=prove,
)
