"""What the tasks share whose answer is a class for each token: language modelling, translation, tagging.

Output: scores (logits) at each token, `[batch, length, classes]`. Targets: class numbers, int64 `[batch, length]`;
those that are `IGNORED` do not count, for they are padding, or no target.
Checked by: a batch with and without padding; each task's own oracle.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from fourfold.tasks.seam import Batch, Scorer, Spec

IGNORED = -100  # torch's own number for a target that does not count
MOST_SCORES = 2**26  # that a model may put out at once in evaluation: 256 MB


class TokenSpec(Spec):
    """What a source promises whose targets are classes of tokens."""

    counts = "tokens"

    @property
    @abstractmethod
    def num_outputs(self) -> int:
        """Classes of a token."""


class TokenScorer(Scorer):
    """How many tokens are right, and how surprised the model is by those that come, in nats."""

    def __init__(self) -> None:
        self.nats = torch.zeros((), dtype=torch.float64)
        self.right = torch.zeros((), dtype=torch.int64)
        self.tokens = torch.zeros((), dtype=torch.int64)

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add one batch of scores `[batch, length, classes]`."""
        targets = batch.targets.flatten()
        scores = output.expand(*batch.targets.shape, -1).flatten(0, 1)  # one answer to everything is [1, 1, classes]
        real = targets != IGNORED
        self.nats = self.nats + F.cross_entropy(scores, targets, ignore_index=IGNORED, reduction="sum").cpu().double()
        self.right = self.right + ((scores.argmax(1) == targets) & real).sum().cpu()
        self.tokens = self.tokens + real.sum().cpu()

    def merge(self, other: "TokenScorer") -> None:
        """Add another scorer's sums."""
        self.nats, self.right, self.tokens = (
            self.nats + other.nats,
            self.right + other.right,
            self.tokens + other.tokens,
        )

    def compute(self) -> dict[str, float]:
        """Return accuracy and perplexity, the exponential of the mean surprise."""
        tokens = max(int(self.tokens), 1)
        return {"accuracy": int(self.right) / tokens, "perplexity": math.exp(min(float(self.nats) / tokens, 700))}


TOKEN_METRICS: Mapping[str, bool] = {"accuracy": True, "perplexity": False}
