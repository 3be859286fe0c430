"""Tagging: a class for each word of a text, such as the named entities in it.

Output: tag scores (logits) at each token, `[batch, length, tags]`. Targets: tag numbers, int64 `[batch, length]`; of a
word that is several tokens the first one has the tag, and the others are `IGNORED`, as padding is (Devlin et al., 2019,
arXiv:1810.04805, section 5.3).

Tags are IOB2: B-PER begins an entity of type PER, I-PER goes on with it, O is none. The headline is then F1 of whole
entities, micro-averaged over types, by seqeval in its default mode. That mode counts as conlleval does, the program of
the CoNLL shared tasks by which published numbers are computed: an I-PER that follows no PER begins an entity, where
seqeval's strict mode would ignore it. Where no tag begins with "B-", as with parts of speech, the headline is accuracy.

Checked by: seqeval; entities counted by hand; scikit-learn's accuracy_score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Mapping

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch, Constant
from fourfold.tasks.tokens import IGNORED, TokenScorer, TokenSpec

OUTSIDE = "O"


@dataclass(frozen=True)
class TaggingSpec(TokenSpec):
    """What a source of tagged texts promises."""

    input: Tokens
    tag_names: tuple[str, ...]

    task = "tagging"
    higher_is_better = True

    def __post_init__(self) -> None:
        if len(self.tag_names) < 2:
            raise InputError(f"tag_names: {len(self.tag_names)} tags; tagging needs two or more")

    @property
    def num_outputs(self) -> int:
        """One score a tag, at each token."""
        return len(self.tag_names)

    @property
    def has_entities(self) -> bool:
        """Whether tags mark stretches of words, and not words alone."""
        return any(name.startswith("B-") for name in self.tag_names)

    @property
    def headline(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """F1 of entities, or accuracy of tags where there are none."""
        return "f1" if self.has_entities else "accuracy"

    @property
    def metrics(self) -> Mapping[str, bool]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Everything that is computed."""
        entities = {"f1": True, "precision": True, "recall": True} if self.has_entities else {}
        return {**entities, "accuracy": True}

    def scorer(self) -> "TaggingScorer":
        """Return a scorer that has seen nothing."""
        return TaggingScorer(self.tag_names, self.has_entities)

    def constant(self) -> Constant | None:
        """Return O for every word; None where tags mark no entities, and the likeliest one is not known here."""
        if not self.has_entities or OUTSIDE not in self.tag_names:
            return None
        scores = torch.zeros(1, 1, self.num_outputs)
        scores[0, 0, self.tag_names.index(OUTSIDE)] = 1.0
        return Constant(scores, f"always answering '{OUTSIDE}', no entity anywhere")

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """Return the likeliest tag of each token, padding included, and its probability."""
        best = output.detach().float().softmax(2).max(2)
        return [
            {"tags": [self.tag_names[tag] for tag in tags], "probabilities": shares}
            for tags, shares in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def draw(self, batch: Batch, output: Tensor, raw: Any) -> Any:
        """Return a figure of texts with their entities, found, wrong and missed.

        `raw` holds each text as a list of words.
        """
        from fourfold.tasks.tag_drawing import draw_tagged  # matplotlib only when something is drawn

        rows = zip(raw, tags_of_words(output, batch.targets), words_of(batch.targets, batch.targets), strict=True)
        return draw_tagged([(words, self._names(said), self._names(true)) for words, said, true in rows])

    def _names(self, tags: Sequence[int]) -> list[str]:
        return [self.tag_names[tag] for tag in tags]


class TaggingScorer(TokenScorer):
    """The tags of every word, said and true, text by text."""

    def __init__(self, tag_names: tuple[str, ...], has_entities: bool) -> None:
        super().__init__()
        self.tag_names, self.has_entities = tag_names, has_entities
        self.predicted: list[list[int]] = []
        self.true: list[list[int]] = []

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add one batch of scores `[batch, length, tags]`."""
        super().update(output, batch)
        if self.has_entities:
            self.predicted += tags_of_words(output, batch.targets)
            self.true += words_of(batch.targets, batch.targets)

    def merge(self, other: "TaggingScorer") -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Add what another scorer has seen."""
        super().merge(other)
        self.predicted += other.predicted
        self.true += other.true

    def compute(self) -> dict[str, float]:
        """Return F1, precision and recall of entities, and accuracy of tags."""
        accuracy = super().compute()["accuracy"]
        if not self.has_entities:
            return {"accuracy": accuracy}
        from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

        said = [[self.tag_names[tag] for tag in tags] for tags in self.predicted]
        true = [[self.tag_names[tag] for tag in tags] for tags in self.true]
        precision, recall, f1, _ = precision_recall_fscore_support(true, said, average="micro", zero_division=0)  # pyright: ignore[reportArgumentType]
        return {"f1": float(f1), "precision": float(precision), "recall": float(recall), "accuracy": accuracy}  # pyright: ignore[reportArgumentType]


def tags_of_words(output: Tensor, targets: Tensor) -> list[list[int]]:
    """Return the likeliest tag of each word, text by text, from scores `[batch, length, tags]`."""
    return words_of(output.argmax(2), targets)


def words_of(values: Tensor, targets: Tensor) -> list[list[int]]:
    """Return of each text the `values [batch, length]` where `targets`, of the same shape, are not `IGNORED`."""
    real = (targets != IGNORED).cpu()
    kept = torch.masked_select(values.cpu(), real).tolist()
    ends = real.sum(1).cumsum(0).tolist()
    return [kept[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def entities(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return the entities that IOB2 tags mark: type, first word and last word, each counted from 0.

    An I- that goes on with nothing of its type begins an entity, as in the score.
    """
    found: list[tuple[str, int, int]] = []
    for place, tag in enumerate(tags):
        begins, _, kind = tag.partition("-")
        if begins not in ("B", "I"):
            continue
        if begins == "I" and found and found[-1][0] == kind and found[-1][2] == place - 1:
            found[-1] = (kind, found[-1][1], place)
        else:
            found.append((kind, place, place))
    return found
