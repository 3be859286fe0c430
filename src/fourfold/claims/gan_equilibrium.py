"""Whether a discriminator comes to be right half the time as what it is shown gets better, in small pictures of digits.

Both players are the perceptrons of 2014, smaller. At each validation two numbers are read, of as many given as made
pictures: the share of them that the discriminator tells rightly, which is one half where it cannot tell, and the
Frechet distance between them, which falls as what is made gets better. The latter is in the features of a network that
is trained to tell the digits.

    correlation   rank correlation (Spearman's) of the two over a run's validations
    drift         how far from one half the share is in the first fifth of the validations, minus in the last fifth

The claim is that both are above zero, by more than 0.3 and by more than 0.05. Theory says more, that the share ends at
one half; it is of players without limits, each of them at its best. Where the share ends is told, and not judged.
"""

import math
import statistics

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, curve
from fourfold.claims.rules import all_of, greater
from fourfold.study.cells import CellResult

PART = 0.2  # of the validations, at the beginning and at the end


def correlation(cell: CellResult) -> float:
    """Return the rank correlation of distance and of how often the discriminator is right; NaN if one is constant."""
    from scipy.stats import rankdata

    distances, shares = validations(cell)
    if len(set(distances)) < 2 or len(set(shares)) < 2:
        return math.nan
    return statistics.correlation(rankdata(distances).tolist(), rankdata(shares).tolist())


def drift(cell: CellResult) -> float:
    """Return how much nearer to one half the discriminator is at the end than it was at the beginning."""
    _, shares = validations(cell)
    count = max(1, int(PART * len(shares)))
    return statistics.fmean(abs(s - 0.5) for s in shares[:count]) - late_gap(cell) if shares else math.nan


def late_gap(cell: CellResult) -> float:
    """Return how far from one half it is at the end."""
    _, shares = validations(cell)
    return statistics.fmean(abs(s - 0.5) for s in shares[-max(1, int(PART * len(shares))) :]) if shares else math.nan


def validations(cell: CellResult) -> tuple[list[float], list[float]]:
    """Return distance and share of each validation, in order; none where the run diverged."""
    if cell.status != "done":
        return [], []
    names = ("frechet_distance", "discriminator_accuracy")
    distances, shares = (dict(curve(cell, f"validation.{name}")) for name in names)
    steps = sorted(distances.keys() & shares.keys())
    return [distances[step] for step in steps], [shares[step] for step in steps]


CLAIM = TrainedClaim(
    id="gan-equilibrium",
    says="A discriminator drifts towards being right half the time as the examples that the generator makes improve.",
    source="Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014, arXiv:1406.2661, Fig. 1 and Proposition 2",
    scaled_from="networks without limits on what they can express; in the paper's experiments MNIST, TFD and CIFAR-10",
    recipe={
        "data": {"name": "unlabelled_pictures", "of": "digits", "scored": 250},
        "model": {
            "name": "gan",
            "latent": 32,
            "generator_widths": [256, 256],
            "discriminator_widths": [64, 64],
            "pieces": 3,
        },
        "loss": "non_saturating",
        "algorithm": {"name": "adversarial"},
        "budget": {"steps": 6000, "batch_size": 64, "validate_every": 200, "log_every": 200},
    },
    arms={"non-saturating": {}, "minimax, told and not judged": {"loss": "minimax"}},
    measure=Measure("how much nearer to being right half the time the discriminator is late than early", drift),
    beside={
        "correlation": Measure(
            "rank correlation of Frechet distance and how often the discriminator is right", correlation
        ),
        "late": Measure("how far from being right half the time it is late", late_gap),
    },
    rule=all_of(greater("non-saturating: correlation", 0.3), greater("non-saturating", 0.05)),
    quick=Size(seeds=7, overrides={"budget.steps": 60, "budget.validate_every": 6}),
    full=Size(seeds=10),
    likely_reason="from the first validations on the players stay about as far apart: as the generator improves, the "
    "discriminator, which sees the same 1,200 digits again and again, gets better at telling them; with minimax, where "
    "they begin further apart, they do come nearer, by 0.17",
)
