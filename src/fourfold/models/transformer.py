"""The Transformer: an encoder and a decoder made of attention alone, without recurrence or convolution.

    encoder   N x [self-attention, feed-forward]                            of the text to translate
    decoder   N x [causal self-attention, attention to the encoder's output, feed-forward]    of its translation so far
    each sub-layer: x <- LayerNorm(x + Dropout(sublayer(x)))                section 5.4
    FFN(x) = max(0, x W_1 + b_1) W_2 + b_2                                  Eq. 2

Paper: Vaswani et al., Attention Is All You Need, NeurIPS 2017, arXiv:1706.03762.
Departures:
- One table of tokens serves both languages and the output, section 3.4, where one tokenizer does; of two tokenizers
  the text to translate has a table of its own.
- Weights are drawn as the authors' code draws them, of which the paper says nothing: the table from N(0, 1 / d_model),
  each matrix from Glorot's uniform distribution.
- With the paper's "about 37000" tokens the sizes are 63.0 and 214.2 million parameters; its Table 3 says 65 and 213,
  which no one number of tokens gives: 65 needs 39,841 to 41,793 of them, and 213 needs 35,368 to 36,344.
Checked by: torch.nn.TransformerEncoder and TransformerDecoder with copied weights, outputs and gradients, with padding;
parameter counts by hand; token by token with a cache against all at once.
"""

import math
from typing import Literal, NamedTuple

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.models.base import ModelConfig
from fourfold.nn.attention import Cache, MultiHeadAttention, padding_mask, weights_of
from fourfold.nn.normalisation import LayerNorm
from fourfold.nn.positions import SinusoidalPositions
from fourfold.tasks.seam import Spec, Tokens, require_input, require_task
from fourfold.tasks.translation import TranslationSpec


class TransformerConfig(ModelConfig):
    """Fields of `model: transformer`; the defaults are the paper's base model."""

    name: Literal["transformer"] = "transformer"
    layers: int = Field(default=6, ge=1, description="of the encoder, and of the decoder, N in the paper")
    width: int = Field(default=512, ge=2, multiple_of=2, description="numbers of a token, d_model; a multiple of heads")
    heads: int = Field(default=8, ge=1, description="attentions side by side, h in the paper")
    hidden: int = Field(default=2048, ge=1, description="units of a feed-forward's inner layer, d_ff in the paper")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="of embeddings and of each sub-layer's output")

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "TransformerConfig":
        if self.width % self.heads:
            raise ValueError(f"model.heads: {self.heads} heads cannot share a width of {self.width}")
        return self

    def build(self, spec: Spec) -> "Transformer":
        """Return the network for the data's two vocabularies, which are one where one tokenizer serves both."""
        texts = require_task(spec, TranslationSpec, "transformer")
        source = require_input(spec, Tokens, "transformer")
        shared = texts.source_tokenizer in ("", texts.tokenizer)
        longest = max(source.length, texts.target.length)
        return Transformer(
            source.vocab_size,
            texts.target.vocab_size,
            self.layers,
            self.width,
            self.heads,
            self.hidden,
            self.dropout,
            shared,
            longest,
        )

    def paper_spec(self) -> Spec:
        """Return English and German in 37,000 byte pairs that both share (section 5.1)."""
        tokens = Tokens(37_000, 64, 1)
        return TranslationSpec(tokens, tokens, tokenizer="", languages=("en", "de"))


class Memory(NamedTuple):
    """What the encoder makes of a text."""

    states: Tensor  # [batch, s, width]
    real: Tensor  # bool [batch, 1, 1, s], which of them are no padding


class Translation(NamedTuple):
    """What a decoder has written, for `Transformer.extend`."""

    own: tuple[Cache, ...]  # of each layer, keys and values of the tokens so far
    source: tuple[Cache, ...]  # of each layer, those of the text to translate
    real: Tensor  # as in `Memory`
    length: int  # tokens so far


class Transformer(nn.Module):
    """An encoder and a decoder.

    Args:
        source_vocab_size: tokens of the texts to translate.
        target_vocab_size: tokens of the translations.
        layers: of the encoder, and of the decoder.
        width: numbers of a token, even, a multiple of `heads`.
        heads: attentions side by side.
        hidden: units of a feed-forward's inner layer.
        dropout: of the embeddings and of each sub-layer's output.
        shared: whether both vocabularies are one, and so is their table.
        longest: tokens of the longest text or translation expected; longer ones work too.
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        layers: int = 6,
        width: int = 512,
        heads: int = 8,
        hidden: int = 2048,
        dropout: float = 0.1,
        shared: bool = True,
        longest: int = 256,
    ) -> None:
        super().__init__()
        assert not shared or source_vocab_size == target_vocab_size, (source_vocab_size, target_vocab_size)
        self.tokens = nn.Embedding(target_vocab_size, width)
        self.source_tokens = None if shared else nn.Embedding(source_vocab_size, width)
        self.positions = SinusoidalPositions(width, longest)
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.ModuleList(EncoderLayer(width, heads, hidden, dropout) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(width, heads, hidden, dropout) for _ in range(layers))
        draw_(self)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Return scores of the token after each of the translation, `[batch, t, vocab]`.

        Args:
            source: int64 `[batch, s]`, the texts.
            lengths: int64 `[batch]`, how many tokens of each are real.
            target: int64 `[batch, t]`, the translations from their begin token on.
        """
        return self.decode(target, self.encode(source, lengths))

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        """Return what the decoder looks at."""
        real = padding_mask(lengths, source.shape[1])
        x = self._embedded(source, self.tokens if self.source_tokens is None else self.source_tokens)
        for layer in self.encoder:
            x = layer(x, real)
        return Memory(x, real)

    def decode(self, target: Tensor, memory: Memory) -> Tensor:
        """Return scores of the token after each of the translation so far, `[batch, t, vocab]`."""
        x = self._embedded(target, self.tokens)
        for layer in self.decoder:
            x = layer(x, memory)
        return F.linear(x, self.tokens.weight)

    def attention_weights(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Return where the last decoder layer looks before each token, the mean of its heads, `[batch, t, s]`.

        Args:
            source: int64 `[batch, s]`.
            lengths: int64 `[batch]`.
            target: int64 `[batch, t]`, the translations from their begin token on; a row is of the token after.
        """
        with weights_of(self._each()[-1]) as found:
            self(source, lengths, target)
        return found["source_attention"].mean(1)

    def begin(self, memory: Memory, room: int) -> Translation:
        """Return the state of a decoder that has written nothing; `room` is the most tokens it will write."""
        own = tuple(layer.attention.room(len(memory.states), room, memory.states) for layer in self._each())
        source = tuple(layer.source_attention.remember(memory.states) for layer in self._each())
        return Translation(own, source, memory.real, 0)

    def extend(self, tokens: Tensor, state: Translation) -> tuple[Tensor, Translation]:
        """Write on, and return scores of the token that follows, `[batch, 1, vocab]`, and the state from there.

        Args:
            tokens: int64 `[batch, new]`, the next ones of each translation.
            state: as `begin` or the last call returned it; it is used up.
        """
        x = self._embedded(tokens, self.tokens, state.length)
        for layer, own, source in zip(self._each(), state.own, state.source, strict=True):
            x = layer.extend(x, own, state.length, source, state.real)
        written = state.length + tokens.shape[1]
        return F.linear(x[:, -1:], self.tokens.weight), state._replace(length=written)

    def _embedded(self, tokens: Tensor, table: nn.Embedding, start: int = 0) -> Tensor:
        """Return `[batch, length, width]` of `[batch, length]`: section 3.4 and 3.5."""
        scaled = table(tokens) * math.sqrt(table.embedding_dim)
        return self.dropout(scaled + self.positions(tokens.shape[1], start))

    def _each(self) -> list["DecoderLayer"]:
        return [layer for layer in self.decoder if isinstance(layer, DecoderLayer)]


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward.

    Args:
        width: numbers of a token.
        heads: attentions side by side.
        hidden: units of the feed-forward's inner layer.
        dropout: of each sub-layer's output.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads, bias=False)
        self.norm1 = LayerNorm(width)
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, width)
        self.norm2 = LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Map `[batch, length, width]` to the same; what is not `real` is not looked at."""
        x = self.norm1(x + self.dropout(self.attention(x, allowed=real)))
        return self.norm2(x + self.dropout(self.outer(F.relu(self.inner(x)))))  # Eq. 2


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the encoder's output, and feed-forward.

    Args:
        width: numbers of a token.
        heads: attentions side by side.
        hidden: units of the feed-forward's inner layer.
        dropout: of each sub-layer's output.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads, bias=False)
        self.norm1 = LayerNorm(width)
        self.source_attention = MultiHeadAttention(width, heads, bias=False)
        self.norm2 = LayerNorm(width)
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, width)
        self.norm3 = LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        """Map `[batch, length, width]` to the same; each position sees those before it, and the memory."""
        x = self.norm1(x + self.dropout(self.attention(x, causal=True)))
        x = self.norm2(x + self.dropout(self.source_attention(x, memory.states, memory.real)))
        return self.norm3(x + self.dropout(self.outer(F.relu(self.inner(x)))))

    def extend(self, x: Tensor, own: Cache, start: int, source: Cache, real: Tensor) -> Tensor:
        """Map new positions, from `start` on; those before are in the cache `own`, and these are put there."""
        x = self.norm1(x + self.dropout(self.attention.extend(x, own, start)))
        x = self.norm2(x + self.dropout(self.source_attention.recall(x, source, real)))
        return self.norm3(x + self.dropout(self.outer(F.relu(self.inner(x)))))


def draw_(network: Transformer) -> None:
    """Draw the weights, as the module's docstring says; biases are zero."""
    for module in network.modules():
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)
        elif isinstance(module, nn.Linear):
            for matrix in module.weight.split(module.in_features) if module.bias is None else (module.weight,):
                nn.init.xavier_uniform_(matrix)  # of attention, queries, keys and values by themselves
            if module.bias is not None:
                nn.init.zeros_(module.bias)
