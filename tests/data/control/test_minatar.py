"""MinAtar against the package's own loop."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.control import minatar

GAMES = ("asterix", "breakout", "freeway", "seaquest", "space_invaders")


def source(**fields: Any) -> Any:
    return DATA.parse({"name": "minatar", **fields}, "data").build(0, Path("unused"))  # type: ignore[attr-defined]


@pytest.mark.parametrize("game", GAMES)
def test_boards_and_rewards_are_the_package_s(game) -> None:
    data = source(game=game, sticky=0.3)
    mine, theirs = data.environment(), minatar.make(data.config)
    assert data.spec.num_outputs == len(theirs.minimal_action_set())
    actions = np.random.default_rng(0)
    for episode in range(2):
        theirs.seed(data.seed_of(0, 0, episode))
        theirs.last_action = 0
        theirs.reset()
        mine._over = True
        observation, over = mine.reset(), False
        for _ in range(300):
            assert observation.tolist() == theirs.state().transpose(2, 0, 1).astype(int).tolist()
            assert observation.shape == data.spec.frame
            if over:
                break
            action = int(actions.integers(data.spec.num_outputs))
            move = mine.step(action)
            reward, over = theirs.act(theirs.minimal_action_set()[action])
            observation = move.observation
            assert (move.reward, move.terminated, move.over) == (reward, over, over)


@pytest.mark.parametrize("game", GAMES)
def test_restored_by_playing_again(game) -> None:
    one, other = (source(game=game, sticky=0.5).environment() for _ in range(2))
    draws = np.random.default_rng(1)
    actions = [int(draws.integers(3)) for _ in range(60)]
    one.reset()
    for i, action in enumerate(actions):
        if one.step(action).over:
            one.reset()
        if i % 20 == 7:
            other.load_state_dict(one.state_dict())
            assert other.state_dict()["observation"].equal(one.state_dict()["observation"])
    other.load_state_dict(one.state_dict())
    follow = [each.step(0).observation.tobytes() for each in (one, other)]
    assert follow[0] == follow[1]


def test_an_episode_without_end_is_cut_off() -> None:
    environment = source(game="freeway", max_moves=9).environment()
    environment.reset()
    moves = [environment.step(0) for _ in range(9)]
    assert [move.over for move in moves] == [False] * 8 + [True]
    assert (moves[-1].terminated, moves[-1].truncated) == (False, True)


def test_a_board_is_drawn_with_a_colour_for_each_thing() -> None:
    environment = source(game="breakout").environment()
    environment.reset()
    picture, board = environment.render(), environment.game.state()
    assert (picture.shape, picture.dtype) == ((160, 160, 3), np.uint8)
    squares = picture[8::16, 8::16]
    assert (
        len(np.unique(squares.reshape(-1, 3), axis=0)) == 4
    )  # ground, paddle, ball, bricks; the trail is under the ball
    for channel in range(4):
        shown = squares[board[:, :, channel] & ~board[:, :, :channel].any(2)]
        assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 1
    assert minatar.colours(10).shape == (11, 3)
    assert len(np.unique(minatar.colours(10), axis=0)) == 11


@pytest.mark.promise("R9")
def test_a_missing_package_or_game_is_said_in_a_line(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "minatar", None)
    with pytest.raises(InputError, match=r'pip install -e "\.\[minatar\]" in your clone'):
        source()
    with pytest.raises(InputError, match=r"data.game: 'brekout' is not a choice.*breakout"):
        source(game="brekout")
