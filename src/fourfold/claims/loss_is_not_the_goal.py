"""Whether a network's loss gets worse while what it is for gets better, within one run.

The run is longer than its validation loss needs. Two numbers are read from it, of the same examples:

    rise of loss    mean validation loss over the last tenth of the validations, over the lowest that there was; its log
    F1              mean validation F1 over the last tenth, minus that where the loss was lowest

The claim is that the loss rises by more than 0.05, a twentieth, while F1 gains, both: runs whose loss stays where it
was, or whose F1 falls with it, speak against it. The first rule asked in how many pairs of validations, a quarter of
the run left out at its beginning, the one with the lower loss has the lower F1, and held where that was more than one
in ten; but late in a run both only jitter, and then half of the pairs disagree, whatever the loss is worth. That share
is still told, and the same runs are judged again. What training for F1 itself is worth is `train-for-the-metric`.
"""

import math
import statistics
from itertools import combinations

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, curve
from fourfold.claims.rare_class import MOONS
from fourfold.claims.rules import all_of, greater
from fourfold.study.cells import CellResult

SKIPPED = 0.25  # of the validations, at the beginning, for the share of pairs
LATE = 0.1  # of the validations, at the end


def gain_after_the_lowest_loss(cell: CellResult) -> float:
    """Return the mean F1 of late validations minus that of the validation with the lowest loss."""
    losses, scores = validations(cell)
    return late(scores) - scores[losses.index(min(losses))] if losses else math.nan


def rise_of_loss(cell: CellResult) -> float:
    """Return the log of the mean loss of late validations over the lowest loss."""
    losses, _ = validations(cell)
    return math.log(late(losses) / min(losses)) if losses and min(losses) > 0 else math.nan


def disagreement(cell: CellResult) -> float:
    """Return the share of pairs of validations where the lower loss has the lower F1; pairs with a tie do not count."""
    losses, scores = validations(cell)
    seen = list(zip(losses, scores, strict=True))[int(SKIPPED * len(losses)) :]
    differences = [(a[0] - b[0]) * (a[1] - b[1]) for a, b in combinations(seen, 2)]
    told_apart = [difference for difference in differences if difference]
    return sum(difference > 0 for difference in told_apart) / len(told_apart) if told_apart else math.nan


def validations(cell: CellResult) -> tuple[list[float], list[float]]:
    """Return loss and F1 of each validation, in order; none where the run diverged."""
    if cell.status != "done":
        return [], []
    losses, scores = (dict(curve(cell, f"validation.{name}")) for name in ("loss", "macro_f1"))
    steps = sorted(losses.keys() & scores.keys())
    return [losses[step] for step in steps], [scores[step] for step in steps]


def late(values: list[float]) -> float:
    """Return the mean of the last ones."""
    return statistics.fmean(values[-max(1, int(LATE * len(values))) :])


CLAIM = TrainedClaim(
    id="loss-is-not-the-goal",
    says="A lower loss is not always a better metric: in one and the same run the loss rises while F1 gains.",
    source="Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017, arXiv:1706.04599, "
    "section 3 and Fig. 3: the test loss rises while the error still falls",
    scaled_from="ResNet-110 on CIFAR-100; here two classes of points in the plane, one 20 times as frequent",
    recipe="moons-mlp",
    shared={
        **MOONS,
        "data.validation": 0.25,
        "data.test": 0.55,
        "budget.batch_size": 84,
        "budget.validate_every": 10,
    },
    arms={"cross-entropy": {}, "soft F1, told and not judged": {"loss": "soft_f1"}},
    measure=Measure("validation F1 late in the run minus that at the lowest loss", gain_after_the_lowest_loss),
    beside={
        "rise of loss": Measure("log of validation loss late in the run over the lowest", rise_of_loss),
        "pairs": Measure("pairs of validations where the lower loss has the lower F1 (share)", disagreement),
    },
    rule=all_of(greater("cross-entropy: rise of loss", 0.05), greater("cross-entropy", 0.0)),
    quick=Size(seeds=7, overrides={"budget.steps": 300}),
    full=Size(seeds=20, overrides={"budget.steps": 2000}),
)
