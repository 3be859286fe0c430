"""Atari's games against the emulator's own loop."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.control import atari


def source(**fields: Any) -> Any:
    return DATA.parse({"name": "atari", **fields}, "data").build(0, Path("unused"))  # type: ignore[attr-defined]


def play(environment: Any, moves: int, seed: int = 0) -> list[Any]:
    draws = np.random.default_rng(seed)
    made = []
    for _ in range(moves):
        made.append(environment.step(int(draws.integers(4))))
        if made[-1].over:
            environment.reset()
    return made


def test_a_spec_is_the_paper_s() -> None:
    spec = source().spec
    assert tuple(spec.input) == (4, 84, 84)
    assert (spec.frame, spec.stack, spec.scale) == ((1, 84, 84), 4, 1 / 255)
    assert spec.actions == ("noop", "fire", "right", "left")


def test_a_move_is_four_frames_and_what_is_seen_the_larger_of_the_last_two() -> None:
    data = source(episodic_life=False, clip_rewards=False)
    mine, theirs = data.environment(), atari.load(data.config, 0)
    observation = mine.reset()
    theirs.reset_game()
    idle = int(np.random.default_rng(data.seed_of(0, 0, 0)).integers(31))
    for _ in range(idle):
        theirs.act(theirs.getMinimalActionSet()[0])
    screen = theirs.getScreenGrayscale()
    draws = np.random.default_rng(0)
    for _ in range(60):
        by_area = cv2.resize(screen, (84, 84), interpolation=cv2.INTER_AREA)
        assert np.abs(observation[0].astype(int) - by_area.astype(int)).max() <= 1  # where a half is rounded
        action, score, screens = int(draws.integers(4)), 0, []
        for _ in range(4):
            score += theirs.act(theirs.getMinimalActionSet()[action])
            screens.append(theirs.getScreenGrayscale())
        screen = np.maximum(screens[-2], screens[-1])
        move = mine.step(action)
        observation = move.observation
        assert (move.reward, move.score, move.over) == (score, score, False)


def test_a_lost_life_is_an_end_and_rewards_are_clipped_in_training_alone() -> None:
    learning, judged = source().environment(), source().evaluated("test", 0)
    learning.reset()
    judged.reset()
    trained, scored = play(learning, 250), play(judged, 250)
    lost = [move for move in trained if move.terminated]
    assert any(not move.over for move in lost)
    assert not any(move.truncated for move in lost)
    assert {move.reward for move in trained} <= {0.0, 1.0}
    assert not any(move.terminated and not move.over for move in scored)
    assert all(move.reward == move.score for move in scored)


def test_what_goes_on_after_a_lost_life_is_what_was_seen() -> None:
    environment = source().environment()
    environment.reset()
    while not (move := environment.step(1)).terminated:
        pass
    assert not move.over
    last = environment._last
    assert environment.reset() is last
    assert environment._episode == 0


def test_an_episode_is_cut_off_after_its_frames() -> None:
    environment = source(max_frames=50, noop_frames=0, episodic_life=False).environment()
    environment.reset()
    moves = [environment.step(0) for _ in range(13)]
    assert [move.over for move in moves] == [False] * 12 + [True]
    assert (moves[-1].truncated, moves[-1].terminated) == (True, False)


@pytest.mark.parametrize("sticky", [0.0, 0.25])
def test_restored_by_playing_again(sticky) -> None:
    one, other = (source(sticky=sticky).environment() for _ in range(2))
    one.reset()
    play(one, 200 if sticky == 0 else 40)
    other.reset()
    play(other, 30, seed=5)
    other.load_state_dict(one.state_dict())
    follow = [[move.observation.tobytes() for move in play(each, 20, seed=2)] for each in (one, other)]
    assert follow[0] == follow[1]


def test_the_screen_is_drawn_in_colours() -> None:
    environment = source().environment()
    environment.reset()
    assert (environment.render().shape, environment.render().dtype) == ((210, 160, 3), np.uint8)


@pytest.mark.promise("R9")
def test_a_missing_package_or_game_is_said_in_a_line(monkeypatch) -> None:
    with pytest.raises(InputError, match=r"data.game: no game called 'brekout'.*breakout"):
        source(game="brekout")
    monkeypatch.setitem(__import__("sys").modules, "ale_py", None)
    with pytest.raises(InputError, match=r'pip install -e "\.\[atari\]" in your clone'):
        source()


@pytest.mark.parametrize(
    ("name", "count"),
    [("breakout-atari-dqn", 1_686_180), ("pong-atari-dqn", 1_687_206), ("breakout-atari-dqn2013", 677_172)],
)
def test_a_recipe_of_paper_size_acts_and_remembers(name, count) -> None:
    from fourfold.run.build import build_parts, build_training
    from fourfold.run.parts import load_recipe
    from fourfold.run.processes import SingleProcess

    _, recipe = load_recipe(name)
    training: Any = build_training(recipe, build_parts(recipe), torch.device("cpu"), SingleProcess())[0]
    assert sum(p.numel() for p in training.model.parameters()) == count
    assert [int(training.step().count) for _ in range(3)] == [0, 0, 0]
    assert training.memory.num_ready == 3
