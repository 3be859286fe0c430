"""Deep Q-learning: act, remember, and learn from what is remembered.

One step is one move in each environment, and, where it is due, updates of the network. So a budget's steps are moves,
as in Stable-Baselines3 and as in the papers' frames (four a move); `Q^` is a copy of the network that stands still for
`target_every` moves.

Papers: Mnih et al., Playing Atari with Deep Reinforcement Learning, 2013, arXiv:1312.5602; Mnih et al., Human-level
control through deep reinforcement learning, Nature 518, 2015, Algorithm 1; van Hasselt, Guez and Silver, Deep
Reinforcement Learning with Double Q-learning, AAAI 2016, arXiv:1509.06461; Schaul et al., Prioritized Experience
Replay, ICLR 2016, arXiv:1511.05952.
Departures: `target_every` counts moves, as Algorithm 1's C does; the table of 2015 counts updates of it. Environments
are played one after another in this process and begun anew at once where an episode ends; an episode that is cut off
is learned from as one that goes on (its last observation is bootstrapped from), one that terminates is not.
Checked by: targets, loss, gradients, priorities and weights of a second implementation on recorded transitions, for
each variant; stopped after any step (promise R1).
"""

from typing import Annotated, Literal

from pydantic import Field, SerializeAsAny
from torch import nn

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.algorithms.optimizers.base import OptimizerConfig
from fourfold.algorithms.q_learner import QLearning
from fourfold.algorithms.regularizers import REGULARIZERS
from fourfold.algorithms.regularizers.base import RegularizerConfig, with_hook
from fourfold.core.errors import InputError
from fourfold.core.registry import choice_of
from fourfold.tasks.control import ControlSpec
from fourfold.tasks.seam import Loss, Plan, Source, require_task

LEAST = 4  # observations of an environment's, beside those of a stack, that always hold a whole transition
HOOKS = ("on_batch", "before_forward", "before_update", "evaluated_model")  # which a learner of its own targets lacks


class QLearningConfig(AlgorithmConfig):
    """Fields of `algorithm: q_learning`; the defaults are 2015's, but for the optimizer."""

    name: Literal["q_learning"] = "q_learning"
    optimizer: Annotated[SerializeAsAny[OptimizerConfig], choice_of(OPTIMIZERS, "algorithm.optimizer")] = Field(
        default="adam",  # type: ignore[assignment]
        description="how a gradient becomes an update",
    )
    regularizers: list[
        Annotated[SerializeAsAny[RegularizerConfig], choice_of(REGULARIZERS, "algorithm.regularizers")]
    ] = Field(default=[], description="of gradients, of weights after an update, or of stopping; in this order")
    environments: int = Field(default=1, ge=1, le=1024, description="played side by side; a step moves each")
    capacity: int = Field(default=1_000_000, ge=1, description="observations that the replay holds")
    learning_starts: int = Field(default=50_000, ge=1, description="moves before the first update")
    train_every: int = Field(default=4, ge=1, description="moves between updates")
    updates: int = Field(default=1, ge=1, description="updates each time")
    target_every: int | None = Field(
        default=10_000, ge=1, description="moves between copies of the network to the target; null: there is no target"
    )
    epsilon_start: float = Field(default=1.0, ge=0, le=1, description="share of random moves at first")
    epsilon_end: float = Field(default=0.1, ge=0, le=1, description="share of random moves in the end")
    epsilon_moves: int = Field(default=1_000_000, ge=1, description="moves from the one to the other, in equal steps")
    double: bool = Field(default=False, description="whether the network chooses what the target is worth")
    prioritised: bool = Field(default=False, description="whether what surprised is drawn more often")
    priority_exponent: float = Field(default=0.6, ge=0, description="alpha of Eq. 1; 0 draws all alike")
    importance_start: float = Field(default=0.4, ge=0, le=1, description="beta at first; it grows to 1 over the run")
    save_replay: bool = Field(
        default=True, description="whether checkpoints hold the replay; without it a resumed run is another one"
    )

    def work(self) -> dict[str, float]:
        """Return the moves of a step, and how many updates come with it on average."""
        return {"moves a step": self.environments, "updates a step": self.updates / self.train_every}

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "QLearning":
        """Return the algorithm before its first move.

        Raises:
            InputError: the data are no environment, or the network cannot be moved by it.
        """
        spec = require_task(source.spec, ControlSpec, "q_learning")
        if not any(p.requires_grad for p in model.parameters()):
            raise InputError(f"q_learning has nothing to move: no parameter of {type(model).__name__} takes a gradient")
        if plan.processes.count > 1:
            raise InputError("runtime.processes: q_learning runs in one process; the nearest valid number is 1")
        if plan.accumulate > 1:
            raise InputError("runtime.accumulate: q_learning does not cut its batches; the nearest valid number is 1")
        if plan.compile != "none":
            raise InputError("runtime.compile: q_learning compiles nothing; leave it at none")
        least = (spec.stack + LEAST) * self.environments
        if self.capacity < least:
            raise InputError(f"algorithm.capacity: {self.capacity} observations are too few; the least is {least}")
        regularizers = [regularizer.build(model, spec, plan) for regularizer in self.regularizers]
        for regularizer in regularizers:
            if any(with_hook([regularizer], hook) for hook in HOOKS):
                raise InputError(
                    f"algorithm.regularizers: q_learning makes its own batches, which {type(regularizer).__name__} "
                    "would change; gradient_clipping and early_stopping fit"
                )
        optimizer = self.optimizer.build([p for p in model.parameters() if p.requires_grad])
        return QLearning(self, model, loss, source, plan, optimizer, regularizers)
