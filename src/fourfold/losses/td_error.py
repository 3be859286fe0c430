"""The temporal-difference error: what an action was held worth, against what it led to.

    delta = y - Q(s, a),   y = r + discount * max_a' Q^(s', a')
    loss  = w * huber(delta)

Huber's loss has a gradient between -1 and 1 where delta = 1: the paper's error term that is clipped.
Paper: Mnih et al., Human-level control through deep reinforcement learning, Nature 518, 2015, Methods ("clipping the
error term"); of 2013, arXiv:1312.5602, Eq. 2, is the square alone. Weights: Schaul et al., Prioritized Experience
Replay, ICLR 2016, arXiv:1511.05952, section 3.4.
Departures: the square is halved, as in Huber's loss, which only scales the learning rate of 2013.
Checked by: torch.nn.functional.huber_loss; the paper's clipped error as a gradient; gradcheck.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig
from fourfold.tasks.control import ControlSpec, TDTargets
from fourfold.tasks.seam import LossValue, Spec, require_task


class TDErrorConfig(LossConfig):
    """Fields of `loss: td_error`."""

    name: Literal["td_error"] = "td_error"
    delta: float | None = Field(
        default=1.0, gt=0, description="error where squared turns into absolute; null: squared everywhere, 2013's"
    )

    def build(self, spec: Spec) -> "TDError":
        """Return the loss; the task must be control."""
        require_task(spec, ControlSpec, "td_error")
        return TDError(self.delta)


def td_error(output: Tensor, targets: TDTargets, delta: float | None = 1.0) -> LossValue:
    """Return the loss of the actions taken, summed; `output` is what each action seems worth, `[batch, actions]`."""
    worth = output.gather(1, targets.actions.unsqueeze(1)).squeeze(1)
    if targets.weights is None:
        return LossValue(_error(worth, targets.returns, delta, "sum"), len(worth))
    return LossValue(_error(worth, targets.returns, delta, "none") @ targets.weights, len(worth))


def _error(worth: Tensor, returns: Tensor, delta: float | None, reduction: str) -> Tensor:
    if delta is None:
        return F.mse_loss(worth, returns, reduction=reduction) / 2
    return F.huber_loss(worth, returns, reduction=reduction, delta=delta)


class TDError(Loss):
    """The temporal-difference error as a part of a recipe."""

    def __init__(self, delta: float | None = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def evaluate(self, output: Tensor, targets: TDTargets) -> LossValue:
        """Return the summed loss of what each action seems worth, `[batch, actions]`."""
        return td_error(output, targets, self.delta)
