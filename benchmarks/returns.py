"""What deep Q-learning earns after equal moves, beside Stable-Baselines3's, on CartPole.

    python benchmarks/returns.py                                 ten seeds: about half an hour of one core
    python benchmarks/returns.py --markdown docs/benchmarks.md   write the table where readers find it

Both have the settings that Stable-Baselines3's authors tuned for CartPole, those of `beyond.py`, and the last weights
are scored: no choice of the best on the way. The recipe `cartpole-dqn`, which is double Q-learning and keeps the best,
is the third. All play the same 100 episodes, seeds 10,000 and on, always the action that seems best.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from beyond import OURS, SB3
from tables import machine, table, write_section

import fourfold as ff
from fourfold.study.intervals import interquartile_mean, interquartile_mean_interval

MOVES, EPISODES, FIRST = 50_000, 100, 10_000
COLUMNS = ["learner", "interquartile mean", "95 % interval", "mean", "least", "most"]


def theirs(seed: int) -> float:
    """Return the mean return of Stable-Baselines3's last weights."""
    from stable_baselines3 import DQN

    torch.set_num_threads(1)
    model = DQN("MlpPolicy", "CartPole-v1", device="cpu", verbose=0, seed=seed, **SB3)
    model.learn(MOVES)
    return played(lambda seen: int(model.predict(seen, deterministic=True)[0]))


def ours(recipe: str | dict[str, Any], seed: int) -> float:
    """Return the mean return of the weights that a run of Fourfold ends with."""
    with tempfile.TemporaryDirectory() as workspace:
        network = ff.run(recipe, {"runtime.threads": 1}, seed=seed, workspace=workspace).model.eval()
        with torch.inference_mode():
            return played(lambda seen: int(network(torch.from_numpy(seen)[None]).argmax()))


def played(act: Any) -> float:
    """Return the mean return of the test episodes."""
    environment, returns = gymnasium.make("CartPole-v1"), []
    for episode in range(EPISODES):
        seen, _ = environment.reset(seed=FIRST + episode)
        earned, over = 0.0, False
        while not over:
            seen, reward, terminated, truncated, _ = environment.step(act(seen))
            earned, over = earned + float(reward), terminated or truncated
        returns.append(earned)
    return float(np.mean(returns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    options = parser.parse_args()
    same = {**OURS, "budget": {"steps": MOVES, "batch_size": 64, "validate_every": MOVES}}
    learners: dict[str, Any] = {
        "Stable-Baselines3's DQN, its authors' settings": theirs,
        "**Fourfold**, the same settings": lambda seed: ours(same, seed),
        "**Fourfold**, `cartpole-dqn`": lambda seed: ours("cartpole-dqn", seed),
    }
    rows = []
    for name, learner in learners.items():
        found = []
        for seed in range(options.seeds):
            found.append(learner(seed))
            print(name, seed, found[-1], flush=True)
        low, high = interquartile_mean_interval([found])
        rows.append(
            [
                name,
                f"{interquartile_mean(found):.0f}",
                f"{low:.0f} to {high:.0f}",
                *(f"{value:.0f}" for value in (np.mean(found), min(found), max(found))),
            ]
        )
    note = (
        f"CartPole-v1, {MOVES:,} moves, then {EPISODES} episodes whose mean return is a seed's score (500 at most); "
        f"{options.seeds} seeds. {machine()}."
    )
    text = f"### What Q-learning earns\n\n{note}\n\n{table(COLUMNS, rows)}"
    print(text)
    if options.markdown is not None:
        write_section(options.markdown, "returns", text)


if __name__ == "__main__":
    main()
