"""No straight line separates XOR; one hidden layer learns it.

A line gets at most three of the four rows right: the two rows of one class have the same midpoint as the two of the
other, so a line with both pairs on their own sides would have that midpoint on both sides. Hence the bound of 3 / 4.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import all_of, every

CLAIM = TrainedClaim(
    id="xor-needs-depth",
    says="No straight line separates XOR, so a perceptron never learns it; a net with one hidden layer does.",
    source="Minsky and Papert, Perceptrons, 1969; Rumelhart, Hinton and Williams, Learning representations by "
    "back-propagating errors, Nature 323, 1986",
    recipe="xor-mlp",
    shared={"budget.steps": 400, "budget.batch_size": 1, "algorithm.optimizer.lr": 0.02, "model.widths": [16]},
    arms={
        "perceptron": {"model": "perceptron", "loss": "perceptron", "algorithm": "perceptron_rule"},
        "linear": {"model.widths": []},
        "one hidden layer": {},
    },
    measure=metric("train.accuracy"),
    rule=all_of(
        every("perceptron", at_most=0.75),
        every("linear", at_most=0.75),
        every("one hidden layer", at_least=1.0),
    ),
    quick=Size(seeds=6),
    full=Size(seeds=30),
)
