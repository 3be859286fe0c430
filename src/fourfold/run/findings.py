"""What the scores of a finished run say that a person might not see in them.

Checked by: scores counted by hand; networks that never learn, and ones that do.
"""

from collections.abc import Mapping

from fourfold.run.evaluate import BATCH_SIZE
from fourfold.tasks.seam import Source

CAUSES = "a learning rate far too high or too low, too few steps, a model too simple, or inputs that do not tell"


def find(source: Source, metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a finding if the headline is no better than that of the best answer that ignores the inputs, else none.

    Args:
        source: the run's data.
        metrics: each split's, by name; the last split counts, which is the test split where there is one.
    """
    spec = source.spec
    constant = spec.constant()
    split = next((split for split in reversed(list(metrics)) if spec.headline in metrics[split]), None)
    if constant is None or split is None:
        return []
    scorer = spec.scorer()
    for batch in source.scored(split, BATCH_SIZE):
        output = constant.output.to(batch.inputs[0].device)
        scorer.update(output.expand(len(batch.inputs[0]), *output.shape[1:]), batch)
    score, ignorant = metrics[split][spec.headline], scorer.compute()[spec.headline]
    if score > ignorant if spec.higher_is_better else score < ignorant:
        return []
    name = spec.headline.replace("_", " ")
    return [
        f"{split} {name} {score:.4g} is no better than {ignorant:.4g}, which {constant.says}, would get; "
        f"usual causes: {CAUSES}"
    ]
