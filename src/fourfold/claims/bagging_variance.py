"""What bagging takes from a network's error: its variance over training samples.

The base is a network of two layers that fits 25 points of a noisy sine closer than their noise, and so goes with them.
Alone it has 400 steps; of the bag, each member has as many, on a bootstrap sample. One seed of the claim is a group of
replicates, as in `bias-variance-sum`, the same for all arms. That the bag has more steps in all is what bagging is.

A network's first weights are drawn, unlike a tree, and the mean over several draws of them has less variance whether or
not samples are drawn too. So the members of the bag that is judged all begin at the first weights of the network alone
and differ in their samples, each of which is one batch. A third arm is the other way round, as many networks of first
weights of their own, each on the training split itself; it is told, and tells what `algorithm=bagging`, whose members
differ in both, owes to first weights. The rule's first form did not keep the two apart.

The paper says it of unstable methods only, and that is what the two layers are for: the first design, one layer for 150
steps, was stable, and bagging took nothing from its variance (a ratio of 0.98, plausibly 0.86 to 1.11, of 7 groups).
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, ratio

if TYPE_CHECKING:
    from torch.nn import Module

STEPS = 400
MEMBERS = {"quick": 3, "full": 8}
REPLICATES = {"quick": 2, "full": 8}
BASE = {"model.widths": [64, 64], "algorithm.optimizer": {"name": "adam", "lr": 0.02}, "data.validation_examples": 0}
METHODS = {
    "single": "one network",
    "bagged": f"the mean of {MEMBERS['full']} (quick: {MEMBERS['quick']}) with its first weights, on bootstrap samples",
    "first weights": "the mean of as many with first weights of their own, on the training split; told, not judged",
}


def score(arm: str, seed: int, size: Name) -> float:
    """Return a part of an arm's expected error."""
    method, _, part = arm.partition(": ")
    return decomposed(method, seed, REPLICATES[size], MEMBERS[size])[part]


@cache
def decomposed(method: str, group: int, count: int, members: int) -> dict[str, float]:
    """Return variance and expected error about the sine over the replicates of a group."""
    from fourfold.claims.in_process import replicates
    from fourfold.data.curve import even, sine

    seeds = range(group * count, (group + 1) * count)
    prepare = begin_alike if method == "bagged" else None
    outputs, _ = replicates("curve-mlp", settings_of(method, members), seeds, prepare)
    predictions = outputs[..., 0]
    truth = sine(even(predictions.shape[1]))[:, 0]
    return {
        "variance": float(predictions.var(0).mean()),
        "error without noise": float((predictions - truth).square().mean()),
    }


def settings_of(method: str, members: int) -> dict[str, Any]:
    """Return what a method overrides; each member has the steps of the network alone."""
    if method == "single":
        return {**BASE, "budget.steps": STEPS}
    sample = 1.0 if method == "bagged" else None
    return {
        **BASE,
        "budget.steps": STEPS * members,
        "algorithm": {
            "name": "bagging",
            "members": members,
            "sample": sample,
            "optimizer": BASE["algorithm.optimizer"],
        },
    }


def begin_alike(ensemble: "Module") -> None:
    """Give every member the first weights of the first one, which are those of the network alone."""
    first, *others = ensemble.members  # type: ignore[misc]
    for other in others:
        other.load_state_dict(first.state_dict())  # type: ignore[union-attr]


CLAIM = ComputedClaim(
    id="bagging-variance",
    says="Bagging lowers the variance of an unstable network, and with it the error, by its samples alone.",
    source="Breiman, Bagging Predictors, Machine Learning 24, 1996, abstract: accuracy is gained where the method is "
    "unstable; that it is variance which bagging lowers is the usual reason given",
    arms={
        f"{method}: {part}": f"{words}; {part}"
        for method, words in METHODS.items()
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
    scaled_from="trees, and subsets of variables for linear regression, on real and simulated data; here a network on "
    "25 points, and bags of 8",
)
