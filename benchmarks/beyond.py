"""Systems whose loop is not "predict, compare, descend": how fast deep Q-learning acts and learns.

    python benchmarks/beyond.py                                 all of it, some minutes
    python benchmarks/beyond.py --only acting                   a part of it
    python benchmarks/beyond.py --markdown docs/benchmarks.md   write the tables where readers find them

All contenders live in one process and take turns in a random order; each ratio is taken within a round.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from peers import sb3_dqn
from tables import machine, table, tell, write_section
from turns import interleaved, our_training, parse, rows_of

PARTS = ("acting", "frames")
MOVES, UPDATES = 256, 128  # of a turn, in both
PREFACE = "## Beyond supervision\n\n{machine}. Load before: {load:.2f}."
SB3: dict[str, Any] = {  # the settings that its authors tuned for CartPole
    "learning_rate": 2.3e-3,
    "batch_size": 64,
    "buffer_size": 100_000,
    "learning_starts": 1000,
    "gamma": 0.99,
    "target_update_interval": 10,
    "train_freq": MOVES,
    "gradient_steps": UPDATES,
    "exploration_fraction": 0.16,
    "exploration_final_eps": 0.04,
    "policy_kwargs": {"net_arch": [256, 256]},
}
OURS: dict[str, Any] = {  # the same
    "data": {"name": "gym", "environment": "CartPole-v1"},
    "model": {"name": "mlp", "widths": [256, 256], "init": "glorot"},
    "loss": "td_error",
    "algorithm": {
        "name": "q_learning",
        "optimizer": {"name": "adam", "lr": 2.3e-3},
        "regularizers": [{"name": "gradient_clipping", "max_norm": 10.0}],
        "capacity": 100_000,
        "learning_starts": 1000,
        "train_every": MOVES,
        "updates": UPDATES,
        "target_every": 10,
        "epsilon_end": 0.04,
        "epsilon_moves": 8000,
    },
    "budget": {"steps": 10**6, "batch_size": 64},
}
FRAMES: dict[str, Any] = {
    "data": {"name": "atari", "game": "breakout"},
    "model": "dqn_2015",
    "loss": "td_error",
    "algorithm": {
        "name": "q_learning",
        "optimizer": {"name": "adam", "lr": 1e-4},
        "regularizers": [{"name": "gradient_clipping", "max_norm": 10.0}],
        "learning_starts": 1,
    },
    "budget": {"steps": 10**6, "batch_size": 32},
}


def main() -> None:
    options = parse(__doc__, PARTS, "few rounds: whether it runs, not how fast")
    torch.set_num_threads(options.threads)
    if options.markdown is not None:
        write_section(options.markdown, "beyond", PREFACE.format(machine=machine(), load=os.getloadavg()[0]))
    rounds = options.rounds or (2 if options.quick else 21)
    if "acting" in options.only:
        tell(options.markdown, "beyond acting", acting(rounds, options))
    if "frames" in options.only:
        tell(options.markdown, "beyond frames", frames(rounds, options))


def acting(rounds: int, options: argparse.Namespace) -> str:
    """Return the table of CartPole: moves a second, learning included."""
    step = our_training({**OURS, "runtime": {"device": "cpu", "threads": options.threads, "precision": "fp32"}}).step

    def turn() -> None:
        for _ in range(MOVES):
            step()

    ways = {"Stable-Baselines3": sb3_dqn.cartpole(SB3, options.threads), "**Fourfold**": turn}
    for way in ways.values():  # past where nothing is learned yet, and most moves are random
        for _ in range(2 if options.quick else 10):
            way()
    seconds = interleaved(ways, rounds, 1 if options.quick else 2, options.clock)
    note = (
        f"CartPole-v1, {UPDATES} updates from 64 transitions each {MOVES} moves, 256 and 256 hidden units, the same "
        f"settings; {options.threads} threads; median (quartiles) of {rounds} rounds."
    )
    columns = ["learner", "moves a second", "speed, Stable-Baselines3 = 1"]
    return f"### Q-learning on CartPole\n\n{note}\n\n{table(columns, rows_of(seconds, MOVES))}"


def frames(rounds: int, options: argparse.Namespace) -> str:
    """Return the table of updates from frames of Atari's size: drawing them, and learning."""
    stored = 500 if options.quick else 5000

    def ours(precision: str) -> Callable[[], object]:
        parts = {**FRAMES, "algorithm": {**FRAMES["algorithm"], "capacity": stored}}
        runtime = {"device": "cpu", "threads": options.threads, "precision": precision}
        training = our_training({**parts, "runtime": runtime})
        draws = np.random.default_rng(0)
        training.memory.begin(0, draws.integers(0, 256, (1, 84, 84), dtype=np.uint8))
        for _ in range(stored):
            frame = draws.integers(0, 256, (1, 84, 84), dtype=np.uint8)
            training.memory.add(0, int(draws.integers(4)), 0.0, False, frame)
        training._step = 1
        return training._learn

    ways: dict[str, Callable[[], object]] = {
        "Stable-Baselines3": sb3_dqn.frames(stored, 32, 4, options.threads),
        "**Fourfold**": ours("auto"),
        "**Fourfold**, precision=fp32": ours("fp32"),
    }
    seconds = interleaved(ways, rounds, 1 if options.quick else 4, options.clock)
    note = (
        f"The network of 2015, 32 transitions of 4 frames of 84x84 an update, {options.threads} threads; median "
        f"(quartiles) of {rounds} rounds."
    )
    columns = ["learner", "updates a second", "speed, Stable-Baselines3 = 1"]
    return f"### Q-learning from frames\n\n{note}\n\n{table(columns, rows_of(seconds, 1))}"


if __name__ == "__main__":
    main()
