"""Bagging: networks trained on bootstrap samples of the training split, and their aggregate.

A sample has as many examples as the training split, drawn from it with replacement, so it holds about 63.2 % of them,
some more than once. A network's error falls by averaging as far as it comes from the sample it happened to see.

Paper: Breiman, Bagging Predictors, Machine Learning 24, 1996.
Departures: classes are by default predicted from the mean of the members' class probabilities, which section 6.1 finds
equal to the plurality vote in error; the vote is `aggregate: vote`. Members differ in their initial draw and order too.
The paper's trees are grown to the end; here the members share the budget's steps.
Checked by: one member without a sample is a supervised run, bit for bit; the share of distinct examples; scikit-learn's
BaggingClassifier on the same members; exact resume.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.combining import mean, mean_probabilities, mixture_of_gaussians, vote_shares
from fourfold.algorithms.ensemble import Combine
from fourfold.algorithms.members import Begin, EnsembleConfig, MembersInTurn
from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.tasks.seam import Loss, Plan, Source, Spec

AVERAGES: Mapping[str, Combine] = {
    "classification": mean_probabilities,
    "regression": mean,
    "probabilistic_regression": mixture_of_gaussians,
}


class BaggingConfig(EnsembleConfig):
    """Fields of `algorithm: bagging`."""

    name: Literal["bagging"] = "bagging"
    sample: float | None = Field(
        default=1.0,
        gt=0,
        le=1,
        description="examples of a bootstrap sample, as a share of the training split; null: no sampling, every member "
        "sees the split itself",
    )
    aggregate: Literal["average", "vote"] = Field(
        default="average", description="average outputs (of classes, their probabilities), or count votes for classes"
    )

    def combine(self, spec: Spec) -> Combine:
        """Return the average, or the plurality vote of classes."""
        if self.aggregate == "vote":
            if spec.task != "classification":
                raise InputError(f"algorithm.aggregate: classes are voted for, but this data poses {spec.task}")
            return vote_shares
        if spec.task not in AVERAGES:
            raise InputError(f"bagging averages outputs of {', '.join(AVERAGES)}, but this data poses {spec.task}")
        return AVERAGES[spec.task]

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "Bagging":
        """Return the algorithm at step 0."""
        return Bagging(model, source, plan, self.begin(loss), self.sample)


def bootstrap(num_examples: int, size: int, seed: int, member: int) -> Tensor:
    """Return `size` of `num_examples` example numbers, drawn with replacement, int64; each member has its own draw."""
    generator = torch.Generator().manual_seed(stream_seed(seed, "bootstrap", member))
    return torch.randint(num_examples, (size,), generator=generator)


class Bagging(MembersInTurn):
    """Bagging at work; every member that has been trained or is in training counts for one.

    Args:
        model: the ensemble.
        source: all training examples.
        plan: of the whole run.
        begin: begins one member's training.
        share: of the training split in a bootstrap sample; None is the split itself.
    """

    def __init__(self, model: nn.Module, source: Source, plan: Plan, begin: Begin, share: float | None) -> None:
        self.share = share
        super().__init__(model, source, plan, begin)

    def sample(self, member: int) -> Tensor | None:
        """Return the member's bootstrap sample."""
        if self.share is None:
            return None
        count = self.source.sizes["train"]
        return bootstrap(count, max(1, round(self.share * count)), self.plan.seed, member)

    def begun(self) -> None:
        """Let the member count from its first step on."""
        self.ensemble.weights[self.member] = 1

    def trained(self) -> None:
        """Leave the member the weight that it has."""

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        size = self.current.plan.steps_per_epoch
        drawn = "all training examples" if self.share is None else "a bootstrap sample of the training split"
        first, *rest = super().explain()
        return [f"{first}, on {drawn} ({size} batches)", *rest]
