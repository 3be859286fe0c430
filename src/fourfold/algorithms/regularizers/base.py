"""The base of all regularizers: everything that touches batch, gradient, weights or stopping, one hook each.

A regularizer overrides the hooks it needs; the others cost nothing. Order within one step:

    on_batch -> before_forward -> (forward, loss, backward) -> after_backward -> on_gradients
    -> before_update -> (optimizer) -> after_update
"""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.core.config import PartConfig
from fourfold.core.seeds import stream_seed
from fourfold.tasks.seam import Batch, Plan, Source, Spec


class Regularizer:
    """One regularizer at work on `model`.

    Attributes:
        nth: its place among the regularizers of its class in one algorithm, from 0; set by `tell_apart`.
        mixes_targets: whether `on_batch` makes probabilities of class numbers, which the loss then has to take.
    """

    nth = 0
    mixes_targets = False

    def __init__(self, model: nn.Module, plan: Plan) -> None:
        self.model = model
        self.plan = plan

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """Change the batch before the model sees it."""
        return batch

    def before_forward(self, step: int) -> None:
        """Change the weights for this step's forward and backward pass only."""

    def after_backward(self) -> None:
        """Undo what `before_forward` did."""

    def on_gradients(self, params: list[nn.Parameter], grads: list[Tensor]) -> None:
        """Change the gradients of the mean loss, in place."""

    def before_update(self, params: list[nn.Parameter], lr: float) -> None:
        """Change the weights just before the optimizer does, those of each learning rate in a call of their own."""

    def after_update(self, step: int) -> None:
        """See the weights after the optimizer's step number `step` (0-based)."""

    def validated(self, step: int, metrics: Mapping[str, float]) -> str | None:
        """Hear the validation metrics; return a reason to stop, or None."""
        return None

    def evaluated_model(self) -> nn.Module | None:
        """Return the network to evaluate in place of the trained one, or None."""
        return None

    def watch(self, model: nn.Module) -> None:
        """Hear, before the first step, which network is evaluated and saved: the trained one or an average of it.

        A checkpoint holds that network's weights already; `state_dict` need not.
        """

    def supply(self, source: Source) -> None:
        """Hear, before the first step, where the training examples come from."""

    def finish(self) -> str | None:
        """End the run; return what a person should know, or None."""
        return None

    def kept_step(self) -> int | None:
        """Return after how many steps the weights were reached that `finish` went back to, or None."""
        return None

    def explain(self) -> list[tuple[str, str]]:
        """Return `(hook name, what happens there)` for each hook in use."""
        return []

    def state_dict(self) -> dict[str, Any]:
        """Return what the next step depends on: tensors, numbers, strings, None, lists and dicts."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""

    def generator(self, step: int) -> torch.Generator:
        """Return this process's generator of the noise stream at `step`; nothing needs saving to resume.

        Each regularizer draws numbers of its own: noise on inputs and on weights are independent, and so are two noises
        of one class.
        """
        kind = zlib.crc32(type(self).__name__.encode())
        again = [self.nth] if self.nth else []  # the first of a class draws what it would draw alone
        seed = stream_seed(self.plan.seed, "noise", kind, step, self.plan.processes.rank, *again)
        return torch.Generator(self.plan.device).manual_seed(seed)


def tell_apart(regularizers: Sequence[Regularizer]) -> None:
    """Number the regularizers of each class name in their order, so that no two draw the same noise."""
    seen: Counter[str] = Counter()
    for regularizer in regularizers:
        kind = type(regularizer).__name__
        regularizer.nth = seen[kind]
        seen[kind] += 1


def with_hook(regularizers: Sequence[Regularizer], hook: str) -> list[Regularizer]:
    """Return those that do something at `hook`, so that a step calls no others."""
    return [each for each in regularizers if getattr(type(each), hook) is not getattr(Regularizer, hook)]


def decayed(params: list[nn.Parameter], biases: bool) -> list[int]:
    """Return the positions of the parameters that a penalty is for.

    Without `biases` these are the matrices and filters; biases and the gains of normalisation layers, which are vectors
    or single numbers, are left alone.
    """
    return [i for i, param in enumerate(params) if biases or param.dim() > 1]


class RegularizerConfig(PartConfig):
    """The fields of a regularizer."""

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> Regularizer:
        """Return the regularizer for `model`."""
        raise NotImplementedError
