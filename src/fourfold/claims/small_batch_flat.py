"""Where training ends: in a flatter place with small batches than with the whole training split a step.

The full batch is given the small one's epochs, and, since it then makes a fraction of the updates and does not get to
a minimum, also its number of updates. Those arms are unequal in updates or in examples seen, as no others could be,
and every output says so. Optimizer and step size are the same for all, as in the source.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, run_of
from fourfold.claims.rules import all_of, ratio
from fourfold.study.cells import CellResult

SMALL, EPOCHS = 16, 30
ARMS = {
    "small": {"budget.batch_size": SMALL, "budget.epochs": EPOCHS},
    "full, equal epochs": {"budget.batch_size": "full", "budget.epochs": EPOCHS},
    "full, equal steps": {"budget.batch_size": "full", "budget.steps": 24 * EPOCHS},  # 24 batches of 16 an epoch
}


def sharpness_at_end(cell: CellResult) -> float:
    """Return phi (Keskar, Eq. 4), in percent, at the weights that training ended with."""
    import torch

    from fourfold.study.objective import Objective, split_batches
    from fourfold.study.sharpness import sharpness

    if cell.status != "done":
        return float("nan")
    run = run_of(cell)
    batches = split_batches(run.parts.source, "train")
    return sharpness(Objective(run.model, run.parts.loss, batches, torch.float64)).phi


CLAIM = TrainedClaim(
    id="small-batch-flat",
    says="Small batches end in flat minima, full batches in sharp ones.",
    source="Keskar, Mudigere, Nocedal, Smelyanskiy and Tang, On Large-Batch Training for Deep Learning: Generalization "
    "Gap and Sharp Minima, ICLR 2017, arXiv:1609.04836, Metric 2.1 and Table 3",
    recipe="digits-mlp",
    arms=ARMS,
    shared={
        "model.widths": [32],
        "data.split_seed": None,
        "data.validation": 0.1,
        "data.test": 0.69,  # 377 digits are left to train on: few enough to be fitted exactly
        "algorithm.optimizer": {"name": "adam", "lr": 0.003},
    },
    measure=Measure("sharpness of the training loss in a box of 1e-3, percent (Keskar's phi)", sharpness_at_end),
    rule=all_of(ratio("full, equal epochs", "small", above=1.0), ratio("full, equal steps", "small", above=1.0)),
    unfair=True,
    quick=Size(seeds=7),
    full=Size(seeds=20),
    scaled_from="fully connected and convolutional nets on MNIST, TIMIT and CIFAR, a tenth of the data as the large "
    "batch; here one hidden layer of 32 on 377 digits of 8x8, and all of them as the large batch",
    likely_reason="these nets separate all they are trained on, so cross-entropy has no minimum: loss and curvature "
    "go to zero together for as long as one trains. The full batch is sharp at equal epochs, where its loss is still "
    "high, and flat at equal steps, where its loss is the lowest: sharpness followed the loss, not the batch",
)
