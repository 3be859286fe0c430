"""What the scores of a finished run say that a person might not see in them.

Checked by: scores counted by hand; networks that never learn, that learn by heart, and ones that do learn.
"""

import math
from collections.abc import Mapping

from fourfold.core.words import counted
from fourfold.losses.cross_entropy import CrossEntropy
from fourfold.run.evaluate import BATCH_SIZE
from fourfold.run.usual_translation import Usual, usual_translation
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Constant, Loss, Source, Spec
from fourfold.tasks.translation import TranslationSpec

CAUSES = "a learning rate far too high or too low, too few steps, a model too simple, or inputs that do not tell"
BY_HEART = "too few examples, a model too large for them, or inputs that do not tell"
EARLY = 0.1  # of the planned steps: who goes back to before that has hardly learned
FEW = 50  # examples for each number that the model returns
LEARNT = (
    0.02  # of the score of who ignores the inputs, or of what it lacks: on a split of some thousand, less is chance
)
LUCK = 1.0  # BLEU below it says nothing; of real pairs the same English sentence has 0.04, and chrF 18
NEXT = {  # what to try of a task whose networks at first all fail in the same way
    "translation": "try next: several times as many steps, for a translator learns which words are frequent before "
    "which ones belong together; then another algorithm.optimizer.lr",
    "tagging": "try next: several times as many steps, for a tagger says O of every word before it finds the first "
    "entity; then another algorithm.optimizer.lr",
}


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
    split = next((split for split in reversed(list(metrics)) if spec.headline in metrics[split]), None)
    if split is None:
        return []
    constant = usual_translation(source, spec) if isinstance(spec, TranslationSpec) else spec.constant()
    if constant is None:
        return []
    measure = _no_better(source, constant, metrics, split)
    if measure is None:
        return []
    name, score, ignorant = measure
    tried = f"; {NEXT[spec.task]}" if spec.task in NEXT else ""
    return [
        f"{split} {name.replace('_', ' ')} {score:.4g} is no better than {ignorant:.4g}, which {constant.says}, would "
        f"get; {_causes(source, constant, metrics, steps, kept)}{tried}"
    ]


def find_misplaced_certainty(spec: Spec, loss: Loss, metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a finding if a classifier's cross-entropy on what it was trained on is above that of an even guess.

    Args:
        spec: the run's task.
        loss: what it was trained by; no other loss has this bound.
        metrics: each split's, by name.
    """
    if not isinstance(spec, ClassificationSpec) or not isinstance(loss, CrossEntropy) or loss.label_smoothing:
        return []
    value, even = metrics.get("train", {}).get("loss", 0.0), math.log(spec.num_classes)
    if value <= even:
        return []
    return [
        f"train loss {value:.4g} is above {even:.4g}, that of finding all {spec.num_classes} classes equally likely: "
        "the network is sure of itself where it is wrong; the usual cause is a learning rate far too high"
    ]


def _no_better(
    source: Source, constant: Constant | Usual, metrics: Mapping[str, Mapping[str, float]], split: str
) -> tuple[str, float, float] | None:
    """Return the measure by which the run is no better than who ignores the inputs, its score and theirs; or None.

    BLEU that is next to 0 is luck with a few words, and then chrF is asked too; not else, for the longest sentence gets
    more of it than a poor translation does.
    """
    ignorant, headline = _scores_of(constant, source, split), source.spec.headline
    lucky = isinstance(source.spec, TranslationSpec) and metrics[split][headline] < LUCK
    for name in (headline, "chrf") if lucky else (headline,):
        score = metrics[split].get(name)
        if score is not None and not _is_better(score, ignorant[name], source.spec):
            return name, score, ignorant[name]
    return None


def _causes(
    source: Source, constant: Constant | Usual, metrics: Mapping[str, Mapping[str, float]], steps: int, kept: int | None
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
    if learned is None or not _is_clearly_better(learned, _scores_of(constant, source, "train")[headline], source.spec):
        return f"usual causes: {CAUSES}"
    few = _few_examples(source)
    return (
        f"what was learned of the training split ({headline.replace('_', ' ')} {learned:.4g}) holds nowhere else; "
        f"usual causes: {BY_HEART}{f'; here: {few}' if few else ''}"
    )


def _few_examples(source: Source) -> str:
    """Return that there are few examples to train on, or nothing."""
    if isinstance(source.spec, TranslationSpec):  # which returns a number for each token that there is
        return ""
    count = source.sizes["train"]
    return f"{count:,} training examples are few" if count < FEW * source.spec.num_outputs else ""


def _scores_of(constant: Constant | Usual, source: Source, split: str) -> dict[str, float]:
    """Return what the answer gets that ignores the inputs."""
    scorer = source.spec.scorer()
    for batch in source.scored(split, BATCH_SIZE):
        if isinstance(constant, Usual):
            scorer.ask(constant.model, batch)
            continue
        output = constant.output.to(batch.inputs[0].device)
        scorer.update(output.expand(len(batch.inputs[0]), *output.shape[1:]), batch)
    return scorer.compute()


def _is_better(score: float, than: float, spec: Spec) -> bool:
    return score > than if spec.higher_is_better else score < than


def _is_clearly_better(score: float, than: float, spec: Spec) -> bool:
    share = min(abs(than), abs(1 - than)) if 0 <= than <= 1 else abs(than)  # what is seldom wrong has little to gain
    return _is_better(score, than, spec) and abs(score - than) > LEARNT * share
