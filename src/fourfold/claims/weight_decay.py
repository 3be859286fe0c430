"""An L2 penalty on the weights, where targets are noisy and examples few.

That is the case which the paper's theory is about: a decay that is not too strong suppresses what a network makes of
the noise in its targets. Three rates were named beforehand, and one of them has to help. Descent is plain with
momentum, as a penalty means something else to an optimizer that divides by past gradients. The learning rate is tuned
for each arm in the published size.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import any_of, ratio

RATES = (0.001, 0.01, 0.1)

CLAIM = TrainedClaim(
    id="weight-decay",
    says="Where examples are few and targets noisy, a penalty on large weights lowers the error on what was not seen.",
    source="Krogh and Hertz, A Simple Weight Decay Can Improve Generalization, NeurIPS 4, 1991, pages 950 to 957",
    scaled_from="NetTalk, which learns to read English aloud; here one hidden layer, 176 patients",
    recipe={
        "data": {"name": "diabetes", "split_seed": None, "validation": 0.3, "test": 0.3},
        "model": {"name": "mlp", "widths": [64], "activation": "tanh"},
        "loss": {"name": "mse"},
        "algorithm": {"name": "supervised", "optimizer": {"name": "momentum", "lr": 0.02, "momentum": 0.9}},
        "budget": {"epochs": 200, "batch_size": 32},
    },
    arms={"none": {}}
    | {f"rate {r:g}": {"algorithm.regularizers": [{"name": "weight_decay", "rate": r}]} for r in RATES},
    measure=metric("test.rmse"),
    rule=any_of(*(ratio("none", f"rate {r:g}", above=1.02) for r in RATES)),
    tune=["algorithm.optimizer.lr=2e-3:1e-1:log"],
    quick=Size(seeds=7, overrides={"budget.epochs": 60}),
    full=Size(seeds=16, trials=3),
)
