"""The loss of BERT's pre-training: of the hidden words, and of whether one text follows the other.

    sum_i (sum_j -log p(w_ij) + n_i -log p(s_i)) / sum_i n_i

for texts i with n_i hidden words w_ij each, and s_i saying whether the pair belongs together.

Paper: Devlin, Chang, Lee and Toutanova, BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding, NAACL 2019, arXiv:1810.04805, appendix A.2: "The training loss is the sum of the mean masked LM
likelihood and the mean next sentence prediction likelihood."
Departures: two means over unlike numbers, of words and of pairs, are no sum that micro-batches and processes could add
up. Here everything is counted in hidden words: the first mean is the paper's, and in the second a pair counts by its
number of hidden words. That is the paper's too where all texts of a batch have as many.
Checked by: Hugging Face's BertForPreTraining; a ragged split against the whole; gradcheck.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec, MaskedOutput, MaskedTargets
from fourfold.tasks.seam import LossValue, Spec, require_task
from fourfold.tasks.tokens import IGNORED


class MaskedAndNextConfig(LossConfig):
    """Fields of `loss: masked_and_next`."""

    name: Literal["masked_and_next"] = "masked_and_next"

    def build(self, spec: Spec) -> "MaskedAndNext":
        """Return the loss; where the data asks for no pairs it is that of the words alone."""
        require_task(spec, MaskedLanguageModellingSpec, "masked_and_next")
        return MaskedAndNext()


def masked_and_next(output: MaskedOutput, targets: MaskedTargets) -> LossValue:
    """Return the summed loss; its count is of hidden words, and its parts are `masked` and `next_sentence`."""
    words = targets.tokens
    scores = _wide(output.tokens).flatten(0, 1)
    masked = F.cross_entropy(scores, words.flatten(), ignore_index=IGNORED, reduction="sum")
    hidden = (words != IGNORED).sum(1)  # [batch]
    if output.next_sentence is None:
        return LossValue(masked, hidden.sum(), {"masked": masked})
    pairs = _wide(output.next_sentence)
    surprise = F.cross_entropy(pairs, targets.next_sentence, ignore_index=IGNORED, reduction="none")
    following = (hidden * surprise).sum()
    return LossValue(masked + following, hidden.sum(), {"masked": masked, "next_sentence": following})


class MaskedAndNext(Loss):
    """The loss as a part of a recipe."""

    def evaluate(self, output: MaskedOutput, targets: MaskedTargets) -> LossValue:
        """Return the loss of hidden words and of pairs, summed."""
        return masked_and_next(output, targets)


def _wide(scores: Tensor) -> Tensor:
    """Return scores of half precision in float32, and others as they are."""
    return scores.float() if scores.element_size() < 4 else scores
