"""Normalisation: activations brought to mean 0 and variance 1, or held down by their neighbours.

    y = weight (x - mean) / sqrt(variance + eps) + bias,   the variance divided by the number of values it is of

    batch      mean and variance of a channel, over all examples and positions
    layer      of all numbers of one example
    instance   of the positions of one channel of one example
    group      of the positions and channels of one group of channels of one example

    response   y_i = x_i / (k + alpha sum_j x_j^2)^beta, j the n channels around i at the same position

Each function below is its equation, to be read; each layer computes the same by torch's kernel, and response
normalisation by a convolution, which torch's own lacks: its pooling takes five times as long, has no bf16, and no
deterministic gradient on a GPU.

Papers: Ioffe and Szegedy, Batch Normalization, ICML 2015, Algorithms 1 and 2, arXiv:1502.03167; Ba, Kiros and Hinton,
Layer Normalization, 2016, arXiv:1607.06450; Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016,
arXiv:1607.08022; Wu and He, Group Normalization, ECCV 2018, arXiv:1803.08494; Krizhevsky, Sutskever and Hinton,
ImageNet Classification with Deep Convolutional Neural Networks, NeurIPS 2012, section 3.3 (response).
Departures:
- Batch statistics for evaluation are moving averages, as in torch; Algorithm 2 averages over many batches afterwards.
- Instance normalisation has a weight and bias, of one and zero at first; Ulyanov et al. leave them to the next layer.
Checked by: torch's layers, values, gradients and running statistics; the equations; gradcheck. torch's response
normalisation multiplies the mean of the n squares by its alpha, so it is this one where its alpha is n times ours.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError

Normalisation = Literal["none", "batch", "layer", "instance", "group"]
GROUPS = 32  # of channels, in group normalisation (Wu and He, section 4.1)


def make_normalisation(name: Normalisation, channels: int) -> nn.Module:
    """Return a fresh layer for maps `[batch, channels, height, width]`; group normalisation has 32 groups.

    Raises:
        InputError: the channels cannot be cut into so many groups.
    """
    if name == "batch":
        return BatchNorm(channels)
    if name == "instance":
        return InstanceNorm(channels)
    return nn.Identity() if name == "none" else GroupNorm(1 if name == "layer" else GROUPS, channels)


def standardise(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    """Return `x` less its mean over `axes`, divided by its standard deviation over them."""
    mean = x.mean(axes, keepdim=True)
    variance = (x - mean).square().mean(axes, keepdim=True)
    return (x - mean) / (variance + eps).sqrt()


def batch_norm(x: Tensor, eps: float = 1e-5) -> Tensor:
    """Return `[batch, channels, …]`, each channel standardised over the batch (Algorithm 1)."""
    return standardise(x, (0, *range(2, x.dim())), eps)


def layer_norm(x: Tensor, eps: float = 1e-5) -> Tensor:
    """Return `[batch, …]`, each example standardised (Eq. 3, its sums over every unit of the layer)."""
    return standardise(x, tuple(range(1, x.dim())), eps)


def instance_norm(x: Tensor, eps: float = 1e-5) -> Tensor:
    """Return `[batch, channels, …]`, each channel of each example standardised over its positions (Eq. 8)."""
    return standardise(x, tuple(range(2, x.dim())), eps)


def group_norm(x: Tensor, groups: int, eps: float = 1e-5) -> Tensor:
    """Return `[batch, channels, …]`, each of `groups` of channels of each example standardised (Eq. 7)."""
    grouped = x.unflatten(1, (groups, -1))  # [batch, groups, channels / groups, …]
    return standardise(grouped, tuple(range(2, grouped.dim())), eps).flatten(1, 2)


def response_norm(x: Tensor, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> Tensor:
    """Return `[batch, channels, …]`, each activation divided by a power of its neighbours' squares (section 3.3)."""
    channels = x.shape[1]
    sums = [x[:, max(0, i - n // 2) : min(channels, i + n // 2 + 1)].square().sum(1) for i in range(channels)]
    return x / (k + alpha * torch.stack(sums, 1)) ** beta


class BatchNorm(nn.Module):
    """Batch normalisation of `[batch, channels, …]`, in any number of dimensions.

    Args:
        channels: size of the second axis.
        eps: added to the variance.
        momentum: share of the newest batch in the running statistics.

    Raises:
        InputError: in training, one value for each channel, which has no variance.
    """

    running_mean: Tensor  # [channels]
    running_var: Tensor  # [channels], divided by the number of values less one
    num_batches_tracked: Tensor  # [], which nothing depends on; there so that weights of torch's layer fit

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        """Standardise by the batch in training, by the running statistics in evaluation."""
        if self.training:
            if x.numel() == x.shape[1]:
                raise InputError(
                    "batch normalisation needs two values or more of each channel to train on, and this batch has one: "
                    "use a larger budget.batch_size"
                )
            self.num_batches_tracked.add_(1)
        return F.batch_norm(
            *(x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps)
        )

    def extra_repr(self) -> str:
        return f"{self.weight.numel()}, eps={self.eps}, momentum={self.momentum}"


class LayerNorm(nn.Module):
    """Layer normalisation over the last axes of `[batch, …, *shape]`.

    Args:
        *shape: sizes of the axes that are standardised together, each number with a weight and bias of its own.
        eps: added to the variance.
    """

    def __init__(self, *shape: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Standardise each example, or each position of a sequence."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{', '.join(map(str, self.weight.shape))}, eps={self.eps}"


class InstanceNorm(nn.Module):
    """Instance normalisation of `[batch, channels, …]`.

    Args:
        channels: size of the second axis.
        eps: added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Standardise each channel of each example, in training and in evaluation alike."""
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.weight.numel()}, eps={self.eps}"


class GroupNorm(nn.Module):
    """Group normalisation of `[batch, channels, …]`; one group is layer normalisation over channels and positions.

    Args:
        groups: of neighbouring channels, all of one size.
        channels: size of the second axis.
        eps: added to the variance.

    Raises:
        InputError: the channels cannot be cut into so many groups.
    """

    def __init__(self, groups: int, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        if groups < 1 or channels % groups:
            raise InputError(f"group normalisation: {channels} channels cannot be cut into {groups} equal groups")
        self.groups, self.eps = groups, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Standardise each group of each example, in training and in evaluation alike."""
        return F.group_norm(x, self.groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.groups}, {self.weight.numel()}, eps={self.eps}"


class LocalResponseNorm(nn.Module):
    """Local response normalisation of `[batch, channels, height, width]`.

    Args:
        channels: size of the second axis.
        n: channels in the sum, odd: each one and its neighbours on both sides, as far as there are any.
        alpha: weight of the sum of squares.
        beta: the power.
        k: what the sum is added to.
        groups: of channels; no sum reaches over the border of two.
    """

    def __init__(
        self, channels: int, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0, groups: int = 1
    ) -> None:
        super().__init__()
        if n % 2 == 0 or channels % groups:
            raise InputError(f"response normalisation: n = {n} must be odd, and {channels} channels in {groups} groups")
        self.n, self.alpha, self.beta, self.k, self.groups = n, alpha, beta, k, groups

    def forward(self, x: Tensor) -> Tensor:
        """Divide each activation by a power of k plus its neighbours' squares."""
        place = torch.arange(x.shape[1] // self.groups, device=x.device)
        near = (place[:, None] - place[None, :]).abs() <= self.n // 2  # [channels / groups]^2
        band = near.to(x.dtype).repeat(self.groups, 1)[:, :, None, None]  # 1 at j for the channels around i
        sums = F.conv2d(x.square(), band, groups=self.groups)
        divisor = self.k + self.alpha * sums.to(torch.promote_types(sums.dtype, torch.float32))
        if self.beta == 0.75:
            root = divisor.rsqrt()
            return x * (root * root.sqrt()).to(x.dtype)  # two square roots take a fifth of a power's time
        return x * divisor.pow(-self.beta).to(x.dtype)

    def extra_repr(self) -> str:
        return f"n={self.n}, alpha={self.alpha}, beta={self.beta}, k={self.k}, groups={self.groups}"
