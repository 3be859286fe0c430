"""Masked language modelling: guess the words that were hidden in a text, and whether one text follows another.

Inputs: `(tokens, lengths, segments, documents, positions)`, of which a batch has the first few, as in `tasks.inputs`;
positions, int64 `[batch, chosen]`, are the places to be guessed, -1 where a row has fewer. Without them every place is.
Output: `MaskedOutput`. Targets: `MaskedTargets`.

Paper: Devlin, Chang, Lee and Toutanova, BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding, NAACL 2019, arXiv:1810.04805, section 3.1; without the second question as in Liu et al., RoBERTa, 2019,
arXiv:1907.11692, section 4.2.
Checked by: scores counted by hand; scikit-learn's accuracy_score and log_loss.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch, Scorer, Spec
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED

NEXT, RANDOM = 0, 1  # the second text of a pair follows the first, or stands somewhere else
GUESSES = 5  # of a hidden word, that a prediction tells
RIGHT, WRONG = 0.2, 0.8  # shades of the ground behind hidden words in a figure


class MaskedOutput(NamedTuple):
    """What a model returns."""

    tokens: Tensor  # scores of each token of the vocabulary, [batch, chosen, vocab]
    next_sentence: Tensor | None  # scores of NEXT and RANDOM, [batch, 2]; None where it is not asked
    positions: Tensor | None = None  # what the model was given: where it is -1 the scores mean nothing


class MaskedTargets(NamedTuple):
    """What is true."""

    tokens: Tensor  # int64 [batch, chosen], the words that were hidden; IGNORED where there is no position
    next_sentence: Tensor  # int64 [batch], NEXT or RANDOM; IGNORED where it is not asked


@dataclass(frozen=True)
class MaskedLanguageModellingSpec(Spec):
    """What a source of texts with hidden words promises.

    Attributes:
        tokenizer: its JSON, by which token numbers are words.
        next_sentence: whether texts are pairs, of which half do not belong together.
    """

    input: Tokens
    tokenizer: str
    next_sentence: bool = True

    task = "masked_language_modelling"
    headline = "perplexity"
    higher_is_better = False
    counts = "hidden words"
    metrics = {"perplexity": False, "masked_accuracy": True, "next_sentence_accuracy": True}  # noqa: RUF012

    def __post_init__(self) -> None:
        if self.next_sentence and self.input.segments != 2:
            raise InputError(f"input.segments: {self.input.segments}; texts that may follow each other come in pairs")

    @property
    def num_outputs(self) -> int:
        """One score a token of the vocabulary, at each place."""
        return self.input.vocab_size

    def scorer(self) -> "MaskedScorer":
        """Return empty sums."""
        return MaskedScorer()

    def predictions(self, output: MaskedOutput) -> list[dict[str, Any]]:
        """Return the likeliest word of each hidden place, in order, and the probabilities of a few.

        Where texts come in pairs, `follows` is the probability that the second one follows the first.
        """
        tokenizer = tokenizer_of(self.tokenizer)
        best = output.tokens.detach().float().softmax(2).cpu().topk(min(GUESSES, self.num_outputs), dim=2)
        asked = torch.ones(best.values.shape[:2]) if output.positions is None else output.positions.cpu() >= 0
        rows: list[dict[str, Any]] = []
        for values, numbers, real in zip(best.values.tolist(), best.indices.tolist(), asked.tolist(), strict=True):
            words = [[tokenizer.decode([[number]], special=True)[0] for number in place] for place in numbers]
            guesses: list[dict[str, float]] = []
            for place, shares, is_real in zip(words, values, real, strict=True):
                if not is_real:
                    continue
                guesses.append({})
                for word, share in zip(place, shares, strict=True):
                    guesses[-1].setdefault(word, share)  # of two tokens that read alike the likelier one
            rows.append({"words": [next(iter(guess)) for guess in guesses], "probabilities": guesses})
        if output.next_sentence is not None:
            shares = output.next_sentence.detach().float().softmax(1)[:, NEXT].tolist()
            rows = [{**row, "follows": share} for row, share in zip(rows, shares, strict=True)]
        return rows

    def draw(self, batch: Batch, output: MaskedOutput, raw: Any) -> Any:
        """Return a figure of a few texts, their hidden words as the model has them; wrong ones on a darker ground."""
        from fourfold.tasks.coloured_text import TEXTS, Piece, draw_texts  # matplotlib only when something is drawn

        tokenizer = tokenizer_of(self.tokenizer)
        texts: list[list[Piece]] = []
        for row in range(min(TEXTS, len(batch.inputs[0]))):
            tokens = batch.inputs[0][row, : int(batch.inputs[1][row])].tolist()
            true = dict(zip(batch.inputs[4][row].tolist(), batch.targets.tokens[row].tolist(), strict=True))
            said = dict(zip(true, output.tokens[row].argmax(1).tolist(), strict=False))
            shown = tokenizer.stream([said.get(place, token) for place, token in enumerate(tokens)], special=True)
            pieces: list[Piece] = []
            for place, word in enumerate(shown):
                if place not in true:
                    pieces.append(Piece(word, 0.0))
                elif said[place] == true[place]:
                    pieces.append(Piece(word, RIGHT))
                else:
                    pieces.append(Piece(f"{word}({tokenizer.token_of(true[place])})", WRONG))
            texts.append(pieces)
        return draw_texts(texts, "on a light ground: hidden words that are right; dark: wrong, with the true word")


class MaskedScorer(Scorer):
    """How many hidden words and how many pairs are told right, and the surprise of the words in nats."""

    def __init__(self) -> None:
        self.nats = 0.0
        self.words, self.words_right, self.pairs, self.pairs_right = 0, 0, 0, 0

    def update(self, output: MaskedOutput, batch: Batch) -> None:
        """Add one batch."""
        targets: MaskedTargets = batch.targets
        scores, words = output.tokens.flatten(0, 1).float(), targets.tokens.flatten()
        self.nats += float(F.cross_entropy(scores, words, ignore_index=IGNORED, reduction="sum"))
        self.words += int((words != IGNORED).sum())
        self.words_right += int((scores.argmax(1) == words).sum())
        if output.next_sentence is not None:
            self.pairs += int((targets.next_sentence != IGNORED).sum())
            self.pairs_right += int((output.next_sentence.argmax(1) == targets.next_sentence).sum())

    def merge(self, other: "MaskedScorer") -> None:
        """Add another scorer's sums."""
        self.nats += other.nats
        self.words, self.words_right = self.words + other.words, self.words_right + other.words_right
        self.pairs, self.pairs_right = self.pairs + other.pairs, self.pairs_right + other.pairs_right

    def compute(self) -> dict[str, float]:
        """Return perplexity and accuracy of the hidden words, and of pairs, where there are any, the accuracy."""
        words = max(self.words, 1)
        metrics = {"perplexity": math.exp(min(self.nats / words, 700)), "masked_accuracy": self.words_right / words}
        return metrics | ({"next_sentence_accuracy": self.pairs_right / self.pairs} if self.pairs else {})
