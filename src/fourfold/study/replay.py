"""A run that was trained as one of a stack, told again to the loop, so that its folder is like any other run's.

The loop and the session ask an algorithm for steps and a source for scores. Here both answer from what the stack wrote
down, and the weights are put where they belong when the loop looks at them: at the end, or where the run diverged.

Checked by: the folder of a stacked run against that of the same run alone, file by file.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fourfold.algorithms.diagnosis import diagnose
from fourfold.algorithms.stacked import Standing
from fourfold.algorithms.supervised import Supervised
from fourfold.tasks.seam import Batch, LossValue, Order, Source, Stream, Training


class History(NamedTuple):
    """What a stack wrote down of one of its runs."""

    losses: Tensor  # [steps], summed over the batch
    counts: list[int]  # examples in each batch
    standing: Standing
    scores: Mapping[tuple[int, str], dict[str, float]]  # (updates made, split) -> metrics
    seconds: float  # this run's share of the stack's steps
    size: int  # runs in the stack

    @property
    def note(self) -> str:
        """What the run's record says of it."""
        return f"trained as one of a stack of {self.size}; seconds are its share of the stack's"


class Replay(Training):
    """An algorithm whose steps were made already.

    Args:
        training: the run's own, built and at step 0.
        source: the run's own.
        history: what the stack wrote down.
    """

    def __init__(self, training: Supervised, source: Source, history: History) -> None:
        self.model = training.model
        self._training, self._source, self._history = training, source, history
        self._values = [LossValue(total, count) for total, count in zip(history.losses, history.counts, strict=False)]
        self._base_lrs = [float(group["lr"]) for group in training.optimizer.param_groups]
        self.steps = 0

    def step(self) -> LossValue:
        """Return the loss of the next step.

        Raises:
            DivergedError: the stack refused that step.
        """
        if self.steps == self._history.standing.steps:
            self._raise_refused()
        self.steps += 1
        return self._values[self.steps - 1]

    def check(self) -> None:
        """Put the weights where the stack left them, and look at them as the run alone would.

        Raises:
            DivergedError: one of them is not finite.
        """
        if self.steps == self._history.standing.steps:
            self._restore()
            self._training.check()

    def gauges(self) -> dict[str, float]:
        """Return the learning rate of the last step."""
        factor = self._training.schedule(self.steps - 1)
        for group, base in zip(self._training.optimizer.param_groups, self._base_lrs, strict=True):
            group["lr"] = base * factor
        return self._training.gauges()

    def scores(self, split: str) -> dict[str, float]:
        """Return a split's metrics after the steps so far."""
        return self._history.scores[self.steps, split]

    def finish(self) -> list[str]:
        """End the run."""
        return self._training.finish()

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        return self._training.explain()

    def state_dict(self) -> dict[str, Any]:
        """Return the run's own state, which is known at its end only."""
        assert self.steps == self._history.standing.steps, "a stacked run has a state at its end only"
        return self._training.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Refuse: a run goes on as itself."""
        raise NotImplementedError

    @torch.no_grad()
    def _restore(self) -> None:
        """Put weights and optimizer where the stack left them."""
        standing = self._history.standing
        for param, weight in zip(self._training.params, standing.weights, strict=True):
            param.copy_(weight)
        state = self._training.state_dict()
        self._training.load_state_dict({**state, "step": standing.steps, "optimizer": standing.optimizer})

    def _raise_refused(self) -> None:
        """Say what the run alone would say of the step that was not made."""
        training, step, refused = self._training, self.steps, self._history.standing.refused
        assert refused is not None, "the loop asks for no more steps than there are"
        self._restore()
        stream = self._source.train(training.plan.order)
        stream.seek(step)
        grads = {name: grad for name, grad in zip(training.names, refused.grads, strict=True) if grad is not None}
        value = LossValue(refused.total, self._history.counts[step])
        raise diagnose(training.network, training.loss, next(stream), value, grads, step)


class Measured(Source):
    """A source that was scored already.

    Args:
        source: the run's own.
        replay: knows the scores.
        note: what the run's record should say besides the source's own notes.
    """

    def __init__(self, source: Source, replay: Replay, note: str) -> None:
        self._source, self._replay = source, replay
        self.spec, self.sizes, self.files = source.spec, source.sizes, source.files
        self.notes = [*source.notes, note]
        self.encoding: Any = getattr(source, "encoding", None)

    def train(self, order: Order) -> Stream:
        """Return the run's own stream."""
        return self._source.train(order)

    def split(self, name: str, batch_size: int) -> Iterable[Batch]:
        """Return a split of the run's own data."""
        return self._source.split(name, batch_size)

    def raw(self, name: str, indices: list[int]) -> Any:
        """Return examples of the run's own data."""
        return self._source.raw(name, indices)

    def evaluate(self, model: nn.Module, split: str) -> dict[str, float]:
        """Return the scores that the stack wrote down."""
        return self._replay.scores(split)

    def to(self, device: torch.device) -> Source:
        """Return self: the data are where the stack had them."""
        return self
