"""Weighted means of two examples and of their targets, on few pictures.

Two values of alpha were named beforehand, and one of them has to help: the paper's for CIFAR-10, 1, and one from
the range that it uses for ImageNet, 0.1 to 0.4. The learning rate is tuned for each arm in the published size, which is
also long enough for what slows fitting down to be fitted; the quick size is not, and may say otherwise.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import any_of, ratio

ALPHAS = (0.2, 1.0)

CLAIM = TrainedClaim(
    id="mixup",
    says="A network trained on mixtures of two examples makes fewer mistakes on unseen examples.",
    source="Zhang, Cisse, Dauphin and Lopez-Paz, mixup: Beyond Empirical Risk Minimization, ICLR 2018, section 3.2 and "
    "Fig. 3: 5.6 % to 4.2 % errors of a residual network on CIFAR-10",
    scaled_from="an 18-layer residual network on the 50,000 pictures of CIFAR-10; here one hidden layer on 143 digits "
    "of 8x8",
    recipe="digits-mlp",
    shared={"data.split_seed": None, "data.validation": 0.15, "data.test": 0.77},
    arms={"examples": {}}
    | {f"mixed, alpha {a:g}": {"algorithm.regularizers": [{"name": "mixup", "alpha": a}]} for a in ALPHAS},
    measure=metric("test.error"),
    rule=any_of(*(ratio("examples", f"mixed, alpha {a:g}", above=1.02) for a in ALPHAS)),
    tune=["algorithm.optimizer.lr=3e-4:3e-2:log"],
    quick=Size(seeds=7, overrides={"budget.epochs": 60}),
    full=Size(seeds=12, overrides={"budget.epochs": 200}, trials=2),
    likely_reason="a mean of two digits of 8x8 looks like neither, and one hidden layer of 128 spends what it has on "
    "telling the shares of such pictures; the more they are mixed, the worse. The source's networks are deep, see "
    "50,000 photographs and can learn them by heart, which is what mixing hinders",
)
