"""Gymnasium's environments as a source: what they promise, how they are scored, and what is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from torch import nn

from fourfold.core.errors import CheckpointError, InputError
from fourfold.data import DATA
from fourfold.data.encoding import encoding_from_mapping
from fourfold.tasks.control import ControlSpec
from fourfold.tasks.seam import Features, Order


def source(seed: int = 0, **fields: Any) -> Any:
    return DATA.parse({"name": "gym", **fields}, "data").build(seed, Path("unused"))  # type: ignore[attr-defined]


class Leans(nn.Module):
    """Pushes the cart to where the pole leans: a policy that balances for a while."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lean = x[:, 2] + x[:, 3]
        return torch.stack([-lean, lean], 1)


def test_a_spec_says_what_is_seen_and_done() -> None:
    spec = source(discount=0.9).spec
    assert isinstance(spec, ControlSpec)
    assert isinstance(spec.input, Features)
    assert spec.input.names == ("position", "velocity", "angle", "angular velocity")
    assert (spec.actions, spec.num_outputs, spec.discount, spec.frame) == (("left", "right"), 2, 0.9, (4,))
    assert source(environment="Acrobot-v1").spec.actions == ("torque -1", "torque 0", "torque 1")


def test_an_environment_gives_what_gymnasium_s_own_loop_gives() -> None:
    mine = source().environment()
    theirs = gymnasium.make("CartPole-v1")
    for episode in range(3):
        seed = source().seed_of(0, 0, episode)
        observation, expected = mine.reset(), theirs.reset(seed=seed)[0]
        over = False
        for i in range(600):
            assert observation.tobytes() == expected.tobytes()
            if over:
                break
            move = mine.step(i % 2)
            expected, reward, terminated, truncated, _ = theirs.step(i % 2)
            observation, over = move.observation, move.over
            assert (move.reward, move.terminated, move.truncated) == (reward, terminated, truncated)
        assert over


def test_returns_are_those_of_episodes_played_one_by_one() -> None:
    data, model = source(seed=3, test_episodes=5, evaluation_epsilon=0.8, discount=0.5), Leans()
    with torch.inference_mode():
        metrics = data.evaluate(model, "test")
    scores, seemed, real = [], [], []
    for episode in range(5):
        env = gymnasium.make("CartPole-v1")
        draws = np.random.default_rng(data.seed_of(2, episode, 0, 1))
        observation, rewards, over, truncated = env.reset(seed=data.seed_of(2, episode, 0))[0], [], False, False
        values = []
        while not over:
            lean = float(np.float32(observation[2]) + np.float32(observation[3]))
            values.append(abs(lean))
            action = int(lean > 0)
            if draws.random() < 0.8:
                action = int(draws.integers(2))
            observation, reward, terminated, truncated, _ = env.step(action)
            rewards.append(reward)
            over = terminated or truncated
        scores.append(sum(rewards))
        assert not truncated
        seemed += values
        real += [sum(0.5**k * reward for k, reward in enumerate(rewards[i:])) for i in range(len(rewards))]
    assert metrics["return"] == pytest.approx(np.mean(scores))
    assert (metrics["lowest_return"], metrics["highest_return"]) == (min(scores), max(scores))
    assert metrics["value"] == pytest.approx(np.mean(seemed), rel=1e-5)
    assert metrics["discounted_return"] == pytest.approx(np.mean(real))
    assert metrics["overestimation"] == pytest.approx(np.mean(seemed) - np.mean(real), rel=1e-5)
    with torch.inference_mode():
        assert data.evaluate(model, "test") == metrics
        assert data.evaluate(model, "validation") != metrics
        assert source(seed=4, test_episodes=5).evaluate(model, "test") != metrics


def test_rewards_after_a_cut_are_unknown_so_moves_close_to_it_do_not_count() -> None:
    from fourfold.tasks.playing import Episode, overestimation

    cut = Episode(9.0, 9, [float(i) for i in range(9)], [1.0] * 9, True)
    seemed, real = overestimation([cut], 0.5)  # type: ignore[misc]
    assert seemed == 0.5  # of moves 0 and 1: seven more are discounted to less than 1 %
    assert real == pytest.approx(np.mean([2 - 2.0**-8, 2 - 2.0**-7]))
    assert overestimation([cut], 0.99) is None
    assert overestimation([cut._replace(truncated=False)], 0.99) is not None


def test_every_split_and_environment_has_episodes_of_its_own() -> None:
    data = source()
    first = [
        *(data.environment(i).reset() for i in range(3)),
        *(data.evaluated(split, i).reset() for split in ("validation", "test") for i in range(3)),
        source(seed=1).environment().reset(),
    ]
    again = data.environment()
    observation = again.reset()
    for _ in range(2):
        again._over = True
        observation = again.reset()
    assert len({each.tobytes() for each in [*first, observation]}) == 11


def test_an_environment_is_restored_by_playing_again_and_says_if_that_leads_elsewhere() -> None:
    data = source()
    one, other = data.environment(), data.environment()
    one.reset()
    while not one.step(1).over:
        pass
    one.reset()
    for _ in range(5):
        one.step(0)
    state = one.state_dict()
    other.load_state_dict(state)
    assert [one.step(1).observation.tobytes() for _ in range(3)] == [
        other.step(1).observation.tobytes() for _ in range(3)
    ]
    with pytest.raises(CheckpointError, match="not deterministic"):
        source(seed=1).environment().load_state_dict(state)


def test_a_row_given_by_hand_is_taken_as_it_is() -> None:
    data = source()
    encoding = encoding_from_mapping(json.loads(json.dumps(data.encoding.to_mapping())))
    assert encoding.encode_rows([[0.1, 0, -3, 4]]).inputs[0].tolist() == [[pytest.approx(0.1), 0, -3, 4]]
    assert data.spec.predictions(torch.tensor([[1.0, 2.0]])) == [
        {"action": "right", "values": {"left": 1.0, "right": 2.0}}
    ]


class Bad(gymnasium.Env):
    observation_space = spaces.Box(-1, 1, (3,))
    action_space = spaces.Discrete(2)

    def __init__(self, observation: Any = None, action: Any = None, render_mode: Any = None) -> None:
        self.observation_space = observation or Bad.observation_space
        self.action_space = action or Bad.action_space


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"action": spaces.Box(-1, 1, (2,))}, "has continuous actions; Q-learning needs a few separate ones"),
        ({"action": spaces.MultiBinary(3)}, "has a MultiBinary space of actions"),
        ({"action": spaces.Discrete(3, start=1)}, "counts its actions from 1"),
        ({"observation": spaces.Dict({"a": spaces.Discrete(2)})}, "is seen as a Dict space"),
        ({"observation": spaces.Discrete(16)}, "is seen as one of 16 states"),
        ({"observation": spaces.Box(0, 255, (4, 5, 3))}, "is seen as 4x5x3; data=gym takes rows"),
    ],
)
def test_what_cannot_be_learned_is_said_in_a_line(kwargs, says, monkeypatch) -> None:
    spec = EnvSpec("Bad-v0", entry_point=lambda **given: Bad(**kwargs, **given))
    monkeypatch.setitem(gymnasium.registry, "Bad-v0", spec)
    with pytest.raises(InputError, match=says) as told:
        source(environment="Bad-v0")
    assert str(told.value).startswith("data.environment: Bad-v0 ")
    assert "\n" not in str(told.value)


@pytest.mark.promise("R9")
def test_bad_names_and_missing_extras_are_said_in_a_line() -> None:
    with pytest.raises(InputError, match=r"no environment called 'CartPol-v1'.*CartPole-v1"):
        source(environment="CartPol-v1")
    with pytest.raises(InputError, match="no environment called 'CartPole-v9'"):
        source(environment="CartPole-v9")
    with pytest.raises(InputError, match="names a module to import"):
        source(environment="os:CartPole-v1")
    with pytest.raises(InputError, match="an environment has no batches"):
        source().train(Order(0, 4))
    try:
        import Box2D  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError:
        with pytest.raises(InputError, match=r'LunarLander-v3 needs more packages: pip install -e "\.\[box2d\]"'):
            source(environment="LunarLander-v3")


DRAWN = """
from fourfold.data.control.gym import GymEnvironment
environment = GymEnvironment("CartPole-v1", lambda episode: episode, drawn=True)
environment.reset()
print(environment.render().shape)
"""


def test_a_picture_is_drawn_without_a_word_where_there_is_no_screen() -> None:
    """SDL writes past Python, once a process."""
    nowhere = ("XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    environment = {name: value for name, value in os.environ.items() if name not in nowhere}
    done = subprocess.run([sys.executable, "-c", DRAWN], capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout, done.stderr) == ("(400, 600, 3)\n", "")
