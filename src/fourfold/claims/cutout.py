"""A square of each training picture that is hidden, at another place each time, on few pictures.

Two sides were named beforehand, the paper's for CIFAR-100 and for CIFAR-10 as shares of the picture, a quarter and a
half, and one of them has to help. The learning rate is tuned for each arm in the published size, which is also
long enough for what slows fitting down to be fitted; the quick size is not, and may say otherwise.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import any_of, ratio

SIDES = (2, 4)  # pixels, of 8

CLAIM = TrainedClaim(
    id="cutout",
    says="A convolutional network from which a square of each training picture is hidden makes fewer mistakes on "
    "unseen pictures.",
    source="DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017, "
    "arXiv:1708.04552, section 4 and Table 1",
    scaled_from="residual networks on the 50,000 pictures of CIFAR-10 and CIFAR-100; here LeNet-5 with rectified units "
    "on 143 digits of 8x8",
    recipe={
        "data": {"name": "digits", "split_seed": None, "validation": 0.15, "test": 0.77},
        "model": {"name": "lenet5", "activation": "relu", "pooling": "max"},
        "loss": {"name": "cross_entropy"},
        "algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.002}},
        "budget": {"epochs": 60, "batch_size": 32},
    },
    arms={"whole pictures": {}}
    | {f"square of {s}": {"algorithm.regularizers": [{"name": "cutout", "side": s}]} for s in SIDES},
    measure=metric("test.error"),
    rule=any_of(*(ratio("whole pictures", f"square of {s}", above=1.02) for s in SIDES)),
    tune=["algorithm.optimizer.lr=3e-4:1e-2:log"],
    quick=Size(seeds=7, overrides={"budget.epochs": 15}),
    full=Size(seeds=10, overrides={"budget.epochs": 100}, trials=2),
)
