"""What a network that learned without labels finds alike: pictures beside those whose features are nearest.

Checked by: a report of such a run, whose figure has a picture of each class and its neighbours.
"""

import torch

from fourfold.report.drawing import Drawn
from fourfold.run.run import Run
from fourfold.tasks.contrastive import ContrastiveOutput, ContrastiveSpec
from fourfold.tasks.seam import Batch

AMONG = 1000  # pictures that neighbours are sought among


def draw_nearest(run: Run) -> list[Drawn]:
    """Return the figure of a run's nearest neighbours, in its test split, or validation where there is none.

    Raises:
        InputError: the data cannot be read any more.
        CheckpointError: the run has no weights, or they are damaged.
    """
    spec, source, model = run.spec, run.parts.source, run.model
    assert isinstance(spec, ContrastiveSpec)
    split = "test" if source.sizes.get("test") else "validation"
    features, batches = [], []
    with torch.inference_mode():
        for batch in source.scored(split, 256):
            batches.append(batch.targets)
            features.append(model(batch.targets.pictures).features.float())
            if sum(map(len, features)) >= AMONG:
                break
    found, labels = torch.cat(features)[:AMONG], torch.cat([each.labels for each in batches])[:AMONG]
    output = ContrastiveOutput(found, None, found)
    figure = spec.draw(
        Batch((), batches[0]._replace(labels=labels)), output, source.raw(split, list(range(len(found))))
    )
    says = (
        f"Pictures of the {split} split, and of its first {len(found):,} those whose features are most like theirs, "
        "with the cosine."
    )
    told = " Orange: of another class, which nobody told the network." if spec.class_names else ""
    return [Drawn("neighbours", figure, says + told)]
