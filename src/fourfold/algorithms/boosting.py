"""Boosting: each network is trained on what those before it got wrong, and votes with a weight for how well it does.

    error_m = sum_i p_i loss_i                     over the training split; loss_i in [0, 1]
    vote_m  = log((1 - error_m) / error_m) + log(K - 1)
    p_i    <- p_i exp(vote_m loss_i) / sum_j p_j exp(vote_m loss_j)

For classes, loss_i is 1 where member m is wrong: AdaBoost.M1 for K = 2, SAMME for more; the weighted vote decides. For
one number to predict, K is 2 and loss_i is |error_i| over the largest one: AdaBoost.R2; the weighted median decides.
The distribution p reaches the network by sampling: member m is trained on a sample drawn by p with replacement, of
the training split's size, which works for any network, loss and regularizer.

Paper: Freund and Schapire, A Decision-Theoretic Generalization of On-Line Learning and an Application to Boosting,
Journal of Computer and System Sciences 55, 1997, Figures 2 and 3; Zhu, Zou, Rosset and Hastie, Multi-class AdaBoost,
Statistics and Its Interface 2, 2009, Algorithm 2; Drucker, Improving Regressors using Boosting Techniques, ICML 1997.
Departures: a member no better than chance has no vote, and the distribution is uniform again, in place of ending; so it
is after a member without an error, whose vote is that of an error of 1e-10 (both after Bauer and Kohavi, An Empirical
Comparison of Voting Classification Algorithms, Machine Learning 36, 1999). Of R2's three losses the linear one.
Checked by: the equations by hand; scikit-learn's AdaBoostClassifier and AdaBoostRegressor on the same members; exact
resume.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from fourfold.algorithms.combining import weighted_median, weighted_votes
from fourfold.algorithms.ensemble import Combine
from fourfold.algorithms.members import Begin, EnsembleConfig, MembersInTurn
from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Loss, Plan, Source, Spec

NO_ERROR = 1e-10  # the error that a member without one is taken to have
ROUNDING = 1e-9  # an error that is so little below chance is chance
BATCH_SIZE = 1024  # examples at once, where the training split is scored


class BoostingConfig(EnsembleConfig):
    """Fields of `algorithm: boosting`."""

    name: Literal["boosting"] = "boosting"

    def combine(self, spec: Spec) -> Combine:
        """Return the weighted vote for classes, or the weighted median of a number."""
        if isinstance(spec, ClassificationSpec):
            return weighted_votes
        if isinstance(spec, RegressionSpec) and spec.num_outputs == 1:
            return weighted_median
        targets = f"{spec.num_outputs} numbers at once" if isinstance(spec, RegressionSpec) else spec.task
        raise InputError(f"boosting is for classification, or for one number to predict, but this data poses {targets}")

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "Boosting":
        """Return the algorithm at step 0."""
        return Boosting(model, source, plan, self.begin(loss))


def vote_of(error: float, num_classes: int) -> float:
    """Return the weight of a member's vote; 0 for one no better than chance, whose error is 1 - 1 / classes.

    Args:
        error: mean loss under the distribution that it was trained on, 0 to 1.
        num_classes: K; 2 for a number to predict.
    """
    if error > 1 - 1 / num_classes - ROUNDING:
        return 0.0
    error = max(error, NO_ERROR)
    return math.log((1 - error) / error) + math.log(num_classes - 1)


def reweigh(distribution: Tensor, losses: Tensor, vote: float) -> Tensor:
    """Return the next member's distribution, float64 `[examples]`: where `losses` are, there is more of it."""
    weights = distribution * (vote * losses).exp()
    return weights / weights.sum()


class Boosting(MembersInTurn):
    """Boosting at work. A member has its vote once it is trained; until one has, the one in training speaks alone.

    Args:
        model: the ensemble.
        source: all training examples.
        plan: of the whole run.
        begin: begins one member's training.

    Attributes:
        distribution: how likely each training example is to be drawn, float64 `[examples]`.
        votes: of the members trained so far.
    """

    def __init__(self, model: nn.Module, source: Source, plan: Plan, begin: Begin) -> None:
        self.num_classes = source.spec.num_outputs if isinstance(source.spec, ClassificationSpec) else 2
        self.distribution = _uniform(source.sizes["train"])
        self.votes: list[float] = []
        super().__init__(model, source, plan, begin)

    def sample(self, member: int) -> Tensor:
        """Return examples drawn by the distribution with replacement, as many as there are."""
        generator = torch.Generator().manual_seed(stream_seed(self.plan.seed, "bootstrap", member))
        return torch.multinomial(self.distribution, len(self.distribution), replacement=True, generator=generator)

    def begun(self) -> None:
        """Let the member speak if no other can."""
        self._count_votes()

    def trained(self) -> None:
        """Give the member its vote, and what it gets wrong more weight."""
        losses = self._losses()
        error = float((self.distribution * losses).sum())
        vote = vote_of(error, self.num_classes)
        self.votes.append(vote)
        self._count_votes()
        if error > 0 and vote > 0:
            self.distribution = reweigh(self.distribution, losses, vote)
            return
        self.distribution = _uniform(len(self.distribution))
        did = "makes no mistake on the training split" if error == 0 else "is no better than chance and has no vote"
        self.findings.append(f"Member {self.member + 1} {did}; the next sample is drawn uniformly again.")

    def _count_votes(self) -> None:
        """Put the votes so far into the ensemble; while there is none, the member in training speaks alone."""
        weights = torch.zeros(self.count)
        weights[: len(self.votes)] = torch.tensor(self.votes)
        if not weights.any():
            weights[self.member] = 1
        self.ensemble.weights.copy_(weights)

    @torch.no_grad()
    def _losses(self) -> Tensor:
        """Return how wrong the current member is on each training example, 0 to 1, float64 `[examples]`.

        Several processes take batches in turn and add up, so that all of them go on with the same numbers.
        """
        model, processes = self.current.model, self.plan.processes
        was_training = model.training
        model.eval()
        parts: list[Tensor] = []
        for i, batch in enumerate(self.source.split("train", BATCH_SIZE)):
            if i % processes.count == processes.rank:
                with self.plan.autocast():
                    output = model(*batch.inputs)
                parts.append(self._error(output.float(), batch.targets))
            else:
                parts.append(torch.zeros(len(batch.targets), device=batch.targets.device))
        model.train(was_training)
        errors = torch.cat(parts)
        processes.sum([errors])
        errors = errors.cpu().double()  # Apple's GPU has no float64
        largest = float(errors.max())
        return errors / largest if largest > 0 else errors

    def _error(self, output: Tensor, targets: Tensor) -> Tensor:
        """Return 1 for each example of a wrong class, or how far the number is off, float32 `[batch]`."""
        if isinstance(self.source.spec, ClassificationSpec):
            return (output.argmax(1) != targets).float()
        return (output - targets).abs().squeeze(1)

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        first, *rest = super().explain()
        return [
            f"{first}, on a sample that holds more of what those before it got wrong",
            *rest,
            "after its last step: score the member on the training split, give it a vote, and its mistakes more weight",
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the members' state, the votes, and the distribution."""
        return {**super().state_dict(), "votes": list(self.votes), "distribution": self.distribution}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self.votes, self.distribution = list(state["votes"]), state["distribution"].clone()
        super().load_state_dict(state)


def _uniform(count: int) -> Tensor:
    return torch.full((count,), 1 / count, dtype=torch.float64)
