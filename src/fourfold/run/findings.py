"""What the scores of a finished run say that a person might not see in them.

Checked by: scores counted by hand; networks that never learn, that learn by heart, and ones that do learn.
"""

from collections.abc import Mapping

from fourfold.core.words import counted
from fourfold.run.evaluate import BATCH_SIZE
from fourfold.tasks.seam import Constant, Source, Spec

CAUSES = "a learning rate far too high or too low, too few steps, a model too simple, or inputs that do not tell"
BY_HEART = "too few examples, a model too large for them, or inputs that do not tell"
EARLY = 0.1  # of the planned steps: who goes back to before that has hardly learned
FEW = 50  # examples for each number that the model returns


def find(
    source: Source, metrics: Mapping[str, Mapping[str, float]], steps: int = 0, kept: int | None = None
) -> list[str]:
    """Return a finding if the headline is no better than that of the best answer that ignores the inputs, else none.

    Args:
        source: the run's data.
        metrics: each split's, by name; the last split counts, which is the test split where there is one.
        steps: that were planned.
        kept: the step whose weights were gone back to; None: the last one's.
    """
    spec = source.spec
    constant = spec.constant()
    split = next((split for split in reversed(list(metrics)) if spec.headline in metrics[split]), None)
    if constant is None or split is None:
        return []
    score, ignorant = metrics[split][spec.headline], _score_of(constant, source, split)
    if _is_better(score, ignorant, spec):
        return []
    name = spec.headline.replace("_", " ")
    return [
        f"{split} {name} {score:.4g} is no better than {ignorant:.4g}, which {constant.says}, would get; "
        + _causes(source, constant, metrics, steps, kept)
    ]


def _causes(
    source: Source, constant: Constant, metrics: Mapping[str, Mapping[str, float]], steps: int, kept: int | None
) -> str:
    """Return what this run itself gives reason to suspect, or else what is usual."""
    if kept is not None and kept <= EARLY * steps:
        judges = counted(source.sizes.get("validation", 0), "validation example")
        few = _few_examples(source)
        return (
            f"likely causes: early stopping kept step {kept:,} of {steps:,}, judging by {judges}"
            f"{f', and {few}' if few else ''}; usual ones: {CAUSES}"
        )
    headline = source.spec.headline
    learned = metrics.get("train", {}).get(headline) if len(metrics) > 1 else None
    if learned is None or not _is_better(learned, _score_of(constant, source, "train"), source.spec):
        return f"usual causes: {CAUSES}"
    few = _few_examples(source)
    return (
        f"what was learned of the training split ({headline.replace('_', ' ')} {learned:.4g}) holds nowhere else; "
        f"usual causes: {BY_HEART}{f'; here: {few}' if few else ''}"
    )


def _few_examples(source: Source) -> str:
    """Return that there are few examples to train on, or nothing."""
    count = source.sizes["train"]
    return f"{count:,} training examples are few" if count < FEW * source.spec.num_outputs else ""


def _score_of(constant: Constant, source: Source, split: str) -> float:
    """Return the headline of the answer that ignores the inputs."""
    scorer = source.spec.scorer()
    for batch in source.scored(split, BATCH_SIZE):
        output = constant.output.to(batch.inputs[0].device)
        scorer.update(output.expand(len(batch.inputs[0]), *output.shape[1:]), batch)
    return scorer.compute()[source.spec.headline]


def _is_better(score: float, than: float, spec: Spec) -> bool:
    return score > than if spec.higher_is_better else score < than
