"""What a network of two players makes when it is scored: the same latents each time, of a stream of their own.

Checked by: scores that repeat; scores that leave training's streams alone.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.tasks.synthesis import TwoPlayers

AT_ONCE = 500  # examples that are made, or judged, together
SPLITS = ("train", "validation", "test")


class Made(NamedTuple):
    """Examples that were made to be scored."""

    examples: Tensor  # as the generator gives them, [examples, …]
    discriminator_accuracy: float  # on as many given ones and on these


@torch.no_grad()
def a_few(model: nn.Module, count: int, device: torch.device) -> Tensor | None:
    """Return `count` examples of the same latents at any step, on the CPU; None where the model makes none."""
    players: Any = model
    if not isinstance(model, TwoPlayers):
        return None
    latents = players.latents(count, torch.Generator().manual_seed(stream_seed(0, "generation", len(SPLITS))))
    return players.generator(latents.to(device)).float().cpu()


@torch.no_grad()
def make(model: nn.Module, given: Tensor, seed: int, split: str) -> Made:
    """Return as many examples as are given, and how many of both the discriminator tells rightly.

    Args:
        model: in evaluation mode.
        given: encoded examples of the split, `[examples, …]`.
        seed: the run's.
        split: each has latents of its own.

    Raises:
        InputError: it is not of two players.
    """
    players: Any = model
    if not isinstance(model, TwoPlayers):
        raise InputError(f"{type(model).__name__} makes no examples; use model=gan, or for pictures model=dcgan")
    generator = torch.Generator().manual_seed(stream_seed(seed, "generation", SPLITS.index(split)))
    made: list[Tensor] = []
    right = 0
    for part in given.split(AT_ONCE):
        made.append(players.generator(players.latents(len(part), generator).to(part.device)).float())
        right += int((players.discriminator(part) > 0).sum()) + int((players.discriminator(made[-1]) < 0).sum())
    return Made(torch.cat(made), right / (2 * len(given)))
