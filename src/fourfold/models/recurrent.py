"""What the recurrent networks share: inputs, layers of one kind of cell, outputs, and a state to go on from.

Tokens are embedded; series go in as they are. Outputs are what the task asks for: scores at each token, or one row.
Rows that end early change nothing in others, and nothing of themselves: a forward layer's state at a real token has
not seen the padding behind it, and a backward layer begins at the last real token.

Source: dropout stands where W. Zaremba, I. Sutskever and O. Vinyals, Recurrent neural network regularization, 2014,
arXiv:1409.2329, have it: on what goes into a layer or out of the last one, never from one step to the next.
Departures: numbers of a series are never dropped, for there are few.
Checked by: the equations of nn/recurrent_cells.py; torch.nn's modules; step by step against all at once.
"""

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.nn.heads import Reads, SequenceHead, reads_for
from fourfold.nn.recurrent_cells import State, run_layers
from fourfold.tasks.inputs import Series, Tokens
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Spec


class RecurrentConfig(ModelConfig):
    """The fields that all recurrent networks share."""

    width: int = Field(default=128, ge=1, le=65_536, description="numbers in the state of a layer, in each direction")
    layers: int = Field(default=1, ge=1, le=100, description="layers, each reading the states of the one before it")
    bidirectional: bool = Field(default=False, description="a second network in each layer reads from the end")
    embedding: int | None = Field(
        default=None,
        ge=1,
        le=65_536,
        description="numbers that stand for a token; null: as many as width; series: null",
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share silenced between layers and before the output")
    reads: Literal["last", "mean"] = Field(
        default="last", description="of one output a text or series: from its last state, or from the mean of all"
    )

    def checked(self, spec: Spec) -> tuple[Tokens | Series, int, Reads]:
        """Return the inputs, the number of outputs, and how states are read.

        Raises:
            InputError: the data gives neither texts nor series, or the fields do not fit them.
        """
        reads = reads_for(spec, self.reads)
        if not isinstance(spec.input, Tokens | Series):
            raise InputError(f"{self.name} needs texts or series, but this data gives {spec.input}")
        if isinstance(spec.input, Series) and self.embedding is not None:
            raise InputError(f"model.embedding: {self.embedding} for {spec.input}; only tokens are embedded, use null")
        if spec.task == "language_modelling" and self.bidirectional:
            raise InputError("model.bidirectional: true lets a language model see the token it predicts; use false")
        return spec.input, spec.num_outputs, reads

    def paper_spec(self) -> Spec:
        """Return the adding problem of Hochreiter and Schmidhuber, section 5.4: 100 steps of two numbers, and a sum."""
        return RegressionSpec(Series(("value", "marker"), 100), ("sum",), (1.0,), (0.4,))


class RecurrentNetwork(nn.Module):
    """Layers of one kind of cell between an embedding and an affine output.

    Args:
        inputs: texts, which are embedded, or series.
        num_outputs: of the task, for each token or for each row.
        reads: which states count, as in `nn/heads.py`.
        width: numbers in a layer's state, in each direction.
        layers: one reads the states of the one before it.
        bidirectional: whether a second network in each layer reads from the end.
        embedding: numbers that stand for a token; None: `width`.
        dropout: probability that a number is silenced, in training.
    """

    kernel: ClassVar[type[nn.RNN | nn.LSTM | nn.GRU]]
    num_states: ClassVar[int] = 1  # tensors that make up a state
    context: int | None = None  # a state takes in any number of tokens

    def __init__(
        self,
        inputs: Tokens | Series,
        num_outputs: int,
        reads: Reads,
        width: int = 128,
        layers: int = 1,
        bidirectional: bool = False,
        embedding: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if isinstance(inputs, Tokens):
            in_features = embedding or width
            self.embedding = nn.Embedding(inputs.vocab_size, in_features)
            self.segment_embedding = nn.Embedding(inputs.segments, in_features) if inputs.segments > 1 else None
        else:
            in_features, self.embedding, self.segment_embedding = len(inputs.names), None, None
        self.layers = self.kernel(
            in_features,
            width,
            layers,
            batch_first=True,
            dropout=dropout if layers > 1 else 0.0,  # torch warns where there is nothing between layers
            bidirectional=bidirectional,
        )
        self.dropout = nn.Dropout(dropout)
        self.head = SequenceHead((1 + bidirectional) * width, num_outputs, reads, bidirectional)

    def forward(
        self,
        inputs: Tensor,
        lengths: Tensor | None = None,
        segments: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> Tensor:
        """Map a batch to `[batch, length, outputs]`, or `[batch, outputs]` where the task has one row a text or series.

        Args:
            inputs: token numbers, int64 `[batch, length]`, or numbers, `[batch, length, variables]`.
            lengths: real tokens of each row, int64 `[batch]`; None: all.
            segments: 0 in the first text of a pair and 1 in the second, int64 `[batch, length]`.
            documents: must be None.

        Raises:
            InputError: several texts in a row, between which the state would have to be forgotten.
        """
        if documents is not None:
            raise InputError(f"{type(self).__name__} carries its state from text to text; use data without packing")
        states = self._states(self._inputs(inputs, segments), lengths)
        return self.head(self.dropout(states), lengths)

    def begin(self, batch: int) -> State:
        """Return the state before the first token of `batch` texts."""
        assert not self.layers.bidirectional, "what reads from the end has no state to go on from"
        like = next(self.layers.parameters())
        shape = (self.layers.num_layers, batch, self.layers.hidden_size)
        return tuple(like.new_zeros(shape) for _ in range(self.num_states))

    def extend(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read on from a state.

        Args:
            tokens: the next ones, int64 `[batch, new]`.
            state: what `begin` or the last `extend` returned.

        Returns:
            Scores at each new token, `[batch, new, vocabulary]`, and the state after them.
        """
        states, after = run_layers(self.layers, self._inputs(tokens, None), state)
        return self.head(self.dropout(states)), after

    def _inputs(self, inputs: Tensor, segments: Tensor | None) -> Tensor:
        if self.embedding is None:
            return inputs
        embedded = self.embedding(inputs)
        if self.segment_embedding is not None and segments is not None:
            embedded = embedded + self.segment_embedding(segments)
        return self.dropout(embedded)

    def _states(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the last layer's states; a network that only reads forward need not know where rows end."""
        time = x.shape[1]
        if lengths is None or not self.layers.bidirectional or bool((lengths == time).all()):
            return run_layers(self.layers, x)[0]
        packed = pack_padded_sequence(x, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(run_layers(self.layers, packed)[0], batch_first=True, total_length=time)[0]
