"""Sequence to sequence: one recurrent network reads a text, and another writes its translation.

    attention: none       the reader's last state is where the writer begins, and all that it knows of the text
    attention: bahdanau   at each token the writer looks at the text again, at states of both directions:
        e_ij = v' tanh(W s_(i-1) + U h_j)                           how well token j of the text fits what comes next
        a_ij = exp(e_ij) / sum over k of exp(e_ik)                  Eq. 6
        c_i = sum over j of a_ij h_j                                Eq. 5
        s_i = GRU(s_(i-1), [y_(i-1), c_i])                          section A.1.1
        t_i = maxout(U_o s_(i-1) + V_o y_(i-1) + C_o c_i)           section A.2.2; W_o t_i scores the tokens

Papers: I. Sutskever, O. Vinyals and Q. Le, Sequence to sequence learning with neural networks, NeurIPS 2014,
arXiv:1409.3215, whose text is read backwards (`reverse`) by four layers of LSTM; D. Bahdanau, K. Cho and Y. Bengio,
Neural machine translation by jointly learning to align and translate, ICLR 2015, arXiv:1409.0473, appendix A, whose
states are 1,000 wide, embeddings 620 and maxout 500 (`width`, `embedding`, half of `width`).
Departures: weights are drawn as torch draws them, where the first draws uniformly within 0.08 and the second mostly
from N(0, 0.01); GRU's reset gate as in models/gru.py; an LSTM can stand in for either GRU; affine maps have biases; the
first has no dropout, nor has the second.
Checked by: the equations token by token, outputs and gradients in float64; torch.nn's modules without attention; what
stands in the padding changes nothing; token by token against all at once; parameters by hand.
"""

from typing import Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from fourfold.models.base import ModelConfig
from fourfold.models.lstm import start_forget_gates_
from fourfold.nn.recurrent_cells import State, run_layers
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Spec, require_input, require_task
from fourfold.tasks.translation import TranslationSpec

CellName = Literal["gru", "lstm"]


class Seq2SeqConfig(ModelConfig):
    """Fields of `model: seq2seq`."""

    name: Literal["seq2seq"] = "seq2seq"
    attention: Literal["none", "bahdanau"] = Field(
        default="bahdanau", description="what the writer knows of the text: its last state, or where it looks"
    )
    cell: CellName = Field(default="gru", description="of reader and writer; Bahdanau has gru, Sutskever lstm")
    width: int = Field(default=256, ge=2, le=65_536, multiple_of=2, description="numbers in a state, even")
    embedding: int = Field(default=256, ge=1, le=65_536, description="numbers that stand for a token")
    layers: int = Field(default=1, ge=1, le=100, description="of reader and of writer; with attention 1")
    reverse: bool = Field(
        default=False, description="read the text from its end, as Sutskever does; not with attention"
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share silenced of embeddings and between layers")

    @model_validator(mode="after")
    def _attention_has_one_layer(self) -> "Seq2SeqConfig":
        if self.attention == "bahdanau" and self.layers > 1:
            raise ValueError(f"model.layers: {self.layers}, but with attention=bahdanau there is 1, as in its paper")
        if self.attention == "bahdanau" and self.reverse:
            raise ValueError("model.reverse: with attention=bahdanau the text is read both ways; use false")
        return self

    def build(self, spec: Spec) -> "Seq2Seq":
        """Return the network for the data's two vocabularies; the task must be translation."""
        target = require_task(spec, TranslationSpec, self.name).target
        source = require_input(spec, Tokens, self.name)
        return Seq2Seq(
            source.vocab_size,
            target.vocab_size,
            self.attention,
            self.cell,
            self.width,
            self.embedding,
            self.layers,
            self.reverse,
            self.dropout,
        )

    def paper_spec(self) -> Spec:
        """Return English and French in the 30,000 most frequent words of each, and one for all others (section 4.1)."""
        words = Tokens(30_001, 50, 1)
        return TranslationSpec(words, words, tokenizer="fr", languages=("en", "fr"), source_tokenizer="en")


class Memory(NamedTuple):
    """What the reader makes of a text."""

    start: State  # where the writer begins, each [layers, batch, width]
    states: Tensor  # h_j, [batch, s, 2 * width]; without attention [batch, 0, 2 * width]
    keys: Tensor  # U h_j, [batch, s, width]
    real: Tensor  # bool [batch, s], which of them are no padding

    def rows(self, rows: Tensor) -> "Memory":
        """Return what belongs to some rows of the batch, int64 `[rows]`."""
        batch_first = (each.index_select(0, rows) for each in (self.states, self.keys, self.real))
        return Memory(tuple(each.index_select(1, rows) for each in self.start), *batch_first)


class Writing(NamedTuple):
    """A writer that has written some tokens."""

    state: State
    memory: Memory

    def rows(self, rows: Tensor) -> "Writing":
        """Return what belongs to some rows of the batch, int64 `[rows]`."""
        return Writing(tuple(each.index_select(1, rows) for each in self.state), self.memory.rows(rows))


class Seq2Seq(nn.Module):
    """A reader and a writer.

    Args:
        source_vocab_size: tokens of the texts.
        target_vocab_size: tokens of the translations.
        attention: what the writer knows of the text.
        cell: of reader and writer.
        width: numbers in a state.
        embedding: numbers that stand for a token.
        layers: of reader and writer; 1 with attention.
        reverse: whether the text is read from its end.
        dropout: probability that a number is silenced, in training.
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        attention: Literal["none", "bahdanau"] = "bahdanau",
        cell: CellName = "gru",
        width: int = 256,
        embedding: int = 256,
        layers: int = 1,
        reverse: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        looks = attention == "bahdanau"
        assert not looks or (layers == 1 and not reverse)
        self.reverse = reverse
        self.source_embedding = nn.Embedding(source_vocab_size, embedding)
        self.target_embedding = nn.Embedding(target_vocab_size, embedding)
        self.dropout = nn.Dropout(dropout)
        kind = nn.GRU if cell == "gru" else nn.LSTM
        between = dropout if layers > 1 else 0.0
        self.reader = kind(embedding, width, layers, batch_first=True, dropout=between, bidirectional=looks)
        self.writer: AttentiveWriter | PlainWriter
        if looks:
            self.writer = AttentiveWriter(target_vocab_size, cell, width, embedding)
        else:
            self.writer = PlainWriter(
                target_vocab_size, kind(embedding, width, layers, batch_first=True, dropout=between)
            )
        for module in self.modules():
            if isinstance(module, nn.LSTM):
                start_forget_gates_(module, 1.0)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Return scores of the token after each of the translation, `[batch, t, target vocabulary]`.

        Args:
            source: int64 `[batch, s]`, the texts.
            lengths: int64 `[batch]`, how many tokens of each are real.
            target: int64 `[batch, t]`, the translations from their begin token on.
        """
        return self.decode(target, self.encode(source, lengths))

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        """Return what the writer is given of the texts."""
        x = self.dropout(self.source_embedding(reversed_rows(source, lengths) if self.reverse else source))
        if bool((lengths == source.shape[1]).all()):
            states, last = run_layers(self.reader, x)
        else:
            packed = pack_padded_sequence(x, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
            packed, last = run_layers(self.reader, packed)
            states, _ = pad_packed_sequence(packed, batch_first=True, total_length=source.shape[1])
        real = torch.arange(source.shape[1], device=source.device) < lengths.clamp(min=1)[:, None]
        return self.writer.remember(states, last, real)

    def decode(self, target: Tensor, memory: Memory) -> Tensor:
        """Return scores of the token after each of the translation so far, `[batch, t, target vocabulary]`."""
        scores, _, _ = self.writer(self.dropout(self.target_embedding(target)), memory.start, memory)
        return scores

    def begin(self, memory: Memory, room: int) -> Writing:
        """Return the state of a writer that has written nothing; `room`, the most it will write, is any number."""
        return Writing(memory.start, memory)

    def extend(self, tokens: Tensor, state: Writing) -> tuple[Tensor, Writing]:
        """Write on, and return scores of the token that follows, `[batch, 1, target vocabulary]`, and the state then.

        Args:
            tokens: int64 `[batch, new]`, the next ones of each translation.
            state: as `begin` or the last call returned it.
        """
        embedded = self.dropout(self.target_embedding(tokens))
        scores, after, _ = self.writer(embedded, state.state, state.memory)
        return scores[:, -1:], Writing(after, state.memory)

    def attention_weights(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Return where the writer looks before each token, `[batch, t, s]`; a row sums to 1, or is 0 without attention.

        Args:
            source: int64 `[batch, s]`.
            lengths: int64 `[batch]`.
            target: int64 `[batch, t]`, the translations from their begin token on; a row is of the token after.
        """
        memory = self.encode(source, lengths)
        _, _, weights = self.writer(self.target_embedding(target), memory.start, memory)
        return weights if weights.shape[2] else weights.new_zeros(*target.shape, source.shape[1])

    def extra_repr(self) -> str:
        return f"reverse={self.reverse}"


class PlainWriter(nn.Module):
    """A writer that begins where the reader ended.

    Args:
        vocab_size: tokens it can write.
        layers: an nn.GRU or nn.LSTM.
    """

    def __init__(self, vocab_size: int, layers: nn.RNNBase) -> None:
        super().__init__()
        self.layers = layers
        self.out = nn.Linear(layers.hidden_size, vocab_size)

    def remember(self, states: Tensor, last: State, real: Tensor) -> Memory:
        """Return a memory of the reader's last state alone."""
        none = states[:, :0]
        return Memory(last, none, none, real[:, :0])

    def forward(self, embedded: Tensor, state: State, memory: Memory) -> tuple[Tensor, State, Tensor]:
        """Return scores after each token `[batch, t, embedding]`, the state after the last, and no weights."""
        states, after = run_layers(self.layers, embedded, state)
        none = states.new_zeros(*states.shape[:2], 0)
        return self.out(states), after, none


class AttentiveWriter(nn.Module):
    """A writer that looks at the text before each token.

    Args:
        vocab_size: tokens it can write.
        cell: of its states.
        width: numbers in a state, half as many as in one of the reader's, which are of two directions.
        embedding: numbers that stand for a token.
    """

    def __init__(self, vocab_size: int, cell: CellName, width: int, embedding: int) -> None:
        super().__init__()
        self.start = nn.Linear(width, width)  # W_s
        self.query = nn.Linear(width, width)  # W
        self.key = nn.Linear(2 * width, width, bias=False)  # U
        self.fit = nn.Linear(width, 1, bias=False)  # v
        self.cell = (nn.GRUCell if cell == "gru" else nn.LSTMCell)(embedding + 2 * width, width)
        self.before_out = nn.Linear(width + embedding + 2 * width, width)  # U_o, V_o, C_o: two numbers a maxout unit
        self.out = nn.Linear(width // 2, vocab_size)  # W_o
        if isinstance(self.cell, nn.LSTMCell):
            with torch.no_grad():
                self.cell.bias_ih[width : 2 * width] = 1.0  # the forget gate, as in models/lstm.py
                self.cell.bias_hh[width : 2 * width] = 0.0

    def remember(self, states: Tensor, last: State, real: Tensor) -> Memory:
        """Return a memory of all the reader's states; the writer begins from the backward one's at the first token."""
        s = torch.tanh(self.start(last[0][1])).unsqueeze(0)  # [1, batch, width]
        start = (s, torch.zeros_like(s)) if isinstance(self.cell, nn.LSTMCell) else (s,)
        return Memory(start, states, self.key(states), real)

    def look(self, s: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return what a writer in state `[batch, width]` sees, `[batch, 2 * width]`, and where, `[batch, s]`."""
        e = self.fit(torch.tanh(self.query(s).unsqueeze(1) + memory.keys)).squeeze(2)  # [batch, s]
        a = e.masked_fill(~memory.real, float("-inf")).softmax(1)
        return (a.unsqueeze(1) @ memory.states).squeeze(1), a

    def forward(self, embedded: Tensor, state: State, memory: Memory) -> tuple[Tensor, State, Tensor]:
        """Return scores after each token `[batch, t, embedding]`, the state after the last, and where it looked."""
        now = tuple(part[0] for part in state)
        seen, weights = [], []
        for y in embedded.unbind(1):
            c, a = self.look(now[0], memory)
            seen.append(torch.cat([now[0], y, c], dim=1))
            weights.append(a)
            after = self.cell(torch.cat([y, c], dim=1), now if isinstance(self.cell, nn.LSTMCell) else now[0])
            now = after if isinstance(after, tuple) else (after,)
        t = self.before_out(torch.stack(seen, dim=1)).unflatten(2, (-1, 2)).amax(3)  # [batch, t, width / 2]
        return self.out(t), tuple(part.unsqueeze(0) for part in now), torch.stack(weights, dim=1)


def reversed_rows(tokens: Tensor, lengths: Tensor) -> Tensor:
    """Return texts `[batch, length]` backwards, each from its last real token; padding stays where it is."""
    places = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
    backwards = lengths[:, None] - 1 - places
    return tokens.gather(1, torch.where(backwards >= 0, backwards, places))
