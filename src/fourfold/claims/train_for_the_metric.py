"""Where F1 is what is wanted: choosing weights by it, and training for it, on classes of 20 to 1.

Two of the arms are the same run, by cross-entropy, and differ in which of its weights are kept: those of the lowest
validation loss, or those of the highest validation F1.
The third is trained on a smooth F1 itself, and keeps what the second keeps. All are scored by F1 on the test split.
"""

from typing import Any

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rare_class import MOONS
from fourfold.claims.rules import all_of, greater


def _keep_best(name: str, higher_is_better: bool) -> dict[str, Any]:
    watched = {"name": "early_stopping", "patience": 1000, "metric": name, "higher_is_better": higher_is_better}
    return {"algorithm.regularizers": [watched]}


CLAIM = TrainedClaim(
    id="train-for-the-metric",
    says="Where F1 is what counts, weights that were chosen by it, or trained for a smooth F1, beat those of the "
    "lowest cross-entropy.",
    source="Bénédict, Koops, Odijk and de Rijke, sigmoidF1: A Smooth F1 Score Surrogate Loss for Multilabel "
    "Classification, TMLR 2022, arXiv:2108.10566, abstract",
    scaled_from="pictures and texts with many labels each; here two classes of points in the plane",
    recipe="moons-mlp",
    shared={
        **MOONS,
        "data.validation": 0.25,
        "data.test": 0.55,
        "budget.batch_size": "full",
        "budget.validate_every": 5,
    },
    arms={
        "lowest loss": _keep_best("loss", False),
        "highest F1": _keep_best("macro_f1", True),
        "trained for F1": {"loss": {"name": "soft_f1"}, **_keep_best("macro_f1", True)},
    },
    measure=metric("test.macro_f1"),
    rule=all_of(
        greater("highest F1", "lowest loss", by=0.005),
        greater("trained for F1", "lowest loss", by=0.005),
    ),
    quick=Size(seeds=7, overrides={"budget.steps": 200}),
    full=Size(seeds=20, overrides={"budget.steps": 1000}),
)
