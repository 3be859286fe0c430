"""How gradients and steps go through a network: the gradient's size by layer, and how far an optimizer really moves.

Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010,
section 4.2.2 (gradients by layer, at the start and while training).
Checked by: autograd's own gradients; a chain of sigmoids whose gradient is a product written out by hand; plain
descent, whose step is lr times its gradient; torch.optim.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.study.paths import effective_rates
from fourfold.tasks.seam import Batch, Loss, Training


def gradient_norms(model: nn.Module, loss: Loss, batches: Iterable[Batch]) -> dict[str, float]:
    """Return the size of the mean loss's gradient in each layer's own parameters, in the model's order.

    A layer is a module with parameters of its own, such as `layers.1`; its weights and biases count together. The
    model is in whatever mode it is in, and its own `.grad` is not touched.

    Args:
        model: a network.
        loss: the loss.
        batches: the examples; the gradient is that of the mean over all of them.

    Raises:
        InputError: there are no examples.
    """
    params = {name: each for name, each in model.named_parameters() if each.requires_grad}
    sums = {name: torch.zeros_like(each) for name, each in params.items()}
    count: int | Tensor = 0
    for batch in batches:
        with torch.enable_grad():
            value = loss(model(*batch.inputs), batch)
            gradients = torch.autograd.grad(value.total, list(params.values()), allow_unused=True)
        for name, gradient in zip(params, gradients, strict=True):
            if gradient is not None:
                sums[name] += gradient
        count = count + value.count
    if not int(count):
        raise InputError("there are no examples to take a gradient of")
    return _by_layer(model, {name: each / count for name, each in sums.items()})


def _by_layer(model: nn.Module, gradients: dict[str, Tensor]) -> dict[str, float]:
    norms: dict[str, float] = {}
    for layer, module in model.named_modules():
        names = [f"{layer}.{name}" if layer else name for name, _ in module.named_parameters(recurse=False)]
        own = [gradients[name] for name in names if name in gradients]
        if own:
            squares = sum(float(each.double().square().sum()) for each in own)
            norms[layer or "model"] = squares**0.5
    return norms


@dataclass(frozen=True)
class Trace:
    """What an optimizer did to a network, step by step; all float64.

    Attributes:
        losses: `[steps]`, mean loss of each step's batch, before the step.
        gradient_norms: `[steps]`, size of the whole gradient.
        step_sizes: `[steps]`, how far all parameters together moved.
        layer_gradients: by layer, `[steps]`, size of its gradient.
    """

    losses: Tensor
    gradient_norms: Tensor
    step_sizes: Tensor
    layer_gradients: dict[str, Tensor]

    @property
    def effective_rates(self) -> Tensor:
        """|step| / |gradient| at each step: the learning rate with which plain descent would go as far."""
        return effective_rates(self.step_sizes, self.gradient_norms)


def _nobody(step: int) -> None:
    """Hear nothing."""


def trace(training: Training, steps: int, heard: Callable[[int], None] = _nobody) -> Trace:
    """Make steps of a training and measure each.

    A gradient is the one that the optimizer was given: of the mean loss, after what regularizers made of it.

    Args:
        training: an algorithm, which moves on.
        steps: at least 1.
        heard: told how many steps are made.

    Raises:
        InputError: steps is out of range, or the algorithm leaves no gradients in the weights that it ends with.
        DivergedError: the loss or a gradient stopped being finite.
    """
    if steps < 1:
        raise InputError(f"steps: expected at least 1, got {steps}")
    params = [each for each in training.model.parameters() if each.requires_grad]
    losses, sizes, layers = [], [], []
    for step in range(steps):
        before = [each.detach().clone() for each in params]
        losses.append(float(training.step().mean))
        gradients = {name: each.grad for name, each in training.model.named_parameters() if each.grad is not None}
        if not gradients:
            raise InputError("its algorithm trains other weights than it ends with; there are no gradients to look at")
        layers.append(_by_layer(training.model, gradients))
        moved = [(each.detach() - old).double().square().sum() for each, old in zip(params, before, strict=True)]
        sizes.append(float(torch.stack(moved).sum().sqrt()))
        heard(step + 1)
    training.check()
    by_layer = {name: _series([each.get(name, 0.0) for each in layers]) for name in layers[0]}
    whole = _series([sum(norm**2 for norm in each.values()) ** 0.5 for each in layers])
    return Trace(_series(losses), whole, _series(sizes), by_layer)


def _series(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
