"""Training the members of an ensemble one after another, each by gradient descent on a sample of its own.

A run's steps are shared out: of N steps and M members each gets N / M, the first ones the steps that are left over.
Every member has its own seed, derived from the run's, and with it its own initial draw, order, and noise; the first
member's seed is the run's. The ensemble that is scored during the run holds the members trained so far.

Checked by: one member without sampling is a supervised run, bit for bit; every member by hand; exact resume.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.ensemble import Combine, Ensemble
from fourfold.algorithms.regularizers.base import Regularizer
from fourfold.algorithms.supervised import DescentConfig, Supervised
from fourfold.core.errors import DivergedError, InputError
from fourfold.core.seeds import stream_seed
from fourfold.core.words import counted
from fourfold.tasks.seam import Loss, LossValue, Plan, Source, Spec, Training

Begin = Callable[[nn.Module, Source, Plan], Supervised]


class EnsembleConfig(DescentConfig):
    """The fields of an ensemble: how many members, and how each is trained."""

    members: int = Field(default=10, ge=1, le=10_000, description="networks, which share the budget's steps")

    def combine(self, spec: Spec) -> Combine:
        """Return how the members answer as one.

        Raises:
            InputError: not for this task.
        """
        raise NotImplementedError

    def network(self, draw: Callable[[int], nn.Module], spec: Spec, seed: int) -> Ensemble:
        """Return as many of the recipe's model as there are members, each drawn by a seed of its own."""
        combine = self.combine(spec)
        return Ensemble([draw(member_seed(seed, member)) for member in range(self.members)], combine)

    def begin(self, loss: Loss) -> Begin:
        """Return what begins the training of one member."""

        def begin(model: nn.Module, source: Source, plan: Plan) -> Supervised:
            training = self.descent(model, loss, source, plan)
            for config, regularizer in zip(self.regularizers, training.regularizers, strict=True):
                if type(regularizer).validated is not Regularizer.validated:
                    raise InputError(
                        f"algorithm.regularizers: {config.name} goes by validation scores, which are the ensemble's "
                        "and not a member's; leave it out, or use algorithm=supervised"
                    )
            return training

        return begin


def member_seed(seed: int, member: int) -> int:
    """Return the seed of a member; the first one has the run's own."""
    return stream_seed(seed, "member", member) if member else seed


class MembersInTurn(Training):
    """An ensemble in training.

    Args:
        model: from `EnsembleConfig.network`.
        source: all training examples.
        plan: of the whole run.
        begin: begins one member's training.

    Attributes:
        ensemble: what is evaluated and saved; a member whose weights are averaged stands there averaged.
        member: the one in training, or just trained.
        current: its training.

    Raises:
        InputError: there are fewer steps than members, or the data cannot be sampled.
    """

    def __init__(self, model: nn.Module, source: Source, plan: Plan, begin: Begin) -> None:
        assert isinstance(model, Ensemble)
        self.model = self.ensemble = model
        self.source, self.plan, self.begin = source, plan, begin
        if plan.steps < self.count:
            raise InputError(
                f"algorithm.members: {self.count} members cannot share {plan.steps} steps; "
                f"the nearest valid number is {plan.steps}"
            )
        self.findings: list[str] = []
        self._made = 0  # steps of the current member
        self._begin(0)

    @property
    def count(self) -> int:
        """Number of members."""
        return len(self.ensemble.members)

    @abstractmethod
    def sample(self, member: int) -> Tensor | None:
        """Return which training examples a member learns from, int64 `[count]`, or None for each of them once."""

    @abstractmethod
    def begun(self) -> None:
        """Give the current member a weight for the time of its training, if it is to have one."""

    @abstractmethod
    def trained(self) -> None:
        """Give the current member its weight, now that it is trained."""

    def step(self) -> LossValue:
        """Move the current member's parameters once; where it has made its steps, the next one's."""
        if self._made == self.current.plan.steps:
            self._begin(self.member + 1)
            self._made = 0
            self.begun()
        try:
            value = self.current.step()
        except DivergedError as error:
            raise self._in_the_run(error) from None
        self._made += 1
        if self._made == self.current.plan.steps:
            self.check()
            self.findings += self.current.finish()
            self.trained()
        return value

    def _begin(self, member: int) -> None:
        """Build a member's training, at step 0; the same again where a run is resumed."""
        examples = self.sample(member)
        source = self.source if examples is None else self.source.resampled(examples)
        count = source.sizes["train"]
        batch_size = min(self.plan.batch_size, count)
        plan = replace(
            self.plan,
            seed=member_seed(self.plan.seed, member),
            steps=self._share(member),
            batch_size=batch_size,
            steps_per_epoch=-(-count // batch_size),
        )
        self.member = member
        self.current = self.begin(self.ensemble.members[member], source, plan)
        self.ensemble.members[member] = self.current.model

    def _share(self, member: int) -> int:
        """Return the steps of a member."""
        return self.plan.steps // self.count + (member < self.plan.steps % self.count)

    def _in_the_run(self, error: DivergedError) -> DivergedError:
        """Return a member's error with its number, its step counted as the run counts."""
        before = sum(self._share(member) for member in range(self.member))
        step = None if error.step is None else before + error.step
        return DivergedError(f"member {self.member + 1} of {self.count}, from step {before}: {error}", step)

    def check(self) -> None:
        """Raise DivergedError if a step of the current member was refused."""
        try:
            self.current.check()
        except DivergedError as error:
            raise self._in_the_run(error) from None

    def gauges(self) -> dict[str, float]:
        """Return the current member's readings, and its number, counted from 1."""
        return {**self.current.gauges(), "member": self.member + 1.0}

    def finish(self) -> list[str]:
        """Return what the members found, and how many steps each had."""
        steps, count = self.plan.steps // self.count, self.current.plan.batch_size
        passes = steps / self.current.plan.steps_per_epoch
        each = f"{counted(steps, 'step')} of {counted(count, 'example')} each"
        shared = f"{self.count} members, trained one after another: {each}"
        return [*self.findings, f"{shared}, {passes:.3g} passes over what it was given."]

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        steps = f"{counted(self._share(self.count - 1), 'step')} each"
        return [f"take the member in training, of {self.count} in turn, {steps}", *self.current.explain()]

    def state_dict(self) -> dict[str, Any]:
        """Return which member is in training, and its state; the weights of all are the ensemble's."""
        return {
            "member": self.member,
            "made": self._made,
            "current": self.current.state_dict(),
            "findings": list(self.findings),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self.findings = list(state["findings"])
        if int(state["member"]) != self.member:
            self._begin(int(state["member"]))
        self._made = int(state["made"])
        self.current.load_state_dict(state["current"])
