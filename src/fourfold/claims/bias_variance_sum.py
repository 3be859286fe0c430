"""Whether bias^2, variance and noise add up to the expected test error, where all four can be measured apart.

A noisy sine: test targets without noise are known, and so is the noise. One seed of the claim is a group of replicates,
the same network trained on as many samples of 25 examples. Their error is taken against test targets with noise; bias
and variance are of their predictions about the sine itself; the noise is what the data are drawn with. Two methods:
one that is too stiff for a sine, and one that bends to the noise. The margin is a ninth of the noise.
"""

from functools import cache

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, greater, within

REPLICATES = {"quick": 6, "full": 12}
METHODS = {
    "stiff": {"model.widths": [], "budget.steps": 100, "algorithm.optimizer.lr": 0.1},
    "bending": {"model.widths": [32], "budget.steps": 200, "algorithm.optimizer.lr": 0.03},
}


def score(arm: str, seed: int, size: Name) -> float:
    """Return what an arm names."""
    method, _, part = arm.partition(": ")
    return parts_of_error(method, seed, REPLICATES[size])[part]


@cache
def parts_of_error(method: str, group: int, count: int) -> dict[str, float]:
    """Return the expected test error of a method, its parts, and their sum, over the replicates of a group."""
    from fourfold.claims.in_process import replicates
    from fourfold.data.curve import CurveConfig
    from fourfold.study.decompose import decompose_squared

    seeds = range(group * count, (group + 1) * count)
    outputs, targets = replicates("curve-mlp", {**METHODS[method], "data.validation_examples": 0}, seeds)
    truth = CurveConfig().truth()
    assert truth is not None
    found = decompose_squared(outputs[..., 0], targets[..., 0], truth.targets[:, 0], truth.variance)
    bias, variance, noise = found.bias.value, found.variance.value, truth.variance
    return {"error": found.error.value, "bias^2": bias, "variance": variance, "sum": bias + variance + noise}


CLAIM = ComputedClaim(
    id="bias-variance-sum",
    says="Expected squared error on the test split is bias^2, variance and noise, added up.",
    source="Geman, Bienenstock and Doursat, Neural Networks and the Bias/Variance Dilemma, Neural Computation 4, 1992, "
    "section 3.1, equation 3.8",
    arms={
        "stiff: error": "a straight line, against test targets with noise",
        "stiff: sum": "its bias^2 and variance about the sine, and the noise that the data are drawn with",
        "stiff: bias^2": "told with the variance, so that it can be seen which of the two is the larger",
        "stiff: variance": "of its predictions",
        "bending: error": "32 hidden units, as above",
        "bending: sum": "as above",
        "bending: bias^2": "as above",
        "bending: variance": "as above",
    },
    measured="squared error, or a part of it",
    score=score,
    rule=all_of(
        within("stiff: sum", "stiff: error", by=0.01),
        within("bending: sum", "bending: error", by=0.01),
        greater("stiff: bias^2", "stiff: variance", by=0.01),
        greater("bending: variance", "bending: bias^2", by=0.01),
    ),
    quick=Size(seeds=8),
    full=Size(seeds=20),
)
