"""Stable-Baselines3's DQN, a piece of its own training loop at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np


def cartpole(settings: dict[str, Any], threads: int) -> Callable[[], object]:
    """Return what collects `train_freq` moves and makes `gradient_steps` updates, as its `learn` does in turn."""
    import torch
    from stable_baselines3 import DQN

    torch.set_num_threads(threads)
    model = DQN("MlpPolicy", "CartPole-v1", device="cpu", verbose=0, seed=0, **settings)
    _, callback = model._setup_learn(50_000, None)
    callback.on_training_start({}, {})

    def turn() -> None:
        model.collect_rollouts(
            model.env,  # type: ignore[arg-type]
            train_freq=model.train_freq,  # type: ignore[arg-type]
            action_noise=None,
            callback=callback,
            learning_starts=model.learning_starts,
            replay_buffer=model.replay_buffer,  # type: ignore[arg-type]
            log_interval=None,  # type: ignore[arg-type]
        )
        model._update_current_progress_remaining(min(model.num_timesteps, 50_000), 50_000)
        if model.num_timesteps > model.learning_starts:
            model.train(batch_size=model.batch_size, gradient_steps=settings["gradient_steps"])

    return turn


def frames(stored: int, batch_size: int, actions: int, threads: int) -> Callable[[], object]:
    """Return an update of its CnnPolicy from a memory of frames of Atari's size."""
    import gymnasium
    import torch
    from stable_baselines3 import DQN

    torch.set_num_threads(threads)

    class Frames(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(0, 255, (4, 84, 84), np.uint8)
        action_space = gymnasium.spaces.Discrete(actions)

        def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
            return np.zeros((4, 84, 84), np.uint8), {}

        def step(self, action: Any) -> Any:
            return np.zeros((4, 84, 84), np.uint8), 0.0, False, False, {}

    model = DQN("CnnPolicy", Frames(), buffer_size=stored, batch_size=batch_size, device="cpu", verbose=0, seed=0)
    model._setup_learn(1_000_000, None)
    draws = np.random.default_rng(0)
    memory = model.replay_buffer
    assert memory is not None
    seen = draws.integers(0, 256, (1, 4, 84, 84), dtype=np.uint8)
    for _ in range(stored):
        following = np.concatenate([seen[:, 1:], draws.integers(0, 256, (1, 1, 84, 84), dtype=np.uint8)], 1)
        memory.add(seen, following, draws.integers(actions, size=1), np.zeros(1), np.zeros(1), [{}])
        seen = following
    return lambda: model.train(gradient_steps=1, batch_size=batch_size)
