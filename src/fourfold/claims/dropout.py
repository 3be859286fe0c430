"""Units that are silenced at random in training, on few pictures.

What dropout is worth depends on the number of examples, and very few are said to be too few. So this claim has more of
them than its neighbours have: 540 digits. Two rates were named beforehand, and one of them has to help. The learning
rate is tuned for each arm in the published size.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import any_of, ratio

RATES = (0.2, 0.5)

CLAIM = TrainedClaim(
    id="dropout",
    says="A network whose hidden units are silenced at random in training makes fewer mistakes on unseen examples.",
    source="Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: A Simple Way to Prevent Neural "
    "Networks from Overfitting, JMLR 15, 2014, pages 1929 to 1958",
    scaled_from="large nets on vision, speech, text and computational biology; here 540 digits of 8x8, 256 units",
    recipe="digits-mlp",
    shared={
        "data.split_seed": None,
        "data.validation": 0.15,
        "data.test": 0.55,
        "model.widths": [256],
    },
    arms={"none": {}} | {f"rate {rate:g}": {"model.dropout": rate} for rate in RATES},
    measure=metric("test.error"),
    rule=any_of(*(ratio("none", f"rate {rate:g}", above=1.02) for rate in RATES)),
    tune=["algorithm.optimizer.lr=3e-4:3e-2:log"],
    quick=Size(seeds=7, overrides={"budget.epochs": 15}),
    full=Size(seeds=16, overrides={"budget.epochs": 60}, trials=3),
)
