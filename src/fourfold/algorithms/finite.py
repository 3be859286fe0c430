"""Looking for NaN and infinity before an update, without waiting for a GPU.

Checked by: a NaN or an infinity planted in every place; on a CPU the step is refused at once.
"""

import math

import torch
from torch import Tensor


class FiniteCheck:
    """Remembers whether a step was refused, and which.

    Args:
        device: where gradients are.

    Attributes:
        found_inf: float32 `[1]` there: 1 once a step was refused. It stays, and nothing moves while it does.
    """

    def __init__(self, device: torch.device) -> None:
        self.found_inf = torch.zeros(1, device=device)
        self._refused_at = torch.full((), -1, device=device)

    def scale(self, grads: list[Tensor], scale: Tensor, total: Tensor, step: int) -> bool:
        """Multiply gradients by `scale [1]`, and look at them and the loss on the way, in one kernel.

        Returns:
            Whether the step must be refused, where that is known at once. On a GPU reading the flag would wait for the
            device, so it stays there and keeps the optimizer from moving anything.
        """
        torch._amp_foreach_non_finite_check_and_unscale_(grads, self.found_inf, scale)
        if not self.found_inf.is_cuda:
            return bool(self.found_inf.item()) or not math.isfinite(total.item())
        self.found_inf += ~total.isfinite()
        self.found_inf.clamp_(max=1)
        return self.noted(step)

    def noted(self, step: int) -> bool:
        """Return whether what set the flag in `step` must be refused; on a GPU, keep there which step was the first."""
        if not self.found_inf.is_cuda:
            return bool(self.found_inf.item())
        first = (self._refused_at < 0) & (self.found_inf[0] > 0)
        self._refused_at = torch.where(first, step, self._refused_at)
        return False

    def waits(self) -> bool:
        """Return whether a step was refused that nobody has been told of; this waits for the device."""
        return self.found_inf.is_cuda and bool(self.found_inf.item())

    @property
    def refused_at(self) -> int:
        """The first step that was refused on a GPU."""
        return int(self._refused_at)
