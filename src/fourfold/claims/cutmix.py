"""A box of each training picture that is another picture's, and targets mixed by area, on few pictures.

Two shares of the batches were named beforehand, the paper's for CIFAR, half of them, and for ImageNet, all of them, and
one of them has to help. The learning rate is tuned for each arm in the published size, which is also
long enough for what slows fitting down to be fitted; the quick size is not, and may say otherwise.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import any_of, ratio

SHARES = (0.5, 1.0)  # of the batches

CLAIM = TrainedClaim(
    id="cutmix",
    says="A convolutional network trained on pictures with a box of another picture, and on both targets, makes fewer "
    "mistakes on unseen pictures.",
    source="Yun, Han, Oh, Chun, Choe and Yoo, CutMix: Regularization Strategy to Train Strong Classifiers with "
    "Localizable Features, ICCV 2019, section 4.1: 23.68 % to 21.40 % errors of ResNet-50 on ImageNet",
    scaled_from="ResNet-50 on the 1.3 million pictures of ImageNet and PyramidNet-200 on CIFAR; here LeNet-5 with "
    "rectified units on 143 digits of 8x8",
    recipe={
        "data": {"name": "digits", "split_seed": None, "validation": 0.15, "test": 0.77},
        "model": {"name": "lenet5", "activation": "relu", "pooling": "max"},
        "loss": {"name": "cross_entropy"},
        "algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.002}},
        "budget": {"epochs": 60, "batch_size": 32},
    },
    arms={"whole pictures": {}}
    | {f"cut, {s:.0%}": {"algorithm.regularizers": [{"name": "cutmix", "probability": s}]} for s in SHARES},
    measure=metric("test.error"),
    rule=any_of(*(ratio("whole pictures", f"cut, {s:.0%}", above=1.02) for s in SHARES)),
    tune=["algorithm.optimizer.lr=3e-4:1e-2:log"],
    quick=Size(seeds=7, overrides={"budget.epochs": 15}),
    full=Size(seeds=10, overrides={"budget.epochs": 100}, trials=2),
    likely_reason="a part of a photograph often names what is on it, while a part of a digit of 8x8 may belong to any "
    "of several, so a target by area is partly wrong; and strokes cut by the edge of a box look like strokes of other "
    "digits. The source's networks have far more pictures than 143, and time to learn them by heart",
)
