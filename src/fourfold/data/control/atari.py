"""Atari's games as the papers saw them: four frames at a time, small and grey.

One move repeats an action for `frame_skip` frames; what is seen is the larger of each pixel of the last two, for
sprites flicker, in grey and 84x84; a model sees four of these. An episode begins with up to 30 frames of doing nothing.
In training a lost life is an end (nothing can follow it), and rewards are cut to -1, 0 or 1; in evaluation neither.

Source: Mnih et al., Human-level control through deep reinforcement learning, Nature 518, 2015, Methods
("Preprocessing", "Training details", "Evaluation procedure"); Machado et al., Revisiting the Arcade Learning
Environment, JAIR 61, 2018, arXiv:1709.06009 (sticky actions). 2013: arXiv:1312.5602, section 4.1.
Licence: GPL-2.0 (the emulator), an extra, never needed; the games are their makers'.
Departures: the larger of two frames is taken of grey ones, not of colours; they shrink by the mean of each area, not
bilinearly; what is no more than a lost life begins no new sequence of doing nothing.
Checked by: the emulator's own loop, frame by frame; every move restored from seed and actions.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.extras import to_install
from fourfold.data.control.base import ControlDataConfig, PlayedSource
from fourfold.tasks.control import ControlSpec, Environment, Move, Observation
from fourfold.tasks.inputs import Image

SIZE = 84  # pixels of a side
NOOP = 0  # the first action of every game does nothing


class AtariConfig(ControlDataConfig):
    """Fields of `data: atari`; the defaults are 2015's."""

    name: Literal["atari"] = "atari"
    game: str = Field(default="breakout", min_length=1, description="as the emulator calls it, such as space_invaders")
    frame_skip: int = Field(default=4, ge=1, le=60, description="frames that one action lasts")
    stack: int = Field(default=4, ge=1, le=16, description="frames that a model sees at once")
    noop_frames: int = Field(default=30, ge=0, le=1000, description="an episode begins with up to as many idle frames")
    sticky: float = Field(
        default=0.0, ge=0, lt=1, description="probability that a frame repeats the action before; 2018 recommends 0.25"
    )
    episodic_life: bool = Field(default=True, description="whether a lost life is an end, in training")
    clip_rewards: bool = Field(default=True, description="whether rewards become -1, 0 or 1, in training")
    max_frames: int = Field(default=18_000, ge=1, description="an episode is cut off after these: five minutes")

    licence = "GPL-2.0 (the emulator); the games are their makers'"
    origin = "The Arcade Learning Environment; the package ale-py, which holds the games"

    def build(self, seed: int, cache: Path) -> "AtariSource":
        """Return the game as a source.

        Raises:
            InputError: the package is missing, or has no such game.
        """
        actions = tuple(action.name.lower() for action in load(self, seed=0).getMinimalActionSet())
        spec = ControlSpec(Image(self.stack, SIZE, SIZE), actions, self.discount, self.stack, 1 / 255)
        lives = "a lost life is an end" if self.episodic_life else "lives are not told apart"
        clipped = "rewards are cut to -1, 0 or 1" if self.clip_rewards else "rewards are the game's"
        notes = [
            f"{self.game}: {len(actions)} actions, {self.frame_skip} frames each; in training {lives}, and {clipped}",
            f"episodes begin with up to {self.noop_frames} idle frames and are cut off after {self.max_frames:,}",
        ]
        return AtariSource(self, spec, seed, notes)


def load(config: AtariConfig, seed: int) -> Any:
    """Return an emulator with the game in it.

    Raises:
        InputError: the package is missing, or has no such game.
    """
    try:
        import ale_py
        from ale_py import roms
    except ImportError:
        raise InputError(f"data: atari needs one more package: {to_install('atari')}") from None
    known = roms.get_all_rom_ids()
    if config.game not in known:
        raise InputError(f"data.game: no game called '{config.game}'{did_you_mean(config.game, known)}")
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    emulator = ale_py.ALEInterface()
    emulator.setFloat("repeat_action_probability", config.sticky)
    emulator.setInt("random_seed", seed)
    emulator.loadROM(str(roms.get_rom_path(config.game)))
    return emulator


class AtariSource(PlayedSource):
    """A game as a source."""

    config: AtariConfig

    def make(self, key: tuple[int, ...], learning: bool, drawn: bool = False) -> "AtariEnvironment":
        """Return an environment."""
        return AtariEnvironment(self.config, lambda episode: self.seed_of(*key, episode), learning)


class AtariEnvironment(Environment):
    """One game.

    Args:
        config: which, and how.
        seed_of: the seed of an episode.
        learning: whether lost lives and clipped rewards are as in training.
    """

    def __init__(self, config: AtariConfig, seed_of: Callable[[int], int], learning: bool) -> None:
        super().__init__(seed_of)
        self.config, self.learning = config, learning
        self.emulator = load(config, seed=0)
        self.actions = self.emulator.getMinimalActionSet()
        self._frames, self._lives = 0, 0

    def begin(self, seed: int) -> Observation:
        """Begin an episode: up to `noop_frames` frames of doing nothing."""
        if self.config.sticky:  # the emulator's own chance begins anew with the game alone
            self.emulator = load(self.config, seed)
        self.emulator.reset_game()
        self._frames = 0
        for _ in range(int(np.random.default_rng(seed).integers(self.config.noop_frames + 1))):
            self.emulator.act(self.actions[NOOP])
            self._frames += 1
            if self.emulator.game_over():
                self.emulator.reset_game()
        self._lives = self.emulator.lives()
        return smaller(self.emulator.getScreenGrayscale())

    def move(self, action: int) -> Move:
        """Do one action for `frame_skip` frames, or until the game is over."""
        emulator, score, screens = self.emulator, 0.0, []
        for frame in range(self.config.frame_skip):
            score += emulator.act(self.actions[action])
            self._frames += 1
            if frame >= self.config.frame_skip - 2 or emulator.game_over():
                screens.append(emulator.getScreenGrayscale())
            if emulator.game_over():
                break
        ended, lives = bool(emulator.game_over()), emulator.lives()
        lost, self._lives = lives < self._lives, lives
        truncated = not ended and self._frames >= self.config.max_frames
        over = ended or truncated
        reward = float(np.sign(score)) if self.learning and self.config.clip_rewards else score
        terminated = ended or (self.learning and self.config.episodic_life and lost)
        seen = screens[0] if len(screens) == 1 else np.maximum(screens[-1], screens[-2])
        return Move(smaller(seen), reward, score, terminated, truncated and not terminated, over)

    def render(self) -> NDArray[Any]:
        """Return the screen in colours."""
        return self.emulator.getScreenRGB()


def smaller(screen: NDArray[np.uint8]) -> Observation:
    """Return a grey screen `[height, width]` as a frame, uint8 `[1, 84, 84]`, each pixel the mean of its area."""
    height, width = screen.shape
    means = _areas(height) @ screen.astype(np.float32) @ _areas(width).T
    return (means + 0.5).astype(np.uint8)[None]


@cache
def _areas(long: int) -> NDArray[np.float32]:
    """Return the share of each of `long` pixels in each of 84 equal stretches of them, float32 `[84, long]`."""
    edges = np.arange(SIZE + 1) * (long / SIZE)
    begins = np.arange(long)
    shared = np.minimum(edges[1:, None], begins + 1) - np.maximum(edges[:-1, None], begins)
    return (shared.clip(0) / (long / SIZE)).astype(np.float32)
