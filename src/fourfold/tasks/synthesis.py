"""Synthesis: to make new examples that cannot be told from the given ones.

A network of two players is trained: a generator, which makes an example from random numbers (the latents), and a
discriminator, which says of an example how likely it is given and not made.
Inputs: examples. Output: `Judged`. Targets: none; a batch has zeros in their place.

Paper: Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014, arXiv:1406.2661.
Checked by: scores of data whose distribution is known (`data.synthesis`); predictions are refused.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import AnyInput, Features, Image
from fourfold.tasks.seam import Batch, LossValue, Scorer, Spec


class Judged(NamedTuple):
    """What a network of two players returns: the discriminator's scores, log odds of being given and not made."""

    given: Tensor  # of the examples, [batch]
    made: Tensor  # of as many that the generator made, [batch]


@runtime_checkable
class TwoPlayers(Protocol):
    """A network of two players.

    Attributes:
        generator: maps latents `[batch, latent]` to examples `[batch, …]`.
        discriminator: maps examples `[batch, …]` to scores `[batch]`.
    """

    generator: nn.Module
    discriminator: nn.Module

    def latents(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw latents `[count, latent]` from their distribution, on the CPU; None: by torch's global generator."""
        ...


@runtime_checkable
class TwoPlayerLoss(Protocol):
    """A loss for each player, of the discriminator's scores `[batch]`; the count is of examples that were made."""

    def of_discriminator(self, given: Tensor, made: Tensor) -> LossValue:
        """Return what the discriminator wants small."""
        ...

    def of_generator(self, made: Tensor) -> LossValue:
        """Return what the generator wants small."""
        ...


class SynthesisSpec(Spec):
    """What a source of examples promises to whom makes more of them."""

    input: AnyInput
    higher_is_better = False

    @property
    def num_outputs(self) -> int:
        """Numbers of an example."""
        return self.input.size

    def scorer(self) -> Scorer:
        """Not used: a source of examples scores itself."""
        raise NotImplementedError

    def predictions(self, output: Any) -> list[dict[str, Any]]:
        """Refuse: there is nothing to predict."""
        task = self.task.replace("_", " ")
        raise InputError(f"{task} predicts nothing of an example: it makes new ones; use fourfold sample RUN")

    def draw(self, batch: Batch, output: Any, raw: Any) -> Any:
        """Return a figure of examples that were made beside given ones.

        Args:
            batch: not looked at.
            output: what was made, as the source has examples before encoding: pixels, or coordinates.
            raw: given examples, likewise.
        """
        from fourfold.tasks.synthesis_drawing import draw_beside  # matplotlib only when something is drawn

        return draw_beside(output, raw)


def require_synthesis(spec: Spec, who: str) -> SynthesisSpec:
    """Return `spec` as one of synthesis, or raise InputError that says what `who` needs and what the data gives."""
    if not isinstance(spec, SynthesisSpec):
        raise InputError(f"{who} is for synthesis, but this data poses {spec.task}")
    return spec


@dataclass(frozen=True)
class ImageSynthesisSpec(SynthesisSpec):
    """What a source of pictures promises; their pixels lie in [-1, 1]."""

    input: Image

    task = "image_synthesis"
    headline = "frechet_distance"
    metrics = {  # noqa: RUF012
        "frechet_distance": False,
        "precision": True,
        "recall": True,
        "discriminator_accuracy": False,  # one half is what a discriminator has that cannot tell
    }


@dataclass(frozen=True)
class PointSynthesisSpec(SynthesisSpec):
    """What a source of points promises whose distribution is a mixture of Gaussians."""

    input: Features

    task = "point_synthesis"
    headline = "jensen_shannon"  # the Frechet distance of points sees nothing but their mean and covariance
    metrics = {  # noqa: RUF012
        "jensen_shannon": False,
        "frechet_distance": False,
        "modes": True,
        "high_quality": True,
        "discriminator_accuracy": False,
    }
