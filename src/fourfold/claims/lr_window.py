"""Too small a step does not get anywhere in the time there is; too large a one undoes what it did.

The optimizer is plain descent, and only its step differs: eight arms from 1e-5 to 1e2, a factor of ten apart. Three of
them are judged, chosen before anything ran: both ends, and 0.1. The others show where the window begins and ends.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure
from fourfold.claims.rules import all_of, every, greater
from fourfold.study.cells import CellResult


def training_error(cell: CellResult) -> float:
    """Return the training error at the end; a run that diverged ends with no network, and counts as all wrong."""
    return float(cell.metrics["train"]["error"]) if cell.status == "done" else 1.0


CLAIM = TrainedClaim(
    id="lr-window",
    says="There is a window of learning rates: with too small or too large a step a network does not train.",
    source="Goodfellow, Bengio and Courville, Deep Learning, 2016, section 11.4.1, Fig. 11.1; Bengio, Practical "
    "recommendations for gradient-based training of deep architectures, 2012, arXiv:1206.5533, section 3.1.1",
    recipe="digits-mlp",
    arms={f"lr {lr:g}": {"algorithm.optimizer.lr": lr} for lr in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2)},
    shared={"algorithm.optimizer": "sgd", "data.split_seed": None},
    measure=Measure(
        "training error after the same number of steps (0 to 1; a run that diverged counts 1)", training_error
    ),
    rule=all_of(
        every("lr 0.1", at_most=0.1),
        greater("lr 1e-05", "lr 0.1", by=0.5),
        greater("lr 100", "lr 0.1", by=0.5),
    ),
    quick=Size(seeds=7, overrides={"budget.steps": 500}),
    full=Size(seeds=10, overrides={"budget.steps": 2000}),
    scaled_from="nothing: the sources say it of any network; here one hidden layer of 128 on 1,257 digits of 8x8",
)
