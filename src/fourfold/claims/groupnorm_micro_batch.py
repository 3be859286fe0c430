"""As `groupnorm-small-batch`, but every update is of 32 pictures, and only what is normalised together is smaller.

This is a second design, made after the first had failed, where batches of 2 had 16 times as many updates as batches of
32 in as many epochs. Here a batch of 32 is taken whole, or in 16 micro-batches of 2 whose gradients are added up: as
many updates, of the same step size. That is what the source has, too, whose batches are spread over eight GPUs that
each normalise their own. The rule is that of the first design.
"""

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.groupnorm_small_batch import CLAIM as FIRST
from fourfold.claims.groupnorm_small_batch import by_groups

DEPTH, EPOCHS = 8, {"quick": 1, "full": 30}
RECIPE = {
    "data": {"name": "digits", "split_seed": None, "validation": 0.2, "test": 0.5865},  # trains on 12 whole batches
    "model": {"name": "resnet_cifar", "depth": DEPTH},
    "loss": {"name": "cross_entropy"},
    "algorithm": {
        "name": "supervised",
        "optimizer": {"name": "momentum", "lr": 0.1, "momentum": 0.9},
        "schedule": {"name": "cosine"},
        "regularizers": [{"name": "weight_decay", "rate": 1e-4}],
    },
    "budget": {"batch_size": 32},
}


def test_error(arm: str, seed: int, size: Name) -> float:
    """Return the share of the test split that is misread; NaN where training diverged."""
    from fourfold.claims.in_process import outputs_on_test, train
    from fourfold.core.errors import DivergedError

    kind, number = arm.split(", ")
    varied = {"budget.epochs": EPOCHS[size], "runtime.accumulate": 32 // int(number), "seed": seed}
    try:
        _, parts = train(RECIPE, varied, by_groups if kind == "group norm" else None)
    except DivergedError:
        return float("nan")
    output, targets = outputs_on_test(parts)
    return float((output.argmax(1) != targets).double().mean())


CLAIM = ComputedClaim(
    id="groupnorm-micro-batch",
    says="Normalised two pictures at a time, a network with batch normalisation makes many more mistakes than "
    "with 32 at a time; with group normalisation it does not.",
    source=FIRST.source,
    arms={
        f"{kind}, {number}": f"{kind} of {number} pictures at a time, updates of 32"
        for kind in ("batch norm", "group norm")
        for number in (2, 32)
    },
    measured=FIRST.measured,
    score=test_error,
    rule=FIRST.rule,
    quick=Size(seeds=7),
    full=Size(seeds=8),
    scaled_from="ResNet-50 on ImageNet, 100 epochs on eight GPUs with 2 to 32 pictures each; here a residual network "
    "of 8 layers on 384 digits of 8x8, 30 epochs",
    likely_reason="a digit of 8x8 still gives 64 numbers a map and picture to its statistics, and digits look alike, "
    "so two pictures say nearly what 32 do; photographs of ImageNet do not, and there the running statistics that are "
    "used for scoring drift from those of the batches",
)
