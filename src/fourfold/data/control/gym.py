"""Any environment of Gymnasium's with a few actions and rows of numbers to see.

Source: Towers et al., Gymnasium: A Standard Interface for Reinforcement Learning Environments, 2024,
arXiv:2407.17032. CartPole: Barto, Sutton and Anderson 1983; Acrobot: Sutton 1996.
Licence: MIT.
Checked by: the same numbers as Gymnasium's own loop gives; bad names, actions and observations.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.extras import to_install
from fourfold.data.control.base import ControlDataConfig, PlayedSource
from fourfold.data.encoding import FeaturesEncoding
from fourfold.tasks.control import ControlSpec, Environment, Move, Observation
from fourfold.tasks.inputs import Features

NAMES = {  # of what is seen and done, where Gymnasium says so only in its documentation
    "CartPole": (("position", "velocity", "angle", "angular velocity"), ("left", "right")),
    "Acrobot": (
        ("cos 1", "sin 1", "cos 2", "sin 2", "angular velocity 1", "angular velocity 2"),
        ("torque -1", "torque 0", "torque 1"),
    ),
    "MountainCar": (("position", "velocity"), ("left", "none", "right")),
    "LunarLander": (
        ("x", "y", "velocity x", "velocity y", "angle", "angular velocity", "left leg", "right leg"),
        ("none", "left engine", "main engine", "right engine"),
    ),
}
EXTRAS = {"box2d": "box2d", "pygame": "control", "Box2D": "box2d", "mujoco": "", "ale_py": "atari"}


class GymConfig(ControlDataConfig):
    """Fields of `data: gym`."""

    name: Literal["gym"] = "gym"
    environment: str = Field(default="CartPole-v1", min_length=1, description="Gymnasium's name of it")

    licence = "MIT"
    origin = "Gymnasium, the Farama Foundation; comes with the package"

    def build(self, seed: int, cache: Path) -> "GymSource":
        """Return the environment as a source.

        Raises:
            InputError: there is no such environment, something it needs is missing, or it cannot be learned here.
        """
        env = make(self.environment)
        space: Any = env.action_space
        inputs, actions = self._names(_columns(env.observation_space, self.environment), _actions(space, self))
        limit = env.spec.max_episode_steps if env.spec is not None else None
        cut = f"episodes are cut off after {limit:,} moves" if limit else "episodes have no time limit of their own"
        env.close()
        spec = ControlSpec(Features(inputs), actions, self.discount)
        return GymSource(self, spec, seed, [f"{self.environment}: {cut}"])

    def _names(self, columns: int, actions: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        known = NAMES.get(self.environment.split("/")[-1].split("-")[0], ((), ()))
        inputs = known[0] if len(known[0]) == columns else tuple(f"x{i}" for i in range(columns))
        return inputs, known[1] if len(known[1]) == actions else tuple(f"action {i}" for i in range(actions))


def make(name: str, render_mode: str | None = None) -> Any:
    """Return Gymnasium's environment.

    Raises:
        InputError: there is none of that name, or something it needs is missing.
    """
    import warnings

    import gymnasium

    if render_mode is not None:
        # pygame draws into memory; SDL under it would look for a screen, and say on stderr that there is none
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    if ":" in name:  # gymnasium would import the module before it
        raise InputError(f"data.environment: '{name}' names a module to import; only Gymnasium's own names are taken")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as that a later version of an environment exists
            return gymnasium.make(name, render_mode=render_mode, disable_env_checker=True)
    except (gymnasium.error.UnregisteredEnv, gymnasium.error.DeprecatedEnv, gymnasium.error.Error) as error:
        if isinstance(error, gymnasium.error.DependencyNotInstalled):
            raise _missing(name, str(error)) from None
        known = [spec for spec in gymnasium.registry if "/" not in spec]
        raise InputError(f"data.environment: no environment called '{name}'{did_you_mean(name, known)}") from None
    except ImportError as error:
        raise _missing(name, str(error)) from None


def _missing(name: str, said: str) -> InputError:
    extra = next((extra for word, extra in EXTRAS.items() if word in said), "")
    if extra:
        return InputError(f"data.environment: {name} needs more packages: {to_install(extra)}")
    return InputError(f"data.environment: {name} needs more packages: {' '.join(said.split())}")


def _columns(space: Any, name: str) -> int:
    """Return how many numbers are seen.

    Raises:
        InputError: what is seen is no row of numbers.
    """
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        raise InputError(
            f"data.environment: {name} is seen as one of {space.n} states; a network needs a row of numbers (a Box)"
        )
    if not isinstance(space, spaces.Box):
        raise InputError(
            f"data.environment: {name} is seen as a {type(space).__name__} space; a network needs a row of numbers "
            "(a Box)"
        )
    if len(space.shape) != 1:
        shape = "x".join(map(str, space.shape)) or "one number"
        raise InputError(
            f"data.environment: {name} is seen as {shape}; data=gym takes rows of numbers, data=atari and "
            "data=minatar take frames"
        )
    return int(space.shape[0])


def _actions(space: Any, config: GymConfig) -> int:
    """Return how many actions there are.

    Raises:
        InputError: they cannot be counted.
    """
    from gymnasium import spaces

    if not isinstance(space, spaces.Discrete):
        kind = "continuous actions" if isinstance(space, spaces.Box) else f"a {type(space).__name__} space of actions"
        raise InputError(
            f"data.environment: {config.environment} has {kind}; Q-learning needs a few separate ones (Discrete)"
        )
    if space.start != 0:
        raise InputError(
            f"data.environment: {config.environment} counts its actions from {space.start}; they must begin at 0"
        )
    return int(space.n)


class GymSource(PlayedSource):
    """Gymnasium's environments as a source."""

    config: GymConfig

    def __init__(self, config: GymConfig, spec: ControlSpec, seed: int, notes: list[str]) -> None:
        super().__init__(config, spec, seed, notes)
        assert isinstance(spec.input, Features)
        self.encoding = FeaturesEncoding.unchanged(spec.input.names)

    def make(self, key: tuple[int, ...], learning: bool, drawn: bool = False) -> "GymEnvironment":
        """Return an environment."""
        return GymEnvironment(self.config.environment, lambda episode: self.seed_of(*key, episode), drawn)


class GymEnvironment(Environment):
    """One of Gymnasium's environments.

    Args:
        name: Gymnasium's.
        seed_of: the seed of an episode.
        drawn: whether pictures of it are wanted.
    """

    def __init__(self, name: str, seed_of: Callable[[int], int], drawn: bool = False) -> None:
        super().__init__(seed_of)
        self.name = name
        self.env = make(name, "rgb_array" if drawn else None)

    def begin(self, seed: int) -> Observation:
        """Begin an episode."""
        return np.asarray(self.env.reset(seed=seed)[0], np.float32)

    def move(self, action: int) -> Move:
        """Do one action."""
        observation, reward, terminated, truncated, _ = self.env.step(action)
        reward = float(reward)
        over = bool(terminated or truncated)
        return Move(
            np.asarray(observation, np.float32), reward, reward, bool(terminated), over and not terminated, over
        )

    def render(self) -> NDArray[Any]:
        """Return the picture that the environment draws of itself."""
        try:
            return self.env.render()
        except Exception as error:
            raise _missing(self.name, str(error)) from None
