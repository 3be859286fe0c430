"""What a translator would get that writes the same sentence whatever it reads: less than that is no translation.

The sentence is a translation of the training split, of a few the one that is most like many others by chrF (Popović,
2015); "" would get 0, and so would most sentences, which are too short. A search through all of them might find one
that gets a little more.

Checked by: the choice by hand; sacrebleu's scores of the sentence.
"""

from typing import NamedTuple

from torch import Tensor, nn

from fourfold.data.sampled import evenly_spaced
from fourfold.tasks.seam import Source
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.translation import TranslationSpec

CANDIDATES, OTHERS = 16, 128  # translations to choose from, and to be like; together they take half a second
SHOWN = 60  # letters of the sentence in a message


class Usual(NamedTuple):
    """A translator that ignores what it reads."""

    model: nn.Module
    says: str  # such as "always writing 'Opens the file.', which is most like other translations of the training split"


class Always(nn.Module):
    """Writes the same tokens as the translation of every text."""

    def __init__(self, tokens: list[int]) -> None:
        super().__init__()
        self.tokens = tokens

    def translate(self, source: Tensor, lengths: Tensor, max_length: int) -> list[list[int]]:
        """Return the tokens once for each text."""
        return [self.tokens] * len(source)


def usual_translation(source: Source, spec: TranslationSpec) -> Usual:
    """Return the translator that always writes the sentence of the training split that is most like others."""
    from sacrebleu import CHRF

    count = source.sizes["train"]
    others = [text for _, text in source.raw("train", evenly_spaced(count, OTHERS).tolist())]
    candidates = [others[number] for number in evenly_spaced(len(others), CANDIDATES).tolist()]
    chrf = CHRF()
    best = max(candidates, key=lambda text: chrf.corpus_score([text] * len(others), [others]).score)
    shown = best if len(best) <= SHOWN else f"{best[: SHOWN - 1].rstrip()}…"
    says = f"always writing '{shown}', of training's translations one that is like many others"
    return Usual(Always(tokenizer_of(spec.tokenizer).encode([best])[0]), says)
