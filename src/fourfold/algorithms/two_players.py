"""The two players of an adversarial game at work: one step of both.

Sources, equations and departures: adversarial.py.
Checked by: steps of torch's autograd and optimizers, written out; exact resume of both players; gradients that are not
computed; a NaN planted in each player; micro-batches and processes against the whole batch.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fourfold.algorithms.diagnosis import FIRST
from fourfold.algorithms.finite import FiniteCheck
from fourfold.algorithms.optimizers.base import Optimizer
from fourfold.algorithms.regularizers.base import Regularizer, tell_apart, with_hook
from fourfold.algorithms.schedules.base import Schedule
from fourfold.core.errors import DivergedError
from fourfold.core.seeds import stream_seed
from fourfold.core.words import counted
from fourfold.tasks.seam import LossValue, Plan, Source, Training

LATER = "smaller learning rates usually help, or gradient_clipping"


class Moves(NamedTuple):
    """What one step is made of; see `AdversarialConfig`."""

    discriminator_steps: int = 1
    label_noise: float = 0.0
    fresh_latents: bool = False


class _Draws(NamedTuple):
    """What is random in a move, of this process's share of the batch."""

    latents: Tensor  # [share, latent]
    flipped: Tensor | None  # bool [share]; None: no label is


class _Player:
    """One of the two, and what moves it."""

    def __init__(self, name: str, number: int, network: nn.Module, optimizer: Optimizer) -> None:
        self.name, self.number, self.network, self.optimizer = name, number, network, optimizer
        self.params = list(network.parameters())
        self.base_lrs = [float(group["lr"]) for group in optimizer.param_groups]

    def set_lr(self, factor: float) -> None:
        """Set the learning rate of each group to a factor of its own."""
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = base * factor

    def forget(self) -> None:
        """Forget gradients."""
        for param in self.params:
            param.grad = None


class Adversarial(Training):
    """Both players at work.

    Args:
        model: of two players, on `plan.device`.
        loss: of each.
        source: where given examples come from.
        plan: how long, how large, and on what.
        optimizers: of "discriminator" and "generator".
        schedule: factor on both learning rates, by step.
        moves: what one step is made of.
        regularizers: hooks on gradients and weights, in order.
    """

    def __init__(
        self,
        model: Any,
        loss: Any,
        source: Source,
        plan: Plan,
        optimizers: Mapping[str, Optimizer],
        schedule: Schedule,
        moves: Moves,
        regularizers: list[Regularizer],
    ) -> None:
        self.network, self.loss, self.plan, self.schedule, self.moves = model, loss, plan, schedule, moves
        self.discriminator = _Player("discriminator", 0, model.discriminator, optimizers["discriminator"])
        self.generator = _Player("generator", 1, model.generator, optimizers["generator"])
        self.players = (self.discriminator, self.generator)
        self.regularizers = regularizers
        tell_apart(regularizers)
        averaged = [each.evaluated_model() for each in regularizers]
        self.model = next((each for each in averaged if each is not None), model)
        for regularizer in regularizers:
            regularizer.watch(self.model)
        self._on_gradients = with_hook(regularizers, "on_gradients")
        self._before_update = with_hook(regularizers, "before_update")
        self._after_update = with_hook(regularizers, "after_update")
        self._stream = source.train(plan.order)
        self._step = 0
        self._finite = FiniteCheck(plan.device)
        # in pieces they would all have to be kept: made twice instead, from the same latents
        self._kept = not moves.fresh_latents and plan.accumulate == 1

    def step(self) -> LossValue:
        """Move the discriminator k times and the generator once; the loss returned is the discriminator's last."""
        step, last = self._step, self.moves.discriminator_steps - 1
        factor = self.schedule(step)
        for player in self.players:
            player.set_lr(factor)
        judged = made = draws = None
        for turn in range(last + 1):
            given = next(self._stream).inputs[0]
            draws = self._draw(step, turn, len(given))
            judged, made = self._move_discriminator(given, draws, keep=self._kept and turn == last)
        assert judged is not None
        assert draws is not None
        if self.moves.fresh_latents:
            draws = self._draw(step, last + 1, len(draws.latents))
        fooled = self._move_generator(draws.latents, made)
        if not self._finite.waits():
            for regularizer in self._after_update:
                regularizer.after_update(step)
        self._step = step + 1
        parts = {**judged.parts, "generator_loss": fooled.total * (judged.count / fooled.count)}
        return LossValue(judged.total, judged.count, parts)

    def _draw(self, step: int, turn: int, count: int) -> _Draws:
        """Draw for the whole batch, and return the first `count` of this process's share."""
        processes = self.plan.processes
        generator = torch.Generator().manual_seed(stream_seed(self.plan.seed, "noise", step, turn))
        latents = self.network.latents(self.plan.batch_size, generator)
        flipped = None
        if self.moves.label_noise:
            flipped = torch.rand(self.plan.batch_size, generator=generator) < self.moves.label_noise
            flipped = flipped.tensor_split(processes.count)[processes.rank][:count].to(self.plan.device)
        share = latents.tensor_split(processes.count)[processes.rank][:count]
        return _Draws(share.to(self.plan.device), flipped)

    def _move_discriminator(self, given: Tensor, draws: _Draws, keep: bool) -> tuple[LossValue, Tensor | None]:
        """Move it once; return its loss and, where `keep` says so, what was made, with a graph to the generator."""
        player, plan, pieces = self.discriminator, self.plan, self.plan.accumulate
        player.forget()
        total = torch.zeros((), device=plan.device)
        right = torch.zeros((), device=plan.device)
        made = None
        flips = [None] * pieces if draws.flipped is None else draws.flipped.tensor_split(pieces)
        for x, z, flipped in zip(given.tensor_split(pieces), draws.latents.tensor_split(pieces), flips, strict=True):
            if not len(x):
                continue
            # a context of its own: autocast keeps the weights it has cast, without a gradient those of `no_grad`
            with nullcontext() if keep else torch.no_grad(), plan.autocast():
                made = self.network.generator(z)
            with plan.autocast():
                scores = self.network.discriminator(x), self.network.discriminator(made.detach())
                labelled = scores if flipped is None else _swapped(*scores, flipped)
                value = self.loss.of_discriminator(*labelled)
            value.total.backward()
            total = total + value.total.detach()
            right = right + ((scores[0].detach() > 0).sum() + (scores[1].detach() < 0).sum()) / 2
        value = self._update(player, total, len(given), [right])
        parts = {"discriminator_loss": value.total, "discriminator_accuracy": right}
        return LossValue(value.total, value.count, parts), made if keep else None

    def _move_generator(self, latents: Tensor, made: Tensor | None) -> LossValue:
        """Move it once, on what was made of `latents` already, or on what is made now."""
        player, plan = self.generator, self.plan
        player.forget()
        total = torch.zeros((), device=plan.device)
        for param in self.discriminator.params:  # a gradient passes through, none is computed for them
            param.requires_grad_(False)
        for z in latents.tensor_split(plan.accumulate) if made is None else [latents]:
            if not len(z):
                continue
            with plan.autocast():
                examples = self.network.generator(z) if made is None else made
                value = self.loss.of_generator(self.network.discriminator(examples))
            value.total.backward()
            total = total + value.total.detach()
        for param in self.discriminator.params:
            param.requires_grad_(True)
        return self._update(player, total, len(latents), [])

    def _update(self, player: _Player, total: Tensor, count: int, others: list[Tensor]) -> LossValue:
        """Share gradients, refuse what is not finite, regularize, and move a player; return the loss over processes."""
        plan, step = self.plan, self._step
        with torch.no_grad():
            moved = [param for param in player.params if param.grad is not None]
            grads: Any = [param.grad for param in moved]
            whole = torch.tensor(float(count), device=plan.device)
            if plan.processes.count > 1:
                plan.processes.sum([*grads, total, whole, *others])
            if self._finite.scale(grads, (1 / whole).reshape(1), total, 2 * step + player.number):
                raise self._diverged(player, step, total)
            if not (self._on_gradients or self._before_update) or not self._finite.waits():
                for regularizer in self._on_gradients:
                    regularizer.on_gradients(moved, grads)
                for group in player.optimizer.param_groups if self._before_update else ():
                    for regularizer in self._before_update:
                        regularizer.before_update(group["params"], float(group["lr"]))
                player.optimizer.step(self._finite.found_inf)
        return LossValue(total, whole)

    def check(self) -> None:
        """Raise DivergedError if the device refused a step since the last check, or a weight is not finite."""
        if self._finite.waits():
            step, number = divmod(self._finite.refused_at, 2)
            raise self._diverged(self.players[number], step, None)
        for player in self.players:
            if name := _not_finite(player.network):
                step = self._step - 1
                raise DivergedError(
                    f"step {step}: the {player.name}'s parameter '{name}' is not finite after the update; {LATER}"
                )

    def _diverged(self, player: _Player, step: int, total: Tensor | None) -> DivergedError:
        """Return the error for a step that was refused, naming the player and the first thing that is not finite."""
        where = f"the {player.name}'s loss or one of its gradients is not finite"
        for each in self.players:
            if name := _not_finite(each.network):
                where = f"the {each.name}'s parameter '{name}' is not finite, in the {player.name}'s move"
        if total is not None and where.endswith("gradients is not finite"):
            names = [n for n, p in player.network.named_parameters() if p.grad is not None and not _finite(p.grad)]
            if not total.isfinite():
                where = f"the {player.name}'s loss is not finite"
            elif names:
                where = f"the {player.name}'s gradient of '{names[-1]}' is not finite"
        return DivergedError(f"step {step}: {where}; the update was not made; {LATER if step else FIRST}", step)

    def gauges(self) -> dict[str, float]:
        """Return the learning rates of the last step, the generator's as `lr`."""
        rates = [float(player.optimizer.param_groups[0]["lr"]) for player in self.players]
        return {"lr": rates[1], "discriminator_lr": rates[0]}

    def finish(self) -> list[str]:
        """Let each regularizer end the run."""
        return [finding for each in self.regularizers if (finding := each.finish())]

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        hooks: dict[str, list[str]] = {}
        for regularizer in self.regularizers:
            for hook, what in regularizer.explain():
                hooks.setdefault(hook, []).append(what)
        moves, size = self.moves, counted(self.plan.batch_size, "example")
        times = f"{moves.discriminator_steps} times: " if moves.discriminator_steps > 1 else ""
        noise = f", {100 * moves.label_noise:g} % of the labels flipped" if moves.label_noise else ""
        again = "draw new latents and make examples" if not self._kept else "take the examples just made"
        around = [*hooks.get("on_gradients", []), *hooks.get("before_update", [])]
        return [
            "set both learning rates",
            f"{times}draw the next {size} and as many latents, and make examples of those",
            f"discriminator: {type(self.loss).__name__}, of given and made examples apart{noise}",
            "stop if its loss or a gradient is not finite",
            *around,
            f"move the discriminator: {type(self.discriminator.optimizer).__name__}",
            again,
            f"generator: {type(self.loss).__name__}, through the discriminator as it is now",
            "stop if its loss or a gradient is not finite",
            *around,
            f"move the generator: {type(self.generator.optimizer).__name__}",
            *hooks.get("after_update", []),
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return step, optimizers and regularizers, and the trained weights where an average is evaluated."""
        state: dict[str, Any] = {
            "step": self._step,
            "optimizers": {player.name: player.optimizer.state_dict() for player in self.players},
            "regularizers": [each.state_dict() for each in self.regularizers],
        }
        if self.model is not self.network:
            state["network"] = self.network.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._step = int(state["step"])
        self._stream.seek(self._step * self.moves.discriminator_steps)
        for player in self.players:
            player.optimizer.load_state_dict(state["optimizers"][player.name])
        if self.model is not self.network:
            self.network.load_state_dict(state["network"])
        for regularizer, part in zip(self.regularizers, state["regularizers"], strict=True):
            regularizer.load_state_dict(part)


def _swapped(given: Tensor, made: Tensor, flipped: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scores with those of flipped pairs taken for each other."""
    return torch.where(flipped, made, given), torch.where(flipped, given, made)


def _not_finite(network: nn.Module) -> str:
    """Return the name of a network's first parameter that is not finite, "" if there is none."""
    return next((name for name, param in network.named_parameters() if not _finite(param)), "")


def _finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())
