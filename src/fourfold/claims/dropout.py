"""Units that are silenced at random in training, on few pictures.

The paper's own Fig. 10 shows no gain from 100 and 500 examples of MNIST, the largest at some thousands, and less again
beyond. So this claim has more examples than its neighbours have: 540 digits. Two rates were named beforehand, and one
of them has to help. The learning rate is tuned for each arm in the published size.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import any_of, ratio

RATES = (0.2, 0.5)

CLAIM = TrainedClaim(
    id="dropout",
    says="A network whose hidden units are silenced at random in training makes fewer mistakes on unseen examples.",
    source="Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: A Simple Way to Prevent Neural "
    "Networks from Overfitting, JMLR 15, 2014, section 6.1.1 and Fig. 4; Fig. 10 for the number of examples",
    scaled_from="MNIST with up to 60,000 examples and up to 8,192 units in a layer; here 540 digits of 8x8, 256 units",
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
