"""What a class that is twenty times rarer than the other is recognised by, with three losses.

The moons overlap, so what to say of a point between them depends on how many points there are of each: cross-entropy
is right to lean to the larger class where mistakes cost alike, and that leaves the smaller one out. As many points of
each in training, or weights for the classes, move the boundary back. Focal loss is taken as the paper's best gamma, 2,
and without its alpha, which is a weight of the classes again: the question is what its focus is worth.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, run_of
from fourfold.claims.rules import all_of, greater
from fourfold.study.cells import CellResult


def minority_recall(cell: CellResult) -> float:
    """Return the share of the test split's second class that is recognised; NaN where the run diverged."""
    import torch

    if cell.status != "done":
        return float("nan")
    run = run_of(cell)
    hits = examples = 0
    with torch.inference_mode():
        for batch in run.parts.source.split("test", 4096):
            rare = batch.targets == 1
            hits += int((run.model(*batch.inputs).argmax(1) == 1)[rare].sum())
            examples += int(rare.sum())
    return hits / examples


CLAIM = TrainedClaim(
    id="ce-imbalance",
    says="Trained by cross-entropy on classes of 20 to 1, a network overlooks the smaller one; class-balanced and "
    "focal loss find more of it.",
    source="Cui, Jia, Lin, Song and Belongie, Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, "
    "arXiv:1901.05555, sections 1 and 5.3; Lin, Goyal, Girshick, He and Dollár, Focal Loss for Dense Object Detection, "
    "ICCV 2017, arXiv:1708.02002, section 3",
    scaled_from="long-tailed CIFAR of 10 and 100 classes, and detection with 1 object in 1,000 places; here two "
    "classes of points in the plane, 800 and 40 to train on",
    recipe="moons-mlp",
    shared={
        "data.num_examples": 4200,
        "data.imbalance": 20,
        "data.noise": 0.35,
        "data.data_seed": None,
        "data.split_seed": None,
        "data.validation": 0.05,
        "data.test": 0.75,
        "budget.batch_size": 84,
    },
    arms={
        "cross-entropy": {},
        "cross-entropy, as many of each": {"data.imbalance": 1},
        "class-balanced": {"loss": {"name": "class_balanced", "beta": 0.999}},
        "focal": {"loss": {"name": "focal", "gamma": 2.0}},
    },
    measure=Measure("recall of the smaller class on the test split (0 to 1)", minority_recall),
    rule=all_of(
        greater("cross-entropy, as many of each", "cross-entropy", by=0.1),
        greater("class-balanced", "cross-entropy", by=0.1),
        greater("focal", "cross-entropy", by=0.05),
    ),
    likely_reason="it is focal loss that fails, while weights for the classes do what was said: focal loss changes how "
    "sure a network is, but its minimum still prefers the likelier class (Charoenphakdee et al., On Focal Loss for "
    "Class-Posterior Probability Estimation, CVPR 2021, arXiv:2011.09172), which where the two overlap is mostly the "
    "larger; its own paper ranks detections by score, and weighs the classes by alpha besides",
    quick=Size(seeds=7, overrides={"budget.epochs": 20}),
    full=Size(seeds=20, overrides={"budget.epochs": 100}),
)
