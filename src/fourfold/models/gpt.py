"""GPT: a stack of causal self-attention that predicts the next token; three papers, one network at many sizes.

    x_0 = tokens W_e + W_p                       each token and its position
    pre    x <- x + attention(norm(x));  x <- x + feed_forward(norm(x));  a last norm before the output  (GPT-2, 3)
    post   x <- norm(x + attention(x));  x <- norm(x + feed_forward(x))                                  (GPT-1)
    P(next token) = softmax(x W_e^T)             the embedding is the output layer too

Papers: Radford et al., Improving Language Understanding by Generative Pre-Training, 2018 (GPT-1); Radford et al.,
Language Models are Unsupervised Multitask Learners, 2019, section 2.3 (GPT-2); Brown et al., Language Models are
Few-Shot Learners, NeurIPS 2020, Table 2.1, arXiv:2005.14165 (GPT-3).
Departures:
- GPT-3's layers of locally banded sparse attention, every other one in its paper, are dense here.
- Two rows of GPT-3's table contradict themselves: its 13B has 40 heads of 128 in a width of 5140, here 5120; its XL 24
  heads of 128 in 2048, here 16. The XL then has the table's 1.3 B parameters, the 13B 12.85 B for its 13.0.
- GPT-1's extra layer for fine-tuning is left out: the network predicts tokens only.
- GELU by its tanh approximation, and positions drawn with a deviation of 0.01 where norm=pre: both are the published
  code's, of which the papers say nothing.
- Of several texts in a row none looks at another, and positions begin anew in each, where the data say which token is
  of which; the papers only part them by a token.
Checked by: Hugging Face's GPT2LMHeadModel and OpenAIGPTLMHeadModel with copied weights; published parameter counts;
step by step with a cache against all at once; a row of several texts against each alone.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.nn.attention import Cache, MultiHeadAttention, documents_mask
from fourfold.nn.gelu import gelu
from fourfold.nn.normalisation import LayerNorm
from fourfold.nn.positions import positions_in
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.seam import Spec, Tokens, require_input, require_task

Norm = Literal["pre", "post"]


class GPTConfig(ModelConfig):
    """Fields of `model: gpt`."""

    published_names: ClassVar[Mapping[str, str]] = {
        "n_layer": "layers",
        "n_embd": "width",
        "n_head": "heads",
        "n_positions": "context",
    }
    shown_by: ClassVar[Mapping[str, tuple[str, int | None]]] = {
        "layers": ("blocks", None),
        "width": ("tokens.weight", 1),
        "context": ("positions.weight", 0),
    }
    token_rows: ClassVar[tuple[str, ...]] = ("tokens.weight",)

    name: Literal["gpt"] = "gpt"
    layers: int = Field(default=12, ge=1, description="blocks of attention and feed-forward")
    width: int = Field(default=768, ge=1, description="numbers of a token, d_model; a multiple of heads")
    heads: int = Field(default=12, ge=1, description="attentions side by side")
    context: int | None = Field(default=None, ge=1, description="most tokens seen at once; null: the data's rows")
    dropout: float = Field(
        default=0.1, ge=0, lt=1, description="of embeddings, attention weights, and what a layer adds"
    )
    norm: Norm = Field(default="pre", description="where layers are normalised: before (GPT-2, 3) or after (GPT-1)")

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "GPTConfig":
        if self.width % self.heads:
            raise ValueError(f"model.heads: {self.heads} heads cannot share a width of {self.width}")
        return self

    def build(self, spec: Spec) -> "GPT":
        """Return the network for the data's vocabulary and rows."""
        require_task(spec, LanguageModellingSpec, "gpt")
        tokens = require_input(spec, Tokens, "gpt")
        if tokens.segments > 1:
            raise InputError(f"gpt reads one text, and this data gives {tokens}")
        context = self.context or tokens.length
        if tokens.length > context:
            raise InputError(f"model.context: gpt sees {context:,} tokens at once, but this data gives {tokens}")
        return GPT(tokens.vocab_size, context, self.layers, self.width, self.heads, self.dropout, self.norm)

    def paper_spec(self) -> Spec:
        """Return the paper's tokens, and how many at once: 40,478 and 512 of GPT-1, 50,257 and 1,024 of GPT-2."""
        vocab_size, length = (40_478, 512) if self.norm == "post" else (50_257, 1024)
        return LanguageModellingSpec(Tokens(vocab_size, self.context or length, 1), tokenizer="")

    def published_facts(self) -> Mapping[str, Any]:
        """Return what a published config.json must say."""
        sizes = {"n_layer": self.layers, "n_embd": self.width, "n_head": self.heads, "layer_norm_epsilon": 1e-5}
        own = (
            {"model_type": "openai-gpt", "afn": "gelu"}
            if self.norm == "post"
            else {"model_type": "gpt2", "activation_function": "gelu_new", "scale_attn_by_inverse_layer_idx": False}
        )
        context = {} if self.context is None else {"n_positions": self.context}
        return {**own, **sizes, **context}

    def adopted(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return Hugging Face's weights as they lie here: theirs of linear layers are `[inputs, outputs]`."""
        plain = {name.removeprefix("transformer."): value for name, value in weights.items()}
        output = plain.pop("lm_head.weight", None)
        tied = plain.get("wte.weight", plain.get("tokens_embed.weight"))
        if output is not None and tied is not None and not torch.equal(output, tied):
            raise InputError("weights: lm_head.weight is not the embedding, as it is in a GPT")
        found: dict[str, Tensor] = {}
        for name, value in plain.items():
            if re.fullmatch(r"h\.\d+\.attn\.(masked_)?bias", name):  # a mask
                continue
            ours = name
            for theirs, here in _HUGGING_FACE:
                ours = re.sub(theirs, here, ours)
            found[ours] = value.T if re.search(r"\.c_(attn|proj|fc)\.weight$", name) else value
        return found


_HUGGING_FACE = (
    (r"^(wte|tokens_embed)\.", "tokens."),
    (r"^(wpe|positions_embed)\.", "positions."),
    (r"^ln_f\.", "norm."),
    (r"^h\.(\d+)\.", r"blocks.\1."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.attn\.c_attn\.", ".attention.inputs."),
    (r"\.attn\.c_proj\.", ".attention.output."),
    (r"\.mlp\.c_fc\.", ".inner."),
    (r"\.mlp\.c_proj\.", ".outer."),
)


class State(NamedTuple):
    """What a network has read, for `GPT.extend`."""

    caches: tuple[Cache, ...]  # of each block
    length: int  # tokens read


class GPT(nn.Module):
    """A causal language model.

    Args:
        vocab_size: tokens there are.
        context: most tokens seen at once.
        layers: blocks of attention and feed-forward.
        width: numbers of a token, a multiple of `heads`; the feed-forward's inner layer has four times as many.
        heads: attentions side by side.
        dropout: of embeddings, of attention weights, and of what each layer adds.
        norm: "pre" or "post", where layers are normalised.
    """

    def __init__(
        self,
        vocab_size: int,
        context: int,
        layers: int = 12,
        width: int = 768,
        heads: int = 12,
        dropout: float = 0.1,
        norm: Norm = "pre",
    ) -> None:
        super().__init__()
        self.context = context
        self.tokens = nn.Embedding(vocab_size, width)  # W_e
        self.positions = nn.Embedding(context, width)  # W_p
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropout, norm) for _ in range(layers))
        self.norm = LayerNorm(width) if norm == "pre" else nn.Identity()
        self.head: nn.Module | None = None  # in place of the embedding, such as its copy in 8 bits
        initialise_(self, norm)

    def forward(
        self,
        tokens: Tensor,
        lengths: Tensor | None = None,
        segments: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> Tensor:
        """Return scores of the token after each, `[batch, length, vocab]`.

        Args:
            tokens: int64 `[batch, length]`.
            lengths: of no effect: padding comes after, and no token looks at what comes after it.
            segments: must be None without documents; of pairs of texts a GPT cannot tell which is which.
            documents: `[batch, length]`, the text that each token is of; none looks at another.

        Raises:
            InputError: the rows are longer than the context, or segments were given.
        """
        if segments is not None and documents is None:  # of texts packed into a row they say nothing
            raise InputError("gpt reads one text, and this data gives pairs of them")
        self._require_room(tokens.shape[1])
        if documents is None:
            places, allowed = torch.arange(tokens.shape[1], device=tokens.device), None
        else:
            places, allowed = positions_in(documents), documents_mask(documents)
        x = self.dropout(self.tokens(tokens) + self.positions(places))  # [batch, length, width]
        for block in self.blocks:
            x = block(x, allowed)
        return self._scores(x)

    def begin(self, batch: int, room: int | None = None) -> State:
        """Return the state of a network that has read nothing.

        Args:
            batch: texts side by side.
            room: most tokens of a text, at most the context, which is the default.
        """
        room = self.context if room is None else min(room, self.context)
        return State(tuple(block.attention.room(batch, room, self.tokens.weight) for block in self._each()), 0)

    def extend(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read on, and return scores of the token that follows, `[batch, 1, vocab]`, and the state from there.

        Args:
            tokens: `[batch, new]`, the next ones of each text.
            state: as `begin` or the last call returned it; it is used up.

        Raises:
            InputError: together they are longer than the context.
        """
        end = state.length + tokens.shape[1]
        self._require_room(end)
        places = torch.arange(state.length, end, device=tokens.device)
        x = self.dropout(self.tokens(tokens) + self.positions(places))
        for block, cache in zip(self._each(), state.caches, strict=True):
            x = block.extend(x, cache, state.length)
        return self._scores(x[:, -1:]), State(state.caches, end)

    def _scores(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        return F.linear(x, self.tokens.weight) if self.head is None else self.head(x)

    def _each(self) -> list["Block"]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def _require_room(self, length: int) -> None:
        if length > self.context:
            raise InputError(f"gpt: {length:,} tokens, but it was made for {self.context:,} at once (model.context)")


class Block(nn.Module):
    """Attention and feed-forward, each with a way around it.

    Args:
        width: numbers of a token.
        heads: attentions side by side.
        dropout: of attention weights, and of what each layer adds.
        norm: "pre" or "post", where layers are normalised.
    """

    def __init__(self, width: int, heads: int, dropout: float, norm: Norm) -> None:
        super().__init__()
        self.before = norm == "pre"
        self.norm1 = LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads, dropout)
        self.norm2 = LayerNorm(width)
        self.inner = nn.Linear(width, 4 * width)
        self.outer = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Map `[batch, length, width]` to the same; each position sees those before it."""
        return self._passed(x, lambda seen: self.attention(seen, allowed=allowed, causal=True))

    def extend(self, x: Tensor, cache: Cache, start: int) -> Tensor:
        """Map new positions, from `start` on; those before are in the cache, and these are put there."""
        return self._passed(x, lambda seen: self.attention.extend(seen, cache, start))

    def _passed(self, x: Tensor, look: Callable[[Tensor], Tensor]) -> Tensor:
        if self.before:
            x = x + self.dropout(look(self.norm1(x)))
            return x + self.dropout(self._feed_forward(self.norm2(x)))
        x = self.norm1(x + self.dropout(look(x)))
        return self.norm2(x + self.dropout(self._feed_forward(x)))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.outer(gelu(self.inner(x)))


def initialise_(network: GPT, norm: Norm) -> None:
    """Draw weights from N(0, 0.02^2), biases zero; where norm=pre as GPT-2's paper adds: less at the end of each way.

    "We scale the weights of residual layers at initialization by a factor of 1/sqrt(N) where N is the number of
    residual layers", two a block.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
    if norm == "post":
        return
    nn.init.normal_(network.positions.weight, std=0.01)
    for block in network.blocks:
        assert isinstance(block, Block)
        for layer in (block.attention.output, block.outer):
            nn.init.normal_(layer.weight, std=0.02 / (2 * len(network.blocks)) ** 0.5)
