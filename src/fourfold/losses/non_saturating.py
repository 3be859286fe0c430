"""The loss that gives a generator a gradient while the discriminator still sees through it.

    the generator's:      -E_z log D(G(z))
    the discriminator's:  that of `minimax`

Both losses of the generator have the same fixed point. Where D(G(z)) is near 0, that of `minimax` is flat and this one
steep.

Paper: Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014, arXiv:1406.2661, section 3: "Rather than training G
to minimize log(1 - D(G(z))) we can train G to maximize log D(G(z))."
Checked by: the equation in float64; torch's binary cross entropy; gradcheck; both gradients where D is near 0.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.minimax import Minimax, MinimaxConfig, wide
from fourfold.tasks.seam import LossValue, Spec
from fourfold.tasks.synthesis import require_synthesis


class NonSaturatingConfig(MinimaxConfig):
    """Fields of `loss: non_saturating`."""

    name: Literal["non_saturating"] = "non_saturating"  # type: ignore[assignment]

    def build(self, spec: Spec) -> "NonSaturating":
        """Return the loss; the task must be synthesis."""
        require_synthesis(spec, "non_saturating")
        return NonSaturating(self.label_smoothing)


class NonSaturating(Minimax):
    """The two players' losses as a part of a recipe."""

    def of_generator(self, made: Tensor) -> LossValue:
        """Return -log D(G(z)) summed over made examples, from their scores `[batch]`."""
        return LossValue(F.softplus(-wide(made)).sum(), len(made))
