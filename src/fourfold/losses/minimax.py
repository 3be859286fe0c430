"""The value of the game between a generator and a discriminator, which one wants small and the other large.

    V = E_x log D(x) + E_z log(1 - D(G(z))),   D = logistic of the discriminator's score

The discriminator's loss is -V, the generator's is the one term of V that depends on it, E_z log(1 - D(G(z))). Against a
fixed generator the best discriminator is D*(x) = p(x) / (p(x) + q(x)), for densities p of given and q of made examples.

With label smoothing s a given example's label is 1 - s: -(1 - s) log D(x) - s log(1 - D(x)). Only given examples have
theirs smoothed, for D* = (1 - s) p / (p + q) still tells the generator where p is; smoothing the others would not.

Papers: Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014, arXiv:1406.2661, Eq. 1 and Proposition 1;
one-sided label smoothing from Salimans et al., Improved Techniques for Training GANs, NeurIPS 2016, arXiv:1606.03498,
section 3.4.
Checked by: the equations in float64; torch's binary cross entropy; the best discriminator of two known densities;
gradcheck.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig
from fourfold.tasks.seam import LossValue, Spec
from fourfold.tasks.synthesis import Judged, require_synthesis


class MinimaxConfig(LossConfig):
    """Fields of `loss: minimax`."""

    name: Literal["minimax"] = "minimax"
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="taken from the label of given examples; made ones keep theirs"
    )

    def build(self, spec: Spec) -> "Minimax":
        """Return the loss; the task must be synthesis."""
        require_synthesis(spec, "minimax")
        return Minimax(self.label_smoothing)


class Minimax(Loss):
    """The two players' losses as a part of a recipe; called like any other loss, it is the discriminator's."""

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def of_discriminator(self, given: Tensor, made: Tensor) -> LossValue:
        """Return -V summed over pairs of a given and a made example, from their scores `[batch]`."""
        given, made = wide(given), wide(made)
        total = F.softplus(-given).sum() + F.softplus(made).sum()  # -log D(x) and -log(1 - D(G(z)))
        if self.label_smoothing:
            total = total + self.label_smoothing * given.sum()  # softplus(a) - softplus(-a) = a
        return LossValue(total, len(made))

    def of_generator(self, made: Tensor) -> LossValue:
        """Return log(1 - D(G(z))) summed over made examples, from their scores `[batch]`."""
        return LossValue(-F.softplus(wide(made)).sum(), len(made))

    def evaluate(self, output: Judged, targets: Tensor) -> LossValue:
        """Return the discriminator's loss."""
        return self.of_discriminator(output.given, output.made)


def wide(scores: Tensor) -> Tensor:
    """Return scores of half precision in float32, and others as they are."""
    return scores.float() if scores.element_size() < 4 else scores
