"""Playing an environment by a trained run, and keeping what was to be seen as a moving picture.

Checked by: returns of episodes played by hand; the frames of the picture, counted and looked at.
"""

from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import torch

from fourfold.core.errors import InputError
from fourfold.core.seeds import check_seed, stream_seed
from fourfold.records.atomic import write_atomically
from fourfold.run.run import Run
from fourfold.tasks.control import ControlSource, Environment
from fourfold.tasks.playing import play

MOST_FRAMES = 3000  # of a moving picture: some ten megabytes
COLOURS = 64
FRAME_MS = 40  # how long one is shown; browsers show none shorter than 20


class PlayedEpisode(NamedTuple):
    """How an episode went."""

    score: float  # the sum of its rewards
    length: int  # moves


class Film:
    """Pictures one after another, few colours each, so that an episode fits into memory."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.left_out = 0

    def add(self, environment: Environment) -> None:
        """Add what is to be seen, as long as there is room."""
        from PIL import Image as Picture

        if len(self.frames) >= MOST_FRAMES:
            self.left_out += 1
            return
        picture = Picture.fromarray(environment.render())
        method = Picture.Quantize.FASTOCTREE
        self.frames.append(picture.quantize(COLOURS, method=method, dither=Picture.Dither.NONE))

    def write(self, path: Path) -> None:
        """Write a GIF that begins again at its end.

        Raises:
            InputError: the file cannot be written.
        """
        data = BytesIO()
        first, *rest = self.frames
        first.save(data, "GIF", save_all=True, append_images=rest, duration=FRAME_MS, loop=0)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data.getvalue())
        except OSError as error:
            raise InputError(f"{path}: the picture was not written: {error.strerror or error}") from None


def play_run(
    run: Run, episodes: int = 1, seed: int = 0, epsilon: float | None = None, film: Film | None = None
) -> list[PlayedEpisode]:
    """Return how a trained run does in new episodes, which are neither of its training nor of its evaluation.

    Args:
        run: one that learned to act.
        episodes: how many are played.
        seed: the same seed plays the same episodes.
        epsilon: share of random moves; None: as in the run's evaluation.
        film: gathers what was to be seen.

    Raises:
        InputError: the run learned something else, or its environment is missing.
        CheckpointError: it has no weights.
    """
    if run.spec.task != "control":
        raise InputError(f"{run.run_id}: this run learned {run.spec.task}, in which nobody acts; play is for control")
    if episodes < 1:
        raise InputError(f"--episodes: {episodes}; the nearest valid number is 1")
    check_seed(seed)
    config: Any = run.recipe.data
    chance: float = config.evaluation_epsilon if epsilon is None else epsilon
    if not 0 <= chance <= 1:
        raise InputError(f"--epsilon: {chance:g}; it must be from 0 to 1")
    source = run.parts.source
    assert isinstance(source, ControlSource)
    played = []
    with torch.inference_mode():
        for each in range(episodes):
            environment = source.shown(seed, each, drawn=film is not None)
            watch = None if film is None else lambda _, seen: film.add(seen)
            draws = stream_seed(seed, "environment", each)
            episode = play(run.model, source.spec, [environment], chance, [draws], watch)[0]
            played.append(PlayedEpisode(episode.score, episode.length))
    return played
