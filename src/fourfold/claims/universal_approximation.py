"""One hidden layer can fit a curve as closely as it is wide; gradient descent does not find those weights.

The curve is a sine over one period. With n rectified units it can be written down: one unit a knot, each with the
change of slope there, is the polygon through n + 1 points of the curve, and its error falls as 1 / n^2. The same layer,
and two narrow ones with exactly as many parameters (193), are trained from where they are drawn, on 200 points without
noise. The score is the root mean squared distance from the curve at 1,000 places. What is built is the same at every
seed: computed, and no longer tested, by the same bounds.

Checked by: the polygon's corners; the bound on its error, h^2 / 8 times the largest second derivative.
"""

from functools import cache

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, exact, ratio

STEPS = {"quick": 500, "full": 3000}
PLACES = 1000
WIDTHS = {
    "8 units": [8],
    "64 units": [64],
    "256 units": [256],
    "12 + 12 units": [12, 12],
}


def score(arm: str, seed: int, size: Name) -> float:
    """Return the distance of an arm's network from the curve."""
    how, _, units = arm.partition(", ")
    return built(WIDTHS[units][0]) if how == "built" else found(units, seed, STEPS[size])


@cache
def built(units: int) -> float:
    """Return the distance of the polygon through `units` + 1 points of the curve, as a network of one hidden layer."""
    import torch

    from fourfold.data.curve import even, sine
    from fourfold.models.mlp import MLPConfig
    from fourfold.tasks.regression import RegressionSpec
    from fourfold.tasks.seam import Features

    spec = RegressionSpec(Features(("x",)), ("y",), (0.0,), (1.0,))
    net = MLPConfig(widths=[units], activation="relu").build(spec).double()
    knots = torch.linspace(0, 1, units + 1, dtype=torch.float64)
    slopes = sine(knots).diff() * units
    first, bias, last, start = net.parameters()
    with torch.no_grad():
        first.fill_(1)
        bias.copy_(-knots[:-1])
        last.copy_(torch.cat([slopes[:1], slopes.diff()]).unsqueeze(0))
        start.copy_(sine(knots[:1]))
        x = even(PLACES)
        return float((net(x) - sine(x)).square().mean().sqrt())


@cache
def found(units: str, seed: int, steps: int) -> float:
    """Return the distance of a network that was trained."""
    from fourfold.claims.in_process import outputs_on_test, train
    from fourfold.data.curve import even, sine

    settings = {
        "data": {"name": "curve", "noise": 0, "train_examples": 200, "validation_examples": 0, "test_examples": PLACES},
        "model": {"name": "mlp", "widths": WIDTHS[units], "activation": "relu"},
        "budget.steps": steps,
        "seed": seed,
    }
    output, _ = outputs_on_test(train("curve-mlp", settings)[1])
    return float((output - sine(even(PLACES))).square().mean().sqrt())


CLAIM = ComputedClaim(
    id="universal-approximation",
    says="One hidden layer can come as close to a curve as it is wide, but training finds nothing of the kind, and "
    "finds a closer fit with two narrow layers of as many parameters.",
    source="Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.4.1; Hornik, Stinchcombe and White, "
    "Multilayer Feedforward Networks are Universal Approximators, Neural Networks 2, 1989, theorem 2.4",
    arms={
        "built, 8 units": "a polygon, its weights written down",
        "built, 64 units": "the same with 64 corners",
        "found, 8 units": "one hidden layer, trained",
        "found, 64 units": "the same, wider; 193 parameters",
        "found, 256 units": "the same, wider still; told and not judged, as the one with 8",
        "found, 12 + 12 units": "two hidden layers, trained; 193 parameters",
    },
    measured="root mean squared distance from a sine of amplitude 1",
    score=score,
    rule=all_of(
        exact("built, 8 units", over="built, 64 units", at_least=32.0),
        exact("built, 64 units", at_most=0.002),
        ratio("found, 64 units", "built, 64 units", above=3.0),
        ratio("found, 64 units", "found, 12 + 12 units", above=1.5),
    ),
    likely_reason="it is depth that fails, while the wide layer does end several times farther from the curve than it "
    "could: one period of a sine has no parts that a second layer could use again, and of two layers of 12 units each "
    "loses some that are zero everywhere, which 64 can spare; the book's own examples for depth are of many layers and "
    "pictures (Fig. 6.6)",
    quick=Size(seeds=7),
    full=Size(seeds=20),
)
