"""A dense network, a residual one of as many parameters, and one of almost four times as many, trained alike.

The dense one is of the kind that the source compares, with bottlenecks and transitions that keep half. How many
parameters there are is counted, and a condition of the rule. What transitions are for is `dense-transitions`.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, metric
from fourfold.claims.rules import all_of, exact, greater, not_greater

CLAIM = TrainedClaim(
    id="dense-concat",
    says="A densely connected network needs a third of a residual network's parameters to be as good, and with as many "
    "it is better.",
    source="Huang, Liu, van der Maaten and Weinberger, Densely Connected Convolutional Networks, CVPR 2017, "
    "arXiv:1608.06993, section 4.4 and Fig. 4, middle",
    recipe={
        "data": {"name": "digits", "split_seed": None, "validation": 0.15, "test": 0.68},
        "model": {"name": "resnet_cifar"},
        "loss": {"name": "cross_entropy"},
        "algorithm": {
            "name": "supervised",
            "optimizer": {"name": "momentum", "lr": 0.1, "momentum": 0.9},
            "schedule": {"name": "cosine"},
            "regularizers": [{"name": "weight_decay", "rate": 1e-4}],
        },
        "budget": {"epochs": 30, "batch_size": 32},
    },
    arms={
        "dense": {"model": {"name": "densenet_cifar", "depth": 22, "growth": 12, "bottleneck": True}},
        "residual, as many": {"model.depth": 8},
        "residual, more": {"model.depth": 20},
    },
    measure=metric("test.error"),
    beside={"parameters": Measure("parameters", lambda cell: float(cell.result["params"]))},
    rule=all_of(
        exact("residual, more: parameters", over="dense: parameters", at_least=3),
        exact("residual, as many: parameters", over="dense: parameters", at_least=1, at_most=1.1),
        not_greater("dense", "residual, more", by=0.01),
        greater("residual, as many", "dense"),
    ),
    quick=Size(seeds=7, overrides={"budget.epochs": 3}),
    full=Size(seeds=12),
    scaled_from="networks of 0.2 to 10 million parameters on CIFAR-10, 300 epochs; here 71,000 to 270,000 parameters, "
    "305 digits of 8x8, 30 epochs",
)
