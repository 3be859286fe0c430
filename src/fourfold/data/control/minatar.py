"""MinAtar: five of Atari's games on a board of 10x10, with a channel for each kind of thing on it.

Source: Young and Tian, MinAtar: An Atari-Inspired Testbed for Thorough and Reproducible Reinforcement Learning
Experiments, 2019, arXiv:1903.03176.
Licence: GPL-3.0; an extra, never needed.
Departures: an episode is cut off after `max_moves`; the package has no limit. Only actions that do something are
offered, as its later version does; the paper offers all six.
Checked by: the package's own loop gives the same boards and rewards; every move restored from seed and actions.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.core.extras import to_install
from fourfold.data.control.base import ControlDataConfig, PlayedSource
from fourfold.data.control.palette import colours
from fourfold.tasks.control import ControlSpec, Environment, Move, Observation
from fourfold.tasks.inputs import Image

Game = Literal["asterix", "breakout", "freeway", "seaquest", "space_invaders"]
ACTIONS = {"n": "none", "l": "left", "u": "up", "r": "right", "d": "down", "f": "fire"}
CELL = 16  # pixels of a picture for each square of the board


class MinAtarConfig(ControlDataConfig):
    """Fields of `data: minatar`."""

    name: Literal["minatar"] = "minatar"
    game: Game = Field(default="breakout", description="which of the five")
    sticky: float = Field(default=0.1, ge=0, le=1, description="probability that the last action is done again instead")
    ramping: bool = Field(default=True, description="whether a game becomes harder as it goes on, where it can")
    max_moves: int = Field(default=5000, ge=1, le=100_000, description="an episode is cut off after these")

    licence = "GPL-3.0"
    origin = "MinAtar, K. Young and T. Tian; the package minatar"

    def build(self, seed: int, cache: Path) -> "MinAtarSource":
        """Return the game as a source.

        Raises:
            InputError: the package is missing.
        """
        game = make(self)
        height, width, channels = game.state_shape()
        actions = tuple(ACTIONS[game.env.action_map[number]] for number in game.minimal_action_set())
        spec = ControlSpec(Image(channels, height, width), actions, self.discount)
        seen = ", ".join(game.env.channels)
        notes = [
            f"{self.game}: channels are {seen}",
            f"with probability {self.sticky:g} the last action is done again; cut off after {self.max_moves:,} moves",
        ]
        return MinAtarSource(self, spec, seed, notes)


def make(config: MinAtarConfig) -> Any:
    """Return the package's game.

    Raises:
        InputError: the package is missing.
    """
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it warns that it cannot draw, which is done here
    try:
        from minatar import Environment as Board
    except ImportError:
        raise InputError(f"data: minatar needs one more package: {to_install('minatar')}") from None
    finally:
        logging.disable(before)
    return Board(config.game, sticky_action_prob=config.sticky, difficulty_ramping=config.ramping)


class MinAtarSource(PlayedSource):
    """A game as a source."""

    config: MinAtarConfig

    def make(self, key: tuple[int, ...], learning: bool, drawn: bool = False) -> "MinAtarEnvironment":
        """Return an environment."""
        return MinAtarEnvironment(self.config, lambda episode: self.seed_of(*key, episode))


class MinAtarEnvironment(Environment):
    """One game.

    Args:
        config: which, and how.
        seed_of: the seed of an episode.
    """

    def __init__(self, config: MinAtarConfig, seed_of: Callable[[int], int]) -> None:
        super().__init__(seed_of)
        self.game = make(config)
        self.max_moves = config.max_moves
        self.actions = self.game.minimal_action_set()
        self._moves = 0

    def begin(self, seed: int) -> Observation:
        """Begin an episode."""
        self.game.seed(seed)
        self.game.last_action = 0  # the package keeps it, and an episode would depend on the one before
        self.game.reset()
        self._moves = 0
        return self._board()

    def move(self, action: int) -> Move:
        """Do one action."""
        reward, terminated = self.game.act(self.actions[action])
        self._moves += 1
        truncated = not terminated and self._moves >= self.max_moves
        return Move(self._board(), float(reward), float(reward), bool(terminated), truncated, terminated or truncated)

    def render(self) -> NDArray[Any]:
        """Return the board, a colour for each kind of thing."""
        board = self.game.state()  # [height, width, channels]
        top = np.where(board.any(2), board.argmax(2) + 1, 0)  # the first channel there, from 1: trails lie below
        picture = colours(board.shape[2])[top]
        return picture.repeat(CELL, 0).repeat(CELL, 1)

    def _board(self) -> Observation:
        return np.ascontiguousarray(self.game.state().transpose(2, 0, 1)).astype(np.uint8)
