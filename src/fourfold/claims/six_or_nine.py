"""Pictures of digits that are turned: by a few degrees, which keeps a 6 a 6, and by any angle, which does not.

What is measured is the share of the test split's sixes and nines that are taken for anything else; test pictures are
never turned. Turned by any angle, a six looks as a nine does, under both names: the network can do no better than
guess. A few degrees must not do such harm.
"""

from typing import TYPE_CHECKING

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, run_of
from fourfold.claims.rules import all_of, greater, not_greater

if TYPE_CHECKING:
    from fourfold.study.cells import CellResult


def misread(cell: "CellResult") -> float:
    """Return the share of the test split's sixes and nines that the cell's network gives another class."""
    import torch

    if cell.status != "done":
        return float("nan")
    run = run_of(cell)
    wrong = count = 0
    with torch.inference_mode():
        for batch in run.parts.source.split("test", 1000):
            chosen = (batch.targets == 6) | (batch.targets == 9)
            answers = run.model(*batch.inputs).argmax(1)
            wrong += int((answers != batch.targets)[chosen].sum())
            count += int(chosen.sum())
    return wrong / count


CLAIM = TrainedClaim(
    id="six-or-nine",
    says="Turning training pictures of digits by any angle makes a network mistake sixes for nines; turning them by a "
    "few degrees does no such harm.",
    source="Goodfellow, Bengio and Courville, Deep Learning, 2016, section 7.4: half turns do not suit a task that has "
    "to tell 6 from 9",
    recipe="digits-mlp",
    shared={"data.split_seed": None},
    arms={
        "upright": {},
        "up to 15 degrees": {"data.augment": [{"name": "rotation", "degrees": 15.0}]},
        "any angle": {"data.augment": [{"name": "rotation", "degrees": 180.0}]},
    },
    measure=Measure("share of the test split's sixes and nines that are misread", misread),
    rule=all_of(
        greater("any angle", "upright", by=0.1),
        not_greater("up to 15 degrees", "upright", by=0.02),
    ),
    quick=Size(seeds=8, overrides={"budget.epochs": 15}),
    full=Size(seeds=16),
)
