"""Q-learning at work: one step, from moves in environments to a network moved.

    y     = r + gamma max_a' Q^(s', a')                      (2015, Algorithm 1; y = r where nothing can follow)
    y     = r + gamma Q^(s', argmax_a' Q(s', a'))            (double)

Sources and departures: q_learning.py.
Checked by: targets, loss, gradients, priorities and weights of a second implementation on recorded transitions, for
each variant; stopped after any step (promise R1).
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from fourfold.algorithms.acting import Actor
from fourfold.algorithms.diagnosis import LATER, diagnose
from fourfold.algorithms.experience import Experience
from fourfold.algorithms.finite import FiniteCheck
from fourfold.algorithms.optimizers.base import Optimizer
from fourfold.algorithms.regularizers.base import Regularizer, tell_apart, with_hook
from fourfold.algorithms.replay.memory import Memory, Transitions
from fourfold.algorithms.replay.prioritised import Priorities
from fourfold.core.errors import DivergedError
from fourfold.core.seeds import stream_seed
from fourfold.core.words import counted
from fourfold.tasks.control import ControlSpec, Environment, TDTargets
from fourfold.tasks.seam import Batch, Loss, LossValue, Plan, Source, Training

if TYPE_CHECKING:
    from fourfold.algorithms.q_learning import QLearningConfig


class QLearning(Training):
    """Q-learning at work.

    Args:
        config: how much is remembered, when it learns, and from what.
        model: the network, on `plan.device`.
        loss: of temporal differences, summed over transitions.
        source: where environments come from.
        plan: how long, how large, and on what.
        optimizer: moves the parameters.
        regularizers: hooks, in order.
    """

    def __init__(
        self,
        config: "QLearningConfig",
        model: nn.Module,
        loss: Loss,
        source: Source,
        plan: Plan,
        optimizer: Optimizer,
        regularizers: list[Regularizer],
    ) -> None:
        spec = source.spec
        assert isinstance(spec, ControlSpec)
        self.config, self.model, self.loss, self.plan, self.spec = config, model, loss, plan, spec
        self.optimizer, self.regularizers = optimizer, regularizers
        tell_apart(regularizers)
        for regularizer in regularizers:
            regularizer.watch(model)
        self._on_gradients = with_hook(regularizers, "on_gradients")
        self._after_update = with_hook(regularizers, "after_update")
        self.names = [name for name, p in model.named_parameters() if p.requires_grad]
        self.params = [p for p in model.parameters() if p.requires_grad]
        self.target = deepcopy(model).requires_grad_(False) if config.target_every else model
        environments: list[Environment] = [source.environment(i) for i in range(config.environments)]
        self.memory = Memory(config.capacity, config.environments, spec.frame, spec.stack, spec.scale)
        slots = self.memory.length * config.environments
        self.priorities = Priorities(slots, config.priority_exponent) if config.prioritised else None
        actor = Actor(model, spec, config.environments, plan.seed, plan.device)
        self.experience = Experience(environments, actor, self.memory, self.priorities)
        self.draws = np.random.default_rng(stream_seed(plan.seed, "sample"))
        self._finite = FiniteCheck(plan.device)
        self._one = torch.ones(1, device=plan.device)
        self._idle = LossValue(torch.zeros((), device=plan.device), 0)
        self._step, self._updates, self._copied = 0, 0, 0  # moves, updates, and those when the target was copied
        self._lost_replay = -1  # the step at which it was

    @property
    def epsilon(self) -> float:
        """The share of random moves in the next step; until there is enough to learn from, all are."""
        config = self.config
        if self._step < config.learning_starts:
            return 1.0
        done = min(1.0, self._step / config.epsilon_moves)
        return config.epsilon_start + done * (config.epsilon_end - config.epsilon_start)

    def step(self) -> LossValue:
        """Move each environment once, and learn where it is due."""
        self.experience.move(self.epsilon, self._step)
        self._step += 1
        config = self.config
        if config.target_every and self._step % config.target_every == 0 and self._copied != self._updates:
            self.target.load_state_dict(self.model.state_dict())
            self._copied = self._updates
        enough = self._lost_replay < 0 or self.memory.num_ready >= min(config.learning_starts, config.capacity // 2)
        if self._step < config.learning_starts or self._step % config.train_every or not enough:
            return self._idle
        return self._learn()

    def _learn(self) -> LossValue:
        """Update the network as often as a step does."""
        count, size = self.config.updates, self.plan.batch_size
        if self.priorities is not None or self.config.double or not self.config.target_every:
            values = [self._update(*self._drawn(size)) for _ in range(count)]
        else:  # what all these updates move towards stands still meanwhile: one pass of the target finds it
            slots = self.memory.draw(count * size, self.draws)
            drawn = self._placed(self.memory.read(slots))
            returns = self._returns(drawn)
            batches = zip(drawn.before.split(size), drawn.actions.split(size), returns.split(size), strict=True)
            values = [self._update(before, TDTargets(actions, wanted), None) for before, actions, wanted in batches]
        total = values[0].total if count == 1 else torch.stack([value.total for value in values]).sum()
        return LossValue(total, count * size)

    def _drawn(self, size: int) -> tuple[Tensor, TDTargets, Any]:
        """Return inputs, what their actions should be worth, and where they were remembered."""
        weights = None
        if self.priorities is None:
            slots = self.memory.draw(size, self.draws)
        else:
            slots = self.priorities.draw(size, self.draws)
            weights = self.priorities.weights(slots, self.memory.num_ready, self.importance).to(self.plan.device)
        drawn = self._placed(self.memory.read(slots))
        return drawn.before, TDTargets(drawn.actions, self._returns(drawn), weights), slots

    @property
    def importance(self) -> float:
        """How far weights make up for what is drawn more often: beta."""
        done = min(1.0, self._step / self.plan.steps)
        return self.config.importance_start + done * (1 - self.config.importance_start)

    def _placed(self, drawn: Transitions) -> Transitions:
        if self.plan.device.type == "cpu":
            return drawn
        return Transitions(*(part.to(self.plan.device, non_blocking=True) for part in drawn))

    @torch.no_grad()
    def _returns(self, drawn: Transitions) -> Tensor:
        """Return what the actions should be worth, float32 `[batch]`."""
        with self.plan.autocast():
            after = self.target(drawn.after).float()
            if self.config.double:
                best = self.model(drawn.after).argmax(1, keepdim=True)
                worth = after.gather(1, best).squeeze(1)
            else:
                worth = after.amax(1)
        return drawn.rewards + worth * drawn.goes_on * self.spec.discount

    def _update(self, before: Tensor, targets: TDTargets, slots: Any) -> LossValue:
        """Move the parameters once towards targets, and remember how wrong the network was."""
        batch = Batch((before,), targets)
        for param in self.params:
            param.grad = None
        with self.plan.autocast():
            output = self.model(before)
            value = self.loss(output, batch)
        value.mean.backward()
        with torch.no_grad():
            grads = [p.grad for p in self.params if p.grad is not None]
            if self._finite.scale(grads, self._one, value.total, self._step):
                self._raise_diverged(value, batch)
            if self._on_gradients:
                moved = [p for p in self.params if p.grad is not None]
                for regularizer in self._on_gradients:
                    regularizer.on_gradients(moved, grads)
            self.optimizer.step(self._finite.found_inf)
            for regularizer in self._after_update:
                regularizer.after_update(self._updates)
            if self.priorities is not None:
                worth = output.detach().float().gather(1, targets.actions.unsqueeze(1)).squeeze(1)
                self.priorities.learned(slots, (targets.returns - worth).cpu().numpy())
        self._updates += 1
        return LossValue(value.total.detach(), value.count)

    def _raise_diverged(self, value: LossValue, batch: Batch) -> None:
        grads = {name: p.grad for name, p in zip(self.names, self.params, strict=True) if p.grad is not None}
        raise diagnose(self.model, self.loss, batch, value, grads, self._step)

    def check(self) -> None:
        """Raise DivergedError if a GPU refused an update, or one left a weight that is not finite."""
        if self._finite.waits():
            step = self._finite.refused_at
            raise DivergedError(f"step {step}: the loss or a gradient is not finite; {LATER}", step)
        norms = torch._foreach_norm([p.detach() for p in self.params])
        if torch.stack([norm.float() for norm in norms]).isfinite().all():  # a huge finite weight may overflow here
            return
        if names := [name for name, p in zip(self.names, self.params, strict=True) if not p.isfinite().all()]:
            last = self._step - 1
            raise DivergedError(f"step {last}: parameter '{names[0]}' is not finite after the update; {LATER}")

    def gauges(self) -> dict[str, float]:
        """Return epsilon, how many episodes are over, and the mean return and length of the last hundred."""
        return {"epsilon": self.epsilon, **self.experience.gauges()}

    def validated(self, step: int, metrics: Mapping[str, float]) -> str | None:
        """Ask each regularizer; the first reason to stop counts."""
        reasons = [r.validated(step, metrics) for r in self.regularizers]
        return next((reason for reason in reasons if reason), None)

    def finish(self) -> list[str]:
        """Let each regularizer end the run."""
        findings = [finding for r in self.regularizers if (finding := r.finish())]
        if self._lost_replay >= 0:
            findings.append(
                f"the run was resumed at step {self._lost_replay} without its replay, which "
                "algorithm.save_replay=false kept out: one that never stopped would have gone another way"
            )
        return findings

    def kept_step(self) -> int | None:
        """Return which step's weights a regularizer went back to."""
        return next((step for r in reversed(self.regularizers) if (step := r.kept_step()) is not None), None)

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        config, hooks = self.config, [line for r in self.regularizers for _, line in r.explain()]
        worth = "the target's worth of the network's best action" if config.double else "the target's best worth"
        every = f"every {config.train_every} moves" if config.train_every > 1 else "every move"
        drawn = "in proportion to its error" if config.prioritised else "each as likely"
        lines = [
            f"act in {counted(config.environments, 'environment')}: the best action, or with probability epsilon, "
            f"{config.epsilon_start:g} to {config.epsilon_end:g}, a random one",
            f"remember it, among the last {config.capacity:,} observations",
            f"{every}, after {config.learning_starts:,}: {counted(config.updates, 'update')}, each:",
            f"  draw {self.plan.batch_size} transitions, {drawn}",
            f"  targets: reward + {self.spec.discount:g} times {worth}",
            f"  forward: {type(self.model).__name__}; loss: {type(self.loss).__name__}; backward",
            "  stop if the loss or a gradient is not finite",
            *(f"  {line}" for line in hooks),
            f"  update: {type(self.optimizer).__name__}",
        ]
        if config.target_every:
            lines.append(f"every {config.target_every:,} moves: copy the network to the target")
        return lines

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next step depends on; the replay's frames are compressed."""
        return {
            "step": self._step,
            "updates": self._updates,
            "copied": self._copied,
            "optimizer": self.optimizer.state_dict(),
            "regularizers": [r.state_dict() for r in self.regularizers],
            "target": self.target.state_dict() if self.config.target_every else None,
            "draws": self.draws.bit_generator.state,
            "experience": self.experience.state_dict(self.config.save_replay),
            "lost_replay": self._lost_replay,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._step, self._updates, self._copied = (int(state[name]) for name in ("step", "updates", "copied"))
        self.optimizer.load_state_dict(state["optimizer"])
        for regularizer, part in zip(self.regularizers, state["regularizers"], strict=True):
            regularizer.load_state_dict(part)
        if self.config.target_every:
            self.target.load_state_dict(state["target"])
        self.draws.bit_generator.state = state["draws"]
        self.experience.load_state_dict(state["experience"])
        self._lost_replay = int(state["lost_replay"]) if self.config.save_replay else self._step
