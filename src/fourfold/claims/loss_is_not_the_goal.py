"""How often a lower validation loss comes with a lower F1, within one run.

Of all pairs of validations of a run by cross-entropy, the measure is the share in which the one with the lower loss has
the lower F1: 0 if loss says all there is to say about F1, 1/2 if it says nothing. Both are of the same examples, so the
two disagree in fact, and not by chance of who was drawn. A quarter of the run is left out at its beginning, where both
improve by far. Late in a long run both only jitter, and the share nears one half: that says how little a loss
that is a bit lower tells, and no more. What training for F1 itself is worth is `train-for-the-metric`.
"""

from itertools import combinations

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, curve
from fourfold.claims.rules import greater
from fourfold.study.cells import CellResult

SKIPPED = 0.25  # of the validations, at the beginning


def disagreement(cell: CellResult) -> float:
    """Return the share of pairs of validations where the lower loss has the lower F1; pairs with a tie do not count."""
    losses, scores = (dict(curve(cell, f"validation.{name}")) for name in ("loss", "macro_f1"))
    steps = sorted(losses.keys() & scores.keys())
    pairs = list(combinations(steps[int(SKIPPED * len(steps)) :], 2))
    differences = [(losses[a] - losses[b]) * (scores[a] - scores[b]) for a, b in pairs]
    told_apart = [difference for difference in differences if difference]
    return sum(difference > 0 for difference in told_apart) / len(told_apart) if told_apart else float("nan")


CLAIM = TrainedClaim(
    id="loss-is-not-the-goal",
    says="A lower loss is not always a better metric: in one and the same run the two go apart.",
    source="Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017, arXiv:1706.04599, "
    "section 3 and Fig. 3: the test loss rises while the error still falls",
    scaled_from="ResNet-110 on CIFAR-100; here two classes of points in the plane, one 20 times as frequent",
    recipe="moons-mlp",
    shared={
        "data.num_examples": 4200,
        "data.imbalance": 20,
        "data.noise": 0.35,
        "data.data_seed": None,
        "data.split_seed": None,
        "data.validation": 0.25,
        "data.test": 0.55,
        "budget.batch_size": 84,
        "budget.validate_every": 10,
    },
    arms={"cross-entropy": {}, "soft F1, told and not judged": {"loss": "soft_f1"}},
    measure=Measure("pairs of validations of one run where the lower loss has the lower F1 (share)", disagreement),
    rule=greater("cross-entropy", 0.1),
    quick=Size(seeds=6, overrides={"budget.steps": 300}),
    full=Size(seeds=20, overrides={"budget.steps": 2000}),
)
