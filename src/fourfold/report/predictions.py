"""What a trained run says about one split, kept for drawing, and which predictions are its best and worst.

Checked by: scores by hand; a planted mistake comes first among the worst.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fourfold.run.run import Run
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec, gaussian
from fourfold.tasks.seam import Batch, Source, Spec

BATCH_SIZE = 1024


@dataclass(frozen=True)
class Predictions:
    """A split, in order, and the model's output for it, all on the CPU.

    Attributes:
        split: "test", or "validation" where there is no test split.
        batch: the whole split as one batch.
        output: `[examples, outputs]`.
    """

    source: Source
    split: str
    batch: Batch
    output: Tensor

    @property
    def spec(self) -> Spec:
        """What the data promised."""
        return self.source.spec

    def __len__(self) -> int:
        return len(self.output)

    def choose(self, indices: Sequence[int]) -> tuple[Batch, Tensor, Any]:
        """Return batch, output and raw examples of some members, ready for `spec.draw`."""
        members = torch.tensor(list(indices), dtype=torch.int64)
        batch = Batch(tuple(part[members] for part in self.batch.inputs), self.batch.targets[members])
        return batch, self.output[members], self.source.raw(self.split, list(indices))

    def badness(self) -> Tensor:
        """Return how wrong each prediction is, float64 `[examples]`: surprise in nats, or squared error."""
        output, targets = self.output.double(), self.batch.targets
        if isinstance(self.spec, ClassificationSpec):
            return -output.log_softmax(1).gather(1, targets.view(-1, 1)).squeeze(1)
        if isinstance(self.spec, ProbabilisticRegressionSpec):
            mean, variance = gaussian(output)
            return 0.5 * (variance.log() + (targets.double() - mean).square() / variance).sum(1)
        return (output - targets.double()).square().sum(1)

    def ranked(self) -> list[int]:
        """Return members from best to worst."""
        return self.badness().argsort(stable=True).tolist()


def predict_split(run: Run, split: str | None = None) -> Predictions:
    """Put a split through the trained network; None: the test split, or validation where there is none.

    Raises:
        InputError: the data cannot be read any more.
        CheckpointError: the run has no weights, or they are damaged.
    """
    source, model = run.parts.source, run.model  # not in inference mode: what is made there never has a gradient
    split = split or ("test" if source.sizes.get("test") else "validation")
    inputs, targets, outputs = [], [], []
    with torch.inference_mode():
        for batch in source.split(split, BATCH_SIZE):
            inputs.append(batch.inputs)
            targets.append(batch.targets)
            with run.autocast():
                outputs.append(model(*batch.inputs).float())
        whole = Batch(tuple(_joined(parts) for parts in zip(*inputs, strict=True)), torch.cat(targets))
        return Predictions(source, split, whole, torch.cat(outputs))


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Return batches as one; of texts, whose batches are padded to their own longest, padded to the longest of all."""
    if parts[0].dim() == 2 and parts[0].dtype == torch.int64:
        longest = max(part.shape[1] for part in parts)
        parts = [torch.nn.functional.pad(part, (0, longest - part.shape[1])) for part in parts]
    return torch.cat(list(parts))
