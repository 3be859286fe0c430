"""What boosting takes from a network that is too small for two spirals: bias.

Three hidden units get about six in ten of the points right, whichever sample they are trained on. Alone they have 60
steps; boosted, each of ten networks has as many. One seed of the claim draws points and cuts them in two; its
replicates are trained on bootstraps of the one half and tested on the other. Bias is the share of test points where
most replicates are wrong. The first design, straight lines on two moons, is a claim of its own now: `boosting-lines`.
"""

from collections.abc import Callable, Mapping
from functools import cache

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, greater

MEMBERS, STEPS = 10, 60
REPLICATES = {"quick": 4, "full": 10}
ADAM = {"name": "adam", "lr": 0.1}
BASES = {
    "three units": {"data.name": "spirals", "model.widths": [3]},
    "line": {"data.noise": 0.15, "model.widths": []},
}


def score_of(base: str) -> Callable[[str, int, Name], float]:
    """Return the score of arms of a base."""

    def score(arm: str, seed: int, size: Name) -> float:
        method, _, part = arm.partition(": ")
        return decomposed(base, method, seed, REPLICATES[size])[part]

    return score


@cache
def decomposed(base: str, method: str, group: int, count: int) -> Mapping[str, float]:
    """Return bias, variance and expected error over the replicates of a group."""
    from fourfold.claims.in_process import replicates
    from fourfold.study.decompose import decompose_zero_one

    settings = {
        **BASES[base],
        "algorithm.optimizer": ADAM,
        "budget": {"steps": STEPS, "batch_size": 32},
        "data.num_examples": 600,
        "data.validation": 0.0,
        "data.test": 0.5,
        "data.bootstrap": True,
        "data.data_seed": group,
        "data.split_seed": group,
    }
    if method == "boosted":
        settings |= {"budget.steps": STEPS * MEMBERS, "algorithm.name": "boosting", "algorithm.members": MEMBERS}
    outputs, targets = replicates("moons-mlp", settings, range(group * count, (group + 1) * count))
    found = decompose_zero_one(outputs.argmax(2), targets[0])
    return {"bias": found.bias, "variance": found.variance, "error": found.error}


CLAIM = ComputedClaim(
    id="boosting-bias",
    says="Boosting lowers the bias of a method that is too simple, and with it the error.",
    source="Freund and Schapire, Experiments with a New Boosting Algorithm, ICML 1996; Schapire, Freund, Bartlett and "
    "Lee, Boosting the Margin: A New Explanation for the Effectiveness of Voting Methods, Annals of Statistics 26(5), "
    "1998, on the relation to bias and variance",
    arms={
        f"{method}: {part}": f"{words}; {part}"
        for method, words in (("single", "three hidden units"), ("boosted", f"{MEMBERS} such networks by AdaBoost"))
        for part in ("bias", "variance", "error")
    },
    measured="share of the test points",
    score=score_of("three units"),
    rule=all_of(
        greater("single: bias", "boosted: bias", by=0.02),
        greater("single: error", "boosted: error", by=0.02),
    ),
    quick=Size(seeds=7),
    full=Size(seeds=20),
    scaled_from="decision trees and tests of one attribute, on many tables; here ten nets of three units, on points "
    "in the plane",
)
