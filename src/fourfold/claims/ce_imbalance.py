"""What a class that is twenty times rarer than the other is recognised by, with three losses.

Cross-entropy is right to lean to the larger class where mistakes cost alike, and that leaves the smaller one out. As
many points of each in training, or weights for the classes, move the boundary back. Focal loss is taken as the paper's
best gamma, 2, and without its alpha, which is a weight of the classes again: the question is what its focus is worth.

Recall of the smaller class alone could be had by never naming the larger one. So both are judged: recall, and balanced
accuracy, the mean of both classes' recall, by half as much, which is what the recall is worth if the larger class loses
nothing. Who names only the smaller class has 1/2. The rule's first form asked for recall alone; the same runs are
judged again. Precision is told; where there are as many of each, there are in the test split too, so that arm's is of
another question.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, metric, run_of
from fourfold.claims.rare_class import MOONS
from fourfold.claims.rules import all_of, greater
from fourfold.study.cells import CellResult


def minority_recall(cell: CellResult) -> float:
    """Return the share of the test split's second class that is recognised; NaN where the run diverged."""
    hits, examples, _ = counted(cell) if cell.status == "done" else (0, 0, 0)
    return hits / examples if examples else float("nan")


def minority_precision(cell: CellResult) -> float:
    """Return which share of what is taken for the second class is of it; NaN where nothing is, or the run diverged."""
    hits, _, named = counted(cell) if cell.status == "done" else (0, 0, 0)
    return hits / named if named else float("nan")


def counted(cell: CellResult) -> tuple[int, int, int]:
    """Return how many of the test split's second class are recognised, are there, and are said to be there."""
    import torch

    run = run_of(cell)
    hits = examples = named = 0
    with torch.inference_mode():
        for batch in run.parts.source.split("test", 4096):
            rare, said = batch.targets == 1, run.model(*batch.inputs).argmax(1) == 1
            hits += int((rare & said).sum())
            examples += int(rare.sum())
            named += int(said.sum())
    return hits, examples, named


CLAIM = TrainedClaim(
    id="ce-imbalance",
    says="Trained by cross-entropy on classes of 20 to 1, a network overlooks the smaller one; class-balanced and "
    "focal loss find more of it.",
    source="Cui, Jia, Lin, Song and Belongie, Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, "
    "arXiv:1901.05555, section 1 and Fig. 1; Lin, Goyal, Girshick, He and Dollár, Focal Loss for Dense Object "
    "Detection, ICCV 2017, arXiv:1708.02002, section 3",
    scaled_from="long-tailed CIFAR, ImageNet and iNaturalist, and the detection of objects in photographs; here two "
    "classes of points in the plane, 800 and 40 to train on",
    recipe="moons-mlp",
    shared={
        **MOONS,
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
    measure=metric("test.macro_recall"),
    beside={
        "recall": Measure("recall of the smaller class on the test split (0 to 1)", minority_recall),
        "precision": Measure("precision of the smaller class on the test split (0 to 1)", minority_precision),
    },
    rule=all_of(
        greater("cross-entropy, as many of each: recall", "cross-entropy: recall", by=0.1),
        greater("class-balanced: recall", "cross-entropy: recall", by=0.1),
        greater("class-balanced", "cross-entropy", by=0.05),
        greater("focal: recall", "cross-entropy: recall", by=0.05),
        greater("focal", "cross-entropy", by=0.025),
    ),
    likely_reason="it is focal loss that fails, while weights for the classes do what was said: focal loss changes how "
    "sure a network is, but its minimum still prefers the likelier class (Charoenphakdee et al., On Focal Loss for "
    "Class-Posterior Probability Estimation, CVPR 2021, arXiv:2011.09172), which where the two overlap is mostly the "
    "larger; its own paper ranks detections by score, and weighs the classes by alpha besides",
    quick=Size(seeds=8, overrides={"budget.epochs": 20}),
    full=Size(seeds=20, overrides={"budget.epochs": 100}),
)
