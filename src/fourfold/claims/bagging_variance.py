"""What bagging takes from a network's error: its variance over training samples.

The base is a network of two layers that fits 25 points of a noisy sine closer than their noise, and so goes with them.
Alone it has 400 steps; of the bag, each member has as many, on a bootstrap sample. One seed of the claim is a group of
replicates, as in `bias-variance-sum`, the same for both arms. That the bag has more steps in all is what bagging is.

The paper says it of unstable methods only, and that is what the two layers are for: the first design, one layer for 150
steps, was stable, and bagging took nothing from its variance (a ratio of 0.98, plausibly 0.86 to 1.11, of 7 groups).
"""

from functools import cache

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, ratio

STEPS = 400
MEMBERS = {"quick": 4, "full": 8}
REPLICATES = {"quick": 3, "full": 8}
BASE = {"model.widths": [64, 64], "algorithm.optimizer": {"name": "adam", "lr": 0.02}, "data.validation_examples": 0}


def score(arm: str, seed: int, size: Name) -> float:
    """Return a part of an arm's expected error."""
    method, _, part = arm.partition(": ")
    return decomposed(seed, REPLICATES[size], MEMBERS[size] if method == "bagged" else 0)[part]


@cache
def decomposed(group: int, count: int, members: int) -> dict[str, float]:
    """Return variance and expected error about the sine over the replicates of a group, of one network or of a bag."""
    from fourfold.claims.in_process import replicates
    from fourfold.data.curve import even, sine

    settings = {**BASE, "budget.steps": STEPS}
    if members:
        settings |= {"budget.steps": STEPS * members, "algorithm.name": "bagging", "algorithm.members": members}
    outputs, _ = replicates("curve-mlp", settings, range(group * count, (group + 1) * count))
    predictions = outputs[..., 0]
    truth = sine(even(predictions.shape[1]))[:, 0]
    return {
        "variance": float(predictions.var(0).mean()),
        "error without noise": float((predictions - truth).square().mean()),
    }


CLAIM = ComputedClaim(
    id="bagging-variance",
    says="Bagging lowers the variance of an unstable network, and with it the error.",
    source="Breiman, Bagging Predictors, Machine Learning 24, 1996, section 4",
    arms={
        f"{method}: {part}": f"{words}; {part}"
        for method, words in (
            ("single", "one network"),
            ("bagged", f"the mean of {MEMBERS['full']} on bootstrap samples (quick: {MEMBERS['quick']})"),
        )
        for part in ("variance", "error without noise")
    },
    measured="squared, of predictions over training samples of 25 examples",
    score=score,
    rule=all_of(
        ratio("single: variance", "bagged: variance", above=1.25),
        ratio("single: error without noise", "bagged: error without noise", above=1.05),
    ),
    quick=Size(seeds=7),
    full=Size(seeds=10),
    scaled_from="50 regression trees grown to the end on sets of some hundred examples",
)
