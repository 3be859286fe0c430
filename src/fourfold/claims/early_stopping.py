"""Keeping the weights of the best validation, where a network of many weights sees few examples with noise.

Both arms have the same steps to take and the same examples to train on; one ends early and takes its best weights. It
could be said that the other should be trained on the validation examples as well, which it has no use for: that
question is another one, and isn't asked here. The learning rate is tuned for both arms in the published size.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import ratio

CLAIM = TrainedClaim(
    id="early-stopping",
    says="Where examples are few and noisy, training to the end is worse than stopping where validation was best.",
    source="Prechelt, Early Stopping - But When?, in Neural Networks: Tricks of the Trade, 1998, section 1.1; "
    "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 7.8 and Fig. 7.3",
    scaled_from="nothing: Prechelt's are small nets on some hundred examples too; here one hidden layer, 176 patients",
    recipe={
        "data": {"name": "diabetes", "split_seed": None, "validation": 0.3, "test": 0.3},
        "model": {"name": "mlp", "widths": [64], "activation": "tanh"},
        "loss": {"name": "mse"},
        "algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.01}},
        "budget": {"epochs": 200, "batch_size": 32, "validate_every": 12},
    },
    arms={
        "to the end": {},
        "stopped": {"algorithm.regularizers": [{"name": "early_stopping", "patience": 10}]},
    },
    measure=metric("test.rmse"),
    rule=ratio("to the end", "stopped", above=1.02),
    tune=["algorithm.optimizer.lr=1e-3:1e-1:log"],
    quick=Size(seeds=7, overrides={"budget.epochs": 60}),
    full=Size(seeds=16, trials=3),
)
