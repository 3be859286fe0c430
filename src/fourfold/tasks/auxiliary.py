"""Outputs beside the main one, which a network gives in training only, and the loss of them all.

A deep network may carry small classifiers on its way, so that a gradient reaches its early layers. In training it
returns all their outputs, in evaluation the main one alone: what is scored, predicted and exported never has others.

Source: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, section 5: "their loss gets added to the total loss
of the network with a discount weight (the losses of the auxiliary classifiers were weighted by 0.3)".
Checked by: sums and gradients by hand; the same run in one piece, in micro-batches, in two processes and compiled.
"""

from typing import Any, NamedTuple

from fourfold.tasks.seam import Batch, Loss, LossValue


class WithAuxiliary(NamedTuple):
    """What such a network returns in training."""

    main: Any  # what it returns in evaluation
    auxiliary: tuple[Any, ...]  # more outputs of the same kind
    weight: float  # of each auxiliary output's loss beside the main one's


class AuxiliaryLoss:
    """Any loss, of outputs with or without auxiliary ones.

    Args:
        loss: what is asked of each output.
    """

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.couples_examples = bool(getattr(loss, "couples_examples", False))

    def __call__(self, output: Any, batch: Batch) -> LossValue:
        """Return the loss, summed over examples; with auxiliary outputs its parts are `main` and `auxiliary`."""
        if not isinstance(output, WithAuxiliary):
            return self.loss(output, batch)
        main = self.loss(output.main, batch)
        auxiliary = main.total.new_zeros(())
        for each in output.auxiliary:
            auxiliary = auxiliary + output.weight * self.loss(each, batch).total
        parts = {**main.parts, "main": main.total, "auxiliary": auxiliary}
        return LossValue(main.total + auxiliary, main.count, parts)
