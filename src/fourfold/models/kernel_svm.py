"""A support vector machine with a Gaussian kernel: what convolutional networks replaced in 2012.

    d_ij(x) = sum_s a_s exp(-gamma |f(x) - f(s)|^2) + b_ij        over the support vectors s of classes i and j

Each pair of classes votes, for i where d_ij is not below zero; a class's score is its votes, and less than half a vote
for how clear they were. f(x) are the pixels, or histograms of oriented gradients. Found by `algorithm=svm`.

Papers: Cortes and Vapnik, Support-Vector Networks, Machine Learning 20, 1995; Knerr, Personnaz and Dreyfus, 1990 (a
machine for each pair); Dalal and Triggs, CVPR 2005 (the histograms).
Departures: scores order the classes as scikit-learn's do; their softmax is no probability that was learnt.
Checked by: scikit-learn's SVC.decision_function, through the algorithm; a checkpoint read back.
"""

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.nn.hog import hog, num_features
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Spec, require_input, require_task

SMALL = 64  # pixels a side up to which a cell of the histograms has 4 pixels, and above 8
AT_ONCE = 256  # pictures whose histograms are made together, to bound the memory it takes


class KernelSVMConfig(ModelConfig):
    """Fields of `model: kernel_svm`."""

    name: Literal["kernel_svm"] = "kernel_svm"
    features: Literal["pixels", "hog"] = Field(
        default="pixels", description="what is compared: the inputs themselves, or histograms of oriented gradients"
    )
    gamma: float | Literal["scale"] = Field(
        default="scale", description="of the kernel; scale is 1 / (features x their variance in training)"
    )
    cell: int | None = Field(
        default=None, ge=1, le=4096, description="pixels on a side of a histogram's cell; null: 4 up to 64x64, else 8"
    )

    def build(self, spec: Spec) -> "KernelSVM":
        """Return the machine, without support vectors; the task must be classification."""
        spec = require_task(spec, ClassificationSpec, "kernel_svm")
        if self.gamma != "scale" and self.gamma <= 0:
            raise InputError(f"model.gamma: must be above 0, or scale (got {self.gamma})")
        if self.features == "pixels":
            return KernelSVM(spec.input.size, spec.num_classes, None, self.gamma)
        image = require_input(spec, Image, "kernel_svm with model.features=hog")
        cell = self.cell or (4 if max(image.height, image.width) <= SMALL else 8)
        size = num_features(image.height, image.width, cell)
        if size == 0:
            raise InputError(f"model.cell: two cells of {cell} pixels do not fit into {image}")
        return KernelSVM(size, spec.num_classes, cell, self.gamma)

    def paper_spec(self) -> Spec:
        """Pictures of 28x28 and ten classes; the papers' own are smaller or larger."""
        return ClassificationSpec(Image(1, 28, 28), tuple("0123456789"))


class KernelSVM(nn.Module):
    """Support vectors and what they weigh; there are none before the algorithm has found them.

    Args:
        num_features: numbers that are compared.
        num_classes: two or more.
        cell: pixels on a side of a histogram's cell; None compares the inputs themselves.
        gamma: of the kernel; "scale" leaves it to the algorithm.

    Attributes:
        support: the support vectors, those of each class together, `[support, features]`.
        weight: of each support vector against each class, `[classes, support]`; zero against its own.
        bias: of each pair of classes, `[classes, classes]`, symmetric.
        counts: support vectors of each class, int64 `[classes]`.
        counted_later: what its parameters are, which only training can count.
    """

    counted_later = "support vectors"

    support: nn.Parameter
    weight: nn.Parameter
    bias: nn.Parameter
    counts: Tensor
    scale: Tensor  # [], the gamma that was used

    def __init__(
        self, num_features: int, num_classes: int, cell: int | None = None, gamma: float | Literal["scale"] = "scale"
    ) -> None:
        super().__init__()
        self.cell, self.gamma = cell, gamma
        self.register_buffer("scale", torch.zeros(()))
        self.register_buffer("counts", torch.zeros(num_classes, dtype=torch.int64))
        self.store(
            torch.zeros(0, num_features), torch.zeros(num_classes, 0), torch.zeros(num_classes, num_classes), 0.0
        )

    def store(self, support: Tensor, weight: Tensor, bias: Tensor, gamma: float, counts: Tensor | None = None) -> None:
        """Take what the algorithm has found, in the shapes above; no gradient moves it."""
        for name, value in (("support", support), ("weight", weight), ("bias", bias)):
            setattr(self, name, nn.Parameter(value, requires_grad=False))
        self.scale.fill_(gamma)
        if counts is not None:
            self.counts.copy_(counts)

    def describe(self, x: Tensor) -> Tensor:
        """Return what is compared, `[batch, features]`."""
        if self.cell is None:
            return x.flatten(1)
        cell = self.cell
        return torch.cat([hog(part, cell).flatten(1) for part in x.float().split(AT_ONCE)])

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores `[batch, classes]`: votes, and less than half a vote for how clear they were."""
        d = self.decisions(x)
        first, second = (d >= 0).triu(1), (d > 0).tril(-1)  # where nothing speaks for either, the lower class has it
        clear = d.sum(2)
        return (first | second).sum(2) + clear / (3 * (clear.abs() + 1))

    def decisions(self, x: Tensor) -> Tensor:
        """Return how much speaks for class i rather than j, `[batch, i, j]`; the other way round it is the negative."""
        f = self.describe(x)
        away = f.square().sum(1, keepdim=True) + self.support.square().sum(1) - 2 * f @ self.support.T
        kernel = torch.exp(-self.scale * away.clamp(min=0))  # [batch, support]
        counts = self.counts.tolist()
        pairs = zip(kernel.split(counts, 1), self.weight.split(counts, 1), strict=True)
        half = torch.stack([near @ weight.T for near, weight in pairs], 1)  # what i's own vectors say of i and j
        both = half + half.transpose(1, 2) + self.bias
        return both.triu(1) - both.tril(-1)

    def extra_repr(self) -> str:
        return f"{self.support.shape[1]}, {len(self.bias)}, cell={self.cell}, gamma={self.gamma}"

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Make room for as many support vectors as were saved, if they fit together."""
        support, weight, counts = (state_dict.get(f"{prefix}{name}") for name in ("support", "weight", "counts"))
        if support is not None and weight is not None and counts is not None:
            number = len(support)
            fits = support.shape == (number, self.support.shape[1]) and weight.shape == (len(self.bias), number)
            if fits and counts.shape == self.counts.shape and counts.min() >= 0 and counts.sum() == number:
                self.support = nn.Parameter(self.support.new_empty(support.shape), requires_grad=False)
                self.weight = nn.Parameter(self.weight.new_empty(weight.shape), requires_grad=False)
            else:
                error_msgs.append(f"{prefix}support, weight and counts do not fit each other or this model")
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
