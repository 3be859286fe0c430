"""A network beside torchvision's, with the same weights, the same pictures and the same dropout."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from verification import difference

from fourfold.losses import CrossEntropy
from fourfold.models import MODELS
from fourfold.tasks.auxiliary import AuxiliaryLoss, WithAuxiliary
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch, Image

# side of the pictures; photographs of 224 take longer and show no more
SIDES = {
    **dict.fromkeys(["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"], 48),
    "googlenet_bn": 96,
    **dict.fromkeys(["densenet121", "densenet161", "densenet169", "densenet201"], 64),
}
LARGE = {
    "resnet34",
    "resnet101",
    "resnet152",
    "densenet161",
    "densenet169",
    "densenet201",
}  # smaller ones show the same in a fifth of the time


class Pair(NamedTuple):
    """Two networks that should be one."""

    ours: nn.Module
    theirs: nn.Module
    pictures: Tensor
    labels: Tensor


def make_pair(name: str, dtype: torch.dtype, make_theirs: Callable[[], nn.Module] | None = None) -> Pair:
    """Return our network and torchvision's with weights and statistics drawn once, and a batch of four pictures."""
    side = SIDES[name]
    with torch.device("meta"):
        theirs = make_theirs() if make_theirs else _theirs(name)
        config = MODELS.parse({"name": name, "stem": "imagenet"}, "model")
        ours = config.build(ClassificationSpec(Image(3, side, side), tuple(map(str, range(1000)))))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    return pair_of(ours, theirs, side, dtype)


def pair_of(ours: nn.Module, theirs: nn.Module, side: int, dtype: torch.dtype) -> Pair:
    """Return two networks, made on any device, with weights drawn once, and a batch of four pictures."""
    generator = torch.Generator().manual_seed(7)
    state = {key: _drawn(key, value, dtype, generator) for key, value in theirs.state_dict().items()}
    theirs.load_state_dict(state, assign=True)
    values = (value.clone() for value in state.values())
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)), assign=True)
    pictures = torch.randn(4, 3, side, side, dtype=dtype, generator=generator)
    return Pair(ours, theirs, pictures, torch.tensor([3, 999, 0, 500]))


def _theirs(name: str) -> nn.Module:
    if name == "googlenet_bn":
        return torchvision.models.googlenet(init_weights=False, aux_logits=True, transform_input=True, dropout=0.4)
    return getattr(torchvision.models, name)()


def _drawn(key: str, like: Tensor, dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    """Return numbers that keep signals at their size, and that no layer shares with another."""
    if not like.is_floating_point():
        return torch.tensor(5)  # batches seen
    drawn = torch.randn(like.shape, dtype=dtype, generator=generator)
    if like.dim() > 1:
        return drawn * (2 / like[0].numel()) ** 0.5
    return 1 + 0.1 * drawn.clamp(-3, 3) if key.endswith(("weight", "running_var")) else 0.1 * drawn


@torch.no_grad()
def output_difference(pair: Pair) -> float:
    """Return the largest difference of an output in evaluation, over the largest output."""
    return difference(pair.ours.eval()(pair.pictures), pair.theirs.eval()(pair.pictures))


def step_difference(pair: Pair, total_loss: Callable[[nn.Module, Tensor, Tensor], Tensor]) -> tuple[float, float]:
    """Take a training step with each; return the largest differences of a gradient, and of what is then kept."""
    for network in (pair.ours, pair.theirs):
        torch.manual_seed(11)  # for dropout
        total_loss(network.train(), pair.pictures, pair.labels).backward()
    both = zip(pair.ours.parameters(), pair.theirs.parameters(), strict=True)
    gradients = max(difference(ours.grad, theirs.grad) for ours, theirs in both)
    with torch.no_grad():
        for network in (pair.ours, pair.theirs):
            for param in network.parameters():
                param -= 0.1 * param.grad
    kept = difference(list(pair.ours.state_dict().values()), list(pair.theirs.state_dict().values()))
    return gradients, kept


def cross_entropy(network: nn.Module, pictures: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(network(pictures), labels)


def with_auxiliary(network: nn.Module, pictures: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of GoogLeNet and its two heads, whose outputs both give in training."""
    output = network(pictures)
    if isinstance(output, WithAuxiliary):
        return AuxiliaryLoss(CrossEntropy())(output, Batch((pictures,), labels)).mean
    heads = sum(F.cross_entropy(each, labels) for each in (output.aux_logits1, output.aux_logits2))
    return F.cross_entropy(output.logits, labels) + 0.3 * heads
