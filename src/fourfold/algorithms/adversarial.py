"""Adversarial training: a discriminator learns to tell given examples from made ones, a generator to make it fail.

    k times:   the discriminator moves, on m given examples and m made ones
    once:      the generator moves, on m made ones

The two batches go through the discriminator apart, as in DCGAN's code: each is normalised by its own statistics. The
generator's step does not compute gradients of the discriminator's weights.

Paper: Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014, arXiv:1406.2661, Algorithm 1. Flipped labels are
"noisy labels" of Chintala et al., How to Train a GAN?, a talk at NeurIPS 2016.
Departures: the generator moves on the examples that the discriminator has just moved on, which go through the generator
once, as in DCGAN's code; `fresh_latents` draws new ones, as Algorithm 1 does. Labels are flipped in pairs of a given
and a made example. Any optimizers, the paper has momentum.
Checked by: what two_players.py is checked by.
"""

from typing import Literal

from pydantic import Field
from torch import nn

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.regularizers.base import with_hook
from fourfold.algorithms.supervised import AnyOptimizer, AnyRegularizer, AnySchedule
from fourfold.algorithms.two_players import Adversarial, Moves
from fourfold.core.errors import InputError
from fourfold.tasks.seam import Loss, Plan, Source
from fourfold.tasks.synthesis import TwoPlayerLoss, TwoPlayers, require_synthesis

NO_PLACE = ("on_batch", "before_forward", "after_backward", "supply", "validated")  # hooks that one network has
ADAM = {"name": "adam", "lr": 0.0002, "beta1": 0.5}  # DCGAN's


class AdversarialConfig(AlgorithmConfig):
    """Fields of `algorithm: adversarial`."""

    name: Literal["adversarial"] = "adversarial"
    discriminator_optimizer: AnyOptimizer = Field(default=ADAM, description="how the discriminator moves")  # type: ignore[assignment]
    generator_optimizer: AnyOptimizer = Field(default=ADAM, description="how the generator moves")  # type: ignore[assignment]
    schedule: AnySchedule = Field(default="constant", description="both learning rates over the run")  # type: ignore[assignment]
    discriminator_steps: int = Field(
        default=1, ge=1, le=1000, description="moves of the discriminator for one of the generator, Algorithm 1's k"
    )
    label_noise: float = Field(
        default=0.0, ge=0, lt=0.5, description="share of labels that are flipped for the discriminator"
    )
    fresh_latents: bool = Field(
        default=False, description="the generator moves on examples of its own, not on the discriminator's last ones"
    )
    regularizers: list[AnyRegularizer] = Field(
        default=[], description="of gradients, weights and averages, in this order; each player has its own gradient"
    )

    def work(self) -> dict[str, float]:
        """Return how often the discriminator moves in a step, each time on a batch of its own."""
        return {"moves of the discriminator a step": self.discriminator_steps}

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "Adversarial":
        """Return the algorithm at step 0."""
        require_synthesis(source.spec, "adversarial")
        if not isinstance(model, TwoPlayers):
            raise InputError(
                f"adversarial moves two players, a generator and a discriminator, and {type(model).__name__} has "
                "none; use model=gan, or for pictures model=dcgan"
            )
        if not isinstance(loss, TwoPlayerLoss):
            raise InputError(
                f"adversarial needs a loss for each player, and {type(loss).__name__} is of one; "
                "use loss=non_saturating or loss=minimax"
            )
        if plan.compile != "none":
            raise InputError(f"runtime.compile: adversarial has no compiled step; use none, not {plan.compile}")
        regularizers = [each.build(model, source.spec, plan) for each in self.regularizers]
        for config, each in zip(self.regularizers, regularizers, strict=True):
            if any(with_hook([each], hook) for hook in NO_PLACE):
                raise InputError(
                    f"algorithm.regularizers: {config.name} is for a network that is trained on labelled batches, and "
                    "has no place in adversarial"
                )
        return Adversarial(
            model,
            loss,
            source,
            plan,
            {
                "discriminator": self.discriminator_optimizer.build(model.discriminator.parameters()),
                "generator": self.generator_optimizer.build(model.generator.parameters()),
            },
            self.schedule.build(plan.steps),
            Moves(self.discriminator_steps, self.label_noise, self.fresh_latents),
            regularizers,
        )
