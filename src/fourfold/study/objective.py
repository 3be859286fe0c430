"""A network's mean loss as a function of its weights, all in one vector: what landscapes and sharpness are taken of.

The loss is the loss part's, over given batches, the network in evaluation mode; what regularizers add is not in it.

Checked by: `run.evaluate` at the trained weights; autograd of the network itself.
"""

import copy
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.tasks.seam import Batch, Loss, Source


class Objective:
    """The mean loss over fixed examples, as a function of a vector of all trainable weights.

    The network is copied; what happens to the original later changes nothing here.

    Args:
        model: a network; it is evaluated without dropout and with the running statistics it has.
        loss: the loss.
        batches: the examples; all are kept.
        dtype: what is computed in; None leaves everything as it is.

    Attributes:
        names: of the weights, in the order of the vector.
        shapes: theirs.
        start: the model's own weights, `[weights]`.

    Raises:
        InputError: there are no examples, or nothing to train.
    """

    def __init__(
        self, model: nn.Module, loss: Loss, batches: Iterable[Batch], dtype: torch.dtype | None = None
    ) -> None:
        self._model = copy.deepcopy(model).eval()
        self._loss = loss
        self._batches = [_cast(batch, dtype) for batch in batches]
        if not self._batches:
            raise InputError("there are no examples to take a loss of")
        if dtype is not None:
            self._model.to(dtype)
        weights = {name: each for name, each in self._model.named_parameters() if each.requires_grad}
        if not weights:
            raise InputError("the model has no weights to move")
        self.names = list(weights)
        self.shapes = [each.shape for each in weights.values()]
        self.start = self.flat(weights)

    @property
    def size(self) -> int:
        """How many weights there are."""
        return len(self.start)

    def flat(self, weights: Mapping[str, Tensor]) -> Tensor:
        """Return weights by name, other names ignored, as one vector `[weights]`."""
        return torch.cat([weights[name].detach().reshape(-1) for name in self.names])

    def named(self, vector: Tensor) -> dict[str, Tensor]:
        """Return a vector `[weights]` as weights by name; views, through which autograd sees."""
        pieces = vector.split([shape.numel() for shape in self.shapes])
        return {name: piece.view(shape) for name, piece, shape in zip(self.names, pieces, self.shapes, strict=True)}

    def __call__(self, vector: Tensor) -> Tensor:
        """Return the mean loss `[]` at weights `[weights]`; autograd goes through it."""
        weights = self.named(vector)
        total, count = [], 0
        for batch in self._batches:
            value = self._loss(torch.func.functional_call(self._model, weights, batch.inputs), batch)
            total.append(value.total)
            count = count + value.count
        return torch.stack(total).sum() / count

    def gradient(self, vector: Tensor) -> tuple[float, Tensor]:
        """Return the mean loss and its gradient `[weights]`."""
        with torch.enable_grad():
            vector = vector.detach().requires_grad_()
            loss = self(vector)
            (gradient,) = torch.autograd.grad(loss, vector)
        return float(loss.detach()), gradient

    def curvature(self, vector: Tensor, direction: Tensor) -> Tensor:
        """Return the Hessian times a direction, both `[weights]` (Pearlmutter 1994, by differentiating twice)."""
        with torch.enable_grad():
            vector = vector.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self(vector), vector, create_graph=True)
            if not gradient.requires_grad:  # a loss that is linear in the weights
                return torch.zeros_like(vector)
            (product,) = torch.autograd.grad(gradient @ direction.detach(), vector, allow_unused=True)
        return torch.zeros_like(vector) if product is None else product


def split_batches(source: Source, split: str, limit: int | None = None, batch_size: int = 1024) -> list[Batch]:
    """Return the examples of a split in order, at most `limit` of them.

    Raises:
        InputError: the split has no examples.
    """
    wanted = limit if limit is not None else source.sizes.get(split, 0)
    if not source.sizes.get(split, 0):
        raise InputError(f"these data have no {split} split")
    batches, missing = [], wanted
    for batch in source.split(split, min(batch_size, wanted)):
        if missing <= 0:
            break
        batches.append(_first(batch, missing))
        missing -= len(batch.inputs[0])
    return batches


def _first(batch: Batch, count: int) -> Batch:
    """Return at most `count` examples of a batch."""
    if count >= len(batch.inputs[0]):
        return batch
    targets = batch.targets
    if isinstance(targets, Tensor):
        targets = targets[:count]
    else:
        targets = type(targets)(*(each[:count] for each in targets))
    return Batch(tuple(each[:count] for each in batch.inputs), targets)


def _cast(batch: Batch, dtype: torch.dtype | None) -> Batch:
    """Return a batch with its floating-point tensors in `dtype`."""
    if dtype is None:
        return batch
    targets = batch.targets
    targets = _to(targets, dtype) if isinstance(targets, Tensor) else type(targets)(*(_to(t, dtype) for t in targets))
    return Batch(tuple(_to(each, dtype) for each in batch.inputs), targets)


def _to(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
