"""Where a translator looks: how much each word that it writes takes from each word of the text.

Attention is between tokens. What is shown is between words: a word takes from another the sum over the tokens of that
one, and the mean over its own. So rows still sum to one, and a syllable that is several bytes is one thing.

Checked by: attention that is known, token by token, joined by hand; rows that sum to one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.text.encoding import Framed, inputs_of
from fourfold.run.run import Run
from fourfold.run.translate import spec_of
from fourfold.tasks.tokenizer import EOS, Tokenizer, tokenizer_of
from fourfold.tasks.translation import translate

END = "(end)"  # how the token is shown that ends a text


class Looks(NamedTuple):
    """Where a translator looked.

    Attributes:
        source: words of the text, and its end.
        target: words of the translation, and its end.
        weights: `[target words, source words]`; each row sums to one.
    """

    source: list[str]
    target: list[str]
    weights: Tensor


@torch.no_grad()
def looks(run: Run, text: str, beams: int = 1) -> Looks:
    """Translate a text and return where each word of the translation was looked for.

    Args:
        run: a run with weights that translates by attention.
        text: in the language that it was trained to read; its end is cut where it is too long.
        beams: as for `run.translate`.

    Raises:
        InputError: the run does not translate, or its model does not say where it looks.
    """
    spec, model = spec_of(run), run.model
    reads, writes = tokenizer_of(spec.source_tokenizer or spec.tokenizer), tokenizer_of(spec.tokenizer)
    row = [*reads.encode([text])[0][: spec.input.length - 1], reads.number_of(EOS)]
    source, lengths = inputs_of(Framed([row], None, 0))
    written = [*translate(model, source, lengths, spec, beams)[0], spec.end]
    attention: Any = getattr(model, "attention_weights", None)
    weights = None if attention is None else attention(source, lengths, torch.tensor([[spec.begin, *written[:-1]]]))
    if weights is None or not bool(weights.any()):
        raise InputError(
            f"{run.run_id}: {run.recipe.model.name} does not look back at the text as it writes; "
            "seq2seq with model.attention=bahdanau does, and the transformer"
        )
    read, wrote = words(reads, row), words(writes, written)
    return Looks([w for w, _ in read], [w for w, _ in wrote], joined(weights[0], read, wrote))


def words(tokenizer: Tokenizer, numbers: Sequence[int]) -> list[tuple[str, int]]:
    """Return the words that tokens spell, and of how many tokens each is; the last token, the end, is one."""
    found: list[tuple[str, int]] = []
    for piece in tokenizer.stream(numbers[:-1]):
        if found and (piece == "" or not piece[0].isspace()):
            text, count = found[-1]
            found[-1] = text + piece, count + 1
        else:
            found.append((piece, 1))
    return [*((text.strip() or "␣", count) for text, count in found), (END, 1)]


def joined(weights: Tensor, read: Sequence[tuple[str, int]], wrote: Sequence[tuple[str, int]]) -> Tensor:
    """Return attention between words, `[written, read]`, from that between their tokens."""
    columns = torch.stack([part.sum(1) for part in weights.split([count for _, count in read], dim=1)], 1)
    return torch.stack([part.mean(0) for part in columns.split([count for _, count in wrote])])
