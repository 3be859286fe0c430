"""The base of all optimizers: parameter groups and state kept as lists, an update that is a pure function of tensors.

The interface is torch.optim's (`param_groups`, `step`, `zero_grad`, `state_dict`, `load_state_dict`), but nothing here
subclasses `torch.optim.Optimizer`: constructing one imports torch._dynamo, which takes seconds.
"""

from typing import Any, Iterable, Mapping

from torch import Tensor, nn

from fourfold.core.config import PartConfig

Params = Iterable[nn.Parameter] | Iterable[Mapping[str, Any]]


class Optimizer:
    """Moves parameters along their gradients.

    Attributes:
        param_groups: `{"params": […], "lr": …, …}` for each group, as in torch.optim.
    """

    param_groups: list[dict[str, Any]]

    def step(self, found_inf: Tensor | None = None) -> None:
        """Move every parameter that has a gradient.

        Args:
            found_inf: `[1]`, 1.0 where the gradients are not finite; then nothing moves and no state changes.
        """
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for group in self.param_groups:
            for param in group["params"]:
                param.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Return the hyperparameters and state as plain data and tensors."""
        raise NotImplementedError

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict`'s data; raises ValueError if it does not fit these parameters."""
        raise NotImplementedError


class OptimizerConfig(PartConfig):
    """The fields of an optimizer."""

    def build(self, params: Params) -> Optimizer:
        """Return the optimizer of `params`."""
        raise NotImplementedError
