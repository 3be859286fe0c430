"""Plain and residual networks of 20 and 56 layers, trained alike: which of them a greater depth keeps from fitting.

These are the source's networks for small pictures, with batch normalisation, its optimizer and its decay. What is
judged is the error on the training split, in evaluation: a deeper network that fits worse is no matter of overfitting.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import all_of, greater, not_greater

CLAIM = TrainedClaim(
    id="residual-depth",
    says="Adding layers to a plain network makes it fit its training pictures worse; adding them to a residual network "
    "does not.",
    source="He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385, section "
    "4.2, Fig. 1 and Fig. 6",
    recipe={
        "data": {"name": "digits", "split_seed": None},
        "model": {"name": "resnet_cifar"},
        "loss": {"name": "cross_entropy"},
        "algorithm": {
            "name": "supervised",
            "optimizer": {"name": "momentum", "lr": 0.1, "momentum": 0.9},
            "schedule": {"name": "cosine"},
            "regularizers": [{"name": "weight_decay", "rate": 1e-4}],
        },
        "budget": {"epochs": 10, "batch_size": 64},
    },
    arms={
        f"{kind}, {depth} layers": {"model.depth": depth, "model.shortcut": shortcut}
        for kind, shortcut in (("plain", "none"), ("residual", "identity"))
        for depth in (20, 56)
    },
    measure=metric("train.error"),
    beside={"test": metric("test.error")},
    rule=all_of(
        greater("plain, 56 layers", "plain, 20 layers", by=0.02),
        not_greater("residual, 56 layers", "residual, 20 layers", by=0.02),
    ),
    quick=Size(seeds=7, overrides={"budget.epochs": 1, "data.validation": 0.1, "data.test": 0.75}),
    full=Size(seeds=8),
    scaled_from="CIFAR-10, 64,000 updates in batches of 128; here 1,257 digits of 8x8, 200 updates in batches of 64",
    likely_reason="200 updates at a rate of 0.1 are few for 56 layers: the source's own needed a gentler start at 110. "
    "The plain network of 56 layers is lost as it says, at 85 % errors; the residual one is late, and not by the same "
    "at every seed",
)
