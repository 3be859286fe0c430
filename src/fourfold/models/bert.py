"""BERT: a Transformer's encoder that reads a text in both directions at once, trained on text alone, then fine-tuned.

    words + positions + segments -> layers x [attention, two full layers] -> a vector a token, and one for the text

Paper: Devlin, Chang, Lee and Toutanova, BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding, NAACL 2019, arXiv:1810.04805, section 3. Sizes smaller than its own are those of Turc, Chang, Lee and
Toutanova, Well-Read Students Learn Better, 2019, arXiv:1908.08962, table 1.
Departures: none in the network. Rows of several texts (`documents`), which the paper does not have, are read text by
text, each with positions from 0.
Checked by: Hugging Face's BertModel, BertForPreTraining, BertForSequenceClassification and BertForTokenClassification
with copied weights, outputs and gradients; parameter counts.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.nn.attention import MultiHeadAttention, documents_mask, padding_mask
from fourfold.nn.normalisation import LayerNorm
from fourfold.nn.positions import positions_in
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec, MaskedOutput
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Spec, Tokens, require_input
from fourfold.tasks.tokens import TokenSpec

Answers = Literal["words", "words and pairs", "a text", "each token"]

EPS = 1e-12  # of layer normalisation, in the authors' code
DEVIATION = 0.02  # of weights as drawn, from a normal cut off at twice that, in the authors' code
SEGMENTS = 2  # always, so that weights of pairs fit single texts
FORESEEING = ("language_modelling", "translation")  # tasks whose answer at a token is one that this network sees


class BERTConfig(ModelConfig):
    """Fields of `model: bert`."""

    task_layers: ClassVar[tuple[str, ...]] = ("pooler", "words", "pairs", "head")
    published_names: ClassVar[Mapping[str, str]] = {
        "num_hidden_layers": "layers",
        "hidden_size": "width",
        "num_attention_heads": "heads",
        "intermediate_size": "hidden",
        "max_position_embeddings": "max_length",
    }
    shown_by: ClassVar[Mapping[str, tuple[str, int | None]]] = {
        "layers": ("layers", None),
        "width": ("embeddings.words.weight", 1),
        "hidden": ("layers.0.widen.weight", 0),
        "max_length": ("embeddings.positions.weight", 0),
    }
    token_rows: ClassVar[tuple[str, ...]] = ("embeddings.words.weight", "words.bias")

    name: Literal["bert"] = "bert"
    layers: int = Field(default=12, ge=1, le=256, description="L in the paper")
    width: int = Field(default=768, ge=1, description="numbers of a token between layers, H in the paper")
    heads: int = Field(default=12, ge=1, description="attentions side by side in a layer, A in the paper")
    hidden: int | None = Field(default=None, ge=1, description="units of a layer's full layers; null: 4 x width")
    max_length: int = Field(default=512, ge=1, description="positions that there are weights for, in tokens")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="after every layer, on attention and before a head")
    deviation: float = Field(
        default=DEVIATION,
        gt=0,
        description="of weights as drawn; a network much narrower than the paper's hardly begins to learn below about "
        "1 / sqrt(width)",
    )

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "BERTConfig":
        if self.width % self.heads:
            raise ValueError(f"model.heads: {self.heads} heads cannot share a width of {self.width}")
        return self

    def build(self, spec: Spec) -> "BERT":
        """Return the network with the head that the task needs.

        Raises:
            InputError: the data gives no texts, or too long ones; or it asks for the token that comes next.
        """
        text = require_input(spec, Tokens, "bert")
        if text.length > self.max_length:
            raise InputError(
                f"model.max_length: bert has {self.max_length} positions, but this data gives texts of up to "
                f"{text.length} tokens; make them shorter, or give it more"
            )
        return BERT(
            text.vocab_size,
            self.layers,
            self.width,
            self.heads,
            self.hidden,
            self.max_length,
            self.dropout,
            answers_for(spec),
            spec.num_outputs,
            self.deviation,
        )

    def paper_spec(self) -> Spec:
        """Pairs of up to 512 of 30,522 tokens, to be pre-trained on: the base size has 110,106,428 parameters."""
        return MaskedLanguageModellingSpec(Tokens(30_522, 512, 2), "")

    def published_facts(self) -> Mapping[str, Any]:
        """Return what a published config.json must say."""
        return {
            "model_type": "bert",
            "num_hidden_layers": self.layers,
            "hidden_size": self.width,
            "num_attention_heads": self.heads,
            "intermediate_size": self.hidden or 4 * self.width,
            "max_position_embeddings": self.max_length,
            "type_vocab_size": SEGMENTS,
            "hidden_act": "gelu",
            "layer_norm_eps": EPS,
            "position_embedding_type": "absolute",
        }

    def renamed(self, name: str) -> str | None:
        """Return what a weight of Hugging Face's is called here."""
        name = name.removeprefix("bert.")
        if name == "embeddings.position_ids" or name.startswith("cls.predictions.decoder."):
            return None  # 0, 1, 2 and so on; the embedding and the bias once more
        for theirs, ours in _HUGGING_FACE:
            name = re.sub(theirs, ours, name)
        return name

    def adopted(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return published weights as they are here, where queries, keys and values are one matrix."""
        named = super().adopted(weights)
        for first in [name for name in named if ".attention.query." in name]:
            three = [named.pop(first.replace("query", which), None) for which in ("query", "key", "value")]
            if all(part is not None for part in three):  # else what is missing is told by its name here
                named[first.replace("query", "inputs")] = torch.cat([part for part in three if part is not None])
        return named


def answers_for(spec: Spec) -> Answers:
    """Return what the network must answer.

    Raises:
        InputError: that is the token which comes next, or something else that it cannot.
    """
    if isinstance(spec, MaskedLanguageModellingSpec):
        return "words and pairs" if spec.next_sentence else "words"
    if isinstance(spec, ClassificationSpec | RegressionSpec | ProbabilisticRegressionSpec):
        return "a text"
    if not isinstance(spec, TokenSpec):
        raise InputError(f"bert is for reading texts, but this data poses {spec.task}")
    if spec.task in FORESEEING:
        raise InputError(f"bert sees the tokens that come next, and {spec.task} asks for them; use a model such as gpt")
    return "each token"


_HUGGING_FACE = (
    (r"(?<=LayerNorm)\.gamma$", ".weight"),  # in files from before 2019
    (r"(?<=LayerNorm)\.beta$", ".bias"),
    (r"^embeddings\.word_embeddings\.", "embeddings.words."),
    (r"^embeddings\.position_embeddings\.", "embeddings.positions."),
    (r"^embeddings\.token_type_embeddings\.", "embeddings.segments."),
    (r"^embeddings\.LayerNorm\.", "embeddings.norm."),
    (r"^encoder\.layer\.", "layers."),
    (r"\.attention\.self\.", ".attention."),
    (r"\.attention\.output\.dense\.", ".attention.output."),
    (r"\.attention\.output\.LayerNorm\.", ".norm1."),
    (r"\.intermediate\.dense\.", ".widen."),
    (r"(layers\.\d+)\.output\.dense\.", r"\1.narrow."),
    (r"(layers\.\d+)\.output\.LayerNorm\.", r"\1.norm2."),
    (r"^pooler\.dense\.", "pooler."),
    (r"^cls\.predictions\.transform\.dense\.", "words.dense."),
    (r"^cls\.predictions\.transform\.LayerNorm\.", "words.norm."),
    (r"^cls\.predictions\.bias$", "words.bias"),
    (r"^cls\.seq_relationship\.", "pairs."),
    (r"^classifier\.", "head."),
)


class BERT(nn.Module):
    """BERT with one of its heads.

    Args:
        vocab_size: tokens are numbers below it.
        layers: of the encoder.
        width: numbers of a token between layers.
        heads: attentions side by side in a layer.
        hidden: units of a layer's full layers; None is 4 x `width`.
        max_length: tokens of the longest text.
        dropout: share of numbers set to zero in training.
        answers: hidden words, and whether pairs belong together; one row of numbers a text; or one each token.
        out_features: numbers of such a row; hidden words have `vocab_size`.
        deviation: of weights as drawn.
    """

    def __init__(
        self,
        vocab_size: int = 30_522,
        layers: int = 12,
        width: int = 768,
        heads: int = 12,
        hidden: int | None = None,
        max_length: int = 512,
        dropout: float = 0.1,
        answers: Answers = "words and pairs",
        out_features: int = 2,
        deviation: float = DEVIATION,
    ) -> None:
        super().__init__()
        self.embeddings = Embeddings(vocab_size, width, max_length, dropout)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, hidden or 4 * width, dropout) for _ in range(layers))
        self.pooler = nn.Linear(width, width) if answers in ("words and pairs", "a text") else None
        self.words = WordHead(vocab_size, width) if answers in ("words", "words and pairs") else None
        self.pairs = nn.Linear(width, 2) if answers == "words and pairs" else None
        self.head = nn.Linear(width, out_features) if answers in ("a text", "each token") else None
        self.dropout = nn.Dropout(dropout)
        draw_(self, deviation)

    def forward(
        self,
        tokens: Tensor,
        lengths: Tensor | None = None,
        segments: Tensor | None = None,
        documents: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> Tensor | MaskedOutput:
        """Return what the head says: `MaskedOutput`, `[batch, out_features]` or `[batch, length, out_features]`.

        Args:
            tokens: int64 `[batch, length]`; of a text that is answered as a whole, the first is [CLS].
            lengths: real tokens of each row, int64 `[batch]`; all by default.
            segments: int64 `[batch, length]`, 1 in the second text of a pair; all 0 by default.
            documents: of several texts in a row, the one that each token is of, int64 `[batch, length]`, 0 for padding.
            positions: where words are to be guessed, int64 `[batch, chosen]`, -1 for nowhere; everywhere by default.
        """
        x = self.encode(tokens, lengths, segments, documents)  # [batch, length, width]
        pooled = None if self.pooler is None else torch.tanh(self.pooler(x[:, 0]))  # [batch, width]
        if self.words is not None:
            chosen = x if positions is None else _at(x, positions)
            scores = self.words(chosen, self.embeddings.words.weight)
            return MaskedOutput(scores, None if self.pairs is None else self.pairs(pooled), positions)
        assert self.head is not None
        return self.head(self.dropout(x if pooled is None else pooled))

    def encode(
        self,
        tokens: Tensor,
        lengths: Tensor | None = None,
        segments: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> Tensor:
        """Return a vector for each token in its context, `[batch, length, width]`; arguments are those of `forward`."""
        if documents is not None:
            allowed = documents_mask(documents)  # padding, which is document 0, is never looked at by a text
        else:
            allowed = None if lengths is None else padding_mask(lengths, tokens.shape[1])
        x = self.embeddings(tokens, segments, documents)
        for layer in self.layers:
            x = layer(x, allowed)
        return x


class Embeddings(nn.Module):
    """Which word, where, and in which text of a pair: Figure 2.

    Args:
        vocab_size: words.
        width: numbers of each.
        max_length: positions.
        dropout: share of numbers set to zero in training.
    """

    def __init__(self, vocab_size: int, width: int, max_length: int, dropout: float) -> None:
        super().__init__()
        self.words = nn.Embedding(vocab_size, width)
        self.positions = nn.Embedding(max_length, width)
        self.segments = nn.Embedding(SEGMENTS, width)
        self.norm = LayerNorm(width, eps=EPS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, segments: Tensor | None = None, documents: Tensor | None = None) -> Tensor:
        """Map `[batch, length]` to `[batch, length, width]`."""
        length = tokens.shape[1]
        where = self.positions.weight[:length] if documents is None else self.positions(positions_in(documents))
        which = self.segments.weight[0] if segments is None else self.segments(segments)
        return self.dropout(self.norm(self.words(tokens) + where + which))


class EncoderLayer(nn.Module):
    """Attention and two full layers, each added to its input and normalised after that.

    Args:
        width: numbers of a token.
        heads: attentions side by side.
        hidden: units between the full layers.
        dropout: share of numbers set to zero in training.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads, dropout)
        self.norm1 = LayerNorm(width, eps=EPS)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.norm2 = LayerNorm(width, eps=EPS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Map `[batch, length, width]` to the same; `allowed` says which tokens each may look at."""
        x = self.norm1(x + self.dropout(self.attention(x, allowed=allowed)))
        return self.norm2(x + self.dropout(self.narrow(F.gelu(self.widen(x)))))


class WordHead(nn.Module):
    """Scores of each word, by its likeness to the embedding of that word.

    Args:
        vocab_size: words.
        width: numbers of each.
    """

    def __init__(self, vocab_size: int, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = LayerNorm(width, eps=EPS)
        self.bias = nn.Parameter(torch.zeros(vocab_size))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Map `[batch, chosen, width]` to `[batch, chosen, vocab_size]`, with `embedding [vocab_size, width]`."""
        return F.linear(self.norm(F.gelu(self.dense(x))), embedding, self.bias)


def draw_(network: nn.Module, deviation: float) -> None:
    """Draw weights from a normal of this deviation, cut off at two deviations; biases are zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Embedding):
            nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)


def _at(x: Tensor, positions: Tensor) -> Tensor:
    """Return `x [batch, length, width]` at `positions [batch, chosen]`; where that is nowhere, at the first."""
    return x.gather(1, positions.clamp(min=0).unsqueeze(2).expand(-1, -1, x.shape[2]))
