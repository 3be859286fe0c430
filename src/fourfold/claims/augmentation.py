"""Training pictures that are moved a little, anew each time, on few pictures.

Two kinds were named beforehand, and one of them has to help: shifts by up to a pixel of eight, and small affine maps,
which the source used (shifts, scaling, squeezing, shearing). The learning rate is tuned for each arm in the published
size.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import any_of, ratio

CLAIM = TrainedClaim(
    id="augmentation",
    says="A network that sees each training picture moved a little, differently each time, makes fewer mistakes on "
    "unseen pictures.",
    source="LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, Proceedings of "
    "the IEEE 86, 1998, section III.B: distorted training pictures took LeNet-5 from 0.95 % to 0.8 % errors",
    scaled_from="LeNet-5 on the 60,000 pictures of MNIST; here one hidden layer on 143 digits of 8x8",
    recipe="digits-mlp",
    shared={"data.split_seed": None, "data.validation": 0.15, "data.test": 0.77},
    arms={
        "as they are": {},
        "shifted": {"data.augment": [{"name": "pad_crop", "pad": 1}]},
        "affine": {"data.augment": [{"name": "affine"}]},
    },
    measure=metric("test.error"),
    rule=any_of(ratio("as they are", "shifted", above=1.02), ratio("as they are", "affine", above=1.02)),
    tune=["algorithm.optimizer.lr=3e-4:3e-2:log"],
    quick=Size(seeds=7, overrides={"budget.epochs": 60}),
    full=Size(seeds=12, overrides={"budget.epochs": 200}, trials=2),
)
