"""Language modelling: at each token, which one comes next.

Output: scores (logits) of the next token, `[batch, length, vocab]`, that depend on no token after it. Targets: the next
token's number, int64 `[batch, length]`, `IGNORED` where padding follows.

The headline is bits per character: the surprise in bits, summed over the tokens and divided by the characters they
stand for. So models of characters, of pairs of bytes and of words can be compared, which their perplexities, a token
each, cannot. It is exact for the first two (see `Tokenizer.characters`).

Checked by: hand counts; a uniform model's log2 of the vocabulary; the same text in characters and in bytes.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch, Constant
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED, TOKEN_METRICS, TokenScorer, TokenSpec

SHOWN = 5  # next tokens of a prediction


@runtime_checkable
class Continues(Protocol):
    """What a language model offers beside `forward` so that text is written token by token without starting over.

    `forward(tokens)` of a whole text and `extend` of the same text in pieces give the same scores, up to rounding. A
    model without these methods can write too: everything so far goes through it again for each token.

    Attributes:
        context: tokens that a state can take in altogether, such as learnt positions; None: any number.
    """

    context: int | None

    def begin(self, batch: int) -> Any:
        """Return the state before the first token of `batch` texts, such as an empty cache of keys and values."""
        ...

    def extend(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Take in further tokens.

        Args:
            tokens: int64 `[batch, new]`, all of them real.
            state: what `begin` or the last `extend` returned; it may be changed, and must not be used again.

        Returns:
            Scores `[batch, new, vocab]` of what comes after each of them, or `[batch, 1, vocab]` after the last, and
            the state after them.
        """
        ...


@dataclass(frozen=True)
class LanguageModellingSpec(TokenSpec):
    """What a source of running text promises."""

    input: Tokens
    tokenizer: str  # its JSON
    token_counts: tuple[int, ...] = ()  # how often each token comes in training

    task = "language_modelling"
    headline = "bits_per_character"
    higher_is_better = False
    metrics = {"bits_per_character": False, **TOKEN_METRICS}  # noqa: RUF012

    def __post_init__(self) -> None:
        if self.token_counts and len(self.token_counts) != self.input.vocab_size:
            raise InputError(f"token_counts: {len(self.token_counts)} counts for {self.input.vocab_size} tokens")

    @property
    def num_outputs(self) -> int:
        """One score a token of the vocabulary."""
        return self.input.vocab_size

    def scorer(self) -> "LanguageModellingScorer":
        """Return a scorer that has seen nothing."""
        characters = tokenizer_of(self.tokenizer).characters
        missing = self.input.vocab_size - len(characters)  # a table of outputs may be rounded up
        return LanguageModellingScorer(torch.tensor([*characters, *[0] * missing]))

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """Return the token that is likeliest to come after the last one of each row, and the few next to it."""
        tokenizer = tokenizer_of(self.tokenizer)
        best = output[:, -1].detach().float().softmax(1).cpu().topk(min(SHOWN, self.num_outputs), dim=1)
        rows = []
        for values, numbers in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            texts = tokenizer.decode([[number] for number in numbers], special=True)
            rows.append({"next": texts[0], "probability": values[0], "probabilities": dict(zip(texts, values))})  # noqa: B905 - two tokens may read alike
        return rows

    def draw(self, batch: Batch, output: Tensor, raw: Any) -> Any:
        """Return a figure of a few texts, each token coloured by how surprising it was."""
        from fourfold.tasks.coloured_text import draw_surprise  # matplotlib only when something is drawn

        return draw_surprise(self.tokenizer, batch.inputs[0], batch.targets, output)

    def constant(self) -> Constant | None:
        """Return each token's share of the training split, whatever came before; one more of each, so none is zero."""
        if not self.token_counts:
            return None
        shares = (torch.tensor(self.token_counts, dtype=torch.float64) + 1).log().float()
        return Constant(shares.view(1, 1, -1), "each token's share of the training text, whatever came before it")


class LanguageModellingScorer(TokenScorer):
    """Surprise a character, beside what is scored a token.

    Args:
        characters: of each token, int64 `[vocab]`.
    """

    def __init__(self, characters: Tensor) -> None:
        super().__init__()
        self._characters = characters
        self.characters = torch.zeros((), dtype=torch.int64)

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add one batch of scores `[batch, length, vocab]`."""
        super().update(output, batch)
        self._characters = self._characters.to(batch.targets.device)
        real = batch.targets[batch.targets != IGNORED]
        self.characters = self.characters + self._characters[real].sum().cpu()

    def merge(self, other: "LanguageModellingScorer") -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Add another scorer's sums."""
        super().merge(other)
        self.characters = self.characters + other.characters

    def compute(self) -> dict[str, float]:
        """Return bits per character, perplexity (a token) and accuracy."""
        bits = float(self.nats) / math.log(2)
        return {"bits_per_character": bits / max(int(self.characters), 1), **super().compute()}
