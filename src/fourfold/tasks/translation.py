"""Translation: a text in another language for each text.

Inputs: `(source, source lengths, translation)`, int64 `[batch, s]`, `[batch]` and `[batch, t]`, the translation from
its begin token on. Output: scores of the token that comes next, `[batch, t, tokens]`. Targets: int64 `[batch, t]`, the
translation without the begin token, up to its end token, and `IGNORED` where padding follows.

The headline is BLEU, of translations that the model makes by itself: by its own method
`translate(source, lengths, max_length) -> lists of tokens`, or else token by token, each time the likeliest, through
`encode(source, lengths)` and `decode(translation so far, memory)`. Of a long split, such as the training split, the
first `MOST` sentences count. Beside it chrF, and accuracy and perplexity of each next token after the true ones.

BLEU depends on what counts as a word. sacrebleu's 13a, the WMT's, is taken where words are written apart; for Korean
`char`, each character being a word. Korean writes particles onto its nouns, so 13a would call a noun with another
particle another word altogether; sacrebleu's ko-mecab needs a dictionary of its own, and its flores200 a model from a
host. The signature says which it was: BLEU of two languages, or of two signatures, are not to be compared.

Sources: Papineni et al., BLEU, ACL 2002; Post, A Call for Clarity in Reporting BLEU Scores, WMT 2018, arXiv:1804.08771;
Popović, chrF, WMT 2015.
Checked by: sacrebleu; greedy search by hand; a tokenizer's texts there and back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.tasks.decoding import beam_search, greedy
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch
from fourfold.tasks.tokenizer import BOS, EOS, Tokenizer, tokenizer_of
from fourfold.tasks.tokens import IGNORED, TokenScorer, TokenSpec

MOST = 2048  # sentences that are translated for a score, in each process
Words = Literal["13a", "char"]


@dataclass(frozen=True)
class TranslationSpec(TokenSpec):
    """What a source of translated texts promises.

    Attributes:
        input: the texts to translate.
        target: their translations.
        tokenizer: JSON of the tokenizer of the translations.
        languages: from which into which, such as ("en", "ko").
        words: what BLEU counts, by sacrebleu's name.
        source_tokenizer: JSON of the tokenizer of the texts; "" where it is that of the translations.
    """

    input: Tokens
    target: Tokens
    tokenizer: str
    languages: tuple[str, str]
    words: Words = "13a"
    source_tokenizer: str = ""

    task = "translation"
    headline = "bleu"
    higher_is_better = True
    metrics = {"bleu": True, "chrf": True, "accuracy": True, "perplexity": False}  # noqa: RUF012

    @property
    def num_outputs(self) -> int:
        """One score a token of the other language, at each place."""
        return self.target.vocab_size

    @property
    def signature(self) -> str:
        """How BLEU is counted, as sacrebleu writes it."""
        from importlib.metadata import version

        return f"nrefs:1|case:mixed|eff:no|tok:{self.words}|smooth:exp|version:{version('sacrebleu')}"

    @property
    def begin(self) -> int:
        """The token that every translation begins with."""
        return tokenizer_of(self.tokenizer).number_of(BOS)

    @property
    def end(self) -> int:
        """The token that every translation ends with."""
        return tokenizer_of(self.tokenizer).number_of(EOS)

    def example(self) -> tuple[Tensor, ...]:
        """Return one text and one translation, token 0 again and again."""
        source, lengths, *_ = self.input.example()
        return source, lengths, torch.zeros(1, self.target.length, dtype=torch.int64)

    def scorer(self) -> "TranslationScorer":
        """Return a scorer that has seen nothing."""
        return TranslationScorer(self)

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """Return the likeliest next token at each place, as one text; `fourfold translate` translates."""
        return [{"text": text} for text in self._texts(output.argmax(2).tolist())]

    def draw(self, batch: Batch, output: Tensor, raw: Any) -> Any:
        """Return a figure of texts, their translations, and what the model says next after each true token.

        That is no translation, which `output` does not hold: `translate` makes one, and the report draws it.
        `raw` holds texts with their translations.
        """
        from fourfold.tasks.text_drawing import draw_translated  # matplotlib only when something is drawn

        said = self._texts(output.argmax(2).tolist())
        return draw_translated(self.languages, raw, said, "The model's next token after each true one")

    def _texts(self, rows: Sequence[Sequence[int]]) -> list[str]:
        return texts_of(rows, tokenizer_of(self.tokenizer), self.end)


class TranslationScorer(TokenScorer):
    """Translations and references as texts, beside what is counted token by token."""

    def __init__(self, spec: TranslationSpec) -> None:
        super().__init__()
        self.spec = spec
        self.hypotheses: list[str] = []
        self.references: list[str] = []

    def ask(self, model: nn.Module, batch: Batch) -> None:
        """Have the model translate, until there are `MOST` sentences."""
        room = MOST - len(self.hypotheses)
        if room <= 0:
            return
        source, lengths = batch.inputs[0][:room], batch.inputs[1][:room]
        spec, tokenizer = self.spec, tokenizer_of(self.spec.tokenizer)
        self.hypotheses += texts_of(translate(model, source, lengths, spec), tokenizer, spec.end)
        self.references += texts_of(batch.targets[:room].tolist(), tokenizer, spec.end)

    def merge(self, other: "TranslationScorer") -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Add what another scorer has seen."""
        super().merge(other)
        self.hypotheses += other.hypotheses
        self.references += other.references

    def compute(self) -> dict[str, float]:
        """Return BLEU and chrF, 0 to 100, where a model was asked; and accuracy and perplexity of next tokens."""
        if not self.hypotheses:
            return super().compute()
        from sacrebleu import BLEU, CHRF

        bleu = BLEU(tokenize=self.spec.words, force=True).corpus_score(self.hypotheses, [self.references]).score
        chrf = CHRF().corpus_score(self.hypotheses, [self.references]).score
        return {"bleu": bleu, "chrf": chrf, **super().compute()}


def translate(
    model: nn.Module, source: Tensor, lengths: Tensor, spec: TranslationSpec, beams: int = 1
) -> list[list[int]]:
    """Return a model's translations as token numbers, without the begin token.

    Args:
        model: with a method `translate`, or with `encode` and `decode`.
        source: int64 `[batch, s]`.
        lengths: int64 `[batch]`.
        spec: says when a translation begins, ends, and is too long.
        beams: beginnings kept of each translation, see `beam_search`; 1 is the likeliest token each time.

    Raises:
        InputError: the model has none of these methods, or more beams are asked of its own `translate`.
    """
    own: Any = getattr(model, "translate", None)
    if own is not None:
        if beams > 1:
            raise InputError(f"beams: {type(model).__name__} translates in its own way, which has none; use 1")
        return own(source, lengths, spec.target.length)
    if not (hasattr(model, "encode") and hasattr(model, "decode")):
        raise InputError(f"model: {type(model).__name__} cannot translate: it has neither translate nor encode, decode")
    translator: Any = model
    if beams == 1:
        return greedy(translator, source, lengths, spec.begin, spec.end, spec.target.length)
    return beam_search(translator, source, lengths, spec.begin, spec.end, spec.target.length, beams)


def texts_of(rows: Sequence[Sequence[int]], tokenizer: Tokenizer, end: int) -> list[str]:
    """Return token numbers as texts, each up to its end token; `IGNORED` is left out."""
    cut = [list(row[: row.index(end)]) if end in row else list(row) for row in (list(each) for each in rows)]
    return tokenizer.decode([[token for token in row if token != IGNORED] for row in cut])
