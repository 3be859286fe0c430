"""Gaussian noise on the inputs and on the weights, new at each step, on few pictures.

Each kind has to help at one of three strengths, named beforehand. Inputs are standardised, so a deviation of 0.5 is
half of their own; weights are in their own units, and those of the first layer are drawn with a deviation of 0.18. The
problem is one of classes, for which the paper finds both kinds to help; for numbers to predict it finds weight noise of
no use. The learning rate is tuned for each arm in the published size.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import all_of, any_of, ratio

ON_INPUTS = (0.1, 0.3, 1.0)
ON_WEIGHTS = (0.01, 0.03, 0.1)


def _arm(kind: str, deviation: float) -> dict[str, object]:
    return {"algorithm.regularizers": [{"name": kind, "deviation": deviation}]}


CLAIM = TrainedClaim(
    id="noise",
    says="Noise on the inputs in training, and noise on the weights, each lower the error on what was not seen.",
    source="An, The Effects of Adding Noise During Backpropagation Training on a Generalization Performance, Neural "
    "Computation 8, 1996, pages 643 to 674; for inputs also Bishop, Training with Noise is Equivalent to Tikhonov "
    "Regularization, Neural Computation 7, 1995",
    scaled_from="nothing: the sources' networks and data are as small; here one hidden layer on 143 digits of 8x8",
    recipe="digits-mlp",
    shared={"data.split_seed": None, "data.validation": 0.15, "data.test": 0.77},
    arms={"none": {}}
    | {f"inputs {deviation:g}": _arm("input_noise", deviation) for deviation in ON_INPUTS}
    | {f"weights {deviation:g}": _arm("weight_noise", deviation) for deviation in ON_WEIGHTS},
    measure=metric("test.error"),
    rule=all_of(
        any_of(*(ratio("none", f"inputs {deviation:g}", above=1.02) for deviation in ON_INPUTS)),
        any_of(*(ratio("none", f"weights {deviation:g}", above=1.02) for deviation in ON_WEIGHTS)),
    ),
    tune=["algorithm.optimizer.lr=3e-4:3e-2:log"],
    quick=Size(seeds=8, overrides={"budget.epochs": 20}),
    full=Size(seeds=16, overrides={"budget.epochs": 100}, trials=3),
)
