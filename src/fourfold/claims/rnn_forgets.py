"""The adding problem at two lengths, for Elman's network, an LSTM and a GRU of as many numbers in their state.

Each sequence's two marked numbers stand in its two halves, so that on average half of the sequence lies between the
first of them and the end. Who knows nothing answers 1 and has an rmse of 0.408; half of that is taken for having learnt
it, and 0.35 for having learnt next to nothing. Steps, batches and step size are alike. The quick size is too few steps
for the longer sequences, and may say otherwise.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import all_of, greater, not_greater

LEARNT, NOTHING = 0.204, 0.35


def _arm(cell: str, length: int) -> dict[str, object]:
    return {"model": {"name": cell, "width": 32}, "data.length": length}


CLAIM = TrainedClaim(
    id="rnn-forgets",
    says="A simple recurrent network loses what was long ago, which an LSTM and a GRU keep.",
    source="S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997, sections 3.1 and "
    "5.4; for the GRU, J. Chung, C. Gulcehre, K. Cho and Y. Bengio, Empirical evaluation of gated recurrent neural "
    "networks on sequence modeling, 2014, arXiv:1412.3555",
    recipe="adding-lstm",
    shared={"data.data_seed": None},
    arms={
        "rnn, 10 steps": _arm("rnn", 10),
        "rnn, 50 steps": _arm("rnn", 50),
        "lstm, 50 steps": _arm("lstm", 50),
        "gru, 50 steps": _arm("gru", 50),
    },
    measure=metric("test.rmse"),
    rule=all_of(
        not_greater("rnn, 10 steps", LEARNT, by=0.0),
        greater("rnn, 50 steps", NOTHING),
        not_greater("lstm, 50 steps", LEARNT, by=0.0),
        not_greater("gru, 50 steps", LEARNT, by=0.0),
    ),
    quick=Size(seeds=8, overrides={"budget.steps": 300, "data.train_examples": 2000}),
    full=Size(seeds=8),
    scaled_from="sequences of 100 to 1,000 steps, and training until each network has it or fails",
)
