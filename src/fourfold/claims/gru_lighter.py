"""A GRU and an LSTM of as many numbers in their state write Shakespeare, a character at a time.

The weights that are counted are those of the recurrent layers, biases included: the embedding and the output are the
same in both. "As good" is no more than a twentieth of a bit a character worse on plays that neither has seen. Steps,
batches and step size are alike; the quick size is a twentieth of the steps.
"""

from typing import TYPE_CHECKING

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, metric, run_of
from fourfold.claims.rules import all_of, exact, not_greater

if TYPE_CHECKING:
    from fourfold.study.cells import CellResult


def weights(cell: "CellResult") -> float:
    """Return how many weights and biases the recurrent layers of a cell's network have."""
    if cell.status != "done":
        return float("nan")
    layers = run_of(cell).model.get_submodule("layers")
    return float(sum(param.numel() for param in layers.parameters()))


CLAIM = TrainedClaim(
    id="gru-lighter",
    says="A GRU is as good as an LSTM with three quarters of its weights.",
    source="K. Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014, arXiv:1406.1078, "
    "section 2.3; J. Chung, C. Gulcehre, K. Cho and Y. Bengio, Empirical evaluation of gated recurrent neural networks "
    "on sequence modeling, 2014, arXiv:1412.3555, section 5, who compare them at equal weights",
    recipe={
        "data": {"name": "shakespeare", "length": 64},
        "model": {"name": "gru"},
        "loss": {"name": "cross_entropy"},
        "algorithm": {
            "name": "supervised",
            "optimizer": {"name": "adam", "lr": 0.004},
            "schedule": {"name": "cosine"},
            "regularizers": [{"name": "gradient_clipping", "max_norm": 1.0}],
        },
        "budget": {"steps": 1000, "batch_size": 32, "validate_every": 1000},
    },
    arms={
        "gru": {"model": {"name": "gru", "width": 128, "embedding": 32}},
        "lstm": {"model": {"name": "lstm", "width": 128, "embedding": 32}},
    },
    measure=metric("test.bits_per_character"),
    beside={"weights": Measure("weights of the recurrent layers", weights)},
    rule=all_of(
        exact("gru: weights", over="lstm: weights", at_least=0.75, at_most=0.75),
        not_greater("gru", "lstm", by=0.05),
    ),
    quick=Size(seeds=6, overrides={"budget.steps": 50, "budget.validate_every": 50}),
    full=Size(seeds=8),
    scaled_from="polyphonic music and speech, some hundred thousand updates",
)
